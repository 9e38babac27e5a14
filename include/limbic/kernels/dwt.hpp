// limbic/kernels/dwt.hpp - a pair of filters run along one axis, the loops beneath every wavelet transform
//
//   c[i] = sum_j f[j] e(stride i + offset - dilation j)      i = 0 .. n - 1, j = 0 .. L - 1
//
// e is a line of N samples, extended beyond both ends as `extension` says. With stride 2 this is one level of the discrete
// wavelet transform (offset 1; L/2 for periodization), with stride 1 and dilation 2^(j-1) one of the stationary one. It is
// linear in e, in the extension, and in f, so three loops, and one that repeats the first, are all there is:
//
//   analysis(D, a, b, x, f, line)              a, b from x: both filters at once
//   synthesis(D, x, a, b, f, line)             its transpose: from a and b back to x (inverse transform, gradients)
//   filter_gradients(D, df, x, a, b, line)     df[0][j] = sum_i a[i] e(...), the same for b
//   analysis_levels(D, bands, x, f, line)      on a CPU: analysis of x, of its a, of the a of that, ...; bands are the last
//                                              a and every b, the last one first. A line goes through all levels at a time
//
// x, a and b have any rank, any strides, and agree in all axes but line.axis; f is (2, L), the filter of a and that of b, L
// even. Results are sinks; a null a or b is not wanted (analysis) or counts as zeros (the other two).
//
// On a CPU a line is extended into one buffer for each phase (even and odd samples), so that packs hold neighbouring
// results and all loads are contiguous; each result is one chain of multiply-adds in the order of the taps, wherever it
// lies and however many threads there are. Other devices get the same sums through the verbs.
#pragma once

#include <limbic/backend/gemm.hpp>
#include <limbic/backend/reduce.hpp>
#include <limbic/core/short_list.hpp>

#include <span>

LIMBIC_BEGIN

// What follows ... x0 x1 x2 beyond the ends, under the names of PyWavelets.
enum class extension {
  zero,           // 0 0 | x0 x1 x2 | 0 0
  constant,       // x0 x0 | x0 x1 x2 | x2 x2
  symmetric,      // x1 x0 | x0 x1 x2 | x2 x1
  reflect,        // x2 x1 | x0 x1 x2 | x1 x0
  periodic,       // x1 x2 | x0 x1 x2 | x0 x1
  smooth,         // the straight line through the two samples at each end
  antisymmetric,  // -x1 -x0 | x0 x1 x2 | -x2 -x1
  antireflect,    // 2 x0 - x2, 2 x0 - x1 | x0 x1 x2 | 2 x2 - x1, ...
  periodization   // periodic with half as many results as samples; an odd line first repeats its last sample
};

// Where the filters lie on a line, and what follows beyond its ends.
struct filter_line {
  int axis = -1;                                        // of x, a and b
  std::ptrdiff_t stride = 2, dilation = 1, offset = 1;  // of the formula above, in samples
  extension mode = extension::symmetric;                // of e
  // Under periodization, the sample that an odd line lacks: the last one again (analysis), or 0 (a line that was cut short).
  bool repeat_last = true;
};

