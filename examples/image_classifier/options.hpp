// examples/image_classifier/options.hpp - what the program was asked for
#pragma once

#include "dataset.hpp"
#include "networks.hpp"
#include "training.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

enum class command { none, train, evaluate, explain, summary };

struct settings {
  command what = command::none;
  std::vector<std::string> data{"digits"};
  std::string out, model_file, scaling = "standard";
  std::string layer, of = "predicted";  // of explain: where to look, which class to look for
  std::vector<std::ptrdiff_t> indices;  // and of which images
  network_options network;
  training_options training;
  split_choice parts;
  std::ptrdiff_t size = 28;
  int epochs = 40, threads = 0;
  bool resume = false;
  std::string init_from;
  bool new_head = false, freeze_features = false;
};

// Fills the settings; what stays `none` when the program has said all there is to say (--help).
inline settings read_options(int argc, char** argv) {
  settings s;
  auto& t = s.training;
  std::vector<std::string> loss_names;
  for (auto const& l : losses()) loss_names.push_back(l.name);

  CLI::App app("Trains a convolutional network to classify images.", "image_classifier");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  auto* const train = app.add_subcommand("train", "train a network, and test it");
  auto* const evaluate = app.add_subcommand("evaluate", "test a network that was saved");
  auto* const explain = app.add_subcommand("explain", "show what a network that was saved sees in test images");
  auto* const summary = app.add_subcommand("summary", "layers, parameters and operations of a network");

  for (auto* const sub : {train, evaluate, explain}) {
    sub->add_option("--out", s.out, "folder for all results")->required();
    sub->add_option(
           "--data", s.data,
           "digits (8 x 8, shipped), or a folder or CSV file: MNIST-like IDX, CIFAR-10, SVHN, "
           "FER-2013, a folder of images for each class; again and again: several sets of the same classes and "
           "sizes, mixed")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    sub->add_option("--threads", s.threads, "threads, 0: one for each core; changes no result")
        ->check(CLI::Range(0, 1024));
  }
  for (auto* const sub : {train, summary}) {
    sub->add_option("--model", s.network.model, "the network")->check(CLI::IsMember({"small", "emosynthnet"}));
    sub->add_option("--width", s.network.width, "channels of its first convolution, from which all others follow")
        ->check(CLI::Range(1, 4096));
  }
  summary->add_option("--size", s.size, "height and width of the images")->check(CLI::Range(1, 1 << 14));
  summary->add_option("--channels", s.network.channels, "of the images")->check(CLI::Range(1, 1 << 14));
  summary->add_option("--classes", s.network.classes, "to tell apart")->check(CLI::Range(1, 1 << 20));
  for (auto* const sub : {evaluate, explain})
    sub->add_option("--model-file", s.model_file, "model.safetensors of a training")->required();
  explain
      ->add_option("--index", s.indices,
                   "test images, counted from 0; none: of each class the surest, and the worst errors")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  explain->add_option("--class", s.of, "what to look for: predicted, label, or the name of a class");
  explain->add_option("--layer", s.layer,
                      "whose images Grad-CAM looks at, as `summary` names it (relu:2 is the third of that name); none: "
                      "the last ones");

  std::string protocol;
  train
      ->add_option(
          "--protocol", protocol,
          "thesis: other defaults, namely batches of 64, rate 0.001, class weights (where the loss takes them), "
          "zoom, shear and flip 0.2, scaling emosynthnet, ends after 15 epochs without improvement")
      ->check(CLI::IsMember({"thesis"}));
  train->add_flag("--resume", s.resume, "go on where a run with the same options was stopped")->capture_default_str();
  train->add_option("--epochs", s.epochs, "the most passes over the training images")->check(CLI::Range(1, 1 << 24));
  train->add_option("--batch", t.batch, "images in a batch")->check(CLI::Range(1, 1 << 20));
  train->add_option("--learning-rate", t.learning_rate, "of Adam, at the beginning")->check(CLI::PositiveNumber);
  train->add_option("--loss", t.loss, "what is minimised")->check(CLI::IsMember(loss_names));
  auto* const margin =
      train->add_option("--margin", t.margin, "of that loss, in cosines or radians; left out: the loss's own")
          ->check(CLI::Range(0.0, 3.0))
          ->default_str("");
  auto* const scale =
      train
          ->add_option("--scale", t.scale,
                       "of the cosines that normalized_softmax and the margins on cosines take for logits")
          ->check(CLI::PositiveNumber);
  train->add_flag("--class-weights", t.class_weights, "rare classes count as much as frequent ones")
      ->capture_default_str();
  train
      ->add_option("--scaling", s.scaling,
                   "standard: to mean 0 and deviation 1; unit: by 1/255; emosynthnet: by 1/255, then by 1/512")
      ->check(CLI::IsMember({"standard", "unit", "emosynthnet"}));
  train->add_option("--zoom", t.augment.zoom, "images are stretched by up to this share, at random")
      ->check(CLI::Range(0.0, 0.99));
  train->add_option("--shear", t.augment.shear, "and sheared by up to this angle, in radians")
      ->check(CLI::Range(0.0, 1.5));
  train
      ->add_option("--flip", t.augment.flip,
                   "and mirrored with this probability: for faces and things, not for writing")
      ->check(CLI::Range(0.0, 1.0));
  train->add_option("--pad", t.augment.pad, "and shifted by up to so many pixels")->check(CLI::Range(0, 1 << 14));
  train
      ->add_option("--validation", s.parts.validation,
                   "share of the training images that choose the weights, where the set has no such part; 0: none, and "
                   "the last weights are kept")
      ->check(CLI::Range(0.0, 0.9));
  train
      ->add_option("--train-images", s.parts.train_images,
                   "so many of the images to train on, of each class its share; 0: all")
      ->check(CLI::Range(0, 1 << 30));
  train
      ->add_option("--imbalance", s.parts.imbalance,
                   "how many times rarer the last class becomes than the first, and those between step by step; 1: as "
                   "the set is")
      ->check(CLI::Range(1.0, 1e6));
  train
      ->add_option("--folds", s.parts.folds,
                   "cross-validation: so many trainings, each tested by another part of all images but the set's own "
                   "test part; no model is kept; 0: none")
      ->check(CLI::Range(0, 1000));
  auto* const init = train->add_option(
      "--init-from", s.init_from,
      "begin with the weights of this model.safetensors, of the same --model and --width; the last layer "
      "begins anew where it is another");
  train->add_flag("--new-head", s.new_head, "with --init-from: the last layer begins anew in any case")
      ->needs(init)
      ->capture_default_str();
  train->add_flag("--freeze-features", s.freeze_features, "with --init-from: only the last layer is trained")
      ->needs(init)
      ->capture_default_str();
  train->add_option("--patience", t.patience, "epochs without improvement after which training ends")
      ->check(CLI::Range(1, 1 << 24));
  train->add_option("--average", t.average, "decay of a moving average of the weights, which is then kept; 0: none")
      ->check(CLI::Range(0.0, 0.999999));
  train->add_option("--seed", t.seed, "of all random numbers")->check(CLI::NonNegativeNumber);
  try {
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    std::fputs(app.help().c_str(), stdout);
    return s;
  } catch (CLI::ParseError const& e) {
    throw bad_input(std::string(e.what()) + " (see --help)");
  }
  auto const& loss = find_loss(t.loss);
  if (protocol == "thesis") {
    auto const usually = [&](char const* option, auto& value, auto const& other) {
      if (train->get_option(option)->count() == 0) value = other;
    };
    usually("--batch", t.batch, 64);
    usually("--learning-rate", t.learning_rate, 1e-3);
    usually("--class-weights", t.class_weights, loss.weighs);
    usually("--scaling", s.scaling, "emosynthnet");
    usually("--zoom", t.augment.zoom, 0.2);
    usually("--shear", t.augment.shear, 0.2);
    usually("--flip", t.augment.flip, 0.2);
    usually("--patience", t.patience, 15);
  }
  if (t.class_weights && !loss.weighs) throw bad_input("--class-weights: " + t.loss + " takes none");
  if (margin->count() > 0 && loss.margin < 0) throw bad_input("--margin: " + t.loss + " has none");
  if (scale->count() > 0 && !loss.cosine) throw bad_input("--scale: " + t.loss + " takes no cosines");
  if (margin->count() == 0) t.margin = std::max(loss.margin, 0.0);
  if (loss.cosine) s.network.head = "cosine";
  s.network.scale = t.scale;
  s.parts.seed = t.seed;
  s.what = train->parsed()      ? command::train
           : evaluate->parsed() ? command::evaluate
           : explain->parsed()  ? command::explain
                                : command::summary;
  return s;
}
