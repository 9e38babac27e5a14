// limbic/signal/lag_correlation.hpp - normalised correlation of two series at every lag
//
//   rho(l) = sum_t <a(t), b(t + l)> / (sqrt(sum_t |a(t)|^2) sqrt(sum_t |b(t + l)|^2)),     l = -L .. L
//
//   lag_correlation(a, b, {.max_lag = 20})
//   lag_correlation(a, b, {.max_lag = 20, .normalization = lag_normalization::full})
//
// A peak at l > 0 says that b comes l samples after a. The numerator runs over the overlap: the t for which both t and
// t + l lie in [0, T). So do the norms (`overlap`, the default), or they run over the whole series (`full`, which fades
// towards large lags). With `overlap` keep L <= T / 2: of one overlapping sample (L = T - 1, one channel) rho is +-1,
// whatever the series. No mean is removed: do it before where the series have one.
//
// shape   a, b alike: (B, T, C) -> (B, 2L + 1); (T, C) or (T) -> (2L + 1). Element L is lag 0. Channels add up in each sum
// adjoint a'(t) += sum_l rho'(l) (b(t + l) / (|a|_l |b|_l) - rho(l) a(t) / |a|_l^2), and b' likewise: finite at rho = +-1
// domain  0 <= L < T. Where a norm vanishes rho is 0, with gradient 0. Series are brought to a largest sample of 1 first,
//         so that neither large nor tiny ones overflow (rho does not depend on the scale); energies below
//         1e-31 (double: 1e-292) of that count as none. A NaN or infinite sample makes every lag of its pair NaN
//
// The numerators of all lags are one matrix-vector product, with the strided view H(k, j) = p(k C + j) of b between L
// zeros on either side (its rows overlap in memory: a Hankel matrix that nobody builds); both gradients are products with
// its like. What the norms lose from lag to lag is summed from the ends.
#pragma once

#include <limbic/ops/op.hpp>
#include <limbic/ops/reshape.hpp>

LIMBIC_BEGIN

// Over what the norms are taken: the steps that both series have at a lag, or the whole series.
enum class lag_normalization {
  overlap,  // rho is a cosine at every lag
  full      // lags with little overlap count less
};

struct lag_correlation_options {
  std::ptrdiff_t max_lag = 0;                                    // L: lags -L .. L
  lag_normalization normalization = lag_normalization::overlap;  // of both norms
};

