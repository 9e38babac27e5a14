// reference/families/gaussian_process.cpp - posterior, likelihood and acquisition; on the CPU alone, whatever the backend
#include "support.hpp"

#include <limbic/search/acquisition.hpp>
#include <limbic/search/gaussian_process.hpp>

namespace {

using namespace reference;

using device = limbic::default_device;

result run(call& c) {
  auto const x = to_tensor<double, 2, device>(c.get("x"));
  auto const y = to_tensor<double, 1, device>(c.get("y"));
  auto const x_new = to_tensor<double, 2, device>(c.get("x_new"));
  limbic::gaussian_process const gp(
      x, y,
      {.kernel = limbic::gp_kernel::rbf,
       .amplitude = c.number("amplitude"),
       .length_scale =
           c.is_list("length_scale") ? c.numbers("length_scale") : std::vector<double>{c.number("length_scale")},
       .noise = c.number("noise")});
  auto const [mean, variance] = gp.predict(x_new);
  double const xi = c.number("xi");
  double const greatest = *std::max_element(y.begin(), y.end()), least = *std::min_element(y.begin(), y.end());

  std::vector<double> ei, ei_min, pi, ucb;
  for (std::ptrdiff_t i = 0; i < mean.size(); ++i) {
    double const m = mean(i), v = variance(i);
    ei.push_back(limbic::expected_improvement(m, v, greatest, {.goal = limbic::goal::max, .xi = xi}));
    ei_min.push_back(limbic::expected_improvement(m, v, least, {.goal = limbic::goal::min, .xi = xi}));
    pi.push_back(limbic::probability_of_improvement(m, v, greatest, {.goal = limbic::goal::max, .xi = xi}));
    ucb.push_back(limbic::confidence_bound(m, v, {.goal = limbic::goal::max, .kappa = 2}));
  }
  result r;
  auto k = gp.kernel(x);
  for (std::ptrdiff_t i = 0; i < k.extent(0); ++i) k(i, i) += gp.options().noise;
  r.values["kernel"] = to_value(k);
  r.values["mean"] = to_value(mean);
  r.values["variance"] = to_value(variance);
  r.values["log_marginal"] = to_value(gp.log_marginal_likelihood());
  r.values["ei"] = to_value(ei);
  r.values["ei_min"] = to_value(ei_min);
  r.values["pi"] = to_value(pi);
  r.values["ucb"] = to_value(ucb);
  return r;
}

registration const here{{"gaussian_process", {"gaussian_process"}, run, run}};

}  // namespace
