// limbic/nn/summary.hpp - what a model consists of, and what it costs, without computing anything
//
//   model_summary const s = summary<float>(net, shape{1, 3, 28, 28});
//   std::fputs(s.text().c_str(), stdout);        layers, shapes, parameters, operations
//   s.parameters(), s.flops(), s.megabytes, s.depth
//
// The model is called with an operand that has a shape and no elements: each op says what shape comes out, and how many
// operations that takes. A model that takes a mode is called in evaluation mode. Counted is one forward pass as its formula
// says: a product or a sum is one operation, a multiply-add two (so is FLOPs here; half of it are what others call MACs). An
// op counts its own with flops(shapes of the operands...); one that does not counts one for each element of its largest
// operand or result, and copies count none. A parameter that several layers share is counted once. Depth is the
// largest number of layers with a weight of rank 2 or more on one way from the input to the result.
//
// errors  those of the ops, whose shapes do not fit
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic/nn/mode.hpp>
#include <limbic/ops/op.hpp>

#include <cstdio>
#include <string>
#include <vector>

LIMBIC_BEGIN

// One op of a model.
struct summary_row {
  std::string layer;                    // the parameters' name without its last part; the op's where it has none
  std::string_view op;                  // what is computed
  std::vector<std::ptrdiff_t> shape{};  // of the first result
  std::ptrdiff_t parameters = 0;        // seen for the first time here, in elements
  double flops = 0;                     // operations
};

// The ops of a model in their order, and sums over them.
struct model_summary {
  std::vector<summary_row> rows;  // one for each op
  double megabytes = 0;           // memory of the parameters, in 10^6 bytes
  int depth = 0;                  // layers with weights on the longest way

  // Elements of all parameters that were used.
  std::ptrdiff_t parameters() const {
    std::ptrdiff_t n = 0;
    for (auto const& r : rows) n += r.parameters;
    return n;
  }
  // Operations of one forward pass.
  double flops() const {
    double n = 0;
    for (auto const& r : rows) n += r.flops;
    return n;
  }
  // A table of what has parameters or costs operations, and the sums below it.
  std::string text() const {
    std::string out;
    char line[200];
    auto const add = [&](char const* layer, char const* op, char const* shape, char const* parameters, double flops) {
      std::snprintf(line, sizeof line, "%-32s %-18s %-20s %12s %14.0f\n", layer, op, shape, parameters, flops);
      out += line;
    };
    std::snprintf(line, sizeof line, "%-32s %-18s %-20s %12s %14s\n", "layer", "op", "shape", "parameters",
                  "operations");
    out += line;
    for (auto const& r : rows) {
      if (r.parameters == 0 && r.flops == 0) continue;
      add(r.layer.c_str(), std::string(r.op).c_str(), text_of(r.shape).c_str(),
          r.parameters > 0 ? std::to_string(r.parameters).c_str() : "", r.flops);
    }
    std::snprintf(line, sizeof line, "parameters %td, %.3g megabytes; operations %.4g; depth %d\n", parameters(),
                  megabytes, flops(), depth);
    return out + line;
  }

 private:
  static std::string text_of(std::vector<std::ptrdiff_t> const& shape) {
    std::string s = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return s + ")";
  }
};

// What the values of a trace have in common: the summary that they add to, and the names of parameters.
struct trace {
  model_summary summary;                                    // so far
  std::vector<std::pair<void const*, std::string>> unseen;  // parameters that no op has read yet

  // As of a tape: nothing is computed a second time here.
  static constexpr bool recomputes() { return false; }
  // The name of a parameter that an op reads for the first time; "" afterwards.
  std::string take(void const* parameter) {
    for (auto& u : unseen)
      if (u.first == parameter) {
        u.first = nullptr;
        return u.second;
      }
    return {};
  }
};

// An operand with a shape and no elements.
template <class T, int R, class D = default_device> class traced {
 public:
  using value_type = T;           // of its elements, if it had any
  using device = D;               // where it would lie
  using recorded_on = trace;      // ops are noted there, not computed
  static constexpr int rank = R;  // the number of axes

  traced() = default;
  traced(trace& t, limbic::shape<R> const& s, int depth) : trace_(&t), shape_(s), depth_(depth) {}
  // Extents of all axes.
  limbic::shape<R> const& shape() const { return shape_; }
  // The extent of one axis.
  std::ptrdiff_t extent(int axis) const { return shape_[axis]; }
  // The number of elements.
  std::ptrdiff_t size() const { return shape_.size(); }
  // Where ops are noted.
  trace* owner() const { return trace_; }
  // Layers with weights on the longest way here.
  int depth() const { return depth_; }

 private:
  trace* trace_ = nullptr;
  limbic::shape<R> shape_;
  int depth_ = 0;
};

