// limbic/optim/schedule.hpp - learning rates from epoch to epoch, as in torch.optim.lr_scheduler
//
//   step_lr const schedule{.learning_rate = 0.1, .step_size = 30, .gamma = 0.1};
//   for (int epoch = 0; epoch < epochs; ++epoch) {
//     optimizer.learning_rate = schedule(epoch);
//
//   step_lr               rate gamma^floor(epoch / step_size)
//   multistep_lr          rate gamma^(number of milestones <= epoch)
//   exponential_lr        rate gamma^epoch
//   linear_lr             rate times a factor that goes from start_factor to end_factor in total_iters epochs, then stays
//   cosine_annealing_lr   eta_min + (rate - eta_min) (1 + cos(pi epoch / T_max)) / 2; Loshchilov and Hutter 2017
//   reduce_on_plateau     less when a metric no longer gets better: optimizer.learning_rate = plateau.step(loss)
//
// They are numbers, so they anneal anything else as well: choice.temperature = exponential_lr{1.0, 0.98}(epoch).
#pragma once

#include <limbic/core/tensor.hpp>
#include <limbic/optim/goal.hpp>

#include <cmath>
#include <limits>

LIMBIC_BEGIN

struct step_lr {
  double learning_rate = 0.1;  // at epoch 0
  int step_size = 1;           // epochs
  double gamma = 0.1;          // the factor
  double operator()(std::int64_t epoch) const {
    if (step_size < 1) fail<argument_error>("step_lr", "step_size must be positive, but is ", step_size);
    return learning_rate * std::pow(gamma, static_cast<double>(epoch / step_size));
  }
};

class multistep_lr {
 public:
  multistep_lr(double learning_rate, std::initializer_list<std::int64_t> milestones, double gamma = 0.1)
      : learning_rate_(learning_rate),
        gamma_(gamma),
        milestones_(shape<1>{{static_cast<std::ptrdiff_t>(milestones.size())}}, milestones) {}
  multistep_lr(double learning_rate, view<std::int64_t const, 1, scalar> milestones, double gamma = 0.1)
      : learning_rate_(learning_rate), gamma_(gamma), milestones_(milestones) {}
  double operator()(std::int64_t epoch) const {
    int passed = 0;
    for (std::int64_t m : milestones_) passed += m <= epoch;
    return learning_rate_ * std::pow(gamma_, passed);
  }

 private:
  double learning_rate_, gamma_;
  tensor<std::int64_t, 1, scalar> milestones_;
};

struct exponential_lr {
  double learning_rate = 0.1;  // at epoch 0
  double gamma = 0.9;          // the factor of each epoch
  double operator()(std::int64_t epoch) const { return learning_rate * std::pow(gamma, static_cast<double>(epoch)); }
};

struct linear_lr {
  double learning_rate = 0.1;     // where the factor is 1
  double start_factor = 1.0 / 3;  // at epoch 0
  double end_factor = 1;          // from epoch total_iters on
  std::int64_t total_iters = 5;   // epochs
  double operator()(std::int64_t epoch) const {
    if (total_iters < 1) fail<argument_error>("linear_lr", "total_iters must be positive, but is ", total_iters);
    double const share = epoch < total_iters ? static_cast<double>(epoch) / static_cast<double>(total_iters) : 1;
    return learning_rate * (start_factor + (end_factor - start_factor) * share);
  }
};

struct cosine_annealing_lr {
  double learning_rate = 0.1;  // at epoch 0
  std::int64_t T_max = 1;      // epochs from the first rate to the last
  double eta_min = 0;          // the rate at epoch T_max
  double operator()(std::int64_t epoch) const {
    if (T_max < 1) fail<argument_error>("cosine_annealing_lr", "T_max must be positive, but is ", T_max);
    double const angle = 3.14159265358979323846 * static_cast<double>(epoch) / static_cast<double>(T_max);
    return eta_min + (learning_rate - eta_min) * (1 + std::cos(angle)) / 2;
  }
};

enum class threshold_mode { rel, abs };  // by how much: a share of the best so far, or a difference

