// 27_frame_features - what a heatmap says in few numbers: percentiles, a histogram and eigenfaces of maps of the scalp
//
//   27_frame_features               shows it
//   27_frame_features faces.svg     draws the eigenfaces too (needs gnuplot)
//
// Eight seconds of an electroencephalogram from 14 electrodes, 128 steps a second. Each step becomes an image of the scalp,
// and each image a row of features: what an encoder of heatmaps begins with. All of it has a gradient, so that whatever is
// trained on the features can tell each electrode which way to go.
//
// Before: 26_spectra.cpp    next: 28_blocks.cpp
#include "common/check.hpp"
#include "common/plot.hpp"

#include <limbic/data.hpp>
#include <limbic/io/csv.hpp>
#include <limbic/limbic.hpp>
#include <limbic/linalg/pca.hpp>
#include <limbic/signal.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using limbic::tensor;

namespace {

constexpr std::ptrdiff_t side = 24, faces = 4, electrodes = 14;
constexpr double low = -120;  // microvolts, of the histogram
std::vector<std::string> const names = {"AF3", "F7", "F3", "FC5", "T7", "P7", "O1",
                                        "O2",  "P8", "T8", "FC6", "F4", "F8", "AF4"};

// Microvolts above each electrode's median: (steps, electrodes).
tensor<double, 2> recording() {
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/eeg-eye-state.csv");
  tensor<double, 2> x(limbic::shape{table.rows(), electrodes});
  for (std::ptrdiff_t k = 0; k < electrodes; ++k) {
    auto const one = table.numbers<double>(names[static_cast<std::size_t>(k)]);
    double const middle = limbic::percentile(one, 50)();
    for (std::ptrdiff_t t = 0; t < one.size(); ++t) x(t, k) = one(t) - middle;
  }
  return x;
}

// The places of the pixels that lie on the head.
tensor<std::int64_t, 1> on_the_head(limbic::scalp_map<double> const& map) {
  tensor<std::int64_t, 1> at(limbic::shape{static_cast<std::ptrdiff_t>(limbic::sum(map.inside)())});
  for (std::ptrdiff_t i = 0, k = 0; i < map.inside.size(); ++i)
    if (map.inside.data()[i] == 1) at(k++) = i;
  return at;
}

// x (steps, electrodes) -> (steps, 3 percentiles + 8 bins + 4 faces)
struct frame_features {
  limbic::scalp_map<double> const& map;
  tensor<std::int64_t, 1> const& head;
  limbic::pca<double> const& eigenfaces;
  limbic::soft_histogram_options bins{.bins = 8, .low = low, .high = -low, .normalize = true};

  auto operator()(auto const& x) const {
    auto const pixels = limbic::index_select(limbic::flatten<1, 2>(map(x)), 1, head);
    return limbic::concatenate(1, limbic::percentile(pixels, 10, 1, limbic::keepdim),
                               limbic::percentile(pixels, 50, 1, limbic::keepdim),
                               limbic::percentile(pixels, 90, 1, limbic::keepdim),
                               limbic::soft_histogram(pixels, bins, 1), eigenfaces.project(pixels));
  }
};

}  // namespace

int main(int argc, char** argv) {
  auto const x = recording();
  // Few and noisy electrodes: lambda lets the map pass beside their values rather than bend through each.
  limbic::scalp_map<double> const map(limbic::electrode_positions(names),
                                      {.height = side, .width = side, .spline = {.lambda = 1e-4}});
  auto const head = on_the_head(map);
  tensor<double, 2> const pixels = limbic::index_select(limbic::flatten<1, 2>(map(x)), 1, head);
  limbic::pca<double> const eigenfaces(pixels, faces);
  frame_features const features{map, head, eigenfaces};
  auto const f = features(x);
  std::printf("%td steps of %td electrodes -> %td pixels on the head -> %td features\n", x.extent(0), electrodes,
              head.size(), f.extent(1));

  // The soft histogram beside a count, which has no gradient.
  tensor<double, 2> const counted(limbic::histogram(pixels, {.bins = 8, .low = low, .high = -low}, 1)
                                      .heights()
                                      .view()
                                      .on(limbic::default_device{}));
  tensor<double, 2> const heights = limbic::slice(f, 1, 3, 11);
  double const apart = limbic::mean(limbic::abs(heights - counted))();
  std::printf("bins: soft and counted heights are %.4f apart on average\n", apart);
  check(apart < 0.02, "the soft histogram is nearly the count");

  // Four numbers instead of 448 pixels lose what the faces do not explain.
  double const kept = limbic::sum(eigenfaces.explained_variance_ratio)();
  auto const again = eigenfaces.reconstruct(tensor<double, 2>(limbic::slice(f, 1, 11)));
  double const lost =
      limbic::sum(limbic::square(pixels - again))() / limbic::sum(limbic::square(pixels - eigenfaces.mean))();
  std::printf("the four eigenfaces keep %.1f %% of the variance, the first %.1f %%\n", 100 * kept,
              100 * eigenfaces.explained_variance_ratio(0));
  check(kept > 0.95 && std::abs(lost - (1 - kept)) < 1e-9, "images come back from four numbers, but for the rest");

  // Which electrodes does the first face listen to? The gradient of its coordinate says so.
  limbic::tape t;
  auto const moment = t.variable(tensor<double, 2>(x.view().slice(0, 0, 1)));
  t.backward(limbic::sum(limbic::slice(features(moment), 1, 11, 12)));
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < names.size(); ++k) order.push_back(k);
  auto const pull = [&](std::size_t k) { return std::abs(moment.gradient()(0, static_cast<std::ptrdiff_t>(k))); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return pull(a) > pull(b); });
  std::printf("the first face follows");
  for (std::size_t k = 0; k < 4; ++k) std::printf(" %s (%.1f)", names[order[k]].c_str(), pull(order[k]));
  std::printf("\n");
  std::sort(order.begin(), order.begin() + 4);
  check(order[0] == 0 && order[1] == 1 && order[2] == 12 && order[3] == 13,
        "those about the eyes: they move and blink");

  // Every feature, from the electrodes on, beside differences of the features.
  tensor<double, 2> const three(x.view().slice(0, 100, 800, 300));
  check(limbic::check_gradient(features, three).passed, "the gradient at the electrodes is that of finite differences");

  if (argc < 2) return 0;
  plot p("Eigenfaces of eight seconds of an electroencephalogram, seen from above", "eigenface", "back to front");
  p.side_by_side();
  double const nothing = std::numeric_limits<double>::quiet_NaN(), radius = 0.45;
  for (int k = 0; k < faces; ++k) {
    std::vector<double> across, up, face(side * side, nothing);
    for (std::ptrdiff_t i = 0; i < side; ++i) {
      double const u = radius * static_cast<double>(2 * i + 1 - side) / static_cast<double>(side);
      across.push_back(k + 1 + u);
      up.push_back(-u);  // the nose is at the top, in row 0
    }
    for (std::ptrdiff_t i = 0; i < head.size(); ++i)
      face[static_cast<std::size_t>(head(i))] = eigenfaces.components(k, i);
    p.image(across, up, face);
  }
  return p.save(argv[1]) ? 0 : 1;
}
