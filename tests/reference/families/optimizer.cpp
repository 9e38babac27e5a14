// reference/families/optimizer.cpp - trajectories of the optimisers on two test functions, and gradient clipping
#include "support.hpp"

#include <limbic/ops/linear.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/optim/adam.hpp>
#include <limbic/optim/gradients.hpp>
#include <limbic/optim/rmsprop.hpp>
#include <limbic/optim/sgd.hpp>

#include <cmath>

namespace {

using namespace reference;

template <class D> struct point {
  limbic::parameter<double, 1, D> x;
  void each(auto f) { f("x", x); }
};

// quadratic: x^T A x / 2 - b^T x;  rosenbrock: sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2
template <class D> class problem {
 public:
  explicit problem(call& c) : quadratic_(c.text("problem") == "quadratic") {
    if (!quadratic_ && c.text("problem") != "rosenbrock")
      throw unsupported("the problem '" + c.text("problem") + "' does not exist here");
    if (!quadratic_) return;
    a_ = to_tensor<double, 2, D>(c.get("A"));
    b_ = to_tensor<double, 1, D>(c.get("b"));
  }
  auto operator()(limbic::variable<double, 1, D> const& x) const {
    using limbic::sum, limbic::square;
    if (quadratic_) return 0.5 * sum(x * limbic::functional::linear(x, a_)) - sum(b_ * x);
    auto const head = limbic::slice(x, 0, 0, x.extent(0) - 1), tail = limbic::slice(x, 0, 1);
    return sum(100 * square(tail - square(head)) + square(1 - head));
  }

 private:
  bool quadratic_;
  limbic::tensor<double, 2, D> a_;
  limbic::tensor<double, 1, D> b_;
};

template <class Optimizer, class D> result trajectory(call& c, typename Optimizer::options const& options) {
  problem<D> const f(c);
  point<D> model{limbic::parameter<double, 1, D>(to_tensor<double, 1, D>(c.get("x0")))};
  Optimizer optimizer(model, options);
  auto const steps = c.size("steps");
  std::vector<double> xs, gradients, values;
  auto const append = [](std::vector<double>& to, limbic::view<double const, 1, D> const& v) {
    for (std::ptrdiff_t i = 0; i < v.size(); ++i) to.push_back(v(i));
  };
  for (std::size_t k = 0; k <= steps; ++k) {
    limbic::tape t;
    auto const zero = t(limbic::tensor<double, 1, D>(model.x.shape()));
    auto const value = f(zero + model.x);  // a parameter enters the tape beside a variable
    t.backward(value);
    append(xs, model.x.value.view());
    append(gradients, model.x.gradient());
    values.push_back(value.item());
    optimizer.step();
  }
  shape_type const shape{steps + 1, static_cast<std::size_t>(model.x.size())};
  result r;
  r.values["trajectory"] = {shape, xs};
  r.values["gradients"] = {shape, gradients};
  r.values["values"] = to_value(values);
  return r;
}

template <class Options> Options adam_options(call& c) {
  Options o;
  o.learning_rate = c.number("lr", o.learning_rate);
  if (c.given("betas")) {
    auto const betas = c.numbers("betas");
    if (betas.size() != 2) throw unsupported("betas must be two numbers");
    o.betas[0] = betas[0];
    o.betas[1] = betas[1];
  }
  o.eps = c.number("eps", o.eps);
  // an absent decay is the default, a decay of 0 is none
  if (c.given("weight_decay")) o.weight_decay = c.number("weight_decay");
  o.amsgrad = c.flag("amsgrad");
  return o;
}

// Any number of gradients g0, g1, ... of any shapes: each taken as one line.
template <class D> struct gradient_list {
  std::vector<limbic::parameter<double, 1, D>> parts;
  void each(auto f) {
    for (std::size_t i = 0; i < parts.size(); ++i) f(std::to_string(i), parts[i]);
  }
};

template <class D> result clip(call& c) {
  gradient_list<D> model;
  std::vector<shape_type> shapes;
  for (std::size_t i = 0; auto const* g = c.find("g" + std::to_string(i)); ++i) {
    limbic::shape<1> const line{{static_cast<std::ptrdiff_t>(g->data.size())}};
    shapes.push_back(g->shape);
    model.parts.emplace_back(line);
    limbic::copy(D{}, model.parts.back().gradient_storage(), to_tensor<double, D>(*g, line));
    model.parts.back().set_has_gradient();
  }
  double const type = c.is_text("norm_type") && c.text("norm_type") == "inf" ? HUGE_VAL : c.number("norm_type", 2.0);
  result r;
  r.values["total_norm"] = to_value(limbic::clip_gradient_norm(model, c.number("max_norm"), type));
  for (std::size_t i = 0; i < shapes.size(); ++i)
    r.values["clipped" + std::to_string(i)] = to_value(model.parts[i].gradient(), shapes[i]);
  return r;
}

template <class D> result run(call& c) {
  auto const& op = c.op();
  if (op == "sgd") {
    return trajectory<limbic::sgd, D>(c, {.learning_rate = c.number("lr"),
                                          .momentum = c.number("momentum", 0.0),
                                          .dampening = c.number("dampening", 0.0),
                                          .weight_decay = c.number("weight_decay", 0.0),
                                          .nesterov = c.flag("nesterov")});
  }
  if (op == "adam") return trajectory<limbic::adam, D>(c, adam_options<limbic::adam::options>(c));
  if (op == "adamw") return trajectory<limbic::adamw, D>(c, adam_options<limbic::adamw::options>(c));
  if (op == "rmsprop") {
    limbic::rmsprop::options o;
    o.learning_rate = c.number("lr", o.learning_rate);
    o.alpha = c.number("alpha", o.alpha);
    o.eps = c.number("eps", o.eps);
    o.weight_decay = c.number("weight_decay", 0.0);
    o.momentum = c.number("momentum", 0.0);
    o.centered = c.flag("centered");
    return trajectory<limbic::rmsprop, D>(c, o);
  }
  return clip<D>(c);
}

registration const here{
    {"optimizer", {"sgd", "adam", "adamw", "rmsprop", "clip_grad_norm"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
