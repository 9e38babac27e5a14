// limbic/nn/fused.hpp - a convolution and what follows it, in one pass over its result
//
//   fused(x, conv, relu_op{})                relu(conv(x))
//   fused(x, mode, conv, elu_op{}, norm)     norm(elu(conv(x)), mode)
//   fused(x, mode, conv, norm, elu_op{})     elu(norm(conv(x), mode))
//
// The layer is a convolution or a transposed one, the activation any op of one operand that says its value, the norm a
// batch_norm. On plain numbers in evaluation mode the bias, the activation and the norm change the result where it stands,
// in one pass instead of three and without a second and third map of its size. The values are those of the layers one
// after another but for rounding (the bias comes after the sum instead of before). In training mode, and on variables,
// traced operands and dual numbers, the layers are called one after another.
//
// A norm that directly follows its layer may also go into the layer's weights for good: fold.hpp.
#pragma once

#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/conv.hpp>

LIMBIC_BEGIN

namespace detail {

// Plain numbers of the layer's own type.
template <class X, class T> inline constexpr bool is_plain = !recorded<X> && std::is_same_v<element_of<X>, T>;

template <class Op> concept says_value = requires(Op const& o) { o.value(1.0); };

struct plus_start {
  template <class V> constexpr V operator()(V x, V start) const { return x + start; }
};
template <class Op> struct value_plus_start {
  Op o;
  template <class V> constexpr V operator()(V x, V start) const { return o.value(x + start); }
};

template <operand X, int S, class T, class D> auto without_bias(X&& x, conv_layer<S, T, D> const& layer) {
  return apply_conv<S>(layer.options, std::forward<X>(x), layer.weight, absent<X, 1, T>());
}
template <operand X, int S, class T, class D> auto without_bias(X&& x, conv_transpose_layer<S, T, D> const& layer) {
  return apply_conv_transpose<S>(layer.options, std::forward<X>(x), layer.weight, absent<X, 1, T>());
}

// The elements of a parameter that may not be there.
template <class T, class D> view<T const, 1, D> given(parameter<T, 1, D> const& p) {
  return p.size() > 0 ? as_view(p) : view<T const, 1, D>();
}

// after(norm(before(layer without its bias, bias))).
template <operand X, class Layer, class T, class D, class Before, class After>
auto in_one_pass(X&& x, Layer const& layer, batch_norm<T, D> const& norm, Before const& before, After const& after) {
  auto y = without_bias(std::forward<X>(x), layer);
  batch_norm_op<T, D> const op{{.eps = norm.options().eps}, norm.running_mean.view(), norm.running_var.view()};
  op.in_place(D{}, y.view(), given(layer.bias), given(norm.weight), given(norm.bias), before, after);
  return y;
}

}  // namespace detail

// activation(layer(x))
template <operand X, class Layer, detail::says_value Op> auto fused(X&& x, Layer const& layer, Op const& activation) {
  using W = decltype(layer.weight);
  if constexpr (detail::is_plain<X, typename W::value_type>) {
    using D = typename W::device;
    auto y = detail::without_bias(std::forward<X>(x), layer);
    auto const flat = detail::as_images(y.view());
    if (layer.bias.size() == 0) map(D{}, flat, detail::value_of<Op>{activation}, flat);
    else map(D{}, flat, detail::value_plus_start<Op>{activation}, flat, as_view(layer.bias).unsqueeze(1).unsqueeze(2));
    return y;
  } else {
    return apply(activation, layer(std::forward<X>(x)));
  }
}
// norm(activation(layer(x)), mode)
template <operand X, layer_mode M, class Layer, detail::says_value Op, class T, class D>
auto fused(X&& x, M mode, Layer const& layer, Op const& activation, batch_norm<T, D> const& norm) {
  if constexpr (!M::trains && detail::is_plain<X, T>)
    return detail::in_one_pass(std::forward<X>(x), layer, norm, detail::value_plus_start<Op>{activation},
                               detail::leave_as_is{});
  else return norm(apply(activation, layer(std::forward<X>(x))), mode);
}
// activation(norm(layer(x), mode))
template <operand X, layer_mode M, class Layer, class T, class D, detail::says_value Op>
auto fused(X&& x, M mode, Layer const& layer, batch_norm<T, D> const& norm, Op const& activation) {
  if constexpr (!M::trains && detail::is_plain<X, T>)
    return detail::in_one_pass(std::forward<X>(x), layer, norm, detail::plus_start{}, detail::value_of<Op>{activation});
  else return apply(activation, norm(layer(std::forward<X>(x)), mode));
}

LIMBIC_END
