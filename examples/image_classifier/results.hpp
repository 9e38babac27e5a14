// examples/image_classifier/results.hpp - the files that train and evaluate end with
#pragma once

#include "classifier.hpp"
#include "explanations.hpp"
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

inline std::string quoted(std::string const& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (char const c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

inline std::string csv_of(test_result const& r, dataset const& d) {
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
inline std::vector<question> worst_errors(test_result const& r, dataset const& d, std::size_t most) {
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
inline std::vector<question> surest(test_result const& r, dataset const& d, std::ptrdiff_t most) {
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
inline std::vector<explanation> explained(classifier const& c, dataset const& d, test_result const& r,
                                          std::vector<question> const& questions, std::string_view layer,
                                          bool fine = true) {
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

// Writes all results; `save`: the network too.
inline void conclude(classifier const& c, dataset const& d, test_result const& result, results_folder const& folder,
                     training_history const& history, bool save, fold_results const& folds = {}) {
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
