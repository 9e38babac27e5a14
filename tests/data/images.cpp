// Images on their way to a network: scaled, changed at random, dealt out by class.
#include <limbic/data/augment.hpp>
#include <limbic/data/channel_scaler.hpp>
#include <limbic/data/class_weights.hpp>
#include <limbic/data/grayscale.hpp>
#include <limbic/data/stratified.hpp>

#include "../catch.hpp"

#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

using namespace limbic;

namespace {

using bytes4 = tensor<std::uint8_t, 4>;
using floats4 = tensor<float, 4>;

bytes4 noise(std::ptrdiff_t n, std::ptrdiff_t c, std::ptrdiff_t h, std::ptrdiff_t w, std::uint64_t seed) {
  bytes4 x(shape<4>{{n, c, h, w}}, uninitialized);
  rng random{.seed = seed};
  for (auto& v : x) v = static_cast<std::uint8_t>(random.below(256));
  return x;
}
sample_list all_of(std::ptrdiff_t n) {
  sample_list s(shape<1>{{n}}, uninitialized);
  std::iota(s.begin(), s.end(), 0);
  return s;
}
sample_list list(std::initializer_list<std::int64_t> values) {
  return sample_list(shape<1>{{static_cast<std::ptrdiff_t>(values.size())}}, values);
}
bool same_bits(floats4 const& a, floats4 const& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0;
}
constexpr augment_options nothing{.zoom = 0, .shear = 0, .flip = 0};

// One image with transformation numbers of our choice.
floats4 drawn(bytes4 const& x, double zoom_rows, double zoom_columns, double angle, bool flip, std::ptrdiff_t down = 0,
              std::ptrdiff_t right = 0) {
  detail::augment_draw a(nothing, x.extent(2), x.extent(3), {});
  a.zoom_rows = zoom_rows, a.zoom_columns = zoom_columns;
  a.sine = std::sin(angle), a.cosine = std::cos(angle);
  a.flip = flip, a.down = down, a.right = right;
  floats4 y(x.shape(), uninitialized);
  detail::augment_image<float>(x.view()[0], y.view()[0], a, -1);
  return y;
}

}  // namespace

TEST_CASE("pixels: a factor and an offset for each channel") {
  bytes4 const x({1, 2, 1, 2}, {0, 255, 51, 102});
  CHECK(channel_scaler(1.0 / 255).transform(x)(0, 0, 0, 1) == 1.0F);
  CHECK(channel_scaler(1.0 / 255 / 512).transform<double>(x)(0, 1, 0, 0) == Approx(51.0 / 255 / 512).epsilon(1e-15));
  channel_scaler const each(channel_scaler::numbers({2}, {2, 3}), channel_scaler::numbers({2}, {1, -1}));
  floats4 y = each.transform(x);
  CHECK((y(0, 0, 0, 1) == 511.0F && y(0, 1, 0, 1) == 305.0F));
  each.apply(y);
  CHECK((y(0, 0, 0, 1) == 1023.0F && y(0, 1, 0, 1) == 914.0F));
  // A view that is not contiguous.
  CHECK(each.transform(x.view().slice(3, 1, 2))(0, 1, 0, 0) == 305.0F);
  CHECK_THROWS_AS(each.transform(noise(1, 3, 2, 2, 1)), shape_error);
  CHECK_THROWS_AS(channel_scaler(channel_scaler::numbers({2}, {2, 3}), channel_scaler::numbers({1}, {1})), shape_error);
  CHECK_THROWS_AS(channel_scaler(std::nan("")), argument_error);
}

TEST_CASE("pixels: standardised channels have mean 0 and deviation 1") {
  bytes4 x = noise(20, 3, 5, 4, 3);
  for (std::ptrdiff_t n = 0; n < 20; ++n)
    for (std::ptrdiff_t i = 0; i < 20; ++i) x.data()[n * 60 + 40 + i] = 77;  // the last channel is constant
  auto const y = channel_scaler::standard(x).transform<double>(x);
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    double mean = 0, square = 0;
    for (std::ptrdiff_t n = 0; n < 20; ++n)
      for (std::ptrdiff_t i = 0; i < 20; ++i) {
        double const v = y.data()[n * 60 + c * 20 + i];
        mean += v / 400;
        square += v * v / 400;
      }
    CHECK(std::abs(mean) < 1e-12);
    CHECK(square == Approx(c < 2 ? 1.0 : 0.0).margin(1e-12));
  }
  CHECK_THROWS_AS(channel_scaler::standard(bytes4({0, 1, 2, 2})), argument_error);
}

