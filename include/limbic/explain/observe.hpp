// limbic/explain/observe.hpp - a look at what a model computes in between, whatever model it is
//
//   image_layers layers = image_layers_of<float>(net, shape{1, 1, 28, 28});       what can be looked at
//   layers.find("c4.conv")                                                        the op of that name
//
//   observer<float> seen(layers.find("relu:0"));
//   auto const y = net(seen(t.variable(x)), evaluation{}).recorded();
//   seen.result()                                                                 the variable (N, C, H, W)
//
// An observed variable is an operand like any other: ops are recorded as without it, and the observer counts them. Ops have
// the names that summary() gives them: that of their layer, or their own. Where several have one name, it means the last,
// and name:k the k-th of them, counted from 0. The empty name means the last op whose result is images of more than one
// pixel.
//
// errors  a name that no such op has: argument_error with all that there are
#pragma once

#include <limbic/nn/summary.hpp>
#include <limbic/tape/record.hpp>

#include <charconv>

LIMBIC_BEGIN

// The ops of a model whose results are images (N, C, H, W).
class image_layers {
 public:
  // One of them.
  struct layer {
    std::string name;       // as summary() has it
    std::ptrdiff_t op;      // its place among all ops
    std::ptrdiff_t pixels;  // H W
  };
  explicit image_layers(model_summary const& s) {
    for (std::size_t i = 0; i < s.rows.size(); ++i)
      if (auto const& r = s.rows[i]; r.shape.size() == 4)
        all_.push_back({r.layer, static_cast<std::ptrdiff_t>(i), r.shape[2] * r.shape[3]});
  }

  // In their order.
  std::vector<layer> const& all() const& { return all_; }
  std::vector<layer> all() && { return std::move(all_); }
  // The place among all ops of the one that is meant.
  std::ptrdiff_t find(std::string_view name) const {
    if (name.empty()) {
      for (std::size_t i = all_.size(); i-- > 0;)
        if (all_[i].pixels > 1) return all_[i].op;
      fail<argument_error>("explain", "the model makes no images of more than one pixel");
    }
    std::string_view base = name;
    std::ptrdiff_t wanted = -1;
    if (std::size_t const colon = name.rfind(':'); colon != std::string_view::npos) {
      auto const [end, error] = std::from_chars(name.data() + colon + 1, name.data() + name.size(), wanted);
      if (error == std::errc() && end == name.data() + name.size()) base = name.substr(0, colon);
      else wanted = -1;
    }
    std::ptrdiff_t seen = 0, last = -1;
    for (auto const& l : all_)
      if (l.name == base) {
        last = l.op;
        if (seen++ == wanted) return l.op;
      }
    if (last >= 0 && wanted < 0) return last;
    std::string names;
    for (auto const& l : all_)
      if (names.find(l.name) == std::string::npos) names += (names.empty() ? "" : ", ") + l.name;
    fail<argument_error>("explain", "no layer '", name, "' makes images; there are ", std::string_view(names));
  }

 private:
  std::vector<layer> all_;
};

// T is the element type of the input.
template <class T, class Model> image_layers image_layers_of(Model const& model, shape<4> const& input) {
  return image_layers(summary<T>(model, input));
}

template <class T, class D> class observer;

// A variable whose ops an observer sees.
template <class T, int R, class D = default_device> class observed {
 public:
  using value_type = T;                // of its elements
  using device = D;                    // where it lies
  using recorded_on = observer<T, D>;  // who looks at the ops, and has the tape record them
  static constexpr int rank = R;       // the number of axes

  observed() = default;
  observed(observer<T, D>& by, variable<T, R, D> v) : by_(&by), recorded_(std::move(v)) {}
  // Extents of all axes.
  limbic::shape<R> const& shape() const { return recorded_.shape(); }
  // The extent of one axis.
  std::ptrdiff_t extent(int axis) const { return shape()[axis]; }
  // The number of elements.
  std::ptrdiff_t size() const { return shape().size(); }
  // Who looks.
  observer<T, D>* owner() const { return by_; }
  // The variable itself.
  variable<T, R, D> const& recorded() const { return recorded_; }

 private:
  observer<T, D>* by_ = nullptr;
  variable<T, R, D> recorded_;
};

// Keeps the result of one op; see above.
template <class T, class D = default_device> class observer {
 public:
  // Of the op at this place, as image_layers::find has it.
  explicit observer(std::ptrdiff_t op) : wanted_(op) {}
  observer(observer const&) = delete;  // observed variables point to it
  observer& operator=(observer const&) = delete;

  // The operand to call a model with.
  template <int R> observed<T, R, D> operator()(variable<T, R, D> x) { return {*this, std::move(x)}; }
  // What the op made.
  variable<T, 4, D> const& result() const { return result_; }

  // As of a tape: nothing is computed a second time here.
  static constexpr bool recomputes() { return false; }
  // By record: one more op, and its first result.
  template <int R> void see(variable<T, R, D> const& y) {
    if (count_++ != wanted_) return;
    if constexpr (R == 4) result_ = y;
  }

 private:
  std::ptrdiff_t wanted_, count_ = 0;
  variable<T, 4, D> result_;
};

namespace detail {

template <class A> inline constexpr bool is_observed = false;
template <class T, int R, class D> inline constexpr bool is_observed<observed<T, R, D>> = true;
template <class A> concept observed_operand = is_observed<std::remove_cvref_t<A>>;

template <class First, class... Rest> auto* first_observer(First const& first, Rest const&... rest) {
  if constexpr (observed_operand<First>) return first.owner();
  else return first_observer(rest...);
}
template <class A> decltype(auto) unobserved(A&& a) {
  if constexpr (observed_operand<A>) return (a.recorded());
  else return std::forward<A>(a);
}

}  // namespace detail

// Found by ops/op.hpp where an operand is observed: the tape records the op, the observer counts it.
template <class Op, class... A>
  requires(detail::observed_operand<A> || ...)
auto record(Op const& o, A&&... a) {
  auto* const by = detail::first_observer(a...);
  auto const wrap = [&]<class T, int R, class D>(variable<T, R, D> const& v) { return observed<T, R, D>(*by, v); };
  auto const y = record(o, detail::unobserved(std::forward<A>(a))...);
  if constexpr (recorded<decltype(y)>) {
    by->see(y);
    return wrap(y);
  } else {
    by->see(std::get<0>(y));
    return std::apply([&](auto const&... v) { return std::tuple(wrap(v)...); }, y);
  }
}

LIMBIC_END