namespace detail {

// e(k) = scale x[source] + first x[0] + last x[N - 1]
struct extended_sample {
  std::ptrdiff_t source = 0;
  double scale = 1, first = 0, last = 0;
};

constexpr std::ptrdiff_t floor_mod(std::ptrdiff_t k, std::ptrdiff_t n) {
  std::ptrdiff_t const r = k % n;
  return r < 0 ? r + n : r;
}

constexpr extended_sample extend(filter_line const& line, std::ptrdiff_t k, std::ptrdiff_t n) {
  if (k >= 0 && k < n) return {.source = k};
  std::ptrdiff_t const edge = k < 0 ? 0 : n - 1;
  bool const alone = n == 1;  // nothing to reflect, no slope: the sample goes on
  switch (line.mode) {
    case extension::zero:
      return {.source = edge, .scale = 0};
    case extension::constant:
      return {.source = edge};
    case extension::symmetric: {
      std::ptrdiff_t const r = floor_mod(k, 2 * n);
      return {.source = r < n ? r : 2 * n - 1 - r};
    }
    case extension::antisymmetric: {
      std::ptrdiff_t const r = floor_mod(k, 2 * n);
      return {.source = r < n ? r : 2 * n - 1 - r, .scale = r < n ? 1.0 : -1.0};
    }
    case extension::reflect: {
      if (alone) return {};
      std::ptrdiff_t const r = floor_mod(k, 2 * n - 2);
      return {.source = r < n ? r : 2 * n - 2 - r};
    }
    case extension::antireflect: {
      // Odd about each end: every period of 2 (N - 1) lies 2 (x[N - 1] - x[0]) higher.
      if (alone) return {};
      std::ptrdiff_t const period = 2 * n - 2, r = floor_mod(k, period);
      double const rise = 2.0 * static_cast<double>((k - r) / period);
      if (r < n) return {.source = r, .first = -rise, .last = rise};
      return {.source = period - r, .scale = -1, .first = -rise, .last = rise + 2};
    }
    case extension::smooth: {
      if (alone) return {};
      double const away = static_cast<double>(k < 0 ? -k : k - (n - 1));
      if (k < 0) return {.source = 1, .scale = -away, .first = 1 + away};
      return {.source = n - 2, .scale = -away, .last = 1 + away};
    }
    case extension::periodic:
      return {.source = floor_mod(k, n)};
    case extension::periodization:
      break;
  }
  std::ptrdiff_t const r = floor_mod(k, n + n % 2);
  if (r < n) return {.source = r};
  return {.source = n - 1, .scale = line.repeat_last ? 1.0 : 0.0};
}

// Where the extended samples of one line lie: sample k at place k - first, of `span` places.
struct line_span {
  std::ptrdiff_t samples, results, taps, first, span, before, after;
  line_span(filter_line const& line, std::ptrdiff_t n, std::ptrdiff_t count, std::ptrdiff_t length)
      : samples(n),
        results(count),
        taps(length),
        first(line.offset - line.dilation * (length - 1)),
        span(count > 0 ? line.stride * (count - 1) + line.dilation * (length - 1) + 1 : 0),
        before(-first),
        after(span - before - n > 0 ? span - before - n : 0) {}
  // The samples that some result reads.
  std::ptrdiff_t inside() const { return span - before < samples ? span - before : samples; }
};

template <class A, class X, class F>
line_span check_line(std::string_view name, filter_line& line, A const& a, X const& x, F const& f) {
  int const axis = line.axis = normalize_axis(name, line.axis, X::rank);
  if (f[0] != 2 || f[1] < 2 || f[1] % 2 != 0) fail<shape_error>(name, "filters must be (2, even length), but are ", f);
  for (int i = 0; i < X::rank; ++i)
    if (i != axis && a[i] != x[i])
      fail<shape_error>(name, "signal ", x, " and coefficients ", a, " differ beyond axis ", axis);
  if (x[axis] < 1) fail<shape_error>(name, "a signal needs at least one sample, but is ", x);
  line_span const s(line, x[axis], a[axis], f[1]);
  if (line.stride < 1 || line.stride > 2 || line.dilation < 1 || (line.stride == 2 && line.dilation != 1) ||
      s.before < 0)
    fail<argument_error>(name, "stride ", line.stride, ", dilation ", line.dilation, ", offset ", line.offset,
                         " describe no transform with filters ", f);
  return s;
}

// ---- CPU: lines in buffers ---------------------------------------------------------------------------------------

// Samples 0, 2, ... and 1, 3, ... apart, and together again: what loads and stores of dual numbers do with their parts.
template <class D, class T> void split_pairs(T* even, T* odd, T const* from, std::ptrdiff_t pairs) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T> && !is_dual<T>) {
    using L = lanes<T>;
    for (; i + L::width <= pairs; i += L::width) {
      auto const v = lanes<dual<T>>::load(reinterpret_cast<dual<T> const*>(from + 2 * i));
      L::store(even + i, v.value);
      L::store(odd + i, v.tangent);
    }
  }
#endif
  for (; i < pairs; ++i) {
    even[i] = from[2 * i];
    odd[i] = from[2 * i + 1];
  }
}
template <class D, class T> void join_pairs(T* to, T const* even, T const* odd, std::ptrdiff_t pairs) {
  std::ptrdiff_t i = 0;
#if LIMBIC_SIMD
  if constexpr (std::is_same_v<D, simd> && has_lanes<T> && !is_dual<T>) {
    using L = lanes<T>;
    for (; i + L::width <= pairs; i += L::width)
      lanes<dual<T>>::store(reinterpret_cast<dual<T>*>(to + 2 * i), {L::load(even + i), L::load(odd + i)});
  }
#endif
  for (; i < pairs; ++i) {
    to[2 * i] = even[i];
    to[2 * i + 1] = odd[i];
  }
}

inline constexpr std::ptrdiff_t filter_block = 4;  // packs of neighbouring results at a time

