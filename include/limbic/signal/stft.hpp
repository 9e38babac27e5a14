// limbic/signal/stft.hpp - short-time Fourier transform, its magnitude and its power
//
//   auto const [re, im] = stft(x, {.n_fft = 512})              (..., N) -> (..., frames, n_fft / 2 + 1), twice
//   auto const m = stft_magnitude(x, {.n_fft = 512})           sqrt(re^2 + im^2)
//   auto const p = stft_power(x, {.n_fft = 512})               re^2 + im^2, smooth also where it is 0
//   ... (x, window, {.n_fft = 512})                            any window (L), L <= n_fft, of host numbers
//   hann_window<T, D>(n), hann_window<T, D>(n, false)          sin^2(pi i / n), periodic; or of n - 1: symmetric
//
//   X[f, k] = sum_j w[j] e[f hop + j] e^(-2 pi i j k / n_fft)
//
// As torch.stft (one-sided), but with the frames before the frequencies, so that a frame is a row, and with a Hann window
// where none is given. w is the window with zeros around it up to n_fft; e is x, with n_fft / 2 samples more at each end
// where `center` is on, so that frame f has its middle at sample f hop.
//
// options .n_fft (required), .hop_length (n_fft / 4), .win_length (n_fft; of the Hann window), .center (true), .pad_mode
//         (reflect, which leaves out the edge itself, or constant: zeros), .normalized (divided by sqrt(n_fft))
// frames  1 + (N + 2 (n_fft / 2) - n_fft) / hop, without center 1 + (N - n_fft) / hop; samples that fill none are not read
// adjoint the transposed transform of each frame, added where frames overlap. The magnitude's gradient is 0 where it is 0.
// cost    an FFT of n_fft / 2 for each frame, with frames side by side in SIMD lanes; any n_fft will do, those with
//         small primes are fast, odd ones take twice as long (kernels/fft.hpp). One product of all frames with the basis,
//         as other devices do it, is 1.5 times as slow at n_fft = 64, 5 times at 256, 10 times at 512
// errors  n_fft, hop, window longer than n_fft, a signal shorter than n_fft, reflected: not longer than n_fft / 2
#pragma once

#include <limbic/kernels/fft.hpp>
#include <limbic/ops/hypot.hpp>
#include <limbic/ops/operators.hpp>

#include <cmath>

LIMBIC_BEGIN

// What lies beyond the ends of a centred signal: x2 x1 | x0 x1 x2 | x1 x0, or zeros.
enum class stft_padding { reflect, constant };

struct stft_options {
  std::ptrdiff_t n_fft = 0;                       // samples of a frame
  std::ptrdiff_t hop_length = 0;                  // from frame to frame; 0: n_fft / 4
  std::ptrdiff_t win_length = 0;                  // of the Hann window; 0: n_fft
  bool center = true;                             // frame f has its middle at sample f hop_length
  stft_padding pad_mode = stft_padding::reflect;  // beyond the ends
  bool normalized = false;                        // divided by sqrt(n_fft)
};

template <class T = float, class D = default_device> tensor<T, 1, D> hann_window(std::ptrdiff_t n,
                                                                                 bool periodic = true) {
  if (n < 0) fail<argument_error>("hann_window", "a window of ", n, " samples");
  tensor<T, 1, scalar> w(shape<1>{{n}}, T(1));  // that of one sample
  double const period = static_cast<double>(periodic ? n : n - 1);
  for (std::ptrdiff_t i = 0; n > 1 && i < n; ++i) {
    double const s = std::sin(3.14159265358979324 * static_cast<double>(i) / period);
    w(i) = math::constant<T>(s * s);
  }
  return detail::placed_on<D>(w);
}

// Operands x (..., N) and the window (n_fft), which has no gradient. Results: real and imaginary parts.
struct stft_op {
  static constexpr std::string_view name = "stft";
  static constexpr keep needs = keep::inputs(1);
  std::ptrdiff_t hop_length = 1;                  // from frame to frame
  bool center = true;                             // with n_fft / 2 samples more at each end
  stft_padding pad_mode = stft_padding::reflect;  // beyond the ends

