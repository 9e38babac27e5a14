// tests/ops/harness.hpp - one examination for every op
//
//   examine("elu", [](auto const& x) { return elu(x); }, {{{3, 5}}, {{0, 4}}});
//   examine("mul", [](auto const& a, auto const& b) { return a * b; }, {{{3, 5}, {1, 5}}}, {.low = 0.5});
//
// For each tuple of operand shapes, with operands drawn between `low` and `high`:
//   - inference and recording give the same bits, and so do strided views and contiguous copies of them (scalar, simd)
//   - the gradient of a weighted sum of the results agrees with central differences (double, scalar)
//   - simd agrees with scalar, values and gradients, in float and double (`ulps`)
//   - dual numbers: values and gradients as without, the tangent of the gradient agrees with differences of gradients
//   - with NaN, infinities, zeros and large numbers among the operands both devices give results of the same kind
// The op is compiled once for each device and number type; everything else sees flat arrays of doubles.
#pragma once

#include "../catch.hpp"

#include <limbic/tape/record.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace examination {

using flat = std::vector<double>;

struct options {
  double low = -2, high = 2;
  double ulps = 4;           // simd against scalar, in units of the number type's epsilon ...
  bool elementwise = false;  // ... of each value (true), or of the largest of the result (false); gradients: the latter
  bool propagates = false;   // a NaN operand gives NaN at its place (one operand, elementwise)
  bool special = true;       // examine NaN, infinities, ...
  bool ordered = true;       // the same bits from strided operands (false: sums run in the order of memory)
  bool curved = true;        // compare second derivatives (false: not differentiable twice where we look)
  double tolerance = 1e-6;   // of differences
};

// Operands and results of one call, type-erased.
struct call {
  std::vector<flat> in, tangent;  // operands; directions (dual numbers only)
  flat cotangent;                 // weights of the results
  flat out, out_tangent;          // results
  std::vector<flat> gradient, gradient_tangent;
  bool strided = false, record = true, differentiate = false;
};

