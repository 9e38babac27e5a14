// examples/image_classifier/attempt.hpp - a training from its data to a network that can be used
#pragma once

#include "classifier.hpp"
#include "fine_tuning.hpp"
#include "options.hpp"

#include <limbic/io/crc32.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

inline limbic::channel_scaler make_scaler(settings const& s, dataset const& d) {
  if (s.scaling == "standard") return limbic::channel_scaler::standard(d.train.images);
  return limbic::channel_scaler(s.scaling == "unit" ? 1.0 / 255 : 1.0 / 255 / 512);
}
// What results depend on besides the options of training.
inline json described(settings const& s, dataset const& d) {
  std::string names;
  for (auto const& path : s.data)
    names += (names.empty() ? "" : " + ") +
             (path == "digits" ? path : std::filesystem::path(path).lexically_normal().filename().string());
  return {{"data", names},
          {"crc32", d.crc32},
          {"validation", s.parts.validation},
          {"imbalance", s.parts.imbalance},
          {"train_images", s.parts.train_images},
          {"folds", s.parts.folds},
          {"scaling", s.scaling},
          {"model", s.network.model},
          {"width", s.network.width},
          {"head", s.network.head},
          {"channels", s.network.channels},
          {"height", s.network.height},
          {"columns", s.network.columns},
          {"training_images", d.train.size()},
          {"validation_images", d.validation.size()},
          {"test_images", d.test.size()}};
}
inline json described(training_options const& o) {
  json all;
  training_options copy = o;
  copy.each([&](char const* name, auto const& value) { all[name] = value; });
  return all;
}

// With --init-from: into `net`, and into what is known of the settings.
inline void begin_with_saved_weights(network& net, settings const& s, json& about) {
  if (s.init_from.empty()) return;
  saved_model const saved(s.init_from);
  saved.read([&] {
    for (char const* key : {"model", "width", "channels", "height", "columns"})
      if (auto const& is = saved.about.at("settings").at(key); is != about.at(key))
        throw bad_input(s.init_from + ": its " + key + " is " + is.dump() + ", but here it is " + about.at(key).dump());
  });
  bool const whole = start_from(net, saved.file, s.new_head);
  if (s.freeze_features) freeze_features(net);
  std::printf("begins with the weights of %s%s\n", s.init_from.c_str(), whole ? "" : ", but for the last layer");
  about["init_from"] = std::filesystem::path(s.init_from).filename().string();
  about["init_crc32"] = limbic::crc32(limbic::read_file("--init-from", s.init_from));
  about["new_head"] = !whole;
  about["freeze_features"] = s.freeze_features;
}

class attempt {
 public:
  dataset data;
  classifier made;

  attempt(settings const& s, dataset::sets all)
      : data(s.data, std::move(all), s.parts),
        made{nullptr, make_scaler(s, data), data.classes, {}},
        settings_(sized(s, data)),
        about_(described(settings_, data)),
        net_(fresh_network(settings_.network, s.training.seed)) {
    begin_with_saved_weights(*net_, s, about_);
    made.net = fresh_network(settings_.network, s.training.seed);
    made.net->assign(*net_);
    run_ = std::make_unique<training_run>(*net_, *made.net, data.train, data.validation, data.class_count(), made.scale,
                                          s.training);
  }
  attempt(attempt const&) = delete;  // the members are referred to
  attempt& operator=(attempt const&) = delete;
  ~attempt() = default;

  training_history const& history() const { return run_->history; }

  void train(std::string const& checkpoint) {
    std::printf("%td images to train with, %td to validate, %td to test, of %td classes\n", data.train.size(),
                data.validation.size(), data.test.size(), data.class_count());
    run_->run(settings_.epochs, checkpoint, about_.dump());
    auto const& losses = history().validation_loss;
    auto const list = [](auto const& numbers) {
      return std::vector<double>(numbers.data(), numbers.data() + numbers.size());
    };
    made.about = {{"settings", about_},
                  {"training", described(settings_.training)},
                  {"classes", data.classes},
                  {"factor", list(made.scale.factor())},
                  {"offset", list(made.scale.offset())},
                  {"epochs", history().epochs()},
                  {"best_epoch", losses.empty() ? history().epochs()
                                                : std::min_element(losses.begin(), losses.end()) - losses.begin() + 1}};
  }

 private:
  // With the network that the images need.
  static settings sized(settings s, dataset const& d) {
    s.network.channels = d.extent(0);
    s.network.height = d.extent(1);
    s.network.columns = d.extent(2);
    s.network.classes = d.class_count();
    return s;
  }

  settings settings_;
  json about_;
  std::unique_ptr<network> net_;
  std::unique_ptr<training_run> run_;
};