// What one thread needs to filter lines of one shape.
template <class D, class T> class line_filter {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  static constexpr std::ptrdiff_t W = L::width;

  // f may be null where only its gradient is wanted.
  line_filter(filter_line const& line, line_span const& s, extended_sample const* around, view<T const, 2, D> f)
      : stride_(line.stride),
        dilation_(line.dilation),
        s_(s),
        around_(around),
        shift_(stride_ == 2 ? s.taps / 2 - 1 : dilation_ * (s.taps - 1)),
        phase_(((s.span + stride_ - 1) / stride_ / W + filter_block + 1) * W),
        room_(2 * W + 2 * phase_ + 2 * (shift_ + phase_) + s.samples + 2 * s.taps),
        buffer_(shape<1>{{room_}}, T(0)) {
    // So that the line itself begins at a pack, which is stored whole.
    even = buffer_.data() + 2 * W - s.before / stride_ % W;
    odd = even + phase_;
    a = odd + phase_ + shift_;  // `shift_` zeros lie before each of the two, zeros after them
    b = a + phase_ + shift_;
    line_ = b + phase_;
    taps_ = line_ + s.samples;
    if (!f) return;
    for (std::ptrdiff_t q = 0; q < s.taps; ++q) {
      taps_[q] = f(0, s.taps - 1 - q);
      taps_[s.taps + q] = f(1, s.taps - 1 - q);
    }
  }

  // Goes over to lines that are no longer than the first ones.
  void shorten(line_span const& s, extended_sample const* around) {
    s_ = s;
    around_ = around;
  }

  // The extended line, phase by phase.
  void extend_line(T const* x, std::ptrdiff_t step) { extend_part(side_by_side(x, step), 0, s_.results); }

  // The transpose: the gradient of a line from that of its extension.
  void fold_line(T* x, std::ptrdiff_t step, bool add) {
    T* const to = step == 1 && !add ? x : line_;
    std::ptrdiff_t const n = s_.inside();
    if (stride_ == 1) {
      for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = even[s_.before + i];
    } else {
      bool const swapped = s_.before % 2 != 0;
      T const* const zeroth = (swapped ? odd : even) + s_.before / 2;
      join_pairs<D>(to, zeroth, (swapped ? even + 1 : odd) + s_.before / 2, n / 2);
      if (n % 2 != 0) to[n - 1] = zeroth[n / 2];
    }
    for (std::ptrdiff_t i = n; i < s_.samples; ++i) to[i] = T(0);
    for_each_around(0, s_.span, [&](T const& at, extended_sample const& e) {
      if (e.scale != 0) to[e.source] = to[e.source] + math::constant<T>(e.scale) * at;
      if (e.first != 0) to[0] = to[0] + math::constant<T>(e.first) * at;
      if (e.last != 0) to[s_.samples - 1] = to[s_.samples - 1] + math::constant<T>(e.last) * at;
    });
    if (to != x) put_line(x, step, add, to, s_.samples);
  }

  // a, b (either may be null) from a line: so many results at a time that the phases of their part of it stay in the
  // first cache.
  void analyse_line(T const* x, std::ptrdiff_t step, T* to_a, std::ptrdiff_t step_a, bool add_a, T* to_b,
                    std::ptrdiff_t step_b, bool add_b) {
    bool const direct_a = to_a != nullptr && step_a == 1 && !add_a, direct_b = to_b != nullptr && step_b == 1 && !add_b;
    T *const at_a = direct_a ? to_a : a, *const at_b = direct_b ? to_b : b;
    T const* const from = side_by_side(x, step);
    std::ptrdiff_t const some = stride_ == 2 ? 64 * W : s_.results;
    for (std::ptrdiff_t first = 0; first < s_.results; first += some) {
      std::ptrdiff_t const last = first + some < s_.results ? first + some : s_.results;
      extend_part(from, first, last);
      std::ptrdiff_t i = first;
      for (; i + filter_block * W <= last; i += filter_block * W)
        analyse_block<filter_block>(i - first, at_a + i, at_b + i);
      for (; i + W <= last; i += W) analyse_block<1>(i - first, at_a + i, at_b + i);
      if (i == last) continue;
      T some_a[W], some_b[W];
      analyse_block<1>(i - first, some_a, some_b);
      for (std::ptrdiff_t l = 0; i + l < last; ++l) at_a[i + l] = some_a[l], at_b[i + l] = some_b[l];
    }
    if (to_a != nullptr && !direct_a) put_line(to_a, step_a, add_a, a, s_.results);
    if (to_b != nullptr && !direct_b) put_line(to_b, step_b, add_b, b, s_.results);
  }

  // Coefficients into the padded buffers; null ones are zeros.
  void load_coefficients(T const* from_a, std::ptrdiff_t step_a, T const* from_b, std::ptrdiff_t step_b) {
    if (from_a != nullptr) get_line(a, from_a, step_a, s_.results);
    if (from_b != nullptr) get_line(b, from_b, step_b, s_.results);
  }

  // The extended line from the coefficients in the buffers.
  void synthesise() {
    std::ptrdiff_t const n = (s_.span + stride_ - 1) / stride_;
    std::ptrdiff_t u = 0;
    for (; u + filter_block * W <= n; u += filter_block * W)
      stride_ == 2 ? synthesise_block<2, filter_block>(u) : synthesise_block<1, filter_block>(u);
    for (; u < n; u += W) stride_ == 2 ? synthesise_block<2, 1>(u) : synthesise_block<1, 1>(u);
  }

  // Adds the gradient of both filters to `sums` (2 x L, in the order of the taps reversed), from the extended line and
  // the coefficients in the buffers.
  void add_gradients(T* sums) {
    std::ptrdiff_t q = 0;
    for (; q + 4 <= s_.taps; q += 4) gradient_block<4>(q, sums);
    for (; q < s_.taps; ++q) gradient_block<1>(q, sums);
  }

 private:
  // Tap q of the reversed filters multiplies this element for result i.
  T const* tap_start(std::ptrdiff_t q) const {
    if (stride_ == 1) return even + q * dilation_;
    return (q % 2 == 0 ? even : odd) + q / 2;
  }

  T const* side_by_side(T const* x, std::ptrdiff_t step) {
    if (step == 1) return x;
    gather_line(line_, x, s_.samples, step);
    return line_;
  }
  // What results first (a multiple of W) to last read of the extended line, at the front of its phases.
  void extend_part(T const* from, std::ptrdiff_t first, std::ptrdiff_t last) {
    std::ptrdiff_t const begin = stride_ * first, end = stride_ * (last - 1) + dilation_ * (s_.taps - 1) + 1;
    for_each_around(begin, end, [&](T& at, extended_sample const& e) {
      at = T(0);
      if (e.scale != 0) at = math::constant<T>(e.scale) * from[e.source];
      if (e.first != 0) at = at + math::constant<T>(e.first) * from[0];
      if (e.last != 0) at = at + math::constant<T>(e.last) * from[s_.samples - 1];
    });
    std::ptrdiff_t const n = s_.inside() < end - s_.before ? s_.inside() : end - s_.before;
    if (stride_ == 1) {
      for (std::ptrdiff_t i = 0; i < n; ++i) even[s_.before + i] = from[i];
      return;
    }
    // From a whole pack on, up to W elements before the front.
    std::ptrdiff_t const k = begin > s_.before ? (begin - s_.before) / (2 * W) * (2 * W) : 0;
    if (n <= k) return;
    bool const swapped = s_.before % 2 != 0;  // sample 0 lies at an odd place
    T* const zeroth = (swapped ? odd : even) + (s_.before + k) / 2 - first;
    split_pairs<D>(zeroth, (swapped ? even + 1 : odd) + (s_.before + k) / 2 - first, from + k, (n - k) / 2);
    if (n % 2 != 0) zeroth[(n - k) / 2] = from[n - 1];
  }

  // f(element, what it is) for the places begin (even) to end that lie beyond the samples.
  template <class F> void for_each_around(std::ptrdiff_t begin, std::ptrdiff_t end, F const& f) {
    std::ptrdiff_t const place[2] = {0, s_.before + s_.samples}, count[2] = {s_.before, s_.after};
    for (int side = 0; side < 2; ++side) {
      std::ptrdiff_t t = place[side] > begin ? place[side] : begin;
      for (; t < end && t < place[side] + count[side]; ++t) {
        T* const at = stride_ == 1 ? even + t : (t % 2 == 0 ? even : odd) + (t - begin) / 2;
        f(*at, around_[side * s_.before + t - place[side]]);
      }
    }
  }

  static void get_line(T* to, T const* from, std::ptrdiff_t step, std::ptrdiff_t n) {
    if (step == 1)
      for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = from[i];
    else gather_line(to, from, n, step);
  }
  static void put_line(T* to, std::ptrdiff_t step, bool add, T const* from, std::ptrdiff_t n) {
    if (add)
      for (std::ptrdiff_t i = 0; i < n; ++i) to[i * step] = to[i * step] + from[i];
    else
      for (std::ptrdiff_t i = 0; i < n; ++i) to[i * step] = from[i];
  }

  template <std::ptrdiff_t P> LIMBIC_INLINE void analyse_block(std::ptrdiff_t i, T* to_a, T* to_b) const {
    V lo[P], hi[P];
    for (std::ptrdiff_t p = 0; p < P; ++p) lo[p] = hi[p] = V(0);
    T const *left = tap_start(0) + i, *right = tap_start(1) + i;
    std::ptrdiff_t const step = stride_ == 2 ? 1 : 2 * dilation_, taps = s_.taps;
    T const *const f = taps_, *const g = taps_ + taps;
    for (std::ptrdiff_t q = 0; q < taps; q += 2, left += step, right += step) {
      V const f0 = math::broadcast<V>(f[q]), g0 = math::broadcast<V>(g[q]);
      V const f1 = math::broadcast<V>(f[q + 1]), g1 = math::broadcast<V>(g[q + 1]);
      for (std::ptrdiff_t p = 0; p < P; ++p) {
        V const x = in_register(L::load(left + p * W)), y = in_register(L::load(right + p * W));
        lo[p] = math::fma(f1, y, math::fma(f0, x, lo[p]));
        hi[p] = math::fma(g1, y, math::fma(g0, x, hi[p]));
      }
    }
    for (std::ptrdiff_t p = 0; p < P; ++p) {
      L::store(to_a + p * W, lo[p]);
      L::store(to_b + p * W, hi[p]);
    }
  }

  // Phases: 1 or 2 elements of the extended line for each place u.
  template <int Phases, std::ptrdiff_t P> LIMBIC_INLINE void synthesise_block(std::ptrdiff_t u) {
    V sum[Phases][P];
    for (int o = 0; o < Phases; ++o)
      for (std::ptrdiff_t p = 0; p < P; ++p) sum[o][p] = V(0);
    T const *lo = a + u, *hi = b + u;
    std::ptrdiff_t const step = Phases == 2 ? 1 : dilation_, taps = s_.taps;
    T const *const f = taps_, *const g = taps_ + taps;
    for (std::ptrdiff_t q = 0; q < taps; q += Phases, lo -= step, hi -= step) {
      V f_q[Phases], g_q[Phases];
      for (int o = 0; o < Phases; ++o) {
        f_q[o] = math::broadcast<V>(f[q + o]);
        g_q[o] = math::broadcast<V>(g[q + o]);
      }
      for (std::ptrdiff_t p = 0; p < P; ++p) {
        V const x = in_register(L::load(lo + p * W)), y = in_register(L::load(hi + p * W));
        for (int o = 0; o < Phases; ++o) sum[o][p] = math::fma(g_q[o], y, math::fma(f_q[o], x, sum[o][p]));
      }
    }
    for (int o = 0; o < Phases; ++o)
      for (std::ptrdiff_t p = 0; p < P; ++p) L::store((o == 0 ? even : odd) + u + p * W, sum[o][p]);
  }

  template <std::ptrdiff_t Q> LIMBIC_INLINE void gradient_block(std::ptrdiff_t q, T* sums) const {
    V lo[Q], hi[Q];
    T const* from[Q];
    for (std::ptrdiff_t k = 0; k < Q; ++k) {
      lo[k] = hi[k] = V(0);
      from[k] = tap_start(q + k);
    }
    std::ptrdiff_t i = 0;
    for (; i + W <= s_.results; i += W) {
      V const c = in_register(L::load(a + i)), e = in_register(L::load(b + i));
      for (std::ptrdiff_t k = 0; k < Q; ++k) {
        V const x = in_register(L::load(from[k] + i));
        lo[k] = math::fma(c, x, lo[k]);
        hi[k] = math::fma(e, x, hi[k]);
      }
    }
    for (std::ptrdiff_t k = 0; k < Q; ++k) {
      T low = math::reduce_add(lo[k]), high = math::reduce_add(hi[k]);
      for (std::ptrdiff_t l = i; l < s_.results; ++l) {
        low = low + a[l] * from[k][l];
        high = high + b[l] * from[k][l];
      }
      sums[q + k] = sums[q + k] + low;
      sums[s_.taps + q + k] = sums[s_.taps + q + k] + high;
    }
  }

  std::ptrdiff_t stride_, dilation_;
  line_span s_;
  extended_sample const* around_;
  std::ptrdiff_t shift_, phase_, room_;  // shift_: how far the last tap reaches
  tensor<T, 1, D> buffer_;
  T *even, *odd, *a, *b, *line_, *taps_;
};