inline double draw(std::uint64_t i) {  // in [0, 1), splitmix64
  std::uint64_t z = (i + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

template <class T> T make(double v, double t) {
  if constexpr (limbic::is_dual<T>) return T(static_cast<limbic::base_of<T>>(v), static_cast<limbic::base_of<T>>(t));
  else return (void)t, static_cast<T>(v);
}
template <class T> double value_of(T x) {
  if constexpr (limbic::is_dual<T>) return static_cast<double>(x.value);
  else return static_cast<double>(x);
}
template <class T> double tangent_of(T x) {
  if constexpr (limbic::is_dual<T>) return static_cast<double>(x.tangent);
  else return 0;
}

template <class V> void read(V const& v, flat& values, flat& tangents) {
  using T = typename V::value_type;
  limbic::tensor<T, V::rank, typename V::device> const t(v);
  values.clear();
  tangents.clear();
  for (T x : t) {
    values.push_back(value_of(x));
    tangents.push_back(tangent_of(x));
  }
}

// An operand, and a view of it: contiguous, or of every second element of axes in reverse order.
template <class T, class D, int R> struct operand {
  limbic::tensor<T, R, D> store;
  limbic::view<T const, R, D> seen;
  operand(limbic::shape<R> const& s, flat const& v, flat const& t, bool strided) {
    limbic::shape<R> wide, steps;
    std::ptrdiff_t n = 1;
    for (int a = 0; a < R; ++a) {
      int const axis = strided ? a : R - 1 - a;
      steps[axis] = strided && a == 0 ? 2 : n;
      n *= s[axis] * (strided && a == 0 ? 2 : 1);
    }
    for (int a = 0; a < R; ++a) wide[a] = a == 0 ? n : 1;
    store = limbic::tensor<T, R, D>(wide, T(-77));
    limbic::view<T, R, D> const w(store.data(), s, steps);
    std::size_t k = 0;
    visit(w, [&](T& x) {
      x = make<T>(v[k], t.empty() ? 0 : t[k]);
      ++k;
    });
    seen = w;
  }
  template <class F> static void visit(limbic::view<T, R, D> const& w, F const& f) {
    std::ptrdiff_t const size = w.size();
    for (std::ptrdiff_t i = 0; i < size; ++i) {
      std::ptrdiff_t left = i, at = 0;
      for (int a = R - 1; a >= 0; --a) {
        at += left % w.extent(a) * w.stride(a);
        left /= w.extent(a);
      }
      f(w.data()[at]);
    }
  }
};

template <class D, class T, class F, int... R, std::size_t... I>
void run(F const& f, std::tuple<limbic::shape<R>...> const& shapes, call& c, std::index_sequence<I...>) {
  static flat const none;
  std::tuple<operand<T, D, R>...> const in{
      operand<T, D, R>(std::get<I>(shapes), c.in[I], c.tangent.empty() ? none : c.tangent[I], c.strided)...};
  if (!c.record) {
    auto const y = f(std::get<I>(in).seen...);
    read(y.view(), c.out, c.out_tangent);
    return;
  }
  limbic::tape t;
  auto const x = std::make_tuple(t.variable(std::get<I>(in).seen)...);
  auto const y = f(std::get<I>(x)...);
  read(y.value(), c.out, c.out_tangent);
  if (!c.differentiate) return;
  using Y = std::remove_cvref_t<decltype(y)>;
  limbic::tensor<T, Y::rank, D> weights(y.shape());
  for (std::ptrdiff_t i = 0; i < weights.size(); ++i)
    weights.data()[i] = make<T>(c.cotangent[static_cast<std::size_t>(i)], 0);
  t.backward(y, weights);
  c.gradient.resize(sizeof...(I));
  c.gradient_tangent.resize(sizeof...(I));
  auto const take = [](auto const& v, flat& g, flat& gt) {
    if (v.has_gradient()) return read(v.gradient(), g, gt);
    g.assign(static_cast<std::size_t>(v.size()), 0);
    gt = g;
  };
  (take(std::get<I>(x), c.gradient[I], c.gradient_tangent[I]), ...);
}

// An op on operands of given shapes, as functions of flat arrays.
struct subject {
  std::string name;
  std::vector<std::size_t> sizes;
  virtual void scalar_double(call&) const = 0;
  virtual void simd_double(call&) const = 0;
  virtual void scalar_float(call&) const = 0;
  virtual void simd_float(call&) const = 0;
  virtual void simd_dual(call&) const = 0;
  virtual ~subject() = default;
};
using method = void (subject::*)(call&) const;

template <class F, class Shapes> struct subject_of final : subject {
  F f;
  Shapes shapes;
  subject_of(F const& g, Shapes const& s) : f(g), shapes(s) {}
  static constexpr auto all = std::make_index_sequence<std::tuple_size_v<Shapes>>();
  void scalar_double(call& c) const override { run<limbic::scalar, double>(f, shapes, c, all); }
  void simd_double(call& c) const override { run<limbic::simd, double>(f, shapes, c, all); }
  void scalar_float(call& c) const override { run<limbic::scalar, float>(f, shapes, c, all); }
  void simd_float(call& c) const override { run<limbic::simd, float>(f, shapes, c, all); }
  void simd_dual(call& c) const override { run<limbic::simd, limbic::dual<double>>(f, shapes, c, all); }
};

void examine_subject(subject const& s, options const& o);

template <class F, int... R>
void examine_shapes(std::string const& name, F const& f, options const& o,
                    std::vector<std::tuple<limbic::shape<R>...>> const& list) {
  for (auto const& shapes : list) {
    subject_of<F, std::tuple<limbic::shape<R>...>> s(f, shapes);
    s.name = name;
    std::apply(
        [&](auto const&... e) {
          auto const describe = [&](auto const& x) {
            s.sizes.push_back(static_cast<std::size_t>(x.size()));
            s.name += " (";
            for (int a = 0; a < x.rank; ++a) s.name += (a > 0 ? ", " : "") + std::to_string(x[a]);
            s.name += ")";
          };
          (describe(e), ...);
        },
        shapes);
    examine_subject(s, o);
  }
}

// Ranks as template arguments: examine<2, 1>("linear", f, {{{3, 4}, {4}}, ...}).
template <int... R, class F>
void examine(std::string const& name, F const& f, std::vector<std::tuple<limbic::shape<R>...>> const& list,
             options const& o = {}) {
  examine_shapes<F, R...>(name, f, o, list);
}

inline limbic::shape<0> at() { return {}; }
template <class... I> limbic::shape<static_cast<int>(sizeof...(I))> at(I... extents) {
  return {{static_cast<std::ptrdiff_t>(extents)...}};
}

}  // namespace examination
