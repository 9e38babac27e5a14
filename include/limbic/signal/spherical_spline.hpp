// limbic/signal/spherical_spline.hpp - the smoothest function on a sphere through given values, as weights of those values
//
//   auto const w = spherical_spline(electrodes, points);      values at the points = w (values at the electrodes)
//
//   f(e) = c_0 + sum_i c_i g(e . e_i),     sum_j (g(e_i . e_j) + lambda [i = j]) c_j + c_0 = f_i,     sum_i c_i = 0
//   g(x) = 1 / (4 pi) sum_{n = 1 .. terms} (2n + 1) / (n (n + 1))^order P_n(x)       P_n: Legendre polynomials
//
// f is linear in the values f_i, so all of it is one matrix, made once. Its rows sum to 1: constants stay constant. With
// lambda = 0 f takes the values at the electrodes; a larger one smooths what is noise, on the scale of g(1) = 0.015: 1e-5
// is usual for caps of many electrodes, few and noisy ones want more. At order 4 the terms fall like n^-7: 50 of them
// leave out 1e-10 of g.
//
// shape   electrodes (n, 3), points (p, 3) -> (p, n)
// domain  n >= 1; finite places other than the centre, which are taken to the unit sphere; order >= 2, terms >= 1,
//         lambda >= 0 and finite. Two electrodes at one place: only with lambda > 0.
// source  Perrin, Pernier, Bertrand, Echallier 1989, Electroencephalogr. Clin. Neurophysiol. 72, eq. 1-3
#pragma once

#include <limbic/linalg/qr.hpp>

#include <numbers>

LIMBIC_BEGIN

struct spherical_spline_options {
  int order = 4;      // m: how smooth
  int terms = 50;     // of the Legendre series
  double lambda = 0;  // 0: through the values
};

namespace detail {

inline double spline_kernel(double x, spherical_spline_options const& o) {
  double total = 0, before = 1, now = x;  // P_{n-1}, P_n
  for (int n = 1; n <= o.terms; ++n) {
    total += (2 * n + 1) / std::pow(static_cast<double>(n) * (n + 1), o.order) * now;
    double const next = ((2 * n + 1) * x * now - n * before) / (n + 1);
    before = now;
    now = next;
  }
  return total / (4 * std::numbers::pi);
}

// Each row as a unit vector.
inline tensor<double, 2, scalar> unit_rows(std::string_view what, tensor<double, 2, scalar> places) {
  if (places.extent(1) != 3) fail<shape_error>("spherical_spline", what, " must be (n, 3), but are ", places.shape());
  for (std::ptrdiff_t i = 0; i < places.extent(0); ++i) {
    double const size = std::hypot(places(i, 0), places(i, 1), places(i, 2));
    if (!(size > 0) || !math::isfinite(size))
      fail<argument_error>("spherical_spline", "place ", i, " of the ", what, " is no direction: its length is ", size);
    for (int k = 0; k < 3; ++k) places(i, k) /= size;
  }
  return places;
}

// g of all pairs and a column of ones: (p, n + 1).
inline tensor<double, 2, scalar> spline_columns(tensor<double, 2, scalar> const& points,
                                                tensor<double, 2, scalar> const& electrodes,
                                                spherical_spline_options const& o) {
  std::ptrdiff_t const p = points.extent(0), n = electrodes.extent(0);
  tensor<double, 2, scalar> columns(shape<2>{{p, n + 1}}, 1.0);
  for (std::ptrdiff_t i = 0; i < p; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) {
      double cosine = 0;
      for (int k = 0; k < 3; ++k) cosine += points(i, k) * electrodes(j, k);
      columns(i, j) = spline_kernel(math::min(1.0, math::max(-1.0, cosine)), o);
    }
  return columns;
}

}  // namespace detail

inline tensor<double, 2, scalar> spherical_spline(tensor<double, 2, scalar> const& electrodes,
                                                  tensor<double, 2, scalar> const& points,
                                                  spherical_spline_options const& o = {}) {
  constexpr std::string_view name = "spherical_spline";
  if (o.order < 2 || o.terms < 1)
    fail<argument_error>(name, "order must be at least 2 and terms at least 1, but are ", o.order, " and ", o.terms);
  if (!(o.lambda >= 0) || !math::isfinite(o.lambda))
    fail<argument_error>(name, "lambda must be finite and not negative, but is ", o.lambda);
  auto const places = detail::unit_rows("electrodes", electrodes);
  auto const at = detail::unit_rows("points", points);
  std::ptrdiff_t const n = places.extent(0);
  if (n == 0) fail<argument_error>(name, "there must be at least one electrode");
  for (std::ptrdiff_t i = 0; o.lambda == 0 && i < n; ++i)
    for (std::ptrdiff_t j = 0; j < i; ++j)
      if (std::hypot(places(i, 0) - places(j, 0), places(i, 1) - places(j, 1), places(i, 2) - places(j, 2)) < 1e-7)
        fail<argument_error>(name, "electrodes ", j, " and ", i, " lie at one place, where lambda must be positive");

  // The system's matrix; its inverse without the last column, which belongs to sum c_i = 0.
  tensor<double, 2, scalar> system(shape<2>{{n + 1, n + 1}}, 1.0), inverse(shape<2>{{n + 1, n}}, uninitialized);
  copy(scalar{}, system.view().slice(0, 0, n), detail::spline_columns(places, places, o));
  for (std::ptrdiff_t i = 0; i < n; ++i) system(i, i) += o.lambda;
  system(n, n) = 0;
  auto const [q, r] = qr(system);
  copy(scalar{}, inverse.view(), q.view().transpose().slice(1, 0, n));
  solve_triangular(scalar{}, inverse.view(), r.view(), triangle::upper);

  tensor<double, 2, scalar> weights(shape<2>{{at.extent(0), n}}, uninitialized);
  auto const columns = detail::spline_columns(at, places, o);
  gemm(scalar{}, sink<double, 2, scalar>(weights.view()), columns.view(), as_view(inverse));
  return weights;
}

LIMBIC_END