  template <int R> std::tuple<shape<R + 1>, shape<R + 1>> shape_of(shape<R> const& x, shape<1> const& window) const {
    std::ptrdiff_t const samples = x[R - 1], n = window[0], length = samples + 2 * margin(n);
    if (n < 1 || hop_length < 1)
      fail<argument_error>(name, "n_fft and hop_length must be positive, but are ", n, " and ", hop_length);
    if (center && pad_mode == stft_padding::reflect && samples <= n / 2)
      fail<shape_error>(name, "to reflect n_fft / 2 = ", n / 2, " samples the signal must be longer, but x is ", x);
    if (length < n) fail<shape_error>(name, "a frame has ", n, " samples, but x is ", x);
    shape<R + 1> y;
    for (int i = 0; i + 1 < R; ++i) y[i] = x[i];
    y[R - 1] = 1 + (length - n) / hop_length;
    y[R] = n / 2 + 1;
    return {y, y};
  }

  template <class D, class T, int R>
  void forward(D d, view<T, R + 1, D> re, view<T, R + 1, D> im, view<T const, R, D> x,
               view<T const, 1, D> window) const {
    std::ptrdiff_t const n = window.extent(0), more = margin(n), samples = x.extent(R - 1), length = samples + 2 * more;
    tensor<T, R, D> padded;
    if (more > 0 || !x.is_contiguous()) {
      shape<R> extents = x.shape();
      extents[R - 1] = length;
      padded = tensor<T, R, D>(extents, T(0));
      copy(d, padded.view().slice(R - 1, more, more + samples), x);
      if (pad_mode == stft_padding::reflect && more > 0)
        for (int end = 0; end < 2; ++end) copy(d, beyond(padded.view(), end, more), reversed(inside(x, end, more)));
    }
    shape<3> const frames{{re.size() / (re.extent(R - 1) * re.extent(R)), re.extent(R - 1), n}};
    view<T const, 3, D> const e(padded.empty() ? x.data() : padded.data(), frames, {{length, hop_length, 1}});
    fft(d, n, fft_direction::forward, lines(re), lines(im), e, view<T const, 3, D>(), window.broadcast_to(frames));
  }

  template <class D, class T, int R, int S>
  void adjoint(D d, view<T const, R, D> x, view<T const, 1, D> window, view<T const, S, D> re, view<T const, S, D>,
               view<T const, S, D> dre, view<T const, S, D> dim, sink<T, R, D> dx, sink<T, 1, D> dwindow) const {
    no_gradient(d, dwindow);
    if (!dx) return;
    std::ptrdiff_t const n = window.extent(0), more = margin(n), samples = x.extent(R - 1), hop = hop_length;
    tensor<T, S, D> zeros;  // for the real part, should only the imaginary one be used
    if (!dre) dre = as_view(zeros = tensor<T, S, D>(re.shape(), T(0)));
    shape<3> const frames{{lines(dre).extent(0), lines(dre).extent(1), n}};
    tensor<T, 3, D> g(frames, uninitialized);
    fft(d, n, fft_direction::backward, g.view(), view<T, 3, D>(), lines(dre), lines(dim), view<T const, 3, D>());

    shape<R> extents = x.shape();
    extents[R - 1] = samples + 2 * more;
    tensor<T, R, D> padded(extents, T(0));
    std::ptrdiff_t const apart = (n + hop - 1) / hop;  // frames so far apart do not overlap
    for (std::ptrdiff_t f = 0; f < apart && f < frames[1]; ++f) {
      auto const some = as_view(g).slice(1, f, frames[1], apart);
      view<T, 3, D> const to(padded.data() + f * hop, some.shape(), {{extents[R - 1], apart * hop, 1}});
      map(d, sink<T, 3, D>(to, true), multiply_function{}, some, window);
    }
    copy(d, dx, padded.view().slice(R - 1, more, more + samples));
    if (pad_mode == stft_padding::reflect && more > 0)
      for (int end = 0; end < 2; ++end)
        copy(d, sink<T, R, D>(inside(dx.to, end, more), true), reversed(beyond(as_view(padded), end, more)));
  }

 private:
  std::ptrdiff_t margin(std::ptrdiff_t n) const { return center ? n / 2 : 0; }

