// examples/image_classifier/dataset.hpp - images to train with, to choose weights by, and to test with
#pragma once

#include "../common/program.hpp"
#include "codecs.hpp"

#include <limbic/data/class_weights.hpp>
#include <limbic/data/stratified.hpp>
#include <limbic/images.hpp>
#include <limbic/io/crc32.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

// Which images go where.
struct split_choice {
  double validation = 0.1;  // of what would else be trained on, where the set has no such part
  std::uint64_t seed = 0;
  double imbalance = 1;             // class k of K keeps imbalance^(-k / (K - 1)) of its images to train on
  std::ptrdiff_t train_images = 0;  // drawn from what is then left; 0: all
  int folds = 0, fold = 0;          // one of them tests, counted from 0; 0 folds: there are none
};

// Reads a set. `digits` are the 8 x 8 digits beside this program's source, of which 497 test. Of another set without a test
// part a fifth tests. Every class has its share of each part. Last, what is to be trained on may be made fewer: to a
// long tail (Cui et al. 2019, arXiv:1901.05555), to a number of images.
//
// With folds the training part is cut into them, and one tests: so each image is tested once, by a network that did not see
// it. A test part of the set's own is left alone then.
class dataset {
 public:
  limbic::image_set train, validation, test;
  limbic::sample_list tested;  // with folds: which images of the training part, as the set has it
  std::vector<std::string> classes;
  std::uint32_t crc32 = 0;  // of all images and labels of the training part, as the set has it

  // What lies there.
  static limbic::image_data read(std::string const& data) {
    std::string const path = data == "digits" ? LIMBIC_SOURCE_DIR "/examples/data/digits8x8" : data;
    try {
      return limbic::read_images(path, image_codecs);
    } catch (missing_codec const& e) {
      throw bad_input(path + ": " + e.what());
    }
  }

  dataset(std::string const& data, split_choice const& choice) : dataset(data, read(data), choice) {}
  // `all` is what was read there.
  dataset(std::string const& data, limbic::image_data all, split_choice const& choice) {
    classes = std::move(all.classes);
    train = std::move(all.train);
    crc32 = limbic::crc32(bytes_of(train.images), limbic::crc32(bytes_of(train.labels)));
    limbic::rng const random = limbic::rng{.seed = choice.seed}.split(0x5EED);
    if (choice.folds > 0) {
      auto const fold = limbic::stratified_k_fold(train.labels, choice.folds, random.split(4))
                            .at(static_cast<std::size_t>(choice.fold));
      tested = fold.test;
      test = some(train, fold.test);
      train = some(train, fold.train);
    } else {
      test =
          all.test.size() > 0 ? std::move(all.test) : separate(data == "digits" ? 497.0 / 1797 : 0.2, random.split(0));
    }
    if (all.validation.size() > 0) validation = std::move(all.validation);
    else if (choice.validation > 0) validation = separate(choice.validation, random.split(1));
    if (choice.imbalance > 1) unbalance(choice.imbalance, random.split(2));
    if (choice.train_images > 0) reduce(choice.train_images, random.split(3));
  }

  // Extents of an image: channels, height, width.
  std::ptrdiff_t extent(int axis) const { return train.images.extent(axis + 1); }
  std::ptrdiff_t class_count() const { return static_cast<std::ptrdiff_t>(classes.size()); }

 private:
  template <class T, int R> static std::span<std::byte const> bytes_of(limbic::tensor<T, R> const& t) {
    return std::as_bytes(std::span(t.data(), static_cast<std::size_t>(t.size())));
  }
  static limbic::image_set some(limbic::image_set const& from, limbic::sample_list const& which) {
    limbic::image_set part{limbic::take(from.images, which), limbic::take(from.labels, which), {}};
    for (auto const i : which)
      if (!from.files.empty()) part.files.push_back(from.files[static_cast<std::size_t>(i)]);
    return part;
  }
  void unbalance(double ratio, limbic::rng const& random) {
    auto counts = limbic::class_counts(train.labels, class_count());
    for (std::ptrdiff_t k = 1; k < class_count(); ++k) {
      double const share = std::pow(ratio, -static_cast<double>(k) / static_cast<double>(class_count() - 1));
      auto const kept = static_cast<std::int64_t>(static_cast<double>(counts(k)) * share + 0.5);
      counts(k) = std::max<std::int64_t>(kept, 1);
    }
    train = some(train, limbic::sample_classes(train.labels, counts, random));
  }
  void reduce(std::ptrdiff_t count, limbic::rng const& random) {
    auto const problem = [&](std::string const& what) {
      return bad_input("--train-images: " + std::to_string(count) + what);
    };
    if (count > train.size()) throw problem(" images, but there are " + std::to_string(train.size()));
    if (count < train.size()) train = separate(static_cast<double>(count) / static_cast<double>(train.size()), random);
    auto const counts = limbic::class_counts(train.labels, class_count());
    for (std::ptrdiff_t k = 0; k < class_count(); ++k)
      if (counts(k) == 0) throw problem(" images leave none of class '" + classes[static_cast<std::size_t>(k)] + "'");
  }
  // Takes a part out of what is to be trained on.
  limbic::image_set separate(double fraction, limbic::rng const& random) {
    auto const parts = limbic::split_classes(train.labels, {.validation = 0, .test = fraction}, random);
    limbic::image_set part = some(train, parts.test);
    train = some(train, parts.train);
    return part;
  }
};