TEST_CASE("grayscale") {
  bytes4 const x({1, 3, 1, 3}, {255, 0, 10, 255, 0, 20, 255, 255, 30});
  auto const y = grayscale(x);
  CHECK((y.shape() == shape<4>{{1, 1, 1, 3}}));
  CHECK((y(0, 0, 0, 0) == 255 && y(0, 0, 0, 1) == 29 && y(0, 0, 0, 2) == 18));  // 29.07, 18.15
  CHECK(std::equal(y.begin(), y.end(), grayscale(y).begin()));
  CHECK_THROWS_AS(grayscale(noise(1, 2, 2, 2, 1)), shape_error);
}

TEST_CASE("augmentation: ranges of 0 change nothing, two flips neither") {
  bytes4 const x = noise(5, 3, 7, 6, 4);
  floats4 const as_is = channel_scaler(1).transform(x);
  CHECK(same_bits(augment(x, all_of(5), nothing, {.seed = 1}), as_is));
  augment_options flip = nothing;
  flip.flip = 1;
  floats4 const once = augment(x, all_of(5), flip, {.seed = 1});
  CHECK(once(2, 1, 3, 0) == as_is(2, 1, 3, 5));
  CHECK(same_bits(augment(once, all_of(5), flip, {.seed = 2}), as_is));
  CHECK(augment(x, list({3}), flip, {})(0, 0, 0, 0) == as_is(3, 0, 0, 5));
}

TEST_CASE("augmentation: known images") {
  // By hand: 4 columns 0 10 20 30, the centre at 1.5. Zoom 0.5 reads at 0.75 1.25 1.75 2.25; 2 at -1.5 0.5 2.5 4.5.
  bytes4 const row({1, 1, 1, 4}, {0, 10, 20, 30});
  CHECK(same_bits(drawn(row, 1, 0.5, 0, false), floats4({1, 1, 1, 4}, {7.5F, 12.5F, 17.5F, 22.5F})));
  CHECK(same_bits(drawn(row, 1, 2, 0, false), floats4({1, 1, 1, 4}, {0, 5, 25, 30})));
  CHECK(same_bits(drawn(row, 1, 2, 0, true), floats4({1, 1, 1, 4}, {30, 25, 5, 0})));
  // Another factor for the rows leaves one row as it is.
  CHECK(same_bits(drawn(row, 0.5, 1, 0, false), floats4({1, 1, 1, 4}, {0, 10, 20, 30})));
  // Shear by asin(0.6): rows move by -0.6 (column - 1), columns shrink to 0.8: left and right of the centre row
  // r -+ 0.6, column 1 -+ 0.8.
  bytes4 const square({1, 1, 3, 3}, {0, 10, 20, 30, 40, 50, 60, 70, 80});  // 30 row + 10 column
  floats4 const sheared = drawn(square, 1, 1, std::asin(0.6), false);
  CHECK(sheared(0, 0, 1, 1) == Approx(40));
  CHECK(sheared(0, 0, 1, 0) == Approx(30 * 1.6 + 10 * 0.2));
  CHECK(sheared(0, 0, 1, 2) == Approx(30 * 0.4 + 10 * 1.8));
  CHECK(sheared(0, 0, 0, 0) == Approx(30 * 0.6 + 10 * 0.2));
  CHECK(sheared(0, 0, 2, 0) == Approx(30 * 2 + 10 * 0.2));  // beyond the last row: the nearest
  CHECK(sheared(0, 0, 0, 2) == Approx(10 * 1.8));
  // A part of the padded image.
  CHECK(same_bits(drawn(row, 1, 1, 0, false, 0, 2), floats4({1, 1, 1, 4}, {20, 30, -1, -1})));
  CHECK(same_bits(drawn(row, 1, 1, 0, true, 0, -1), floats4({1, 1, 1, 4}, {-1, 30, 20, 10})));
  CHECK(same_bits(drawn(row, 1, 1, 0, false, 1, 0), floats4({1, 1, 1, 4}, {-1, -1, -1, -1})));
}

