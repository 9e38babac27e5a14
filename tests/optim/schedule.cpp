// Learning rates from epoch to epoch, and when to stop.
#include "../catch.hpp"

#include <limbic/optim/schedule.hpp>

#include <vector>

using namespace limbic;

TEST_CASE("rates that depend on the epoch alone") {
  step_lr const step{.learning_rate = 0.8, .step_size = 3, .gamma = 0.5};
  CHECK(step(0) == 0.8);
  CHECK(step(2) == 0.8);
  CHECK(step(3) == Approx(0.4));
  CHECK(step(8) == Approx(0.2));
  multistep_lr const steps(1, {2, 5}, 0.1);
  CHECK(steps(1) == 1);
  CHECK(steps(2) == Approx(0.1));
  CHECK(steps(5) == Approx(0.01));
  CHECK(exponential_lr{.learning_rate = 2, .gamma = 0.5}(3) == Approx(0.25));
  linear_lr const line{.learning_rate = 2, .start_factor = 1, .end_factor = 0.25, .total_iters = 3};
  CHECK(line(0) == 2);
  CHECK(line(2) == Approx(1));
  CHECK(line(3) == Approx(0.5));
  CHECK(line(30) == Approx(0.5));
  CHECK_THROWS_AS((linear_lr{.total_iters = 0}(1)), argument_error);
  cosine_annealing_lr const cosine{.learning_rate = 1, .T_max = 10, .eta_min = 0.2};
  CHECK(cosine(0) == 1);
  CHECK(cosine(5) == Approx(0.6));
  CHECK(cosine(10) == Approx(0.2));
  CHECK_THROWS_AS((step_lr{.step_size = 0}(1)), argument_error);
  CHECK_THROWS_AS((cosine_annealing_lr{.T_max = 0}(1)), argument_error);
}

TEST_CASE("less when a metric no longer gets better") {
  reduce_on_plateau plateau(1, {.factor = 0.5, .patience = 1, .cooldown = 1, .min_lr = 0.3});
  std::vector<double> rates;
  for (double m : {3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0}) rates.push_back(plateau.step(m));
  // reduced after two bad epochs; the next one is not counted; 0.25 would be below min_lr
  CHECK(rates == std::vector<double>{1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3});
  reduce_on_plateau highest(
      1, {.mode = goal::max, .patience = 0, .threshold = 0.1, .threshold_mode = threshold_mode::abs});
  CHECK(highest.step(-5) == 1);
  CHECK(highest.step(-4.8) == 1);
  CHECK(highest.step(-4.75) == Approx(0.1));  // better, but not by enough
  CHECK(highest.step(std::numeric_limits<double>::quiet_NaN()) == Approx(0.01));
  CHECK_THROWS_AS(reduce_on_plateau(1, {.factor = 1}), argument_error);
}

TEST_CASE("stopping early") {
  early_stopping stop({.patience = 2, .min_delta = 0.5});
  CHECK_FALSE(stop(3));
  CHECK(stop.improved);
  CHECK_FALSE(stop(2.8));
  CHECK_FALSE(stop.improved);
  CHECK_FALSE(stop(2));
  CHECK(stop.improved);
  CHECK_FALSE(stop(2));
  CHECK(stop(std::numeric_limits<double>::quiet_NaN()));
  CHECK(stop.best == 2);
  early_stopping highest({.patience = 1, .mode = goal::max});
  CHECK_FALSE(highest(0.1));
  CHECK_FALSE(highest(0.2));
  CHECK(highest(0.2));
  CHECK_THROWS_AS(early_stopping({.patience = 0}), argument_error);
}
