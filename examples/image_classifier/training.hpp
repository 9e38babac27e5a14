// examples/image_classifier/training.hpp - train a network on images, from any point at which it was stopped
//
// Adam; the rate falls to a tenth when the validation loss has not improved for 5 epochs, and training ends when it has not for
// `patience` epochs; kept are the weights of the epoch in which it was least. The validation loss is the cross entropy,
// whatever loss is trained with: margins and weights say how to learn, not how good an answer is. Without a validation
// part the rate follows the training loss, all epochs are done, and the last weights are kept.
//
// Results depend on the data, the options and the seed alone: each image's changes are a function of seed, epoch and image, and
// order, dropout and initial weights have random streams of their own.
#pragma once

#include "../common/program.hpp"
#include "../common/progress.hpp"
#include "losses.hpp"
#include "networks.hpp"

#include <limbic/images.hpp>
#include <limbic/io/checkpoint.hpp>
#include <limbic/ops/max.hpp>
#include <limbic/optim/optim.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

// The loss was infinite or no number.
struct training_diverged : std::runtime_error {
  int epoch;             // counted from 1
  std::ptrdiff_t batch;  // likewise
  training_diverged(int in_epoch, std::ptrdiff_t in_batch, double loss, std::string const& culprit)
      : std::runtime_error("the loss is " + std::to_string(loss) + " in epoch " + std::to_string(in_epoch) +
                           ", batch " + std::to_string(in_batch) + ": " + culprit + "; try a smaller --learning-rate"),
        epoch(in_epoch),
        batch(in_batch) {}
};

struct training_options {
  std::string loss = "cross_entropy";
  double margin = 0;  // of the loss, where it has one
  double scale = 16;  // of the cosines, where it needs a cosine head
  bool class_weights = false;
  std::ptrdiff_t batch = 64;
  double learning_rate = 1e-3;
  limbic::augment_options augment{.zoom = 0.1, .shear = 0.1, .flip = 0, .pad = 0};
  int patience = 15;   // epochs
  double average = 0;  // decay of a moving average of the weights, which is then what is kept; 0: none
  std::uint64_t seed = 0;

  // For checkpoints, which refuse to go on with others.
  void each(auto f) {
    f("loss", std::as_const(loss));
    f("margin", std::as_const(margin));
    f("scale", std::as_const(scale));
    f("class_weights", std::as_const(class_weights));
    f("batch", std::as_const(batch));
    f("learning_rate", std::as_const(learning_rate));
    f("zoom", std::as_const(augment.zoom));
    f("shear", std::as_const(augment.shear));
    f("flip", std::as_const(augment.flip));
    f("pad", std::as_const(augment.pad));
    f("patience", std::as_const(patience));
    f("average", std::as_const(average));
    f("seed", std::as_const(seed));
  }
};

// How training went, epoch by epoch.
struct training_history {
  std::vector<double> loss, accuracy;                        // of the training part, while it changed
  std::vector<double> validation_loss, validation_accuracy;  // after the epoch; empty without such a part
  std::vector<double> learning_rate;
  double seconds = 0;
  // Epochs that are done.
  int epochs() const { return static_cast<int>(loss.size()); }

  void each(auto f) {
    f("loss", loss);
    f("accuracy", accuracy);
    f("validation_loss", validation_loss);
    f("validation_accuracy", validation_accuracy);
    f("learning_rate", learning_rate);
    f("seconds", seconds);
  }
};

// The logits of all images, (N, classes).
inline limbic::tensor<float, 2> logits_of(network const& net, limbic::channel_scaler const& scale,
                                          limbic::tensor<std::uint8_t, 4> const& images, std::ptrdiff_t classes) {
  limbic::tensor<float, 2> all({images.extent(0), classes}, limbic::uninitialized);
  float* to = all.data();
  for (auto const& chosen : limbic::batches(images.extent(0), 256)) {
    if (stop_requested != 0) throw interrupted();
    auto const some = net.logits(scale.transform(limbic::take(images, chosen)));
    to = std::copy(some.data(), some.data() + some.size(), to);
  }
  return all;
}

