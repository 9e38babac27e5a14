// reference/families/support.hpp - what the handlers share: arrays to tensors, a recording with its cotangents, ranks
#pragma once

#include "../case.hpp"

#include <limbic/tape/record.hpp>

#include <functional>
#include <limits>

namespace reference {

template <int R> limbic::shape<R> extents_of(shape_type const& shape) {
  if (shape.size() != R)
    throw unsupported("an array of shape " + to_string(shape) + " came where " + std::to_string(R) +
                      " axes are expected");
  limbic::shape<R> extents;
  for (int i = 0; i < R; ++i) extents[i] = static_cast<std::ptrdiff_t>(shape[static_cast<std::size_t>(i)]);
  return extents;
}

template <int R> shape_type shape_of(limbic::shape<R> const& extents) {
  shape_type shape;
  for (int i = 0; i < R; ++i) shape.push_back(static_cast<std::size_t>(extents[i]));
  return shape;
}

// The elements of an array as a tensor of the given extents, which may be other than the array's, but as many.
template <class T, class D, int R> limbic::tensor<T, R, D> to_tensor(array const& a, limbic::shape<R> const& extents) {
  limbic::tensor<T, R, D> t(extents, limbic::uninitialized);
  if (static_cast<std::size_t>(t.size()) != a.data.size())
    throw unsupported("array '" + a.name + "' of shape " + to_string(a.shape) + " has another size here");
  if constexpr (std::is_integral_v<T>) {
    if (!a.integer) throw unsupported("array '" + a.name + "' must be int64");
    for (std::size_t i = 0; i < a.data.size(); ++i) t.data()[i] = static_cast<T>(a.integers[i]);
  } else {
    if (a.integer) throw unsupported("array '" + a.name + "' must be float64");
    for (std::size_t i = 0; i < a.data.size(); ++i) t.data()[i] = a.data[i];
  }
  return t;
}
template <class T, int R, class D> limbic::tensor<T, R, D> to_tensor(array const& a) {
  return to_tensor<T, D>(a, extents_of<R>(a.shape));
}

// A tensor or a view as a result; `shape` where the case's shape is not the one computed in.
template <class X> tensor_value to_value(X const& x, shape_type const& shape) {
  auto const v = limbic::as_view(x);
  using view_type = std::remove_cvref_t<decltype(v)>;
  limbic::tensor<typename view_type::value_type, view_type::rank, limbic::scalar> const copy(v.on(limbic::scalar{}));
  return {shape, {copy.begin(), copy.end()}};
}
template <class X> tensor_value to_value(X const& x) { return to_value(x, shape_of(x.shape())); }
inline tensor_value to_value(double x) { return {{}, {x}}; }
inline tensor_value to_value(std::vector<double> const& x) { return {{x.size()}, x}; }

// The shape with its first axes merged, so that at most `most` are left.
inline shape_type merge_leading(shape_type shape, std::size_t most) {
  while (shape.size() > most) {
    shape[1] *= shape[0];
    shape.erase(shape.begin());
  }
  return shape;
}

// Calls f with std::integral_constant<int, rank>, for a rank known at run time, from Least to Most.
template <int Least, int Most, class F> result with_rank(std::size_t rank, F const& f) {
  if (rank == static_cast<std::size_t>(Least)) return f(std::integral_constant<int, Least>{});
  if constexpr (Least < Most) return with_rank<Least + 1, Most>(rank, f);
  else throw unsupported("rank " + std::to_string(rank) + " does not exist here");
}

// One case on one tape: given arrays enter it, results leave it and are weighted by their cotangents, and at the end a
// single backward pass gives every gradient that the case expects.
template <class D> class recording {
 public:
  explicit recording(call& c) : call_(c) {}

  limbic::tape& tape() { return tape_; }

  // A given array as a variable (a constant when no gradient is expected), possibly under other extents.
  template <int R> limbic::variable<double, R, D> variable(std::string const& name, limbic::shape<R> const& extents) {
    auto const& a = call_.get(name);
    auto t = to_tensor<double, D>(a, extents);
    if (!call_.differentiates(name)) return tape_(std::move(t));
    auto x = tape_.variable(std::move(t));
    gradients_.push_back([this, x, name, shape = a.shape] {
      // what no result depends on has the gradient 0
      result_.grads[name] = x.has_gradient()
                                ? to_value(x.gradient(), shape)
                                : tensor_value{shape, std::vector<double>(static_cast<std::size_t>(x.size()), 0.0)};
    });
    return x;
  }
  template <int R> limbic::variable<double, R, D> variable(std::string const& name) {
    return variable(name, extents_of<R>(call_.get(name).shape));
  }

  // Gives a model's parameters the values of the given arrays of their names (`prefix` before it), and wants their
  // gradients where the case does.
  template <class Model> void parameters(Model& model, std::string const& prefix = "") {
    model.each([&](std::string_view name, auto& member) {
      auto const full = prefix + std::string(name);
      if constexpr (requires { member.value; }) parameter(full, member);
      else parameters(member, full + ".");
    });
  }
  template <int R> void parameter(std::string const& name, limbic::parameter<double, R, D>& p) {
    auto const& a = call_.get(name);
    p.value = to_tensor<double, D>(a, p.shape());
    if (extents_of<R>(a.shape) != p.shape())
      throw unsupported("array '" + name + "' has shape " + to_string(a.shape) + ", the parameter " +
                        to_string(shape_of(p.shape())));
    p.trainable = call_.differentiates(name);
    if (!p.trainable) return;
    gradients_.push_back([this, &p, name] {
      result_.grads[name] =
          p.has_gradient()
              ? to_value(p.gradient())
              : tensor_value{shape_of(p.shape()), std::vector<double>(static_cast<std::size_t>(p.size()), 0.0)};
    });
  }

  // A result that the case expects. `shape` is the case's own where it was computed in another. Without any cotangent
  // in the case, the gradient starts at the output for which `differentiated` is true.
  template <class Y> void output(std::string const& name, Y const& y, shape_type const& shape, bool differentiated) {
    result_.values[name] = to_value(y.value(), shape);
    if (gradients_.empty() || !y.wants_gradient()) return;
    if (auto const* c = call_.cotangent(name)) tape_.seed(y, to_tensor<double, D>(*c, y.shape()));
    else if (differentiated && !call_.has_cotangents())
      tape_.seed(y, limbic::tensor<double, Y::rank, D>(y.shape(), 1.0));
    else return;
    seeded_ = true;
  }
  template <class Y> void output(std::string const& name, Y const& y, bool differentiated = false) {
    output(name, y, shape_of(y.shape()), differentiated);
  }
  // A value that nothing is differentiated through.
  template <class X> void value(std::string const& name, X const& x) { result_.values[name] = to_value(x); }

  result finish() {
    if (seeded_) {
      tape_.backward();
      for (auto const& g : gradients_) g();
    }
    return std::move(result_);
  }

 private:
  call& call_;
  limbic::tape tape_;
  result result_;
  std::vector<std::function<void()>> gradients_;
  bool seeded_ = false;
};

}  // namespace reference
