// 1-nearest-neighbour classification of UCR sets by DTW, against the error rates that the archive states for DTW without
// a window; soft-DTW beside it, for the record. Needs the archive's files, <LIMBIC_DATA_DIR>/ucr/<set>/<set>_TRAIN.tsv
// and _TEST.tsv; without them it says so and passes. Two billion cells: a program of its own, since it is compiled
// with optimisation, and the linker keeps one copy of each function.
//
// Dau et al. 2019, The UCR Time Series Archive, doi:10.1109/JAS.2019.1911747
#include "../catch.hpp"

#include <limbic/signal/soft_dtw.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using limbic::shape;
using limbic::tensor;

struct labelled {
  tensor<float, 3> series;  // (N, T, 1)
  std::vector<int> labels;
};

// A line: label, then the samples, separated by tabs.
labelled read(std::string const& path) {
  std::ifstream file(path);
  std::vector<std::vector<float>> rows;
  labelled all;
  for (std::string line; std::getline(file, line);) {
    char const* at = line.c_str();
    char* end = nullptr;
    double const label = std::strtod(at, &end);
    if (end == at) continue;
    all.labels.push_back(static_cast<int>(label));
    rows.emplace_back();
    for (at = end;; at = end) {
      double const sample = std::strtod(at, &end);
      if (end == at) break;
      rows.back().push_back(static_cast<float>(sample));
    }
  }
  std::size_t const length = rows.empty() ? 0 : rows.front().size();
  all.series =
      tensor<float, 3>(shape<3>{{static_cast<std::ptrdiff_t>(rows.size()), static_cast<std::ptrdiff_t>(length), 1}});
  float* to = all.series.data();
  for (auto const& row : rows) {
    REQUIRE(row.size() == length);
    for (float const sample : row) *to++ = sample;
  }
  return all;
}

double error_of(tensor<float, 2> const& distances, labelled const& test, labelled const& train) {
  int wrong = 0;
  for (std::size_t i = 0; i < test.labels.size(); ++i) {
    std::size_t nearest = 0;
    for (std::size_t j = 1; j < train.labels.size(); ++j)
      if (distances(i, j) < distances(i, nearest)) nearest = j;
    wrong += test.labels[i] != train.labels[nearest] ? 1 : 0;
  }
  return wrong / static_cast<double>(test.labels.size());
}

}  // namespace

TEST_CASE("UCR: errors of 1-nearest-neighbour DTW are the archive's") {
  struct set {
    char const* name;
    double error;
  };
  set const sets[] = {{"CBF", 0.0033},
                      {"Coffee", 0},
                      {"ECG200", 0.23},
                      {"GunPoint", 0.0933},
                      {"ItalyPowerDemand", 0.0496},
                      {"SyntheticControl", 0.0067},
                      {"Trace", 0},
                      {"TwoLeadECG", 0.0957}};
  char const* const folder = std::getenv("LIMBIC_DATA_DIR");
  if (folder == nullptr) {
    WARN("skipped: LIMBIC_DATA_DIR does not name a folder that holds ucr/");
    return;
  }
  int found = 0;
  for (auto const& s : sets) {
    auto const path = std::string(folder) + "/ucr/" + s.name + "/" + s.name;
    if (!std::ifstream(path + "_TEST.tsv")) {
      WARN("skipped: there is no " << path << "_TEST.tsv");
      continue;
    }
    ++found;
    auto const train = read(path + "_TRAIN.tsv"), test = read(path + "_TEST.tsv");
    REQUIRE(train.series.extent(1) == test.series.extent(1));
    double const hard = error_of(limbic::dtw_pairwise(test.series, train.series), test, train);
    double const soft = error_of(limbic::soft_dtw_pairwise(test.series, train.series, {.gamma = 0.1}), test, train);
    std::printf("%-18s dtw %.4f (archive %.4f)   soft-DTW, gamma 0.1: %.4f\n", s.name, hard, s.error, soft);
    INFO(s.name);
    CHECK(std::abs(hard - s.error) <= 0.01);
    CHECK(soft <= s.error + 0.05);
  }
  if (found == 0) WARN("skipped: " << folder << "/ucr holds none of the sets");
}
