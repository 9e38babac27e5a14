// limbic/linalg/matrix_exp.hpp - exponential of a square matrix
//
//   e^a = (e^(a / 2^s))^(2^s),   e^b = 1 + b (1 + b/2 (1 + b/3 (...)))      s such that |b|_1 <= 1/2
//
// Moler and Van Loan 2003, "Nineteen dubious ways ...", method 3. Products and sums alone, so its adjoint is theirs. For a
// symmetric matrix expm_symmetric is faster and more exact.
//
// shape   (n, n) -> same
// domain  finite numbers; NaN or infinity: all NaN. 16 terms: the rest is below 1e-19 |b|.
#pragma once

#include <limbic/linalg/eigh.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/operators.hpp>

LIMBIC_BEGIN

namespace detail {

// The largest sum of magnitudes of a column; NaN or infinite where an element is.
template <class T, class D> double norm1(view<T const, 2, D> a) {
  double largest = 0;
  for (std::ptrdiff_t j = 0; j < a.extent(1); ++j) {
    double column = 0;
    for (std::ptrdiff_t i = 0; i < a.extent(0); ++i) {
      if constexpr (is_dual<T>) column += math::abs(static_cast<double>(a(i, j).value));
      else column += math::abs(static_cast<double>(a(i, j)));
    }
    largest = math::max(largest, column);
  }
  return largest;
}

template <class T, class D> tensor<T, 2, D> identity_matrix(std::ptrdiff_t n) {
  tensor<T, 2, D> one(shape<2>{{n, n}});
  fill(D{}, diagonal(one.view()), T(1));
  return one;
}

}  // namespace detail

template <operand A> auto matrix_exp(A const& a) {
  static_assert(rank_of<A> == 2, "limbic: matrix_exp takes a matrix");
  using T = element_of<A>;
  using D = device_of<A>;
  detail::check_square("matrix_exp", a.shape());
  double norm = 0;
  if constexpr (recorded<A>) norm = detail::norm1<T, D>(a.value());
  else norm = detail::norm1<T, D>(as_view(a));
  int squarings = 0;
  double scale = 1;
  bool const finite = math::isfinite(norm);
  while (finite && norm * scale > 0.5) scale *= 0.5, ++squarings;
  if (!finite) scale = std::numeric_limits<double>::quiet_NaN();
  auto const one = [&] { return detail::identity_matrix<T, D>(a.extent(0)); };
  auto const b = a * scale;
  auto e = b * (1.0 / 16) + one();
  for (int k = 15; k >= 1; --k) e = matmul(b, e) * (1.0 / k) + one();
  for (int k = 0; k < squarings; ++k) e = matmul(e, e);
  return e;
}

LIMBIC_END
