// limbic/kernels/fft.hpp - discrete Fourier transforms of many lines; usable alone on views
//
//   fft(D, n, direction, y_re, y_im, x_re, x_im, w)
//
//   y_k = sum_j w_j x_j e^(-+ 2 pi i j k / n),  j < p <= n,  k < q <= n        (- forward, + backward; never scaled)
//
// x (A, B, p) and y (A, B, q) have any strides, also 0 and overlapping ones in x; what x lacks of n elements is zero, what y
// lacks is not computed. w (A, B, p) are real weights (windows, frequency responses); null: ones. A null x_im counts as
// zeros, a null y_im is not wanted. The adjoint of one direction is the other one, with p and q exchanged, so
//
//   fft(d, n, forward, re, im, x, {}, w)      real input: q = n/2 + 1 says all
//   fft(d, n, backward, x, {}, re, im, {})    and its adjoint: the real part, with q = n
//
// take real lines there and back; both cost half as much as a complex transform where n is even.
//
// On a CPU: Stockham's self-sorting algorithm, radix 4, then 2 and the odd primes of n (any n will do; a prime factor r costs
// r^2 / 2 multiply-adds for each r elements, so large primes are slow). Every lane of a pack is a line: an element's bits
// depend neither on its neighbours nor on threads, and NaN stays in its line. Other devices: matrix products with the basis
// (p, q), which are quadratic in n.
//
// Stockham 1966; Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992.
#pragma once

#include <limbic/backend/gemm.hpp>

LIMBIC_BEGIN

enum class fft_direction { forward, backward };  // e^(-i...), e^(+i...)

namespace detail {

// cos and sin of 2 pi i / n for i < n, exact at multiples of a quarter: computed in double within an eighth of the circle.
template <class D, class T> class roots_of_unity {
 public:
  explicit roots_of_unity(std::ptrdiff_t n) : cos_(shape<1>{{n}}, uninitialized), sin_(shape<1>{{n}}, uninitialized) {
    using host = std::conditional_t<is_host<D>, D, scalar>;
    tensor<double, 1, host> angle(shape<1>{{n}}, uninitialized), c(angle.shape(), uninitialized),
        s(angle.shape(), uninitialized);
    for (std::ptrdiff_t i = 0; i < n; ++i)
      angle.data()[i] = 0.78539816339744831 * static_cast<double>(fold(i, n).eighths) / static_cast<double>(n);
    map(host{}, outs(c, s), cos_and_sin{}, angle);
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      place const at = fold(i, n);
      double const x = at.swapped ? s.data()[i] : c.data()[i], y = at.swapped ? c.data()[i] : s.data()[i];
      cos_.data()[i] = math::constant<T>(at.left ? -x : x);
      sin_.data()[i] = math::constant<T>(at.below ? -y : y);
    }
  }
  T const* cos() const { return cos_.data(); }
  T const* sin() const { return sin_.data(); }

 private:
  struct cos_and_sin {
    template <class V> constexpr auto operator()(V a) const { return results{math::cos(a), math::sin(a)}; }
  };
  // The angle in eighths of the circle, of n parts each, and what undoes the reflections that brought it below one eighth.
  struct place {
    std::ptrdiff_t eighths;
    bool below, left, swapped;
  };
  static place fold(std::ptrdiff_t i, std::ptrdiff_t n) {
    place at{8 * i, false, false, false};
    if ((at.below = at.eighths > 4 * n)) at.eighths = 8 * n - at.eighths;
    if ((at.left = at.eighths > 2 * n)) at.eighths = 4 * n - at.eighths;
    if ((at.swapped = at.eighths > n)) at.eighths = 2 * n - at.eighths;
    return at;
  }
  tensor<T, 1, scalar> cos_, sin_;
};

// A tensor that the CPU filled, where D computes.
template <class D, class T, int R> tensor<T, R, D> placed_on(tensor<T, R, scalar> const& t) {
  if constexpr (is_host<D>) return tensor<T, R, D>(view<T const, R, D>(t.view().on(D{})));
  else return to_device(t);
}

// ---- CPU: a line in each lane ------------------------------------------------------------------------------------