struct plateau_options {
  goal mode = goal::min;    // whether a smaller metric is better, or a larger one
  double factor = 0.1;      // of a reduction
  int patience = 10;        // epochs without improvement that are forgiven
  double threshold = 1e-4;  // what counts as an improvement
  limbic::threshold_mode threshold_mode = threshold_mode::rel;
  int cooldown = 0;   // epochs after a reduction in which none is counted
  double min_lr = 0;  // no rate falls below
  double eps = 1e-8;  // a smaller change of the rate is not made
};

struct reduce_on_plateau : plateau_options {
  double learning_rate;                   // for the next epoch
  double best;                            // metric so far
  int bad_epochs = 0, cooldown_left = 0;  // epochs without improvement, and those still not counted

  explicit reduce_on_plateau(double rate, plateau_options const& o = {})
      : plateau_options(o),
        learning_rate(rate),
        best(std::numeric_limits<double>::infinity() * (o.mode == goal::min ? 1 : -1)) {
    if (!(o.factor < 1)) fail<argument_error>("reduce_on_plateau", "the factor must be less than 1, but is ", o.factor);
  }

  // For checkpoints: the state, and as const the options.
  void each(auto&& f) {
    f("learning_rate", learning_rate);
    f("best", best);
    f("bad_epochs", bad_epochs);
    f("cooldown_left", cooldown_left);
    f("mode", std::as_const(mode));
    f("factor", std::as_const(factor));
    f("patience", std::as_const(patience));
    f("threshold", std::as_const(threshold));
    f("threshold_mode", std::as_const(threshold_mode));
    f("cooldown", std::as_const(cooldown));
    f("min_lr", std::as_const(min_lr));
    f("eps", std::as_const(eps));
  }

  // At the end of an epoch, with its metric: the rate for the next. A metric of NaN is no improvement.
  double step(double metric) {
    if (better(metric)) {
      best = metric;
      bad_epochs = 0;
    } else {
      ++bad_epochs;
    }
    if (cooldown_left > 0) {
      --cooldown_left;
      bad_epochs = 0;
    }
    if (bad_epochs > patience) {
      double const reduced = learning_rate * factor > min_lr ? learning_rate * factor : min_lr;
      if (learning_rate - reduced > eps) learning_rate = reduced;
      cooldown_left = cooldown;
      bad_epochs = 0;
    }
    return learning_rate;
  }

 private:
  bool better(double m) const {
    double const margin = threshold_mode == limbic::threshold_mode::rel ? threshold * best : threshold;
    // the first metric beats infinity, by any margin
    if (mode == goal::min) return best == std::numeric_limits<double>::infinity() ? m < best : m < best - margin;
    return best == -std::numeric_limits<double>::infinity() ? m > best : m > best + margin;
  }
};

struct early_stopping_options {
  int patience = 10;      // epochs in a row without improvement after which it stops
  double min_delta = 0;   // what counts as one
  goal mode = goal::min;  // as there
};

// Says when to stop: if (stop(loss)) break;
struct early_stopping : early_stopping_options {
  double best;            // metric so far
  int bad_epochs = 0;     // in a row
  bool improved = false;  // by the last metric: the moment to keep a copy of the model

  explicit early_stopping(early_stopping_options const& o = {})
      : early_stopping_options(o), best(std::numeric_limits<double>::infinity() * (o.mode == goal::min ? 1 : -1)) {
    if (o.patience < 1) fail<argument_error>("early_stopping", "patience must be positive, but is ", o.patience);
  }

  // For checkpoints: the state, and as const the options.
  void each(auto&& f) {
    f("best", best);
    f("bad_epochs", bad_epochs);
    f("improved", improved);
    f("patience", std::as_const(patience));
    f("min_delta", std::as_const(min_delta));
    f("mode", std::as_const(mode));
  }
  // At the end of an epoch, with its metric. A metric of NaN is no improvement.
  bool operator()(double metric) {
    improved = mode == goal::min ? metric < best - min_delta : metric > best + min_delta;
    if (improved) best = metric;
    bad_epochs = improved ? 0 : bad_epochs + 1;
    return bad_epochs >= patience;
  }
};

LIMBIC_END