// A million multiply-adds are worth a second thread.
inline std::ptrdiff_t lines_of_piece(line_span const& s, std::ptrdiff_t lines) {
  std::ptrdiff_t const cost = 2 * s.results * s.taps + s.samples;
  return lines * cost < (1 << 20) ? lines : (1 << 18) / cost + 1;
}

// f(piece, room, pointers into x, a and b) for every line (null where that is), in pieces that depend on the problem
// alone; `make` gives what a thread needs for itself.
template <class X, class A, class Make, class F>
void for_each_line(filter_line const& line, line_span const& s, X const& x, A const& a, A const& b, Make const& make,
                   F const& f) {
  int const axis = line.axis;
  axes<3> loop;
  auto const append = [&](int i, std::ptrdiff_t n) {
    std::ptrdiff_t const steps[3] = {x.stride(i), a.stride(i), b.stride(i)};
    loop.append(n, steps);
  };
  for (int i = 0; i < X::rank; ++i)
    if (i != axis) append(i, x.extent(i));
  append(axis, 1);
  std::ptrdiff_t const lines = x.size() / s.samples, grain = lines_of_piece(s, lines);
  parallel_for(lines, grain, make, [&](std::ptrdiff_t first, std::ptrdiff_t last, auto& room) {
    for (std::ptrdiff_t l = first; l < last; ++l) {
      std::ptrdiff_t at[3] = {};
      line_offsets(loop, l, at);
      f(first / grain, room, x.data() + at[0], a ? a.data() + at[1] : nullptr, b ? b.data() + at[2] : nullptr);
    }
  });
}