TEST_CASE("augmentation: a function of stream and image alone") {
  bytes4 const x = noise(9, 2, 12, 10, 5);
  augment_options o;
  o.pad = 2;
  o.erase = 0.5;
  rng const root{.seed = 11};
  floats4 const whole = augment(x, all_of(9), o, root.split(3));
  CHECK(same_bits(whole, augment(x, all_of(9), o, root.split(3))));
  CHECK_FALSE(same_bits(whole, augment(x, all_of(9), o, root.split(4))));
  CHECK_FALSE(same_bits(whole, augment(x, all_of(9), o, rng{.seed = 12}.split(3))));
  floats4 const others = augment(x, list({7, 2, 7}), o, root.split(3));
  for (std::ptrdiff_t i = 0; i < 240; ++i) {
    REQUIRE(others.data()[i] == whole.data()[7 * 240 + i]);
    REQUIRE(others.data()[240 + i] == whole.data()[2 * 240 + i]);
    REQUIRE(others.data()[480 + i] == whole.data()[7 * 240 + i]);
  }
  // Another option does not change what is drawn for zoom and shear: erased pixels aside, the image is the same.
  augment_options bare = o;
  bare.erase = 0;
  floats4 const unerased = augment(x, all_of(9), bare, root.split(3));
  std::ptrdiff_t erased = 0;
  for (std::ptrdiff_t i = 0; i < whole.size(); ++i)
    if (whole.data()[i] != unerased.data()[i]) {
      REQUIRE(whole.data()[i] == 0.0F);
      ++erased;
    }
  CHECK(erased > 0);
}

TEST_CASE("augmentation: what is drawn has the ranges that are said") {
  augment_options o{.zoom = 0.3, .shear = 0.1, .flip = 0.2};
  o.pad = 3;
  o.erase = 0.4;
  int const n = 4000;
  int flips = 0, erasures = 0;
  double zoom = 0, least = 2, most = 0, area = 0;
  std::set<std::ptrdiff_t> moves;
  for (int i = 0; i < n; ++i) {
    detail::augment_draw const a(o, 40, 30, rng{.seed = 6}.split(static_cast<std::uint64_t>(i)));
    REQUIRE((a.zoom_rows >= 0.7 && a.zoom_rows <= 1.3 && a.zoom_columns >= 0.7 && a.zoom_columns <= 1.3));
    REQUIRE(std::abs(a.sine) <= std::sin(0.1));
    REQUIRE((a.top >= 0 && a.left >= 0 && a.top + a.height <= 40 && a.left + a.width <= 30));
    zoom += a.zoom_rows * a.zoom_columns / n;
    least = std::min(least, a.zoom_rows), most = std::max(most, a.zoom_rows);
    moves.insert(a.down);
    flips += a.flip;
    if (a.height > 0) ++erasures, area += static_cast<double>(a.height * a.width) / 1200;
  }
  CHECK(zoom == Approx(1).margin(0.02));  // independent factors
  CHECK((least < 0.71 && most > 1.29));
  CHECK(moves == std::set<std::ptrdiff_t>{-3, -2, -1, 0, 1, 2, 3});
  CHECK(flips == Approx(0.2 * n).margin(5 * 25.3));        // 5 standard deviations
  CHECK(erasures == Approx(0.4 * n).margin(5 * 31 + 20));  // a few find no place in ten attempts
  CHECK((area / erasures > 0.12 && area / erasures < 0.19));
}

TEST_CASE("augmentation: mistakes") {
  bytes4 const x = noise(2, 1, 3, 3, 1);
  auto const with = [&](auto&& change) {
    augment_options o;
    change(o);
    augment(x, all_of(2), o, {});
  };
  CHECK_THROWS_AS(with([](auto& o) { o.zoom = 1; }), argument_error);
  CHECK_THROWS_AS(with([](auto& o) { o.shear = -0.1; }), argument_error);
  CHECK_THROWS_AS(with([](auto& o) { o.flip = std::nan(""); }), argument_error);
  CHECK_THROWS_AS(with([](auto& o) { o.erase = 1.1; }), argument_error);
  CHECK_THROWS_AS(with([](auto& o) { o.erase_least = 0.5; }), argument_error);
  CHECK_THROWS_AS(with([](auto& o) { o.pad = -1; }), argument_error);
  CHECK_THROWS_AS(augment(x, list({2}), {}, {}), index_error);
  CHECK_THROWS_AS(augment(x, list({-1}), {}, {}), index_error);
}

namespace {

// Classes of 700, 200, 90 and 10 samples, mixed.
sample_list uneven_labels() {
  sample_list labels(shape<1>{{1000}}), order(shape<1>{{1000}});
  rng random{.seed = 8};
  random.permutation(order);
  for (std::ptrdiff_t i = 0; i < 1000; ++i) labels(order(i)) = i < 700 ? 0 : i < 900 ? 1 : i < 990 ? 2 : 3;
  return labels;
}
std::ptrdiff_t of_class(sample_list const& part, sample_list const& labels, std::int64_t c) {
  return std::count_if(part.begin(), part.end(), [&](auto i) { return labels(i) == c; });
}

}  // namespace

