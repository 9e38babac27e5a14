// limbic/core/visit.hpp - the parameters of a model, one after another, under their PyTorch names
//
// A model is a struct whose `each` names its members, in the order in which files and optimisers see them:
//
//   struct classifier {
//     linear<float> hidden, out;
//     void each(auto f) { f("hidden", hidden); f("out", out); }
//   };
//
// A member is a parameter, a tensor that belongs to the model without being trained (running statistics), another
// model, or an array, vector or optional of models. Names are joined by dots, elements of arrays counted: "hidden.weight",
// "layers.0.bias"; an empty name adds nothing. They are built in a fixed buffer: visiting allocates nothing, and a name
// must be copied to outlive its call.
//
//   visit_parameters(model, f)   f(name, parameter) for each parameter; of a const model they come as const
//   visit_state(model, f)        f(name, parameter or tensor): all that a file must hold to bring the model back
//   parameter_count(model)       elements, of all parameters
//   clear_gradients(model)
//   set_trainable(model, on)     off: frozen
#pragma once

#include <limbic/core/parameter.hpp>

#include <utility>

LIMBIC_BEGIN

// Whether M is a parameter.
template <class M> inline constexpr bool is_parameter = false;
template <class T, int R, class D> inline constexpr bool is_parameter<parameter<T, R, D>> = true;
// Whether M is a tensor.
template <class M> inline constexpr bool is_tensor = false;
template <class T, int R, class D> inline constexpr bool is_tensor<tensor<T, R, D>> = true;

namespace detail {

// A name that grows at its end by ".part", and is cut back.
class dotted_name {
 public:
  std::string_view view() const { return {data_, size_}; }
  // Returns the length before, for cut().
  std::size_t add(std::string_view part) {
    std::size_t const before = size_;
    if (size_ > 0 && !part.empty()) put('.');
    for (char c : part) put(c);
    return before;
  }
  std::size_t add(std::size_t index) {
    char digits[20];
    std::size_t first = sizeof digits;
    do digits[--first] = static_cast<char>('0' + index % 10);
    while ((index /= 10) > 0);
    return add(std::string_view(digits + first, sizeof digits - first));
  }
  void cut(std::size_t length) { size_ = length; }

 private:
  void put(char c) {
    if (size_ == sizeof data_)
      fail<argument_error>("visit", "a parameter's name has more than ", sizeof data_, " characters: ", view());
    data_[size_++] = c;
  }
  char data_[160];
  std::size_t size_ = 0;
};

struct nothing_called {
  void operator()(std::string_view, auto&) const {}
};
template <class M> concept model = requires(M& m) { m.each(nothing_called{}); };

template <bool Const, class M, class F> void visit(dotted_name& name, M& member, F& f) {
  if constexpr (is_parameter<M> || is_tensor<M>) {
    if constexpr (Const) f(name.view(), std::as_const(member));
    else f(name.view(), member);
  } else if constexpr (model<M>) {
    member.each([&](std::string_view part, auto& inner) {
      std::size_t const before = name.add(part);
      visit<Const>(name, const_cast<std::remove_cvref_t<decltype(inner)>&>(inner), f);
      name.cut(before);
    });
  } else if constexpr (requires {
                         member.has_value();
                         *member;
                       }) {
    if (member.has_value()) visit<Const>(name, *member, f);
  } else if constexpr (std::is_array_v<M> || requires { member.begin() != member.end(); }) {
    std::size_t i = 0;
    for (auto& inner : member) {
      std::size_t const before = name.add(i++);
      visit<Const>(name, inner, f);
      name.cut(before);
    }
  } else {
    static_assert(is_parameter<M>, "limbic: a model's members are parameters, tensors, or models with each(f)");
  }
}

template <class F> struct parameters_only {
  F& f;
  void operator()(std::string_view name, auto& member) const {
    if constexpr (is_parameter<std::remove_cvref_t<decltype(member)>>) f(name, member);
  }
};

}  // namespace detail

// `each` hands out mutable members even of a const model; they become const here, where f receives them.
template <class Model, class F> void visit_state(Model& model, F&& f) {
  detail::dotted_name name;
  detail::visit<std::is_const_v<Model>>(name, const_cast<std::remove_const_t<Model>&>(model), f);
}

template <class Model, class F> void visit_parameters(Model& model, F&& f) {
  visit_state(model, detail::parameters_only<std::remove_reference_t<F>>{f});
}

template <class Model> std::ptrdiff_t parameter_count(Model const& model) {
  std::ptrdiff_t n = 0;
  visit_parameters(model, [&](std::string_view, auto const& p) { n += p.size(); });
  return n;
}

// Forgets all gradients, and keeps their memory.
template <class Model> void clear_gradients(Model const& model) {
  visit_parameters(model, [](std::string_view, auto const& p) { p.clear_gradient(); });
}

template <class Model> void set_trainable(Model& model, bool on) {
  visit_parameters(model, [&](std::string_view, auto& p) { p.trainable = on; });
}

LIMBIC_END