inline double share_right(limbic::tensor<float, 2> const& logits, limbic::tensor<std::int64_t, 1> const& labels) {
  auto const answers = limbic::argmax(logits);
  std::ptrdiff_t right = 0;
  for (std::ptrdiff_t i = 0; i < labels.size(); ++i) right += answers(i) == labels(i) ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

class training_run {
  using clock = std::chrono::steady_clock;

 public:
  training_history history;

  // All of them must stay where they are. `best` is a network of the same options, for the weights that are kept.
  training_run(network& net, network& best, limbic::image_set const& train, limbic::image_set const& validation,
               std::ptrdiff_t classes, limbic::channel_scaler const& scale, training_options const& o)
      : net_(net),
        best_(best),
        train_(train),
        validation_(validation),
        classes_(classes),
        scale_(scale),
        options_(o),
        shuffling_(limbic::rng{.seed = o.seed}.split(1)),
        changing_(limbic::rng{.seed = o.seed}.split(2)),
        dropping_(limbic::rng{.seed = o.seed}.split(3)),
        order_(train.size(), o.batch),
        optimizer_(net, {.learning_rate = o.learning_rate}),
        average_(net, {.decay = o.average, .warm_up = true}),
        plateau_(o.learning_rate, {.factor = 0.1, .patience = 5}),
        stopping_({.patience = o.patience}) {
    loss_.margin = o.margin;
    loss_.scale = o.scale;
    if (o.class_weights) loss_.weights = limbic::class_weights<float>(train.labels, classes);
  }

  // Trains until `epochs` are done or there is nothing more to hope for; what is kept is then in `best`. After each
  // epoch all is written to `checkpoint`; what lies there when it begins is taken up. `settings` are what else must be the
  // same.
  void run(int epochs, std::string const& checkpoint, std::string const& settings) {
    limbic::training_state state;
    state("settings", settings);
    state("options", options_);
    state("model", net_);
    state("best", best_);
    state("optimizer", optimizer_);
    if (options_.average > 0) state("average", average_);
    state("plateau", plateau_);
    state("stopping", stopping_);
    state("shuffling", shuffling_);
    state("dropping", dropping_);
    state("history", history);
    if (std::filesystem::exists(checkpoint)) state.load(checkpoint);
    auto began = clock::now();
    auto const count_time = [&] {
      auto const now = clock::now();
      history.seconds += std::chrono::duration<double>(now - began).count();
      began = now;
    };
    progress bar("training", train_.size() * epochs, "images/s", train_.size() * history.epochs());
    while (history.epochs() < epochs && stopping_.bad_epochs < options_.patience) {
      epoch(bar);
      count_time();
      state.save(checkpoint);
      if (stop_requested != 0) throw interrupted();
    }
  }

 private:
  struct batch {
    limbic::tensor<float, 4> images;
    limbic::tensor<std::int64_t, 1> labels;
  };

  batch prepare(limbic::batches::indices const& chosen, limbic::rng const& changes) const {
    limbic::tensor<float, 4> x = limbic::augment(train_.images, chosen, options_.augment, changes);
    scale_.apply(x);
    return {std::move(x), limbic::take(train_.labels, chosen)};
  }

  void epoch(progress& bar) {
    int const number = history.epochs() + 1;
    double loss = 0, right = 0;
    order_.shuffle(shuffling_);
    limbic::rng const changes = changing_.split(static_cast<std::uint64_t>(number));
    limbic::prefetch next(order_.size(), [&](std::ptrdiff_t i) { return prepare(order_[i], changes); });
    optimizer_.learning_rate = plateau_.learning_rate;
    std::ptrdiff_t count = 0;
    while (auto* const b = next()) {
      if (stop_requested != 0) throw interrupted();  // the last checkpoint holds all epochs that are done
      auto const n = static_cast<double>(b->labels.size());
      limbic::tape t;
      limbic::rng const dropping = dropping_;
      auto const logits = net_.record(t, b->images, dropping_);
      auto const l = find_loss(options_.loss).of(logits, b->labels, loss_);
      double const value = static_cast<double>(l.item());
      if (!std::isfinite(value)) throw training_diverged(number, count + 1, value, culprit(*b, dropping));
      loss += n * value;
      right += n * share_right(limbic::tensor<float, 2>(logits.value()), b->labels);
      t.backward(l);
      optimizer_.step();
      if (options_.average > 0) average_.update();
      bar.advance(b->labels.size());
      ++count;
    }
    auto const all = static_cast<double>(train_.size());
    history.learning_rate.push_back(optimizer_.learning_rate);
    history.accuracy.push_back(right / all);
    history.loss.push_back(loss / all);  // last: it counts the epochs
    judge();
    char text[60];
    std::snprintf(text, sizeof text, "epoch %d: %.2f %%", number,
                  100 * (validation_.size() > 0 ? history.validation_accuracy : history.accuracy).back());
    bar.name(text);
  }

  // The first op of a batch's loss with a value that is not finite: the batch once more, each value looked at.
  std::string culprit(batch const& b, limbic::rng dropping) const {
    try {
      limbic::tape t;
      t.detect_anomaly();
      (void)find_loss(options_.loss).of(net_.record(t, b.images, dropping), b.labels, loss_);
    } catch (limbic::anomaly_error const& e) {
      return e.what();
    }
    return "all ops are finite when they are computed again";
  }

  // At the end of an epoch: how good it is, what rate comes next, and whether these weights are to be kept.
  void judge() {
    if (options_.average > 0) average_.swap();
    if (validation_.size() == 0) {
      best_.assign(net_);
      plateau_.step(history.loss.back());
    } else {
      auto const logits = logits_of(net_, scale_, validation_.images, classes_);
      auto const loss = static_cast<double>(limbic::cross_entropy(logits, validation_.labels)());
      history.validation_loss.push_back(loss);
      history.validation_accuracy.push_back(share_right(logits, validation_.labels));
      plateau_.step(loss);
      stopping_(loss);
      if (stopping_.improved) best_.assign(net_);
    }
    if (options_.average > 0) average_.swap();
  }

  network& net_;
  network& best_;
  limbic::image_set const& train_;
  limbic::image_set const& validation_;
  std::ptrdiff_t classes_;
  limbic::channel_scaler const& scale_;
  training_options options_;
  limbic::rng shuffling_, changing_, dropping_;
  limbic::batches order_;
  limbic::adam optimizer_;
  limbic::exponential_moving_average average_;
  limbic::reduce_on_plateau plateau_;
  limbic::early_stopping stopping_;
  loss_options loss_;
};
