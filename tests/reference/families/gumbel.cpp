// reference/families/gumbel.cpp - the softened categorical draw, its noise given
#include "support.hpp"

#include <limbic/ops/gumbel_softmax.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  return with_rank<1, 3>(c.get("logits").shape.size(), [&](auto rank) {
    recording<D> r(c);
    limbic::gumbel_softmax_options o{.axis = static_cast<int>(c.integer("dim")), .hard = c.flag("hard")};
    auto const x = r.template variable<rank()>("logits");
    auto const noise = r.template variable<rank()>("uniform");
    auto const tau = r.template variable<0>("tau");
    if (tau.value()() != c.number("tau")) throw unsupported("the temperature is given twice, and differs");
    r.output("output", limbic::functional::gumbel_softmax(x, noise, tau, o), true);
    if (c.expects("soft"))
      r.value("soft", limbic::functional::gumbel_softmax(x.value(), noise.value(), tau.value(), {.axis = o.axis}));
    if (c.expects("index")) {  // where the hard one is 1
      o.hard = true;
      auto const hard = limbic::functional::gumbel_softmax(x.value(), noise.value(), tau.value(), o);
      auto where = hard.shape();
      int const axis = limbic::normalize_axis("index", o.axis, rank());
      where[axis] = 1;
      limbic::tensor<double, rank(), D> index(where);
      limbic::for_each_row(
          D{}, axis, [](auto y, auto i) { i.put(0, static_cast<double>(argmax(y))); }, limbic::as_view(hard),
          index.view());
      auto shape = shape_of(where);
      shape.erase(shape.begin() + axis);
      auto all = r.finish();
      all.values["index"] = to_value(index, shape);
      return all;
    }
    return r.finish();
  });
}

registration const here{{"gumbel", {"gumbel_softmax"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