inline tensor<extended_sample, 1, scalar> samples_around(filter_line const& line, line_span const& s) {
  tensor<extended_sample, 1, scalar> around(shape<1>{{s.before + s.after}}, uninitialized);
  for (std::ptrdiff_t i = 0; i < s.before; ++i) around.data()[i] = extend(line, i - s.before, s.samples);
  for (std::ptrdiff_t i = 0; i < s.after; ++i) around.data()[s.before + i] = extend(line, s.samples + i, s.samples);
  return around;
}

template <class D, class T, int R>
void analyse_lines(filter_line const& line, line_span const& s, sink<T, R, D> a, sink<T, R, D> b, view<T const, R, D> x,
                   view<T const, 2, D> f) {
  auto const around = samples_around(line, s);
  int const axis = line.axis;
  std::ptrdiff_t const step = x.stride(axis), step_a = a.to.stride(axis), step_b = b.to.stride(axis);
  auto const make = [&] { return line_filter<D, T>(line, s, around.data(), f); };
  for_each_line(line, s, x, a.to, b.to, make, [&](std::ptrdiff_t, auto& filter, T const* from, T* to_a, T* to_b) {
    filter.analyse_line(from, step, to_a, step_a, a.add, to_b, step_b, b.add);
  });
}

// The i-th line along an axis.
template <class T, int R, class D> T* line_start(view<T, R, D> const& v, int axis, std::ptrdiff_t i) {
  std::ptrdiff_t offset = 0;
  for (int k = R - 1; k >= 0; --k)
    if (k != axis) {
      offset += i % v.extent(k) * v.stride(k);
      i /= v.extent(k);
    }
  return v.data() + offset;
}

