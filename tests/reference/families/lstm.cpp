// reference/families/lstm.cpp - the LSTM layer: any number of layers, both directions, both orders of batch and time
#include "support.hpp"

#include <limbic/nn/lstm.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  auto const start = c.text("initial_state", c.find("h_0") ? "given" : "zero");
  if (start != "given" && start != "zero") throw unsupported("the initial state '" + start + "' does not exist here");
  limbic::rng random{.seed = 1};
  limbic::lstm<double, D> layer(static_cast<std::ptrdiff_t>(c.size("input_size")),
                                static_cast<std::ptrdiff_t>(c.size("hidden_size")), random,
                                {.layers = static_cast<int>(c.integer("num_layers", 1)),
                                 .bidirectional = c.flag("bidirectional"),
                                 .bias = c.flag("bias", true),
                                 .batch_first = c.flag("batch_first")});
  recording<D> r(c);
  r.parameters(layer);
  auto const x = r.template variable<3>("input");
  auto const finish = [&](auto const& results) {
    r.output("output", std::get<0>(results), true);
    r.output("h_n", std::get<1>(results));
    r.output("c_n", std::get<2>(results));
    return r.finish();
  };
  if (start == "zero") return finish(layer(x));
  auto const h_0 = r.template variable<3>("h_0");
  return finish(layer(x, h_0, r.template variable<3>("c_0")));
}

registration const here{{"lstm", {"lstm"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
