// limbic/signal/scalogram.hpp - continuous wavelet transform with the complex Morlet wavelet, its magnitude and its power
//
//   auto const [re, im] = cwt(x, scales)              (..., N), S scales -> (..., S, N), twice
//   auto const m = scalogram(x, scales)               sqrt(re^2 + im^2)
//   auto const p = scalogram_power(x, scales)         re^2 + im^2, smooth also where it is 0
//   auto const scales = morlet_scales(frequencies)    where tones of these frequencies are the greatest
//
//   W[s, n] = 1/L sum_k X_k c_s H(w_k) e^(-(s w_k - omega0)^2 / 2) e^(i w_k n dt),   w_k = 2 pi k / (L dt)
//
//   c_s = pi^(-1/4) sqrt(2 pi s / dt)    normalization l2: every wavelet has unit energy
//   c_s = 2                              normalization l1: A cos(w t) has the magnitude A at scale omega0 / w
//
// X is the Fourier transform of x with zeros after it up to L, H is 1 at positive frequencies and else 0, dt the
// sampling period. Torrence and Compo 1998, doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2, eq. 4 and 6, table 1. L
// leaves room for the widest wavelet, so that the two ends of x do not meet; near an end (within sqrt(2) s) zeros weigh in.
//
// scales  (S) host numbers > 0, in the unit of dt. Below (omega0 + 5) dt / pi (3.5 dt at omega0 = 6) a wavelet is cut off at
//         the highest frequency and rings, so that W depends on L; below omega0 dt / pi its middle lies beyond
// options .omega0 (6; smaller ones resolve time better, frequencies worse; below 5 the wavelet has a mean), .sampling_period
//         (1), .normalization (l2)
// adjoint linear in x: transforms back, weighted and summed over the scales. No gradient to scales
// cost    one FFT of L > N + 8.5 s_max / dt for each scale, scales and series side by side in SIMD lanes
//         (kernels/fft.hpp). Other devices: products with the basis, quadratic in L
// errors  no sample, a scale or an option that is not positive and finite
// NaN     and infinities in x reach all of their series, as in every transform by FFT
#pragma once

#include <limbic/kernels/fft.hpp>
#include <limbic/ops/hypot.hpp>
#include <limbic/ops/operators.hpp>

#include <cmath>

LIMBIC_BEGIN

// What all wavelets have in common: their energy, or the magnitude that a tone has.
enum class cwt_normalization { l1, l2 };

struct cwt_options {
  double omega0 = 6;           // of the Morlet wavelet: radians of its wave in its width s
  double sampling_period = 1;  // dt, between samples, in the unit of the scales
  cwt_normalization normalization = cwt_normalization::l2;
};

// Operands x (..., N) and what scales and wavelet are at each frequency, (S, L / 2 + 1), which has no gradient.
struct cwt_op {
  static constexpr std::string_view name = "cwt";
  static constexpr keep needs = keep::inputs(1);

  template <int R> std::tuple<shape<R + 1>, shape<R + 1>> shape_of(shape<R> const& x, shape<2> const& responses) const {
    if (x[R - 1] < 1) fail<shape_error>(name, "a series needs at least one sample, but x is ", x);
    if (responses[1] < 2 || x[R - 1] > length(responses))
      fail<shape_error>(name, "responses ", responses, " do not fit series ", x);
    shape<R + 1> y;
    for (int i = 0; i + 1 < R; ++i) y[i] = x[i];
    y[R - 1] = responses[0];
    y[R] = x[R - 1];
    return {y, y};
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R + 1, D> re, view<T, R + 1, D> im, view<T const, R, D> x,
               view<T const, 2, D> responses) const {
    if (!x.is_contiguous()) {
      tensor<T, R, D> const copied(x);
      return forward(d, re, im, as_view(copied), responses);
    }
    std::ptrdiff_t const n = length(responses.shape()), samples = x.extent(R - 1), series = x.size() / samples;
    view<T const, 3, D> const none;
    tensor<T, 3, D> s_re(shape<3>{{series, 1, n / 2 + 1}}, uninitialized), s_im(s_re.shape(), uninitialized);
    fft(d, n, fft_direction::forward, s_re.view(), s_im.view(), x.reshape(shape<3>{{series, 1, samples}}), none, none);
    shape<3> const all{{series, responses.extent(0), n / 2 + 1}}, y{{series, responses.extent(0), samples}};
    fft(d, n, fft_direction::backward, re.reshape(y), im.reshape(y), as_view(s_re).broadcast_to(all),
        as_view(s_im).broadcast_to(all), responses.broadcast_to(all));
  }

  template <class D, class T, int R, int S>
  void adjoint(D d, view<T const, R, D> x, view<T const, 2, D> responses, view<T const, S, D> re, view<T const, S, D>,
               view<T const, S, D> dre, view<T const, S, D> dim, sink<T, R, D> dx, sink<T, 2, D> dresponses) const {
    no_gradient(d, dresponses);
    if (!dx) return;
    tensor<T, S, D> zeros;  // for the real part, should only the imaginary one be used
    if (!dre) dre = as_view(zeros = tensor<T, S, D>(re.shape(), T(0)));
    std::ptrdiff_t const n = length(responses.shape()), samples = x.extent(R - 1), series = x.size() / samples;
    view<T const, 3, D> const none;
    shape<3> const all{{series, responses.extent(0), n / 2 + 1}}, y{{series, responses.extent(0), samples}};
    tensor<T, 3, D> a_re(all, uninitialized), a_im(all, uninitialized);
    fft(d, n, fft_direction::forward, a_re.view(), a_im.view(), dre.reshape(y), dim ? dim.reshape(y) : none, none);
    tensor<T, 3, D> s_re(shape<3>{{series, 1, n / 2 + 1}}, uninitialized), s_im(s_re.shape(), uninitialized);
    reduce(d, s_re, sum_of{}, multiply_function{}, a_re, responses);
    reduce(d, s_im, sum_of{}, multiply_function{}, a_im, responses);
    tensor<T, R, D> g(x.shape(), uninitialized);
    fft(d, n, fft_direction::backward, g.view().reshape(shape<3>{{series, 1, samples}}), view<T, 3, D>(), as_view(s_re),
        as_view(s_im), none);
    copy(d, dx, g);
  }