// The lines first, first + 1, ... of (A, B, n), one for each lane; lanes beyond the last repeat it. Null for a null view.
template <class T, std::ptrdiff_t W> struct lane_lines {
  T* at[W] = {};
  std::ptrdiff_t step = 0, count = 0, used = 0;  // from element to element; elements of a line; lanes that are lines

  template <class D> lane_lines(view<T, 3, D> const& v, std::ptrdiff_t first) {
    if (!v) return;
    std::ptrdiff_t const lines = v.extent(0) * v.extent(1);
    step = v.stride(2);
    count = v.extent(2);
    used = lines - first < W ? lines - first : W;
    for (std::ptrdiff_t l = 0; l < W; ++l) {
      std::ptrdiff_t const line = l < used ? first + l : lines - 1;
      at[l] = v.data() + line / v.extent(1) * v.stride(0) + line % v.extent(1) * v.stride(1);
    }
  }
};

// What one thread needs for transforms of W lines at a time.
template <class D, class T> class lane_fft {
 public:
  using L = kernel_lanes<D, T>;
  using V = typename L::type;
  static constexpr std::ptrdiff_t W = L::width;
  using lines = lane_lines<T, W>;
  using const_lines = lane_lines<T const, W>;

  // halves: one of the two sides is real and n even, so that a complex transform of n / 2 is enough.
  lane_fft(std::ptrdiff_t n, fft_direction direction, bool halves, roots_of_unity<D, T> const& roots)
      : length_(halves ? n / 2 : n),
        turn_(halves ? 2 : 1),
        backward_(direction == fft_direction::backward),
        halves_(halves),
        roots_(roots),
        buffer_(shape<1>{{4 * (length_ + 1) * W}}, uninitialized) {
    for (int i = 0; i < 4; ++i) part_[i] = buffer_.data() + i * (length_ + 1) * W;
  }

  void operator()(lines const& y_re, lines const& y_im, const_lines const& x_re, const_lines const& x_im,
                  const_lines const& w) {
    if (!halves_) {
      int const re = backward_ ? 1 : 0, im = 1 - re;  // backward is forward with both parts exchanged
      load(part_[re], nullptr, x_re, w, length_);
      load(part_[im], nullptr, x_im, w, length_);
      transform();
      put(y_re, part_[re], nullptr);
      put(y_im, part_[im], nullptr);
    } else if (!backward_) {
      load(part_[0], part_[1], x_re, w, 2 * length_);
      transform();
      separate(y_re.count);
      put(y_re, part_[0], nullptr);
      put(y_im, part_[1], nullptr);
    } else {
      load(part_[0], nullptr, x_re, w, length_ + 1);
      load(part_[1], nullptr, x_im, w, length_ + 1);
      combine();
      transform();
      put(y_re, part_[1], part_[0]);
    }
  }

 private:
  static constexpr bool turns_blocks = W > 1 && !is_dual<T>;

  // Where element j of W lines lies: in `even`, or by turns in `even` and `odd`.
  static T* element(T* even, T* odd, std::ptrdiff_t j) {
    return odd == nullptr ? even + j * W : (j % 2 == 0 ? even : odd) + j / 2 * W;
  }
  // Lines into lanes, weighted, and zeros up to `length`.
  static void load(T* even, T* odd, const_lines const& x, const_lines const& w, std::ptrdiff_t length) {
    bool const weighted = w.at[0] != nullptr;
    std::ptrdiff_t j = 0;
    if constexpr (turns_blocks)
      for (; x.step == 1 && (!weighted || w.step == 1) && j + W <= x.count; j += W) {
        T square[2][W * W];
        for (std::ptrdiff_t l = 0; l < W; ++l) {
          V const v = L::load(x.at[l] + j);
          L::store(square[0] + l * W, weighted ? v * L::load(w.at[l] + j) : v);
        }
        T const* const turned = turn(square[0], square[1]);
        for (std::ptrdiff_t i = 0; i < W; ++i) L::store(element(even, odd, j + i), L::load(turned + i * W));
      }
    for (; j < x.count; ++j)
      for (std::ptrdiff_t l = 0; l < W; ++l) {
        T const v = x.at[l][j * x.step];
        element(even, odd, j)[l] = weighted ? v * w.at[l][j * w.step] : v;
      }
    for (; j < length; ++j) L::store(element(even, odd, j), V(0));
  }
  // Lanes into lines.
  static void put(lines const& y, T* even, T* odd) {
    std::ptrdiff_t k = 0;
    if constexpr (turns_blocks)
      for (; y.step == 1 && k + W <= y.count; k += W) {
        T square[2][W * W];
        for (std::ptrdiff_t i = 0; i < W; ++i) L::store(square[0] + i * W, L::load(element(even, odd, k + i)));
        T const* const turned = turn(square[0], square[1]);
        for (std::ptrdiff_t l = 0; l < y.used; ++l) L::store(y.at[l] + k, L::load(turned + l * W));
      }
    for (; k < y.count; ++k)
      for (std::ptrdiff_t l = 0; l < y.used; ++l) y.at[l][k * y.step] = element(even, odd, k)[l];
  }
  // The transpose of a block, in either buffer: storing two packs as the parts of complex numbers interleaves them, and
  // doing so with rows i and i + W / 2 takes one digit of the row's number to the column's.
  static T const* turn(T* from, T* to) {
#if LIMBIC_SIMD
    for (std::ptrdiff_t digit = 1; digit < W; digit *= 2, std::swap(from, to))
      for (std::ptrdiff_t i = 0; i < W / 2; ++i)
        lanes<dual<T>>::store(reinterpret_cast<dual<T>*>(to + 2 * i * W),
                              {L::load(from + i * W), L::load(from + (i + W / 2) * W)});
#else
    (void)to;
#endif
    return from;
  }

  struct number {
    V re, im;
    friend LIMBIC_INLINE number operator+(number a, number b) { return {a.re + b.re, a.im + b.im}; }
    friend LIMBIC_INLINE number operator-(number a, number b) { return {a.re - b.re, a.im - b.im}; }
  };
  static LIMBIC_INLINE number at(T const* re, T const* im, std::ptrdiff_t i) {
    return {L::load(re + i * W), L::load(im + i * W)};
  }
  static LIMBIC_INLINE void set(T* re, T* im, std::ptrdiff_t i, number v) {
    L::store(re + i * W, v.re);
    L::store(im + i * W, v.im);
  }
  // v e^(-2 pi i k / length), the root (c, s) of k being at hand.
  static LIMBIC_INLINE number turned(number v, V c, V s) {
    return {math::fma(v.im, s, v.re * c), math::fma(v.re, -s, v.im * c)};
  }
  LIMBIC_INLINE V cos(std::ptrdiff_t k) const { return math::broadcast<V>(roots_.cos()[k * turn_]); }
  LIMBIC_INLINE V sin(std::ptrdiff_t k) const { return math::broadcast<V>(roots_.sin()[k * turn_]); }

  // part_[0], part_[1]: from elements to their forward transform. Each step takes the digits of one factor:
  // y[q + s (r p + k)] = w^(s p k) sum_j x[q + s (p + m j)] e^(-2 pi i j k / r),  q < s, p < m, s r m = length
  void transform() {
    std::ptrdiff_t s = 1, left = length_;
    while (left > 1) {
      std::ptrdiff_t r = left % 4 == 0 ? 4 : left % 2 == 0 ? 2 : 3;
      while (left % r != 0) r = r * r > left ? left : r + 2;
      std::ptrdiff_t const m = left / r;
      for (std::ptrdiff_t p = 0; p < m; ++p)
        if (r == 4) quarters(p, m, s);
        else if (r == 2) pairs(p, m, s);
        else if (r == 3) odd<3>(3, p, m, s);
        else if (r == 5) odd<5>(5, p, m, s);
        else odd<0>(r, p, m, s);
      for (int i = 0; i < 2; ++i) std::swap(part_[i], part_[i + 2]);
      s *= r;
      left = m;
    }
  }
  void pairs(std::ptrdiff_t p, std::ptrdiff_t m, std::ptrdiff_t s) {
    T const *const re = part_[0], *const im = part_[1];
    T *const to = part_[2], *const to_im = part_[3];
    V const c = cos(s * p), n = sin(s * p);
    for (std::ptrdiff_t q = 0; q < s; ++q) {
      number const a = at(re, im, q + s * p), b = at(re, im, q + s * (p + m));
      set(to, to_im, q + s * 2 * p, a + b);
      set(to, to_im, q + s * (2 * p + 1), turned(a - b, c, n));
    }
  }
  void quarters(std::ptrdiff_t p, std::ptrdiff_t m, std::ptrdiff_t s) {
    T const *const re = part_[0], *const im = part_[1];
    T *const to = part_[2], *const to_im = part_[3];
    V const c1 = cos(s * p), s1 = sin(s * p), c2 = cos(2 * s * p), s2 = sin(2 * s * p), c3 = cos(3 * s * p),
            s3 = sin(3 * s * p);
    for (std::ptrdiff_t q = 0; q < s; ++q) {
      number const a = at(re, im, q + s * p), b = at(re, im, q + s * (p + m)), c = at(re, im, q + s * (p + 2 * m)),
                   d = at(re, im, q + s * (p + 3 * m));
      number const even = a + c, difference = a - c, odd = b + d, other = b - d;
      number const turned_back{other.im, -other.re};
      std::ptrdiff_t const k = q + s * 4 * p;
      set(to, to_im, k, even + odd);
      set(to, to_im, k + s, turned(difference + turned_back, c1, s1));
      set(to, to_im, k + 2 * s, turned(even - odd, c2, s2));
      set(to, to_im, k + 3 * s, turned(difference - turned_back, c3, s3));
    }
  }
  // An odd factor (Fixed, or r where that is 0): x_j and x_{r-j} have the same cosines and opposite sines.
  template <int Fixed> void odd(std::ptrdiff_t r, std::ptrdiff_t p, std::ptrdiff_t m, std::ptrdiff_t s) {
    if (Fixed != 0) r = Fixed;
    T const *const re = part_[0], *const im = part_[1];
    T *const to = part_[2], *const to_im = part_[3];
    std::ptrdiff_t const part = length_ / r;  // root of 1 / r
    for (std::ptrdiff_t q = 0; q < s; ++q) {
      number const first = at(re, im, q + s * p);
      number sum = first;
      for (std::ptrdiff_t j = 1; j < r; ++j) sum = sum + at(re, im, q + s * (p + m * j));
      set(to, to_im, q + s * r * p, sum);
      for (std::ptrdiff_t k = 1; 2 * k < r; ++k) {
        number mirrored = first, opposite{V(0), V(0)};
        for (std::ptrdiff_t j = 1; 2 * j < r; ++j) {
          number const a = at(re, im, q + s * (p + m * j)), b = at(re, im, q + s * (p + m * (r - j)));
          V const c = cos(part * (j * k % r)), n = sin(part * (j * k % r));
          number const t = a + b, u = a - b;
          mirrored = {math::fma(c, t.re, mirrored.re), math::fma(c, t.im, mirrored.im)};
          opposite = {math::fma(n, u.im, opposite.re), math::fma(-n, u.re, opposite.im)};
        }
        std::ptrdiff_t const i = q + s * r * p, l = r - k;
        set(to, to_im, i + s * k, turned(mirrored + opposite, cos(s * p * k), sin(s * p * k)));
        set(to, to_im, i + s * l, turned(mirrored - opposite, cos(s * p * l), sin(s * p * l)));
      }
    }
  }

  // Of real lines the transform took even samples as real, odd ones as imaginary parts, z: the transform of both is
  // X_k = (Z_k + Z*_{h-k}) / 2 + e^(-i pi k / h) (Z_k - Z*_{h-k}) / 2i,  h = length, Z_h = Z_0
  void separate(std::ptrdiff_t count) {
    V const half = math::constant<V>(0.5);
    for (std::ptrdiff_t k = 0; k < count; ++k) {
      number const a = at(part_[0], part_[1], k < length_ ? k : 0), b = at(part_[0], part_[1], k > 0 ? length_ - k : 0);
      number const even{half * (a.re + b.re), half * (a.im - b.im)}, odd{half * (a.im + b.im), half * (b.re - a.re)};
      V const c = math::broadcast<V>(roots_.cos()[k]), s = math::broadcast<V>(roots_.sin()[k]);
      set(part_[2], part_[3], k, even + turned(odd, c, s));
    }
    for (int i = 0; i < 2; ++i) std::swap(part_[i], part_[i + 2]);
  }
  // The transpose: the real part of a transform sees only the Hermitian part G of X, and
  // Z_k = (G_k + G*_{h-k}) + i e^(i pi k / h) (G_k - G*_{h-k}), exchanged as it goes backward
  void combine() {
    V const half = math::constant<V>(0.5);
    for (std::ptrdiff_t k = 0; k < length_; ++k) {
      number a = at(part_[0], part_[1], k), b = at(part_[0], part_[1], length_ - k);
      a = k > 0 ? number{half * a.re, half * a.im} : number{a.re, V(0)};
      b = k > 0 ? number{half * b.re, -(half * b.im)} : number{b.re, V(0)};
      V const c = math::broadcast<V>(roots_.cos()[k]), s = math::broadcast<V>(roots_.sin()[k]);
      number const sum = a + b, other = turned(a - b, c, -s);
      set(part_[3], part_[2], k, {sum.re - other.im, sum.im + other.re});
    }
    for (int i = 0; i < 2; ++i) std::swap(part_[i], part_[i + 2]);
  }

  std::ptrdiff_t length_, turn_;
  bool backward_, halves_;
  roots_of_unity<D, T> const& roots_;
  tensor<T, 1, D> buffer_;
  T* part_[4];  // real and imaginary parts, and where the next step puts them: length + 1 elements of W lanes each
};