template <class D, class T, int R>
void analyse_lines_to_the_end(filter_line const& line, std::span<view<T, R, D> const> bands, view<T const, R, D> x,
                              view<T const, 2, D> f, std::span<line_span const> spans) {
  int const axis = line.axis;
  std::size_t const levels = spans.size();
  std::ptrdiff_t const width = spans[0].before + line.stride * f.extent(1) + 1, longest = spans[0].results;
  tensor<extended_sample, 2, scalar> around(shape<2>{{static_cast<std::ptrdiff_t>(levels), width}}, uninitialized);
  for (std::size_t l = 0; l < levels; ++l) {
    auto const some = samples_around(line, spans[l]);
    for (std::ptrdiff_t i = 0; i < some.size(); ++i) around(static_cast<std::ptrdiff_t>(l), i) = some(i);
  }
  std::ptrdiff_t const lines = x.size() / spans[0].samples;
  struct room {
    line_filter<D, T> filter;
    tensor<T, 2, D> averages;
  };
  auto const make = [&] {
    return room{line_filter<D, T>(line, spans[0], around.data(), f),
                tensor<T, 2, D>(shape<2>{{2, longest}}, uninitialized)};
  };
  parallel_for(lines, lines_of_piece(spans[0], lines), make, [&](std::ptrdiff_t first, std::ptrdiff_t last, room& in) {
    for (std::ptrdiff_t i = first; i < last; ++i) {
      T const* from = line_start(x, axis, i);
      std::ptrdiff_t step = x.stride(axis);
      for (std::size_t l = 0; l < levels; ++l) {
        bool const at_end = l + 1 == levels;
        view<T, R, D> const &details = bands[levels - l], &average = bands[0];
        T* const to =
            at_end ? line_start(average, axis, i) : in.averages.data() + static_cast<std::ptrdiff_t>(l % 2) * longest;
        in.filter.shorten(spans[l], around.data() + static_cast<std::ptrdiff_t>(l) * width);
        in.filter.analyse_line(from, step, to, at_end ? average.stride(axis) : 1, false, line_start(details, axis, i),
                               details.stride(axis), false);
        from = to;
        step = 1;
      }
    }
  });
}

template <class D, class T, int R>
void synthesise_lines(filter_line const& line, line_span const& s, sink<T, R, D> x, view<T const, R, D> a,
                      view<T const, R, D> b, view<T const, 2, D> f) {
  auto const around = samples_around(line, s);
  int const axis = line.axis;
  std::ptrdiff_t const step = x.to.stride(axis), step_a = a.stride(axis), step_b = b.stride(axis);
  auto const make = [&] { return line_filter<D, T>(line, s, around.data(), f); };
  for_each_line(line, s, x.to, a, b, make, [&](std::ptrdiff_t, auto& filter, T* to, T const* from_a, T const* from_b) {
    filter.load_coefficients(from_a, step_a, from_b, step_b);
    filter.synthesise();
    filter.fold_line(to, step, x.add);
  });
}

