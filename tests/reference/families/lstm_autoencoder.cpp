// reference/families/lstm_autoencoder.cpp - the LSTM autoencoder: one evaluation with all gradients, then training
#include "support.hpp"

#include <limbic/models/lstm_autoencoder.hpp>
#include <limbic/ops/mse_loss.hpp>
#include <limbic/optim/adam.hpp>

namespace {

using namespace reference;

template <class D> using model_type = limbic::lstm_autoencoder<double, D>;

// Only what the library's training loop is compared with exists here.
void check(call& c) {
  auto const must = [&](std::string const& name, std::string const& only) {
    if (auto const given = c.text(name, only); given != only)
      throw unsupported(name + " '" + given + "' does not exist here");
  };
  must("loss", "mse (mean over all elements)");
  must("optimizer", "Adam");
  must("batch", "full");
}

// The mean squared error of the reconstruction; the target is the input, held fixed.
template <class D, class X> auto reconstruction_loss(model_type<D> const& model, X const& x) {
  return limbic::mse_loss(model(x), x);
}

template <class D> result run(call& c) {
  check(c);
  limbic::rng random{.seed = 1};
  model_type<D> model({.input_size = static_cast<std::ptrdiff_t>(c.size("input_dim")),
                       .hidden_size = static_cast<std::ptrdiff_t>(c.size("hidden_dim")),
                       .latent_size = static_cast<std::ptrdiff_t>(c.size("latent_dim")),
                       .layers = static_cast<int>(c.integer("num_layers", 1))},
                      random);
  auto const input = to_tensor<double, 3, D>(c.get("input"));

  recording<D> r(c);
  r.parameters(model);
  auto const x = r.template variable<3>("input");
  auto const z = model.encode(x);
  auto const y = model.decode(z, x.extent(1));
  r.output("latent_z", z);
  r.output("output", y);
  r.output("loss", limbic::mse_loss(y, input), true);
  auto all = r.finish();

  limbic::visit_parameters(model, [](std::string_view, auto& p) {
    p.clear_gradient();
    p.trainable = true;
  });
  typename limbic::adam::options o;
  o.learning_rate = c.number("lr");
  auto const betas = c.numbers("betas");
  if (betas.size() != 2) throw unsupported("betas must be two numbers");
  o.betas[0] = betas[0];
  o.betas[1] = betas[1];
  o.eps = c.number("eps", o.eps);
  limbic::adam optimizer(model, o);
  std::vector<double> losses;
  for (std::size_t k = 0, steps = c.size("steps"); k <= steps; ++k) {
    limbic::tape t;
    auto const loss = reconstruction_loss<D>(model, t(input));
    losses.push_back(loss.item());
    if (k == steps) break;
    t.backward(loss);
    optimizer.step();
  }
  all.values["losses"] = to_value(losses);
  limbic::visit_parameters(model, [&](std::string_view name, auto const& p) {
    all.values["final_" + std::string(name)] = to_value(p.value);
  });
  return all;
}

registration const here{{"lstm_autoencoder", {"lstm_autoencoder"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