namespace detail {

struct sample_magnitude {
  template <class V> constexpr V operator()(V x) const { return math::abs(x); }
};
struct square_of {
  template <class V> constexpr V operator()(V x) const { return x * x; }
};
// 1 / x as a constant: rho does not depend on the scale, so nothing is differentiated through it. 0 below `least`.
struct inverse_scale {
  double least;
  template <class V> constexpr V operator()(V x) const {
    V const inverse = math::select(x < math::constant<V>(least), V(0), V(1) / x);
    if constexpr (is_dual<V>) return V(inverse.value);
    else return inverse;
  }
};

// out(k) = the energy of a(t) over the overlap at lag k - L; `mirrored`: of b(t + l), which is the same from the other
// end. From the sum of the T - L samples that the largest lag leaves, one sample comes back at a time.
struct overlap_energies {
  std::ptrdiff_t lags;
  bool mirrored;
  constexpr void operator()(auto energy, auto first, auto last, auto out) const {
    auto const put = [&](std::ptrdiff_t k, auto sum) { out.put(mirrored ? 2 * lags - k : k, sum); };
    auto sum = last[0];
    for (std::ptrdiff_t k = 0; k < lags; ++k) {
      put(k, sum);
      sum = sum + energy[lags - 1 - k];
    }
    sum = first[0];
    for (std::ptrdiff_t k = 2 * lags; k > lags; --k) {
      put(k, sum);
      sum = sum + energy[energy.size() - (k - lags)];
    }
    put(lags, sum);
  }
};
// Its adjoint: out(t) = the sum of q over the lags whose overlap holds t.
struct overlapping_lags {
  std::ptrdiff_t lags;
  bool mirrored;
  constexpr void operator()(auto q, auto out) const {
    std::ptrdiff_t const n = out.size();
    auto const put = [&](std::ptrdiff_t t, auto sum) { out.put(mirrored ? n - 1 - t : t, sum); };
    auto sum = q[lags];
    for (std::ptrdiff_t m = 0; m < n; ++m) {
      if (m > 0 && m <= lags) sum = sum + q[lags + m];
      put(n - 1 - m, sum);
    }
    out.add = true;
    sum = sum - sum;
    for (std::ptrdiff_t m = 0; m < n; ++m) {
      if (m > 0 && m <= lags) sum = sum + q[lags - m];
      put(m, sum);
    }
  }
};

struct correlation_of {
  double least;
  template <class V> constexpr V operator()(V product, V a, V b) const {
    auto const silent = math::either(a < math::constant<V>(least), b < math::constant<V>(least));
    return math::select(silent, product * V(0), product / (math::sqrt(a) * math::sqrt(b)));  // NaN stays NaN
  }
};
// The gradient of the product, and -rho' rho over either energy.
struct correlation_slopes {
  double least;
  template <class V> constexpr results<V, 3> operator()(V rho, V dy, V a, V b) const {
    auto const silent = math::either(a < math::constant<V>(least), b < math::constant<V>(least));
    V const share = rho * dy;
    return {{math::select(silent, V(0), dy / (math::sqrt(a) * math::sqrt(b))), math::select(silent, V(0), -(share / a)),
             math::select(silent, V(0), -(share / b))}};
  }
};
struct scaled_gradient {
  template <class V> constexpr V operator()(V product, V weight, V x, V scale) const {
    return scale * math::fma(weight, x, product);
  }
};

// One series of each pair, scaled, between `lags` zeros on either side.
template <class D, class T> class lagged_series {
 public:
  lagged_series(D d, view<T const, 3, D> x, std::ptrdiff_t lags)
      : lags_(lags),
        extents_(x.shape()),
        inverse(shape<3>{{x.extent(0), 1, 1}}, uninitialized),
        padded_(shape<3>{{x.extent(0), x.extent(1) + 2 * lags, x.extent(2)}}) {
    reduce(d, inverse, max_of{}, sample_magnitude{}, x);
    map(d, inverse, inverse_scale{least()}, inverse);
    map(d, padded_.view().slice(1, lags, lags + x.extent(1)), multiply_function{}, x, inverse);
  }
  // Below it the squares of samples are no longer numbers of full precision.
  static constexpr double least() {
    using N = std::numeric_limits<base_of<T>>;
    return static_cast<double>(N::min()) / static_cast<double>(N::epsilon());
  }

  view<T const, 3, D> samples() const { return padded_.view().slice(1, lags_, lags_ + extents_[1]); }
  view<T const, 3, D> column() const {  // (B, T C, 1)
    return {padded_.data() + lags_ * extents_[2], shape<3>{{extents_[0], length(), 1}}, shape<3>{{pitch(), 1, 1}}};
  }
  view<T const, 3, D> hankel() const {  // (B, 2L + 1, T C): row k is the series k samples further on
    return {padded_.data(), shape<3>{{extents_[0], 2 * lags_ + 1, length()}}, shape<3>{{pitch(), extents_[2], 1}}};
  }

  // (B, 2L + 1)
  tensor<T, 2, D> energies(D d, lag_normalization norm, bool mirrored) const {
    std::ptrdiff_t const batch = extents_[0], steps = extents_[1];
    tensor<T, 2, D> out(shape<2>{{batch, 2 * lags_ + 1}}, uninitialized);
    auto const sum = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      tensor<T, 3, D> s(shape<3>{{batch, 1, 1}}, uninitialized);
      reduce(d, s, sum_of{}, square_of{}, samples().slice(1, begin, end));
      return s;
    };
    if (norm == lag_normalization::full) {
      copy(d, out, sum(0, steps).view().reshape(shape<2>{{batch, 1}}));
      return out;
    }
    tensor<T, 3, D> each(shape<3>{{batch, steps, 1}}, uninitialized);
    reduce(d, each, sum_of{}, square_of{}, samples());
    auto const first = sum(0, steps - lags_), last = sum(lags_, steps);
    for_each_row(d, 1, overlap_energies{lags_, mirrored}, as_view(each), as_view(first), as_view(last),
                 out.view().unsqueeze(2));
    return out;
  }

  // dx (+)= what the products of all lags (B, T C, 1) and the energies' gradients q (B, 2L + 1) give.
  void back(D d, sink<T, 3, D> dx, tensor<T, 3, D> const& products, tensor<T, 2, D> const& q, lag_normalization norm,
            bool mirrored) const {
    bool const full = norm == lag_normalization::full;
    tensor<T, 3, D> weight(shape<3>{{extents_[0], full ? 1 : extents_[1], 1}}, uninitialized);
    if (full) reduce(d, weight, sum_of{}, q.view().unsqueeze(2));
    else for_each_row(d, 1, overlapping_lags{lags_, mirrored}, q.view().unsqueeze(2), weight.view());
    map(d, dx, scaled_gradient{}, products.view().reshape(extents_), weight, samples(), inverse);
  }

