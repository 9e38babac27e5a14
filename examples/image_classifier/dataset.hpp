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
#include <vector>

// Which images go where.
struct split_choice {
  double validation = 0.1;  // of what would else be trained on, where the set has no such part
  std::uint64_t seed = 0;
  double imbalance = 1;             // class k of K keeps imbalance^(-k / (K - 1)) of its images to train on
  std::ptrdiff_t train_images = 0;  // drawn from what is then left; 0: all
  int folds = 0, fold = 0;          // one of them tests, counted from 0; 0 folds: there are none
};

// Reads sets. `digits` are the 8 x 8 digits beside this program's source, of which 497 test. Of another set without a test
// part a fifth tests. Every class has its share of each part. Several sets of the same classes and sizes are divided one by
// one, and then joined. Last, what is to be trained on may be made fewer: to a long tail (Cui et al. 2019,
// arXiv:1901.05555), to a number of images.
//
// With folds the training part is cut into them, and one tests: so each image is tested once, by a network that did not see
// it. A test part of the set's own is left alone then.
class dataset {
 public:
  using paths = std::vector<std::string>;
  using sets = std::vector<limbic::image_data>;  // of these paths

  limbic::image_set train, validation, test;
  std::vector<std::int64_t> tested;  // with folds: which of all_to_train(sets)
  std::vector<std::string> classes;
  std::uint32_t crc32 = 0;  // of all images and labels of the training parts, as the sets have them

  // What lies there.
  static sets read(paths const& data) {
    sets all;
    for (auto const& name : data) {
      std::string const path = name == "digits" ? LIMBIC_SOURCE_DIR "/examples/data/digits8x8" : name;
      try {
        all.push_back(limbic::read_images(path, image_codecs));
      } catch (missing_codec const& e) {
        throw bad_input(path + ": " + e.what());
      }
      check_fit(data, all);
    }
    return all;
  }
  // The training parts, one after another.
  static limbic::image_set all_to_train(sets const& all) {
    limbic::image_set joined;
    for (auto const& one : all) append(joined, one.train);
    return joined;
  }

  dataset(paths const& data, split_choice const& choice) : dataset(data, read(data), choice) {}
  // `all` is what was read there.
  dataset(paths const& data, sets all, split_choice const& choice) : classes(all.front().classes) {
    limbic::rng const random = limbic::rng{.seed = choice.seed}.split(0x5EED);
    std::int64_t before = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto const own = [&](std::uint64_t stream) { return random.split(16 * i + stream); };
      limbic::image_set from = std::move(all[i].train);
      auto const count = from.size();
      crc32 = limbic::crc32(bytes_of(from.images), limbic::crc32(bytes_of(from.labels), crc32));
      if (choice.folds > 0) {
        auto const fold =
            limbic::stratified_k_fold(from.labels, choice.folds, own(4)).at(static_cast<std::size_t>(choice.fold));
        for (auto const k : fold.test) tested.push_back(before + k);
        append(test, some(from, fold.test));
        from = some(from, fold.train);
      } else if (all[i].test.size() > 0) {
        append(test, std::move(all[i].test));
      } else {
        append(test, separate(from, data[i] == "digits" ? 497.0 / 1797 : 0.2, own(0)));
      }
      if (all[i].validation.size() > 0) append(validation, std::move(all[i].validation));
      else if (choice.validation > 0) append(validation, separate(from, choice.validation, own(1)));
      append(train, std::move(from));
      before += count;
    }
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
    return {limbic::take(from.images, which), limbic::take(from.labels, which), {}};  // nobody asks for the files
  }
  static std::string extents_of(limbic::image_set const& set) {
    auto const& s = set.images.shape();
    return std::to_string(s[1]) + " x " + std::to_string(s[2]) + " x " + std::to_string(s[3]);
  }
  // That the last set goes with the first.
  static void check_fit(paths const& data, sets const& all) {
    auto const &first = all.front(), &last = all.back();
    std::string const &one = data.front(), &other = data[all.size() - 1];
    if (last.classes != first.classes)
      throw bad_input(other + ": its " + std::to_string(last.classes.size()) + " classes are not the " +
                      std::to_string(first.classes.size()) + " of " + one);
    if (extents_of(last.train) != extents_of(first.train))
      throw bad_input(other + ": its images are " + extents_of(last.train) + ", but those of " + one + " are " +
                      extents_of(first.train));
  }
  static void append(limbic::image_set& to, limbic::image_set more) {
    if (to.size() == 0) return void(to = std::move(more));
    auto const n = to.size(), all = n + more.size();
    auto shape = to.images.shape();
    shape[0] = all;
    limbic::image_set both{limbic::tensor<std::uint8_t, 4>(shape, limbic::uninitialized),
                           limbic::tensor<std::int64_t, 1>(limbic::shape<1>{{all}}, limbic::uninitialized),
                           {}};
    std::copy(more.images.begin(), more.images.end(),
              std::copy(to.images.begin(), to.images.end(), both.images.begin()));
    std::copy(more.labels.begin(), more.labels.end(),
              std::copy(to.labels.begin(), to.labels.end(), both.labels.begin()));
    to = std::move(both);
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
    if (count < train.size())
      train = separate(train, static_cast<double>(count) / static_cast<double>(train.size()), random);
    auto const counts = limbic::class_counts(train.labels, class_count());
    for (std::ptrdiff_t k = 0; k < class_count(); ++k)
      if (counts(k) == 0) throw problem(" images leave none of class '" + classes[static_cast<std::size_t>(k)] + "'");
  }
  // Takes a part out.
  static limbic::image_set separate(limbic::image_set& from, double fraction, limbic::rng const& random) {
    auto const parts = limbic::split_classes(from.labels, {.validation = 0, .test = fraction}, random);
    limbic::image_set part = some(from, parts.test);
    from = some(from, parts.train);
    return part;
  }
};
