// limbic/nn/dropout.hpp - elements left out at random while training
//
//   dropout drop(0.2);
//   drop(x, training{random})      each element is 0 with probability p, else x / (1 - p)
//   drop(x, evaluation{})          x
#pragma once

#include <limbic/nn/mode.hpp>
#include <limbic/ops/dropout.hpp>

LIMBIC_BEGIN

class dropout {
 public:
  explicit dropout(double p = 0.5) : p_(p) {
    if (!(p >= 0 && p < 1)) fail<argument_error>("dropout", "p must lie in [0, 1), but is ", p);
  }
  // The probability that an element is dropped.
  double p() const { return p_; }

  template <operand X, layer_mode M> auto operator()(X&& x, M mode) const {
    using T = base_of<element_of<X>>;
    if constexpr (M::trains) {
      tensor<T, rank_of<X>, device_of<X>> noise(x.shape(), uninitialized);
      mode.random.uniform(noise);
      return functional::dropout(std::forward<X>(x), std::move(noise), p_);
    } else if constexpr (recorded<X>) {
      return std::remove_cvref_t<X>(std::forward<X>(x));
    } else {
      return tensor<element_of<X>, rank_of<X>, device_of<X>>(kept(std::forward<X>(x)));
    }
  }

  // No parameters.
  void each(auto) {}

 private:
  template <class X> static decltype(auto) kept(X&& x) {
    if constexpr (is_tensor_of<X>) return std::forward<X>(x);
    else return as_view(x);
  }
  template <class X> static constexpr bool is_tensor_of =
      std::is_same_v<std::remove_cvref_t<X>, tensor<element_of<X>, rank_of<X>, device_of<X>>>;
  double p_;
};

LIMBIC_END