template <class D, class T, int R>
void sum_filter_gradients(filter_line const& line, line_span const& s, sink<T, 2, D> df, view<T const, R, D> x,
                          view<T const, R, D> a, view<T const, R, D> b) {
  auto const around = samples_around(line, s);
  int const axis = line.axis;
  std::ptrdiff_t const step = x.stride(axis), step_a = a.stride(axis), step_b = b.stride(axis);
  std::ptrdiff_t const lines = x.size() / s.samples, grain = lines_of_piece(s, lines);
  std::ptrdiff_t const pieces = grain > 0 ? (lines + grain - 1) / grain : 0;
  tensor<T, 2, D> parts(shape<2>{{pieces, 2 * s.taps}});  // summed in the order of the pieces, whoever computed them
  auto const make = [&] { return line_filter<D, T>(line, s, around.data(), view<T const, 2, D>()); };
  for_each_line(line, s, x, a, b, make,
                [&](std::ptrdiff_t piece, auto& filter, T const* from, T const* from_a, T const* from_b) {
                  filter.extend_line(from, step);
                  filter.load_coefficients(from_a, step_a, from_b, step_b);
                  filter.add_gradients(parts.data() + piece * 2 * s.taps);
                });
  for (int band = 0; band < 2; ++band)
    for (std::ptrdiff_t j = 0; j < s.taps; ++j) {
      T sum = T(0);
      for (std::ptrdiff_t p = 0; p < pieces; ++p) sum = sum + parts(p, (band + 1) * s.taps - 1 - j);
      T& to = df.to(band, j);
      to = df.add ? to + sum : sum;
    }
}

// ---- other devices: tap by tap, through the verbs ----------------------------------------------------------------

struct extend_function {
  extended_sample e;
  template <class V> constexpr V operator()(V x, V first, V last) const {
    V y = V(0);  // a weight of 0 is left out, not multiplied by what may be infinite
    if (e.scale != 0) y = math::constant<V>(e.scale) * x;
    if (e.first != 0) y = y + math::constant<V>(e.first) * first;
    if (e.last != 0) y = y + math::constant<V>(e.last) * last;
    return y;
  }
};
struct weight_function {
  double factor;
  template <class V> constexpr V operator()(V x) const { return math::constant<V>(factor) * x; }
};

// One element of the filters, of rank R.
template <int R, class T, class D> view<T, R, D> one_tap(view<T, 2, D> const& f, std::ptrdiff_t band,
                                                         std::ptrdiff_t j) {
  shape<R> ones;
  for (int i = 0; i < R; ++i) ones[i] = 1;
  return {f.data() + band * f.stride(0) + j * f.stride(1), ones};
}
// The extended samples that tap j multiplies, one for each result.
template <class V> V under_tap(V const& e, filter_line const& line, line_span const& s, std::ptrdiff_t j) {
  std::ptrdiff_t const begin = line.dilation * (s.taps - 1 - j);
  return e.slice(line.axis, begin, begin + line.stride * (s.results - 1) + 1, line.stride);
}
template <class V> V one_sample(V const& x, filter_line const& line, std::ptrdiff_t k) {
  return x.slice(line.axis, k, k + 1);
}
template <class F> void for_each_sample_around(filter_line const& line, line_span const& s, F const& f) {
  for (std::ptrdiff_t t = 0; t < s.before; ++t) f(t, extend(line, t - s.before, s.samples));
  for (std::ptrdiff_t t = s.before + s.samples; t < s.span; ++t) f(t, extend(line, t - s.before, s.samples));
}

template <class D, class T, int R>
tensor<T, R, D> extended(D d, filter_line const& line, line_span const& s, view<T const, R, D> x) {
  shape<R> extents = x.shape();
  extents[line.axis] = s.span;
  tensor<T, R, D> e(extents, uninitialized);
  copy(d, e.view().slice(line.axis, s.before, s.before + s.inside()), x.slice(line.axis, 0, s.inside()));
  for_each_sample_around(line, s, [&](std::ptrdiff_t t, extended_sample const& sample) {
    map(d, one_sample(e.view(), line, t), extend_function{sample}, one_sample(x, line, sample.source),
        one_sample(x, line, 0), one_sample(x, line, s.samples - 1));
  });
  return e;
}

template <class D, class T, int R>
void analyse_by_taps(D d, filter_line const& line, line_span const& s, sink<T, R, D> a, sink<T, R, D> b,
                     view<T const, R, D> x, view<T const, 2, D> f) {
  tensor<T, R, D> const e = extended(d, line, s, x);
  for (std::ptrdiff_t band = 0; band < 2; ++band) {
    sink<T, R, D> const c = band == 0 ? a : b;
    for (std::ptrdiff_t j = s.taps - 1; c && j >= 0; --j)
      map(d, sink<T, R, D>(c.to, c.add || j < s.taps - 1), multiply_function{}, under_tap(e.view(), line, s, j),
          one_tap<R>(f, band, j));
  }
}

