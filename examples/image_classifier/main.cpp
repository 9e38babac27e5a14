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
#include "attempt.hpp"
#include "results.hpp"

#include <map>

namespace {

namespace fs = std::filesystem;

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

void run_once(settings const& s) {
  attempt a(s, dataset::read(s.data));
  results_folder const folder = prepare_folder(s);
  std::string const checkpoint = prepare_checkpoint(s, "checkpoint.safetensors");
  a.train(checkpoint);
  conclude(a.made, a.data, {a.made, a.data}, folder, a.history(), true);
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
  conclude(one->made, one->data, {std::move(probabilities), whole.labels}, folder, h, false, folds);
  for (auto const& path : checkpoints) fs::remove(path);
}

void run_train(settings const& s) {
  try {
    if (s.parts.folds > 0) run_folds(s);
    else run_once(s);
  } catch (interrupted const&) {
    throw interrupted{.resumes = true};
  }
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
  conclude(c, d, result, folder, none, false);
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
    if (s.what == command::train) run_train(s);
    if (s.what == command::evaluate) run_evaluate(s);
    if (s.what == command::explain) run_explain(s);
    if (s.what == command::summary) run_summary(s);
  });
}