namespace detail {

template <class A> inline constexpr bool is_traced = false;
template <class T, int R, class D> inline constexpr bool is_traced<traced<T, R, D>> = true;
template <class A> concept traced_operand = is_traced<std::remove_cvref_t<A>>;

// That of the first traced operand: a model on a GPU can be counted on the CPU.
template <class First, class... Rest> constexpr auto traced_device() {
  if constexpr (traced_operand<First>) return device_of<First>();
  else return traced_device<Rest...>();
}

template <class A> void note_operand(summary_row& row, bool& weighs, trace& t, A const& a) {
  if constexpr (is_parameter<A>) {
    weighs = weighs || A::rank >= 2;
    std::string const name = t.take(&a);
    if (name.empty()) return;
    std::size_t const dot = name.rfind('.');
    if (row.parameters == 0) row.layer = dot == std::string::npos ? name : name.substr(0, dot);
    row.parameters += a.size();
    t.summary.megabytes += static_cast<double>(a.size()) * sizeof(typename A::value_type) / 1e6;
  }
}

template <class Op, class... S> double flops_of(Op const& o, std::ptrdiff_t largest, S const&... shapes) {
  if constexpr (requires { o.flops(shapes...); }) return o.flops(shapes...);
  else return static_cast<double>(largest);
}

}  // namespace detail

// Found by ops/op.hpp where an operand is traced: notes the op.
template <class Op, class... A>
  requires(detail::traced_operand<A> || ...)
auto record(Op const& o, A&&... a) {
  trace* t = nullptr;
  int depth = 0;
  auto const meet = [&](auto const& x) {
    if constexpr (detail::traced_operand<decltype(x)>) {
      t = x.owner();
      depth = x.depth() > depth ? x.depth() : depth;
    }
  };
  (meet(a), ...);
  auto const shapes = detail::result_shapes(o, a.shape()...);
  using Shapes = std::remove_cvref_t<decltype(shapes)>;
  constexpr int visible = detail::visible_results<Op, Shapes>();

  summary_row row{.layer = std::string(Op::name), .op = Op::name};
  bool weighs = false;
  (detail::note_operand(row, weighs, *t, a), ...);
  std::ptrdiff_t largest = std::get<0>(shapes).size();
  ((largest = a.shape().size() > largest ? a.shape().size() : largest), ...);
  row.flops = detail::flops_of(o, largest, a.shape()...);
  for (int i = 0; i < std::tuple_element_t<0, Shapes>::rank; ++i) row.shape.push_back(std::get<0>(shapes)[i]);
  t->summary.rows.push_back(std::move(row));
  depth += weighs ? 1 : 0;
  t->summary.depth = depth > t->summary.depth ? depth : t->summary.depth;

  using T = typename detail::first_real<element_of<A>...>::type;
  using D = decltype(detail::traced_device<A...>());
  return [&]<std::size_t... V>(std::index_sequence<V...>) {
    if constexpr (visible == 1)
      return traced<T, std::tuple_element_t<0, Shapes>::rank, D>(*t, std::get<0>(shapes), depth);
    else
      return std::tuple<traced<T, std::tuple_element_t<V, Shapes>::rank, D>...>{
          traced<T, std::tuple_element_t<V, Shapes>::rank, D>(*t, std::get<V>(shapes), depth)...};
  }(std::make_index_sequence<visible>());
}

// T is the element type of the input.
template <class T, class Model, int R> model_summary summary(Model const& model, shape<R> const& input) {
  trace t;
  visit_parameters(model, [&](std::string_view name, auto const& p) { t.unseen.emplace_back(&p, std::string(name)); });
  traced<T, R> const x(t, input, 0);
  if constexpr (requires { model(x, evaluation{}); }) (void)model(x, evaluation{});
  else (void)model(x);
  return std::move(t.summary);
}

LIMBIC_END