 private:
  static std::ptrdiff_t length(shape<2> const& responses) { return 2 * (responses[1] - 1); }
};

namespace detail {

inline void check_cwt(cwt_options const& o) {
  auto const check = [](std::string_view what, double v) {
    if (!(v > 0) || !math::isfinite(v)) fail<argument_error>("cwt", what, " must be positive and finite, but is ", v);
  };
  check("omega0", o.omega0);
  check("sampling_period", o.sampling_period);
}

// The least even number from n on that has no prime factor above 5.
inline std::ptrdiff_t even_fft_length(std::ptrdiff_t n) {
  for (n += n % 2;; n += 2) {
    std::ptrdiff_t left = n;
    for (std::ptrdiff_t const prime : {2, 3, 5})
      while (left % prime == 0) left /= prime;
    if (left == 1) return n;
  }
}

// (S, L / 2 + 1): what multiplies the spectrum of a series of `samples`, with 1 / L in it.
template <class T, class D, class S>
tensor<T, 2, D> morlet_responses(view<S const, 1, scalar> scales, std::ptrdiff_t samples, cwt_options const& o) {
  check_cwt(o);
  double widest = 0;
  for (std::ptrdiff_t i = 0; i < scales.size(); ++i) {
    double const s = static_cast<double>(scales(i));
    if (!(s > 0) || !math::isfinite(s))
      fail<argument_error>("cwt", "scales must be positive and finite, but one is ", s);
    widest = widest < s ? s : widest;
  }
  double const reach = 8.5;  // widths beyond which a wavelet is below a double's precision: e^(-8.5^2 / 2) = 2e-16
  double const room = std::ceil(reach * widest / o.sampling_period);
  if (!(room < 1e9)) fail<argument_error>("cwt", "the scale ", widest, " is too large");
  std::ptrdiff_t const n = even_fft_length(samples + static_cast<std::ptrdiff_t>(room) + 1);
  tensor<T, 2, scalar> h(shape<2>{{scales.size(), n / 2 + 1}}, T(0));
  double const pi = 3.14159265358979324, step = 2 * pi / (static_cast<double>(n) * o.sampling_period);
  for (std::ptrdiff_t i = 0; i < scales.size(); ++i) {
    double const s = static_cast<double>(scales(i));
    double const c =
        o.normalization == cwt_normalization::l1 ? 2 : std::sqrt(2 * std::sqrt(pi) * s / o.sampling_period);
    for (std::ptrdiff_t k = 1; k <= n / 2; ++k) {
      double const a = s * step * static_cast<double>(k) - o.omega0;
      if (a * a < 80) h(i, k) = math::constant<T>(c / static_cast<double>(n) * std::exp(-0.5 * a * a));  // else < 1e-17
    }
  }
  return placed_on<D>(h);
}

}  // namespace detail

// The scales at which the magnitudes of tones of these frequencies (1 / time unit of the sampling period) are the greatest:
// l1: omega0 / (2 pi f),  l2: (omega0 + sqrt(2 + omega0^2)) / (4 pi f)
template <operand F> tensor<double, 1, scalar> morlet_scales(F const& frequencies, cwt_options const& o = {}) {
  static_assert(rank_of<F> == 1 && is_host<device_of<F>> && !recorded<F>,
                "limbic: morlet_scales takes frequencies of rank 1 on a CPU");
  detail::check_cwt(o);
  auto const f = as_view(frequencies);
  double const pi = 3.14159265358979324, w = o.omega0;
  double const period = o.normalization == cwt_normalization::l1 ? w / (2 * pi) : (w + std::sqrt(2 + w * w)) / (4 * pi);
  tensor<double, 1, scalar> s(f.shape(), uninitialized);
  for (std::ptrdiff_t i = 0; i < f.size(); ++i) s(i) = period / static_cast<double>(f(i));
  return s;
}

template <operand X, operand S> auto cwt(X&& x, S const& scales, cwt_options const& o = {}) {
  constexpr bool fit =
      rank_of<X> >= 1 && rank_of<X> < detail::max_rank && rank_of<S> == 1 && is_host<device_of<S>> && !recorded<S>;
  if constexpr (fit) {
    std::ptrdiff_t const samples = x.shape()[rank_of<X> - 1];
    return apply(cwt_op{}, std::forward<X>(x),
                 detail::morlet_responses<element_of<X>, device_of<X>>(as_view(scales).on(scalar{}), samples, o));
  } else {
    static_assert(fit, "limbic: cwt takes series (..., N), and scales of rank 1 on a CPU, without a gradient");
  }
}
template <operand X, operand S> auto scalogram(X&& x, S const& scales, cwt_options const& o = {}) {
  auto const [re, im] = cwt(std::forward<X>(x), scales, o);
  return hypot(re, im);
}
template <operand X, operand S> auto scalogram_power(X&& x, S const& scales, cwt_options const& o = {}) {
  auto const [re, im] = cwt(std::forward<X>(x), scales, o);
  return square(re) + square(im);
}

LIMBIC_END