template <class D, class T>
void fft_in_lanes(std::ptrdiff_t n, fft_direction direction, view<T, 3, D> y_re, view<T, 3, D> y_im,
                  view<T const, 3, D> x_re, view<T const, 3, D> x_im, view<T const, 3, D> w) {
  using F = lane_fft<D, T>;
  bool const forward = direction == fft_direction::forward;
  bool const halves =
      n % 2 == 0 && n > 1 && (forward ? !x_im && y_re.extent(2) <= n / 2 + 1 : !y_im && x_re.extent(2) <= n / 2 + 1);
  roots_of_unity<D, T> const roots(n);
  std::ptrdiff_t const lines = y_re.extent(0) * y_re.extent(1), groups = (lines + F::W - 1) / F::W;
  auto const make = [&] { return F(n, direction, halves, roots); };
  parallel_for(groups, parallel_grain / (n * F::W) + 1, make,
               [&](std::ptrdiff_t begin, std::ptrdiff_t end, F& transform) {
                 for (std::ptrdiff_t g = begin * F::W; g < end * F::W; g += F::W)
                   transform({y_re, g}, {y_im, g}, {x_re, g}, {x_im, g}, {w, g});
               });
}

// ---- other devices: products with the basis ----------------------------------------------------------------------

template <class D, class T>
void fft_by_products(D d, std::ptrdiff_t n, fft_direction direction, view<T, 3, D> y_re, view<T, 3, D> y_im,
                     view<T const, 3, D> x_re, view<T const, 3, D> x_im, view<T const, 3, D> w) {
  std::ptrdiff_t const p = x_re.extent(2), q = y_re.extent(2);
  roots_of_unity<D, T> const roots(n);
  tensor<T, 3, scalar> cos(shape<3>{{1, p, q}}, uninitialized), sin(cos.shape(), uninitialized),
      minus_sin(cos.shape(), uninitialized);
  for (std::ptrdiff_t j = 0; j < p; ++j)
    for (std::ptrdiff_t k = 0; k < q; ++k) {
      cos(0, j, k) = roots.cos()[j * k % n];
      sin(0, j, k) = roots.sin()[j * k % n];
      minus_sin(0, j, k) = -sin(0, j, k);
    }
  bool const forward = direction == fft_direction::forward;
  tensor<T, 3, D> const c = placed_on<D>(cos), s = placed_on<D>(forward ? sin : minus_sin),
                        minus_s = placed_on<D>(forward ? minus_sin : sin);
  tensor<T, 3, D> weighted(x_re.shape(), uninitialized);
  bool first = true;
  auto const add = [&](view<T const, 3, D> x, tensor<T, 3, D> const& to_re, tensor<T, 3, D> const& to_im) {
    if (!x) return;
    if (w) map(d, weighted, multiply_function{}, x, w);
    else copy(d, weighted, x);
    gemm(d, sink<T, 3, D>(y_re, !first), as_view(weighted), as_view(to_re));
    if (y_im) gemm(d, sink<T, 3, D>(y_im, !first), as_view(weighted), as_view(to_im));
    first = false;
  };
  add(x_re, c, minus_s);  // e^(-i a) = cos a - i sin a
  add(x_im, s, c);
}

}  // namespace detail

template <class D, class T>
void fft(D d, std::ptrdiff_t n, fft_direction direction, view<T, 3, D> y_re, view<T, 3, D> y_im,
         view<T const, 3, D> x_re, view<T const, 3, D> x_im, view<T const, 3, D> w) {
  shape<3> const x = x_re.shape(), y = y_re.shape();
  auto const fits = [](auto const& v, shape<3> const& s) { return !v || v.shape() == s; };
  if (n < 1 || x[2] > n || y[2] > n)
    fail<argument_error>("fft", "lines of ", x[2], " and ", y[2], " elements do not fit a transform of ", n);
  if (x[0] != y[0] || x[1] != y[1] || !fits(x_im, x) || !fits(w, x) || !fits(y_im, y))
    fail<shape_error>("fft", "x ", x, ", y ", y, " and weights ", w.shape(), " must be as many lines");
  if (y.size() == 0) return;
  if constexpr (is_host<D>) detail::fft_in_lanes(n, direction, y_re, y_im, x_re, x_im, w);
  else detail::fft_by_products(d, n, direction, y_re, y_im, x_re, x_im, w);
}

LIMBIC_END