  // All leading axes as one. A null view stays one.
  template <class T, int S, class D> static view<T, 3, D> lines(view<T, S, D> const& v) {
    shape<3> s{{1, v.extent(S - 2), v.extent(S - 1)}};
    for (int i = 0; i + 2 < S; ++i) s[0] *= v.extent(i);
    return {v.data(), s};
  }
  // The samples beyond one end of a padded signal, and those inside of a signal that they reflect.
  template <class V> static V beyond(V const& padded, int end, std::ptrdiff_t more) {
    std::ptrdiff_t const n = padded.extent(V::rank - 1), begin = end == 0 ? 0 : n - more;
    return padded.slice(V::rank - 1, begin, begin + more);
  }
  template <class V> static V inside(V const& x, int end, std::ptrdiff_t more) {
    std::ptrdiff_t const n = x.extent(V::rank - 1), begin = end == 0 ? 1 : n - 1 - more;
    return x.slice(V::rank - 1, begin, begin + more);
  }
  template <class T, int R, class D> static view<T, R, D> reversed(view<T, R, D> const& v) {
    shape<R> steps = v.strides();
    steps[R - 1] = -steps[R - 1];
    return {v.data() + (v.extent(R - 1) - 1) * v.stride(R - 1), v.shape(), steps};
  }
};

namespace detail {

// The window as the op reads it: n_fft numbers, scaled.
template <class T, class D, class W> tensor<T, 1, D> whole_window(view<W const, 1, scalar> window,
                                                                  stft_options const& o) {
  std::ptrdiff_t const length = window.extent(0);
  if (o.n_fft < 1) fail<argument_error>("stft", "n_fft must be positive, but is ", o.n_fft);
  if (length < 1 || length > o.n_fft)
    fail<argument_error>("stft", "a window has from 1 to n_fft = ", o.n_fft, " samples, not ", length);
  double const scale = o.normalized ? 1 / std::sqrt(static_cast<double>(o.n_fft)) : 1;
  tensor<T, 1, scalar> w(shape<1>{{o.n_fft}}, T(0));
  for (std::ptrdiff_t i = 0; i < length; ++i)
    w((o.n_fft - length) / 2 + i) = math::constant<T>(scale * static_cast<double>(window(i)));
  return placed_on<D>(w);
}
template <operand X, class W> auto windowed_frames(X&& x, view<W const, 1, scalar> window, stft_options const& o) {
  constexpr bool fit = rank_of<X> >= 1 && rank_of<X> < max_rank;
  if (o.hop_length < 0) fail<argument_error>("stft", "hop_length must be positive, but is ", o.hop_length);
  std::ptrdiff_t const quarter = o.n_fft < 4 ? 1 : o.n_fft / 4;
  stft_op const op{o.hop_length == 0 ? quarter : o.hop_length, o.center, o.pad_mode};
  if constexpr (fit) return apply(op, std::forward<X>(x), whole_window<element_of<X>, device_of<X>>(window, o));
  else static_assert(fit, "limbic: stft takes signals (..., N)");
}

}  // namespace detail

template <operand X> auto stft(X&& x, stft_options const& o) {
  if (o.win_length < 0) fail<argument_error>("stft", "win_length must be positive, but is ", o.win_length);
  auto const window = hann_window<double, scalar>(o.win_length == 0 && o.n_fft > 0 ? o.n_fft : o.win_length);
  return detail::windowed_frames(std::forward<X>(x), as_view(window), o);
}
template <operand X, operand W> auto stft(X&& x, W const& window, stft_options const& o) {
  static_assert(rank_of<W> == 1 && is_host<device_of<W>> && !recorded<W>,
                "limbic: stft takes a window of rank 1 on a CPU, without a gradient");
  return detail::windowed_frames(std::forward<X>(x), as_view(window).on(scalar{}), o);
}

template <operand X> auto stft_magnitude(X&& x, stft_options const& o) {
  auto const [re, im] = stft(std::forward<X>(x), o);
  return hypot(re, im);
}
template <operand X, operand W> auto stft_magnitude(X&& x, W const& window, stft_options const& o) {
  auto const [re, im] = stft(std::forward<X>(x), window, o);
  return hypot(re, im);
}
template <operand X> auto stft_power(X&& x, stft_options const& o) {
  auto const [re, im] = stft(std::forward<X>(x), o);
  return square(re) + square(im);
}
template <operand X, operand W> auto stft_power(X&& x, W const& window, stft_options const& o) {
  auto const [re, im] = stft(std::forward<X>(x), window, o);
  return square(re) + square(im);
}

LIMBIC_END
