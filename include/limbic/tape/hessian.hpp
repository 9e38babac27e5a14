// limbic/tape/hessian.hpp - second order: Hessian-vector products by dual numbers
//
// A tangent_tape records dual numbers: what runs along with every value is its derivative in one direction v, so what
// runs along with every gradient is (H v). It costs a small multiple of a gradient, exactly, without differences.
// Operands entered on it are lifted to dual numbers (with a tangent, or with none); parameters of plain numbers are
// lifted where they meet them, with the tangent that direct() gave them.
//
//   auto const hv = hessian_vector_product([](auto const& x) { return sum(exp(x)); }, x, v);
//   hessian_vector_product(model, [&](auto& t) { return mse_loss(model(t(x)), t(y)); }, v, result);
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic/tape/record.hpp>

LIMBIC_BEGIN

// A tape of dual numbers: see above.
class tangent_tape : public tape {
 public:
  using tape::tape;

  // A constant without a tangent. Integers stay what they are.
  template <operand X> auto operator()(X const& x) { return lifted(x, 0, nullptr); }
  // Wants a gradient; moves along `tangent`.
  template <operand X, operand V> auto variable(X const& x, V const& tangent) {
    auto const v = as_view(tangent);
    if (!(v.shape() == as_view(x).shape()) || !v.is_contiguous())
      fail<shape_error>("tangent_tape", "a contiguous tangent of shape ", as_view(x).shape(), " is needed, but came ",
                        v.shape());
    return lifted(x, detail::slot::wants, v.data());
  }
  // The parameter moves along `tangent`; H v adds up in `result` (both contiguous, of the parameter's size).
  template <class T, int R, class D> void direct(parameter<T, R, D> const& p, T const* tangent, T* result) {
    directions() = memory_of_nodes().make<detail::direction>(&p, tangent, result, directions());
  }

 private:
  template <operand X> auto lifted(X const& x, std::uint32_t flags, element_of<X> const* tangent) {
    using E = element_of<X>;
    using D = device_of<X>;
    auto const v = as_view(x);
    if constexpr (std::is_integral_v<E>) {
      return tape::operator()(x);
    } else {
      auto* const s = make_slot(v.shape(), flags);
      detail::lift_values(D{}, allocate_value<dual<E>, D>(s), v, tangent);
      return limbic::variable<dual<E>, rank_of<X>, D>(*this, s);
    }
  }
};

// H v of a scalar function of one tensor: d/de gradient f(x + e v) at e = 0.
template <class F, class T, int R, class D>
tensor<T, R, D> hessian_vector_product(F const& f, tensor<T, R, D> const& x, tensor<T, R, D> const& v) {
  tangent_tape t;
  auto const p = t.variable(x, v);
  t.backward(f(p));
  tensor<T, R, D> result(x.shape());
  if (p.has_gradient()) copy(D{}, result, detail::tangents(p.gradient()));
  return result;
}

// H v of a scalar function of a model's parameters, laid one after another as visit_parameters meets them. `f` is called
// with the tape, on which it enters its data. result = H v.
template <class Model, class F, class T, class D>
void hessian_vector_product(Model const& model, F const& f, view<T const, 1, D> v, view<T, 1, D> result) {
  std::ptrdiff_t const n = parameter_count(model);
  if (v.size() != n || result.size() != n || !v.is_contiguous() || !result.is_contiguous())
    fail<shape_error>("hessian_vector_product", "the model has ", n, " parameters, the direction ", v.shape(),
                      ", the result ", result.shape());
  fill(D{}, result, T(0));
  tangent_tape t;
  std::ptrdiff_t at = 0;
  visit_parameters(model, [&](std::string_view, auto const& p) {
    t.direct(p, v.data() + at, result.data() + at);
    at += p.size();
  });
  t.backward(f(t));
}

LIMBIC_END