TEST_CASE("classes: counts and weights") {
  sample_list const labels = uneven_labels();
  auto const n = class_counts(labels, 5);
  CHECK((n(0) == 700 && n(1) == 200 && n(2) == 90 && n(3) == 10 && n(4) == 0));
  auto const w = class_weights<double>(labels, 4);
  CHECK(w(0) == Approx(1000 / (4 * 700.0)));
  CHECK(w(3) == Approx(25));
  double all = 0;
  for (auto const label : labels) all += w(label);
  CHECK(all == Approx(1000));
  CHECK_THROWS_AS(class_weights<float>(labels, 5), argument_error);
  CHECK_THROWS_AS(class_counts(labels, 3), index_error);
}

TEST_CASE("classes: every part has its share") {
  sample_list const labels = uneven_labels();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto const s = split_classes(labels, {.validation = 0.1, .test = 0.277}, {.seed = seed});
    REQUIRE((s.test.size() == 277 && s.validation.size() == 100 && s.train.size() == 623));
    std::set<std::int64_t> each(s.test.begin(), s.test.end());
    each.insert(s.validation.begin(), s.validation.end());
    each.insert(s.train.begin(), s.train.end());
    REQUIRE(each.size() == 1000);
    REQUIRE(std::is_sorted(s.test.begin(), s.test.end()));
    auto const counts = class_counts(labels, 4);
    for (std::int64_t c = 0; c < 4; ++c) {
      double const size = static_cast<double>(counts(c));
      CHECK(std::abs(static_cast<double>(of_class(s.test, labels, c)) - 0.277 * size) <= 1);
      CHECK(std::abs(static_cast<double>(of_class(s.validation, labels, c)) - 0.1 * size) <= 2);
    }
  }
  auto const digits =
      split_classes(sample_list(shape<1>{{1797}}), {.validation = 0, .test = 497.0 / 1797}, {.seed = 1});
  CHECK((digits.train.size() == 1300 && digits.test.size() == 497 && digits.validation.size() == 0));
  auto const again = split_classes(sample_list(shape<1>{{1797}}), {.validation = 0, .test = 497.0 / 1797}, {.seed = 1});
  CHECK(std::equal(digits.test.begin(), digits.test.end(), again.test.begin()));
  CHECK_THROWS_AS(split_classes(labels, {.validation = 0.5, .test = 0.5}, {}), argument_error);
  CHECK_THROWS_AS(split_classes(list({1, 1}), {.validation = 0, .test = 0.1}, {}), argument_error);
  CHECK_THROWS_AS(split_classes(list({1, 1}), {.validation = 0, .test = 0.9}, {}), argument_error);
}

TEST_CASE("classes: folds differ by one sample at most") {
  sample_list const labels = uneven_labels();
  auto const folds = stratified_k_fold(labels, 7, {.seed = 2});
  REQUIRE(folds.size() == 7);
  std::set<std::int64_t> tested;
  for (auto const& fold : folds) {
    CHECK((fold.test.size() == 142 || fold.test.size() == 143));
    CHECK(fold.train.size() + fold.test.size() == 1000);
    tested.insert(fold.test.begin(), fold.test.end());
    for (auto const i : fold.train) REQUIRE_FALSE(std::binary_search(fold.test.begin(), fold.test.end(), i));
    CHECK(of_class(fold.test, labels, 0) == 100);
    CHECK((of_class(fold.test, labels, 3) == 1 || of_class(fold.test, labels, 3) == 2));
  }
  CHECK(tested.size() == 1000);
  CHECK_THROWS_AS(stratified_k_fold(labels, 11, {}), argument_error);  // class 3 has 10 samples
  CHECK_NOTHROW(stratified_k_fold(labels, 10, {}));
  CHECK_THROWS_AS(stratified_k_fold(labels, 1, {}), argument_error);
}

TEST_CASE("classes: as many of each as asked for") {
  sample_list const labels = uneven_labels();
  auto const chosen = sample_classes(labels, list({50, 0, 90, 3}), {.seed = 3});
  CHECK((chosen.size() == 143 && std::is_sorted(chosen.begin(), chosen.end())));
  CHECK((of_class(chosen, labels, 0) == 50 && of_class(chosen, labels, 1) == 0 && of_class(chosen, labels, 2) == 90));
  CHECK_THROWS_AS(sample_classes(labels, list({50, 0, 91, 3}), {}), argument_error);
  CHECK_THROWS_AS(sample_classes(labels, list({50, 0, 9}), {}), index_error);
  CHECK_THROWS_AS(sample_classes(labels, list({50, -1, 9, 1}), {}), argument_error);
}