 private:
  std::ptrdiff_t length() const { return extents_[1] * extents_[2]; }
  std::ptrdiff_t pitch() const { return (extents_[1] + 2 * lags_) * extents_[2]; }

  std::ptrdiff_t lags_;
  shape<3> extents_;
  tensor<T, 3, D> inverse, padded_;
};

}  // namespace detail

struct lag_correlation_op {
  static constexpr std::string_view name = "lag_correlation";
  static constexpr keep needs = keep::input | keep::output;
  std::ptrdiff_t max_lag = 0;                                    // as in lag_correlation_options
  lag_normalization normalization = lag_normalization::overlap;  // the same

  shape<2> shape_of(shape<3> const& a, shape<3> const& b) const {
    if (a[2] != b[2]) fail<shape_error>(name, "series of ", a[2], " and of ", b[2], " channels cannot be compared");
    if (!(a == b)) fail<shape_error>(name, "a ", a, " and b ", b, " must have the same shape (B, T, C)");
    if (max_lag < 0 || max_lag >= a[1])
      fail<argument_error>(name, "max_lag must lie in [0, ", a[1], "), the length of the series, but is ", max_lag);
    return {{a[0], 2 * max_lag + 1}};
  }
  template <class D, class T>
  void forward(D d, view<T, 2, D> y, view<T const, 3, D> a, view<T const, 3, D> b) const {
    using series = detail::lagged_series<D, T>;
    series const x(d, a, max_lag), z(d, b, max_lag);
    gemm(d, sink<T, 3, D>(y.unsqueeze(2)), z.hankel(), x.column());
    map(d, y, detail::correlation_of{series::least()}, y, x.energies(d, normalization, false),
        z.energies(d, normalization, true));
  }
  template <class D, class T>
  void adjoint(D d, view<T const, 3, D> a, view<T const, 3, D> b, view<T const, 2, D> y, view<T const, 2, D> dy,
               sink<T, 3, D> da, sink<T, 3, D> db) const {
    using series = detail::lagged_series<D, T>;
    series const x(d, a, max_lag), z(d, b, max_lag);
    tensor<T, 2, D> slopes(y.shape(), uninitialized), qa(y.shape(), uninitialized), qb(y.shape(), uninitialized);
    map(d, outs(slopes, qa, qb), detail::correlation_slopes{series::least()}, y, dy,
        x.energies(d, normalization, false), z.energies(d, normalization, true));
    tensor<T, 3, D> products(shape<3>{{a.extent(0), a.extent(1) * a.extent(2), 1}}, uninitialized);
    if (da) {
      gemm(d, sink<T, 3, D>(products.view()), z.hankel().transpose(), as_view(slopes).unsqueeze(2));
      x.back(d, da, products, qa, normalization, false);
    }
    if (db) {  // row 2L - k of a's matrix is what lag k - L reads
      auto const h = x.hankel();
      view<T const, 3, D> const from_the_end(h.data() + 2 * max_lag * h.stride(1), h.shape(),
                                             shape<3>{{h.stride(0), -h.stride(1), h.stride(2)}});
      gemm(d, sink<T, 3, D>(products.view()), from_the_end.transpose(), as_view(slopes).unsqueeze(2));
      z.back(d, db, products, qb, normalization, true);
    }
  }
};

template <operand A, operand B> auto lag_correlation(A&& a, B&& b, lag_correlation_options const& o) {
  constexpr int R = rank_of<A>;
  constexpr bool fit = R >= 1 && R <= 3 && R == rank_of<B>;
  lag_correlation_op const op{.max_lag = o.max_lag, .normalization = o.normalization};
  if constexpr (!fit) static_assert(fit, "limbic: lag_correlation takes two series (T), (T, C) or batches (B, T, C)");
  else if constexpr (R == 3) return apply(op, std::forward<A>(a), std::forward<B>(b));
  else if constexpr (R == 2) return squeeze(apply(op, unsqueeze(a, 0), unsqueeze(b, 0)), 0);
  else return lag_correlation(unsqueeze(a, 1), unsqueeze(b, 1), o);
}

LIMBIC_END
