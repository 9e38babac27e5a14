// tests/compare.hpp - the same computation on a GPU and on the CPU, value for value
//
//   s.check("elu", [](auto const& x) { return elu(x); }, numbers(shape{3, 4}));
//
// runs the call on a tape and goes backward. Where s is a recorder, that happens on the CPU in double, and the results and
// gradients are remembered; where it is a judge, on the GPU in float and in double, and they are compared with what was
// remembered. Inputs are numbers that a float holds exactly, so that all start from the same. Integers (labels) enter as
// constants.
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/tape/record.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace compare {

using limbic::cuda;
using limbic::scalar;
using limbic::shape;
using limbic::tensor;
template <int R> using reals = tensor<double, R, scalar>;
template <int R> using labels = tensor<std::int64_t, R, scalar>;

// Everything a run gave: results, then gradients, each flattened.
using outcome = std::vector<std::vector<double>>;

inline limbic::rng& random_numbers() {
  static limbic::rng random{.seed = 2026};
  return random;
}

// Uniform in [low, high), rounded to float.
template <int R> reals<R> numbers(shape<R> const& s, double low = -2, double high = 2) {
  tensor<float, R, scalar> single(s);
  random_numbers().uniform(single, low, high);
  reals<R> result(s);
  for (std::ptrdiff_t i = 0; i < s.size(); ++i) result.data()[i] = static_cast<double>(single.data()[i]);
  return result;
}
// Whole numbers in [0, n).
template <int R> labels<R> indices(shape<R> const& s, std::int64_t n) {
  labels<R> result(s);
  for (auto& x : result) x = static_cast<std::int64_t>(random_numbers().below(static_cast<std::uint64_t>(n)));
  return result;
}

template <class T, class D, class E, int R> auto placed(tensor<E, R, scalar> const& x) {
  using U = std::conditional_t<std::is_integral_v<E>, E, T>;
  tensor<U, R, scalar> converted(x.shape());
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) converted.data()[i] = static_cast<U>(x.data()[i]);
  if constexpr (limbic::is_host<D>) return tensor<U, R, D>(converted.view().on(D{}));
  else return to_device(converted);
}
template <class T, int R, class D> std::vector<double> fetched(limbic::view<T, R, D> v) {
  std::vector<double> result;
  if constexpr (limbic::is_host<D>) {
    tensor<std::remove_const_t<T>, R, D> const packed(v);
    for (auto x : packed) result.push_back(static_cast<double>(x));
  } else {
    for (auto x : to_host<scalar>(v)) result.push_back(static_cast<double>(x));
  }
  return result;
}

template <class X> auto entered(limbic::tape& t, X const& x) {
  if constexpr (std::is_integral_v<typename X::value_type>) return t(x);
  else return t.variable(x);
}
// Seeds a result with a cotangent that depends on its place alone.
template <class T, int R, class D> void finish(limbic::tape& t, limbic::variable<T, R, D> const& y, outcome& all) {
  all.push_back(fetched(y.value()));
  if (!y.wants_gradient()) return;
  reals<R> cotangent(y.shape());
  for (std::ptrdiff_t i = 0; i < cotangent.size(); ++i) cotangent.data()[i] = 1 + static_cast<double>(i * 7 % 11) / 8;
  t.seed(y, placed<T, D>(cotangent));
}
template <class... Y> void finish(limbic::tape& t, std::tuple<Y...> const& y, outcome& all) {
  std::apply([&](auto const&... one) { (finish(t, one, all), ...); }, y);
}
template <class V> void gradient_of(V const& x, outcome& all) {
  if (x.wants_gradient() && x.has_gradient()) all.push_back(fetched(x.gradient()));
  else all.emplace_back();
}

template <class T, class D, class Call, class... In> outcome run(Call const& call, In const&... in) {
  outcome all;
  std::tuple const inputs{placed<T, D>(in)...};
  limbic::tape t;
  std::apply(
      [&](auto const&... x) {
        std::tuple const variables{entered(t, x)...};
        std::apply(
            [&](auto const&... v) {
              auto const y = call(v...);
              finish(t, y, all);
              if ((v.wants_gradient() || ...)) t.backward();
              (gradient_of(v, all), ...);
            },
            variables);
      },
      inputs);
  return all;
}

// The CPU's side: every call's outcome, in order.
struct recorder {
  std::vector<outcome> outcomes;
  template <class Call, class... In> void check(char const*, Call const& call, In const&... in) {
    outcomes.push_back(run<double, scalar>(call, in...));
  }
};

// The GPU's side: the same calls in the same order.
class judge {
 public:
  explicit judge(std::vector<outcome> cpu) : cpu_(std::move(cpu)) {}

  template <class Call, class... In> void check(char const* name, Call const& call, In const&... in) {
    std::size_t const k = next_++;
    try {
      compare(name, "float", cpu_.at(k), run<float, cuda>(call, in...), 1e-4);
      compare(name, "double", cpu_.at(k), run<double, cuda>(call, in...), 1e-11);
    } catch (std::exception const& e) {
      ++failed_;
      std::printf("FAILED %s: %s\n", name, e.what());
    }
  }
  void compare(char const* name, char const* type, outcome const& cpu, outcome const& gpu, double tolerance) {
    ++checks_;
    double worst = 0;
    bool same = cpu.size() == gpu.size();
    for (std::size_t k = 0; same && k < cpu.size(); ++k) {
      same = cpu[k].size() == gpu[k].size();
      double largest = 1;
      for (double x : cpu[k])
        if (std::isfinite(x) && std::abs(x) > largest) largest = std::abs(x);
      for (std::size_t i = 0; same && i < cpu[k].size(); ++i) {
        double const a = cpu[k][i], b = gpu[k][i];
        if (a == b || (std::isnan(a) && std::isnan(b))) continue;
        double const error = std::abs(a - b) / largest;
        if (!(error <= worst)) worst = error;  // a NaN on one side stays
      }
    }
    bool const good = same && worst <= tolerance;
    if (!good) ++failed_;
    std::printf("%s %s (%s): %s%.3g\n", good ? "ok    " : "FAILED", name, type, same ? "error " : "other sizes ",
                worst);
  }
  int report() const {
    std::printf("%d checks, %d failed\n", checks_, failed_);
    return failed_ == 0 && checks_ > 0 ? 0 : 1;
  }

 private:
  std::vector<outcome> cpu_;
  std::size_t next_ = 0;
  int checks_ = 0, failed_ = 0;
};

std::vector<outcome> ops_on_cpu();

// 77 is what CTest takes for "skipped".
inline int skipped() {
  std::puts("no CUDA device: skipped");
  return 77;
}

}  // namespace compare
