// image_classifier - trains a convolutional network to tell images of various classes apart, and shows what it gets wrong
//
//   image_classifier train --out DIR [--data digits|FOLDER|FILE.csv] [--model small|emosynthnet] ...
//   image_classifier evaluate --model-file DIR/model.safetensors --out DIR ...
//   image_classifier explain --model-file DIR/model.safetensors --out DIR [--index 3,14] [--layer c4.conv] ...
//   image_classifier summary --model emosynthnet --size 48 ...
//
// Data are the 8 x 8 digits that come with limbic, or whatever limbic/io/read_images.hpp knows. What train ends with, and
// evaluate does with a saved model:
//
//   DIR/summary.json         test_accuracy, parameters, flops (of one image), epochs, seconds (of training; of evaluate: its
//                            own), seed, classes, settings, ...; with --folds: accuracy of each, mean, deviation, and the sum
//                            of all epochs
//   DIR/predictions.csv      a line for each test image: index (from 0, in file order), label, predicted, p_CLASS...
//   DIR/report.html          curves, confusion matrix, measures of each class, the worst errors, what the network sees
//   DIR/model.safetensors    the weights under their torch.nn names, and in the metadata what evaluate must know (train alone)
//   DIR/checkpoint.safetensors       (foldK.checkpoint.safetensors with --folds) while the program trains, or after it was stopped
//   DIR/checkpoint.safetensors.old   what lay there before a run without --resume
//
// explain writes, of the chosen test images:
//
//   DIR/explanations.html    all pictures
//   DIR/explanations.json    index, label, predicted, probability, explained (the class) and files of each
//   DIR/N-grad_cam.png, N-guided_backpropagation.png, N-guided_grad_cam.png, N-pixels.png
//
// The same options give the same files, but for the seconds, whatever the number of threads, and however often the program was
// killed and taken up with --resume. Exit code 0; 1 when training failed; 2 when the input, the options or the output
// folder are at fault; 130 when it was stopped by Ctrl-C.
#include "dataset.hpp"
#include "fine_tuning.hpp"
#include "networks.hpp"
#include "report.hpp"
#include "training.hpp"

