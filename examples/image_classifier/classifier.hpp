// examples/image_classifier/classifier.hpp - a network that can be used, what it says of images, and the file it is kept in
#pragma once

#include "dataset.hpp"
#include "networks.hpp"
#include "training.hpp"

#include <limbic/io/model.hpp>
#include <limbic/metrics/classification.hpp>
#include <limbic/ops/softmax.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using json = nlohmann::ordered_json;

// A network that can be used.
struct classifier {
  std::unique_ptr<network> net;
  limbic::channel_scaler scale;
  std::vector<std::string> classes;
  json about;  // what is saved with it
};

// What it says of the test images.
struct test_result {
  limbic::tensor<float, 2> probabilities;
  limbic::tensor<std::int64_t, 1> predicted;
  double accuracy = 0;

  test_result(limbic::tensor<float, 2> p, class_labels const& labels)
      : probabilities(std::move(p)),
        predicted(limbic::argmax(probabilities)),
        accuracy(limbic::accuracy(labels, predicted)) {
    for (float const x : probabilities)
      if (!std::isfinite(x)) throw std::runtime_error("the network's answers are no numbers");
  }
  test_result(classifier const& c, dataset const& d)
      : test_result(limbic::softmax(
                        logits_of(*c.net, c.scale, d.test.images, static_cast<std::ptrdiff_t>(c.classes.size())), 1),
                    d.test.labels) {}
};

inline std::unique_ptr<network> fresh_network(network_options const& o, std::uint64_t seed) {
  limbic::rng start = limbic::rng{.seed = seed}.split(0);
  return make_network(o, start);
}

// A file of image_classifier train.
struct saved_model {
  limbic::safetensors_file file;
  json about;

  explicit saved_model(std::string const& path) : file(path) {
    std::string const* const text = file.metadata("image_classifier");
    if (text == nullptr) throw bad_input(path + ": this is no model of image_classifier train");
    read([&] { about = json::parse(*text); });
  }
  // What f reads of the metadata.
  template <class F> std::invoke_result_t<F> read(F const& f) const {
    try {
      return f();
    } catch (json::exception const& e) {
      throw bad_input(file.path() + ": its metadata are damaged: " + e.what());
    }
  }
};

inline limbic::channel_scaler::numbers numbers_of(json const& list) {
  limbic::channel_scaler::numbers x(limbic::shape<1>{{static_cast<std::ptrdiff_t>(list.size())}});
  for (std::size_t i = 0; i < list.size(); ++i) x(static_cast<std::ptrdiff_t>(i)) = list.at(i).get<double>();
  return x;
}

inline classifier load_classifier(std::string const& path, std::ptrdiff_t& height, std::ptrdiff_t& columns) {
  saved_model const saved(path);
  json about = saved.about;
  return saved.read([&] {
    auto const& a = about.at("settings");
    auto const classes = about.at("classes").get<std::vector<std::string>>();
    network_options const o{.model = a.at("model"),
                            .width = a.at("width"),
                            .channels = a.at("channels"),
                            .classes = static_cast<std::ptrdiff_t>(classes.size()),
                            .height = height = a.at("height"),
                            .columns = columns = a.at("columns"),
                            .head = a.value("head", "linear"),
                            .scale = about.at("training").value("scale", 16.0)};
    limbic::channel_scaler const scale(numbers_of(about.at("factor")), numbers_of(about.at("offset")));
    classifier c{fresh_network(o, 0), scale, classes, std::move(about)};
    limbic::load(*c.net, saved.file);
    return c;
  });
}
