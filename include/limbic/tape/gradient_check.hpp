// limbic/tape/gradient_check.hpp - gradients of a function against central differences
//
//   auto const report = check_gradient([](auto const& x, auto const& y) { return matmul(x, y); }, a, b);
//   if (!report.passed) puts(report.message.c_str());
//
// f is called with variables and with tensors; its result may have any rank (several results: a std::tuple). The
// derivative of sum(c * f(x...)), with a fixed random c, is compared element by element:
//   |gradient - (F(x + h) - F(x - h)) / 2h| <= atol + rtol * |difference|
// Integer operands (labels) pass through. Use double: h = 1e-6 leaves about nine digits.
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/tape/record.hpp>

LIMBIC_BEGIN

struct gradient_check_options {
  double step = 1e-6;  // of the central difference
  double rtol = 1e-5;
  double atol = 1e-7;
};
// What check_gradient found.
struct gradient_report {
  bool passed = true;  // every element lies within its tolerance
  double worst = 0;    // largest |gradient - difference| in units of its tolerance
  text message;        // operand, element, both numbers; empty when passed
};

namespace detail {

template <class F> void for_each_result(auto const& y, F const& f) {
  if constexpr (requires { std::tuple_size<std::remove_cvref_t<decltype(y)>>::value; })
    std::apply([&](auto const&... r) { (f(r), ...); }, y);
  else f(y);
}

// A cotangent for the k-th result, the same at every call.
template <class T, int R, class D> tensor<T, R, D> fixed_cotangent(shape<R> const& s, std::uint64_t k) {
  tensor<T, R, D> c(s);
  rng random{.seed = 2026, .stream = k};
  random.uniform(c, -1, 1);
  return c;
}

template <class T, int R, class D> void enter_checked(tape& t, tensor<T, R, D> const& x, auto& variables, auto index) {
  if constexpr (std::is_integral_v<T>) std::get<decltype(index)::value>(variables) = t(x);
  else std::get<decltype(index)::value>(variables) = t.variable(x);
}

}  // namespace detail

template <class F, class... T, int... R, class D>
gradient_report check_gradient(gradient_check_options const& o, F const& f, tensor<T, R, D> const&... x) {
  gradient_report report;
  std::tuple<tensor<T, R, D>...> point{x...};
  auto const contracted = [&] {
    double total = 0;
    std::uint64_t k = 0;
    auto const y = std::apply(f, std::as_const(point));
    detail::for_each_result(y, [&](auto const& r) {
      auto const c = detail::fixed_cotangent<double, std::remove_cvref_t<decltype(r)>::rank, scalar>(r.shape(), k++);
      for (std::ptrdiff_t i = 0; i < r.size(); ++i) total += c.data()[i] * static_cast<double>(r.data()[i]);
    });
    return total;
  };

  tape t;
  std::tuple<variable<T, R, D>...> variables;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (detail::enter_checked(t, std::get<I>(point), variables, std::integral_constant<std::size_t, I>()), ...);
  }(std::index_sequence_for<T...>());
  {
    auto const y = std::apply(f, std::as_const(variables));
    std::uint64_t k = 0;
    bool any = false;
    detail::for_each_result(y, [&](auto const& r) {
      using V = std::remove_cvref_t<decltype(r)>;
      auto const c = detail::fixed_cotangent<typename V::value_type, V::rank, D>(r.shape(), k++);
      if (r.wants_gradient()) t.seed(r, c), any = true;
    });
    if (!any) fail<tape_error>("check_gradient", "the result depends on none of the operands");
    t.backward();
  }

  auto const compare = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    auto& p = std::get<I>(point);
    using E = typename std::remove_cvref_t<decltype(p)>::value_type;
    if constexpr (!std::is_integral_v<E>) {
      auto const& v = std::get<I>(variables);
      for (std::ptrdiff_t i = 0; i < p.size(); ++i) {
        E const at = p.data()[i];
        p.data()[i] = static_cast<E>(static_cast<double>(at) + o.step);
        double const above = contracted();
        p.data()[i] = static_cast<E>(static_cast<double>(at) - o.step);
        double const below = contracted();
        p.data()[i] = at;
        double const want = (above - below) / (2 * o.step);
        double const got = v.has_gradient() ? static_cast<double>(v.gradient().data()[i]) : 0.0;
        double const tolerance = o.atol + o.rtol * (want < 0 ? -want : want);
        double const error = (got - want < 0 ? want - got : got - want) / tolerance;
        if (error <= report.worst) continue;
        report.worst = error;
        if (error <= 1) continue;
        report.passed = false;
        report.message = text();
        auto& m = report.message;
        m.add("operand "), detail::append(m, I), m.add(" element "), detail::append(m, i);
        m.add(": gradient "), detail::append(m, got), m.add(", difference "), detail::append(m, want);
      }
      for (std::ptrdiff_t i = 0; i < p.size(); ++i)  // a NaN compares false above
        if (v.has_gradient() && !(v.gradient().data()[i] == v.gradient().data()[i])) {
          report.passed = false;
          report.message = text();
          report.message.add("operand "), detail::append(report.message, I),
              report.message.add(": the gradient is NaN");
        }
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (compare(std::integral_constant<std::size_t, I>()), ...);
  }(std::index_sequence_for<T...>());
  return report;
}
template <class F, class... T, int... R, class D>
gradient_report check_gradient(F const& f, tensor<T, R, D> const&... x) {
  return check_gradient(gradient_check_options{}, f, x...);
}

LIMBIC_END