template <class D, class T, int R>
void synthesise_by_taps(D d, filter_line const& line, line_span const& s, sink<T, R, D> x, view<T const, R, D> a,
                        view<T const, R, D> b, view<T const, 2, D> f) {
  shape<R> extents = x.shape();
  extents[line.axis] = s.span;
  tensor<T, R, D> e(extents, T(0));
  for (std::ptrdiff_t band = 0; band < 2; ++band) {
    view<T const, R, D> const c = band == 0 ? a : b;
    for (std::ptrdiff_t j = s.taps - 1; c && j >= 0; --j)
      map(d, sink<T, R, D>(under_tap(e.view(), line, s, j), true), multiply_function{}, c, one_tap<R>(f, band, j));
  }
  if (!x.add) fill(d, x.to, T(0));
  copy(d, sink<T, R, D>(x.to.slice(line.axis, 0, s.inside()), true),
       e.view().slice(line.axis, s.before, s.before + s.inside()));
  for_each_sample_around(line, s, [&](std::ptrdiff_t t, extended_sample const& sample) {
    auto const give = [&](std::ptrdiff_t k, double weight) {
      if (weight != 0)
        map(d, sink<T, R, D>(one_sample(x.to, line, k), true), weight_function{weight}, one_sample(e.view(), line, t));
    };
    give(sample.source, sample.scale);
    give(0, sample.first);
    give(s.samples - 1, sample.last);
  });
}

template <class D, class T, int R>
void filter_gradients_by_taps(D d, filter_line const& line, line_span const& s, sink<T, 2, D> df, view<T const, R, D> x,
                              view<T const, R, D> a, view<T const, R, D> b) {
  tensor<T, R, D> const e = extended(d, line, s, x);
  for (std::ptrdiff_t band = 0; band < 2; ++band) {
    view<T const, R, D> const c = band == 0 ? a : b;
    for (std::ptrdiff_t j = 0; j < s.taps; ++j) {
      view<T, R, D> const to = one_tap<R>(df.to, band, j);
      if (c) reduce(d, sink<T, R, D>(to, df.add), sum_of{}, multiply_function{}, under_tap(e.view(), line, s, j), c);
      else if (!df.add) fill(d, to, T(0));
    }
  }
}

}  // namespace detail

template <class D, class T, int R>
void analysis(D d, sink<T, R, D> a, sink<T, R, D> b, view<T const, R, D> x, view<T const, 2, D> f, filter_line line) {
  if (!a && !b) return;
  detail::line_span const s = detail::check_line("analysis", line, a ? a.shape() : b.shape(), x.shape(), f.shape());
  if (x.empty() || s.results == 0) return;
  if constexpr (is_host<D>) detail::analyse_lines(line, s, a, b, x, f);
  else detail::analyse_by_taps(d, line, s, a, b, x, f);
}

// At most 62 levels: bands.size() - 1.
template <class D, class T, int R>
  requires is_host<D>
void analysis_levels(D, std::span<view<T, R, D> const> bands, view<T const, R, D> x, view<T const, 2, D> f,
                     filter_line line) {
  if (bands.size() < 2 || bands.size() > 63)
    fail<argument_error>("analysis_levels", "there must be 2 to 63 bands, not ", bands.size());
  short_list<detail::line_span, 62> spans;
  shape<R> samples = x.shape();
  for (std::size_t b = bands.size() - 1; b > 0; --b) {
    spans.emplace_back(detail::check_line("analysis_levels", line, bands[b].shape(), samples, f.shape()));
    samples = bands[b].shape();
  }
  if (!(bands[0].shape() == samples))
    fail<shape_error>("analysis_levels", "averages ", bands[0].shape(), " and details ", samples,
                      " must have the same shape");
  if (x.empty() || samples.size() == 0) return;
  detail::analyse_lines_to_the_end(line, bands, x, f, std::span<detail::line_span const>(spans.data(), spans.size()));
}

template <class D, class T, int R>
void synthesis(D d, sink<T, R, D> x, view<T const, R, D> a, view<T const, R, D> b, view<T const, 2, D> f,
               filter_line line) {
  if (!x) return;
  if ((!a && !b) || (a ? a : b).empty()) {
    if (!x.add) fill(d, x.to, T(0));
    return;
  }
  detail::line_span const s = detail::check_line("synthesis", line, a ? a.shape() : b.shape(), x.shape(), f.shape());
  if constexpr (is_host<D>) detail::synthesise_lines(line, s, x, a, b, f);
  else detail::synthesise_by_taps(d, line, s, x, a, b, f);
}

template <class D, class T, int R>
void filter_gradients(D d, sink<T, 2, D> df, view<T const, R, D> x, view<T const, R, D> a, view<T const, R, D> b,
                      filter_line line) {
  if (!df) return;
  if ((!a && !b) || (a ? a : b).empty()) {
    if (!df.add) fill(d, df.to, T(0));
    return;
  }
  detail::line_span const s =
      detail::check_line("filter_gradients", line, a ? a.shape() : b.shape(), x.shape(), df.shape());
  if constexpr (is_host<D>) detail::sum_filter_gradients(line, s, df, x, a, b);
  else detail::filter_gradients_by_taps(d, line, s, df, x, a, b);
}

LIMBIC_END