#include <limbic/io/crc32.hpp>
#include <limbic/io/model.hpp>
#include <limbic/ops/softmax.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

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
settings read_options(int argc, char** argv) {
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

std::string fold_checkpoint(int fold) { return "fold" + std::to_string(fold + 1) + ".checkpoint.safetensors"; }

results_folder prepare_folder(settings const& s) {
  results_folder folder(s.out);
  results_folder::names files{"predictions.csv",        "report.html",       "model.safetensors", "summary.json",
                              "checkpoint.safetensors", "explanations.html", "explanations.json"};
  for (int k = 0; k < s.parts.folds; ++k) files.push_back(fold_checkpoint(k));
  folder.prepare(files);
  return folder;
}

// Without --resume a run begins anew; an unfinished one is set aside, not lost.
std::string prepare_checkpoint(settings const& s, std::string const& name) {
  std::string path = results_folder(s.out) / name;
  if (s.resume || !fs::exists(path)) return path;
  std::fprintf(stderr, "an unfinished run was set aside: %s.old (--resume would have gone on with it)\n", path.c_str());
  fs::rename(path, path + ".old");
  return path;
}

limbic::channel_scaler make_scaler(settings const& s, dataset const& d) {
  if (s.scaling == "standard") return limbic::channel_scaler::standard(d.train.images);
  return limbic::channel_scaler(s.scaling == "unit" ? 1.0 / 255 : 1.0 / 255 / 512);
}
limbic::channel_scaler::numbers numbers_of(json const& list) {
  limbic::channel_scaler::numbers x(limbic::shape<1>{{static_cast<std::ptrdiff_t>(list.size())}});
  for (std::size_t i = 0; i < list.size(); ++i) x(static_cast<std::ptrdiff_t>(i)) = list.at(i).get<double>();
  return x;
}

// What results depend on besides the options of training.
json described(settings const& s, dataset const& d) {
  std::string names;
  for (auto const& path : s.data)
    names += (names.empty() ? "" : " + ") +
             (path == "digits" ? path : fs::path(path).lexically_normal().filename().string());
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
json described(training_options const& o) {
  json all;
  training_options copy = o;
  copy.each([&](char const* name, auto const& value) { all[name] = value; });
  return all;
}

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

std::string quoted(std::string const& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (char const c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_of(test_result const& r, dataset const& d) {
  std::string out = "index,label,predicted";
  for (auto const& name : d.classes) out += "," + quoted("p_" + name);
  out += "\n";
  char number[40];
  for (std::ptrdiff_t i = 0; i < d.test.size(); ++i) {
    out += std::to_string(i) + "," + std::to_string(d.test.labels(i)) + "," + std::to_string(r.predicted(i));
    for (std::ptrdiff_t c = 0; c < r.probabilities.extent(1); ++c) {
      std::snprintf(number, sizeof number, ",%.9g", static_cast<double>(r.probabilities(i, c)));
      out += number;
    }
    out += "\n";
  }
  return out;
}

// The test images that were taken for another class, the surest first.
std::vector<question> worst_errors(test_result const& r, dataset const& d, std::size_t most) {
  std::vector<question> all;
  for (std::ptrdiff_t i = 0; i < d.test.size(); ++i)
    if (r.predicted(i) != d.test.labels(i)) all.push_back({i, r.predicted(i)});
  std::stable_sort(all.begin(), all.end(), [&](auto const& a, auto const& b) {
    return r.probabilities(a.index, a.of) > r.probabilities(b.index, b.of);
  });
  if (all.size() > most) all.resize(most);
  return all;
}
// Of each class the surest of those that are recognised.
std::vector<question> surest(test_result const& r, dataset const& d, std::ptrdiff_t most) {
  std::vector<question> all;
  for (std::int64_t c = 0; c < std::min<std::int64_t>(d.class_count(), most); ++c) {
    question best{-1, c};
    for (std::ptrdiff_t i = 0; i < d.test.size(); ++i)
      if (d.test.labels(i) == c && r.predicted(i) == c &&
          (best.index < 0 || r.probabilities(i, c) > r.probabilities(best.index, c)))
        best.index = i;
    if (best.index >= 0) all.push_back(best);
  }
  return all;
}
std::vector<explanation> explained(classifier const& c, dataset const& d, test_result const& r,
                                   std::vector<question> const& questions, std::string_view layer, bool fine = true) {
  auto all = explain(*c.net, c.scale, d.test, questions, layer, fine);
  for (auto& e : all) {
    e.predicted = r.predicted(e.asked.index);
    e.probability = r.probabilities(e.asked.index, e.predicted);
  }
  return all;
}

// What cross-validation found.
struct fold_results {
  std::vector<double> accuracy;
  std::vector<int> epochs, best_epoch;
  double seconds = 0;  // of all

  bool empty() const { return accuracy.empty(); }
  double mean() const { return std::accumulate(accuracy.begin(), accuracy.end(), 0.0) / count(); }
  // Of a sample: the folds are some of many.
  double deviation() const {
    double sum = 0;
    for (double const a : accuracy) sum += (a - mean()) * (a - mean());
    return std::sqrt(sum / (count() - 1));
  }
  json described() const {
    return {{"accuracy", accuracy},
            {"mean", mean()},
            {"deviation", deviation()},
            {"epochs", epochs},
            {"best_epoch", best_epoch}};
  }

 private:
  double count() const { return static_cast<double>(accuracy.size()); }
};

// Writes all results.
void conclude(classifier const& c, dataset const& d, test_result const& result, settings const& s,
              results_folder const& folder, training_history const& history, fold_results const& folds = {}) {
  bool const save = s.what == command::train && folds.empty();
  auto const cost = c.net->summary();

  json summary{{"test_accuracy", result.accuracy},
               {"parameters", cost.parameters()},
               {"flops", cost.flops()},
               {"epochs", c.about.at("epochs")},
               {"seconds", history.seconds},
               {"seed", c.about.at("training").at("seed")},
               {"best_epoch", c.about.at("best_epoch")},
               {"classes", c.classes},
               {"settings", c.about.at("settings")},
               {"training", c.about.at("training")}};
  if (!folds.empty()) summary["folds"] = folds.described();
  report r{.title = "Images of " + c.about.at("settings").at("data").get<std::string>() + ", told apart by " +
                    c.about.at("settings").at("model").get<std::string>(),
           .classes = c.classes,
           .history = history,
           .confusion = limbic::confusion_matrix(d.test.labels, result.predicted, d.class_count()),
           .examples = {},
           .mistakes = {},
           .settings = {},
           .folds = folds.accuracy};
  if (folds.empty()) {  // else no network has seen all, and none made all mistakes
    r.examples = explained(c, d, result, surest(result, d, 12), {});
    r.mistakes = explained(c, d, result, worst_errors(result, d, 24), {}, false);
  }
  for (char const* part : {"settings", "training"})
    for (auto const& [name, value] : c.about.at(part).items()) r.settings.emplace_back(name, value.dump());

  std::printf("%.2f %% of %td test images are recognised\n", 100 * result.accuracy, d.test.size());
  if (!folds.empty())
    std::printf("%.2f %% in the mean of %zu folds, with a standard deviation of %.2f\n", 100 * folds.mean(),
                folds.accuracy.size(), 100 * folds.deviation());
  results_folder::names files = {"predictions.csv", "report.html",
                                 "summary.json"};  // the summary is the last to appear
  if (save) files.insert(files.begin(), "model.safetensors");
  folder.replace(files, [&](std::string const& name, std::string const& path) {
    if (name == "predictions.csv") limbic::write_file("predictions", path, csv_of(result, d));
    else if (name == "report.html") limbic::write_file("report", path, r.html());
    else if (name == "summary.json") limbic::write_file("summary", path, summary.dump(2) + "\n");
    else limbic::save(*c.net, path, {{"image_classifier", c.about.dump()}});
  });
}

std::unique_ptr<network> fresh_network(network_options const& o, std::uint64_t seed) {
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

// With --init-from: into `net`, and into what is known of the settings.
void begin_with_saved_weights(network& net, settings const& s, json& about) {
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
  about["init_from"] = fs::path(s.init_from).filename().string();
  about["init_crc32"] = limbic::crc32(limbic::read_file("--init-from", s.init_from));
  about["new_head"] = !whole;
  about["freeze_features"] = s.freeze_features;
}

// A training from its data to a network that can be used.
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

void run_train(settings const& s) {
  attempt a(s, dataset::read(s.data));
  results_folder const folder = prepare_folder(s);
  std::string const checkpoint = prepare_checkpoint(s, "checkpoint.safetensors");
  a.train(checkpoint);
  conclude(a.made, a.data, {a.made, a.data}, s, folder, a.history());
  fs::remove(checkpoint);
}

// Trains once for each fold. The checkpoints of all lie there until the end, so that it can be stopped at any time. No model
// is kept: none of them has seen all images, and none is better than the others for a reason.
void run_folds(settings s) {
  dataset::sets const all = dataset::read(s.data);
  auto one = std::make_unique<attempt>(s, all);
  results_folder const folder = prepare_folder(s);
  std::vector<std::string> checkpoints;
  for (int k = 0; k < s.parts.folds; ++k) checkpoints.push_back(prepare_checkpoint(s, fold_checkpoint(k)));
  limbic::image_set const whole = dataset::all_to_train(all);
  limbic::tensor<float, 2> probabilities({whole.size(), one->data.class_count()}, limbic::uninitialized);
  fold_results folds;
  for (s.parts.fold = 0;;) {
    one->train(checkpoints[static_cast<std::size_t>(s.parts.fold)]);
    test_result const r(one->made, one->data);
    for (std::ptrdiff_t i = 0; i < one->data.test.size(); ++i)
      for (std::ptrdiff_t c = 0; c < r.probabilities.extent(1); ++c)
        probabilities(one->data.tested[static_cast<std::size_t>(i)], c) = r.probabilities(i, c);
    std::printf("fold %d: %.2f %%\n", s.parts.fold + 1, 100 * r.accuracy);
    folds.accuracy.push_back(r.accuracy);
    folds.epochs.push_back(one->history().epochs());
    folds.best_epoch.push_back(one->made.about.at("best_epoch").get<int>());
    folds.seconds += one->history().seconds;
    if (++s.parts.fold == s.parts.folds) break;
    one.reset();
    one = std::make_unique<attempt>(s, all);
  }
  one->data.test = whole;  // all of them were tested
  one->made.about["epochs"] = std::accumulate(folds.epochs.begin(), folds.epochs.end(), 0);
  one->made.about["best_epoch"] = folds.best_epoch;
  training_history h;
  h.seconds = folds.seconds;
  conclude(one->made, one->data, {std::move(probabilities), whole.labels}, s, folder, h, folds);
  for (auto const& path : checkpoints) fs::remove(path);
}

classifier load_classifier(std::string const& path, std::ptrdiff_t& height, std::ptrdiff_t& columns) {
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

// A saved network, and the data it is to be shown.
struct loaded {
  classifier c;
  dataset d;
};
loaded load_both(settings const& s) {
  std::ptrdiff_t height = 0, columns = 0;
  classifier c = load_classifier(s.model_file, height, columns);
  // The same parts as in training, where the set has none of its own.
  dataset d(s.data, {.validation = c.about.at("settings").at("validation").get<double>(),
                     .seed = c.about.at("training").at("seed").get<std::uint64_t>()});
  if (d.classes != c.classes)
    throw bad_input(s.data.front() + ": its " + std::to_string(d.classes.size()) + " classes are not the " +
                    std::to_string(c.classes.size()) + " of " + s.model_file);
  auto const channels = c.about.at("settings").at("channels").get<std::ptrdiff_t>();
  auto const text = [](std::ptrdiff_t a, std::ptrdiff_t b, std::ptrdiff_t e) {
    return std::to_string(a) + " x " + std::to_string(b) + " x " + std::to_string(e);
  };
  if (d.extent(0) != channels || d.extent(1) != height || d.extent(2) != columns)
    throw bad_input(s.data.front() + ": its images are " + text(d.extent(0), d.extent(1), d.extent(2)) + ", but " +
                    s.model_file + " takes " + text(channels, height, columns));
  return {std::move(c), std::move(d)};
}

void run_evaluate(settings const& s) {
  auto const [c, d] = load_both(s);
  results_folder const folder = prepare_folder(s);
  auto const began = std::chrono::steady_clock::now();
  test_result const result(c, d);
  training_history none;
  none.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  conclude(c, d, result, s, folder, none);
}

void run_explain(settings const& s) {
  auto const [c, d] = load_both(s);
  (void)limbic::image_layers(c.net->summary()).find(s.layer);
  for (auto const i : s.indices)
    if (i >= d.test.size())
      throw bad_input("--index: there is no test image " + std::to_string(i) + ", only " +
                      std::to_string(d.test.size()));
  auto const named = std::find(c.classes.begin(), c.classes.end(), s.of);
  if (s.of != "predicted" && s.of != "label" && named == c.classes.end()) {
    std::string names;
    for (auto const& name : c.classes) names += ", " + name;
    throw bad_input("--class: '" + s.of + "' is none of predicted, label" + names);
  }
  results_folder const folder = prepare_folder(s);
  test_result const result(c, d);
  std::vector<question> questions;
  if (s.indices.empty()) {
    questions = surest(result, d, d.class_count());
    auto const wrong = worst_errors(result, d, 12);
    questions.insert(questions.end(), wrong.begin(), wrong.end());
  }
  for (auto const i : s.indices) questions.push_back({i, 0});
  for (auto& q : questions)
    q.of = s.of == "predicted" ? result.predicted(q.index)
           : s.of == "label"   ? d.test.labels(q.index)
                               : named - c.classes.begin();
  auto const all = explained(c, d, result, questions, s.layer);

  page p("What " + c.about.at("settings").at("model").get<std::string>() + " sees in images of " +
         c.about.at("settings").at("data").get<std::string>());
  p.add_style(gallery_style);
  p.text(
      "The pixels, where the evidence for a class lies (Grad-CAM), which pixels speak for it (guided backpropagation), "
      "and "
      "both together. Without another class after it, it is the one that was predicted.");
  p.raw(gallery(all, c.classes));
  json list = json::array();
  results_folder::names files;
  std::map<std::string, std::string const*> pictures;
  for (auto const& e : all) {
    json names = json::object();
    auto const add = [&](char const* what, std::string const& png) {
      if (png.empty()) return;
      std::string const name = std::to_string(e.asked.index) + "-" + what + ".png";
      if (pictures.emplace(name, &png).second) files.push_back(name);
      names[what] = name;
    };
    add("pixels", e.image);
    add("grad_cam", e.grad_cam);
    add("guided_backpropagation", e.guided);
    add("guided_grad_cam", e.guided_grad_cam);
    list.push_back({{"index", e.asked.index},
                    {"label", c.classes[static_cast<std::size_t>(e.label)]},
                    {"predicted", c.classes[static_cast<std::size_t>(e.predicted)]},
                    {"probability", e.probability},
                    {"explained", c.classes[static_cast<std::size_t>(e.asked.of)]},
                    {"files", names}});
  }
  json const machine{{"model_file", fs::path(s.model_file).filename().string()}, {"layer", s.layer}, {"images", list}};
  if (pictures.empty()) std::fprintf(stderr, "this program was built without libpng: there are no pictures\n");
  files.insert(files.end(), {"explanations.html", "explanations.json"});
  folder.replace(files, [&](std::string const& name, std::string const& path) {
    if (name == "explanations.html") limbic::write_file("page", path, p.html());
    else if (name == "explanations.json") limbic::write_file("list", path, machine.dump(2) + "\n");
    else limbic::write_file("picture", path, *pictures.at(name));
  });
}

void run_summary(settings s) {
  s.network.height = s.network.columns = s.size;
  std::fputs(fresh_network(s.network, 0)->summary().text().c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("image_classifier", [&] {
    settings const s = read_options(argc, argv);
    if (s.threads > 0) limbic::set_threads(s.threads);
    if (s.what == command::train) try {
        if (s.parts.folds > 0) run_folds(s);
        else run_train(s);
      } catch (interrupted const&) {
        throw interrupted{.resumes = true};
      }
    if (s.what == command::evaluate) run_evaluate(s);
    if (s.what == command::explain) run_explain(s);
    if (s.what == command::summary) run_summary(s);
  });
}
