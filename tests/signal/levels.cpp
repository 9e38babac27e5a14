// signal/levels.cpp - long lines, and several levels at once
#include "support.hpp"

#include <vector>

using namespace signals;

namespace {

// Lines that are filtered in several parts, against sums tap by tap.
template <class D> double part_error(extension mode, std::ptrdiff_t taps, std::ptrdiff_t n) {
  auto const x = numbers<double, D>(shape{2, n}), f = numbers<double, D>(shape{2, taps}, 1);
  filter_line const line = detail::dwt_line(mode, 1, taps);
  tensor<double, 2, D> a({2, dwt_length(n, taps, mode)}), b(a.shape()), p(a.shape()), q(a.shape());
  analysis(D{}, as_sink(a), as_sink(b), as_view(x), as_view(f), line);
  detail::line_span const s(line, n, a.extent(1), taps);
  detail::analyse_by_taps(D{}, line, s, as_sink(p), as_sink(q), as_view(x), as_view(f));
  return std::max(apart(a, p), apart(b, q));
}

template <class X> double differs(X const& x, std::string_view name, wavedec_options const& o) {
  auto const bands = wavedec(x, wavelet(name), o);
  tape t;
  auto const recorded = wavedec(t.variable(x), wavelet(name), o);
  double worst = bands.size() == recorded.size() ? 0 : 1;
  for (std::size_t k = 0; k < bands.size(); ++k) worst = std::max(worst, apart(bands[k], recorded[k].value()));
  return worst;
}

}  // namespace

TEST_CASE("dwt: long lines") {
  for (extension const mode : all_modes)
    for (std::ptrdiff_t const taps : {2, 8, 10}) {
      CAPTURE(static_cast<int>(mode), taps);
      CHECK(part_error<simd>(mode, taps, 2 * 1024 + 1) < 1e-14);
      CHECK(part_error<simd>(mode, taps, 2300) < 1e-14);
      for (std::ptrdiff_t const n : {127, 128, 129, 300}) CHECK(part_error<scalar>(mode, taps, n) < 1e-14);
    }
}

TEST_CASE("wavedec: line by line as level by level") {
  auto const x = numbers<double, simd>(shape{3, 70, 4});
  for (extension const mode : all_modes)
    for (int const axis : {0, 1, 2}) {
      CAPTURE(static_cast<int>(mode), axis);
      CHECK(differs(x, "db2", {.mode = mode, .axis = axis, .level = 4, .beyond_max_level = true}) == 0);
    }
  CHECK(differs(numbers<float, simd>(shape{2, 5000}), "db4", {.level = 6}) == 0);
  CHECK(differs(numbers<float, scalar>(shape{500}), "coif1", {}) == 0);
  tensor<double, 3, simd> const turned(x.view().permute({{2, 0, 1}}));
  auto const there = wavedec(turned.view().permute({{1, 2, 0}}), "sym3", {.axis = 1}),
             here = wavedec(x, "sym3", {.axis = 1});
  REQUIRE(there.size() == here.size());
  for (std::size_t k = 0; k < here.size(); ++k) CHECK(apart(there[k], here[k]) == 0);
  auto const none = wavedec(tensor<double, 2, simd>(shape{0, 40}), "db2", {.level = 2});
  CHECK(none.back().shape() == shape<2>{{0, 21}});
  CHECK_THROWS_AS(wavedec(tensor<double, 1, simd>(shape{0}), "db2", {.level = 1, .beyond_max_level = true}),
                  shape_error);
  CHECK_THROWS_WITH(wavedec(x, "db2", {.axis = 1, .level = 63, .beyond_max_level = true}),
                    "[wavedec] the level must be at most 62, but is 63");
  auto const f = numbers<double, simd>(shape{4, 4}, 2);
  CHECK_THROWS_AS(wavedec(x, tensor<double, 2, simd>(shape{4, 3}), {.axis = 1, .level = 1}), shape_error);
  // Kernel alone.
  auto const rows = as_view(f).slice(0, 0, 2);
  tensor<double, 3, simd> a({3, 36, 4}), b({3, 36, 4}), wrong({3, 35, 4});
  std::vector<view<double, 3, simd>> bands{a.view(), b.view()};
  analysis_levels(simd{}, std::span<view<double, 3, simd> const>(bands), as_view(x), rows,
                  detail::dwt_line(extension::symmetric, 1, 4));
  CHECK(apart(a, std::get<0>(dwt(x, f, {.axis = 1}))) == 0);
  bands[0] = wrong.view();
  CHECK_THROWS_AS(analysis_levels(simd{}, std::span<view<double, 3, simd> const>(bands), as_view(x), rows,
                                  detail::dwt_line(extension::symmetric, 1, 4)),
                  shape_error);
}
