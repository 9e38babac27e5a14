// examples/image_classifier/report.hpp - report.html: how training went and what goes wrong; one file, nothing to load
#pragma once

#include "../common/page.hpp"
#include "explanations.hpp"
#include "training.hpp"

#include <limbic/metrics/classification.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

// How galleries look.
inline constexpr char const* gallery_style =
    ".gallery{display:flex;flex-wrap:wrap;gap:1em}.gallery figure{margin:0;font-size:14px;text-align:center}\n"
    ".gallery img{width:96px;margin:1px;image-rendering:pixelated}";

struct report {
  std::string title;
  std::vector<std::string> classes;
  training_history history;  // without epochs where a saved model is evaluated
  limbic::confusion_counts confusion;
  std::vector<explanation> examples, mistakes;  // one of each class; the worst first
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<double> folds;  // the accuracy of each, where there are any

  std::string html() const {
    page p(title);
    p.add_style(".confusion td,.confusion th{padding:.2em .5em;text-align:center;font-size:14px}\n" +
                std::string(gallery_style));
    std::int64_t all = 0, right = 0;
    for (std::ptrdiff_t i = 0; i < confusion.extent(0); ++i)
      for (std::ptrdiff_t j = 0; j < confusion.extent(1); ++j) {
        all += confusion(i, j);
        right += i == j ? confusion(i, j) : 0;
      }
    p.text(std::to_string(right) + " of " + std::to_string(all) + " test images are recognised: " +
           number("%.2f", 100 * static_cast<double>(right) / static_cast<double>(all)) + " %.");
    if (history.epochs() > 0) {
      p.heading("Training");
      p.picture(loss_plot());
      p.picture(accuracy_plot());
    }
    if (!folds.empty()) {
      p.heading("Folds");
      p.text("Each image was tested once, by a network that had not seen its fold.");
      p.raw(fold_table());
    }
    p.heading("Confusion");
    p.text("What became of the images of each class (row), in percent of them.");
    p.raw(confusion_table());
    p.heading("Classes");
    p.raw(class_table(limbic::classification_report(confusion)));
    if (!mistakes.empty()) {
      p.heading("Worst errors");
      p.text(
          "Test images that were taken for another class with the greatest confidence: index, class, what was "
          "predicted, and its probability; and where Grad-CAM finds the evidence for what was predicted.");
      p.raw(gallery(mistakes, classes));
    }
    if (!examples.empty()) {
      p.heading("What it sees");
      p.text(
          "Of each class the test image that is recognised with the greatest confidence: its pixels, where the "
          "evidence "
          "for its class lies (Grad-CAM), which pixels speak for it (guided backpropagation), and both together.");
      p.raw(gallery(examples, classes));
    }
    p.settings(settings);
    return p.html();
  }

 private:
  std::string const& class_name(std::int64_t c) const { return classes[static_cast<std::size_t>(c)]; }

  std::vector<double> epochs() const {
    std::vector<double> x;
    for (int i = 1; i <= history.epochs(); ++i) x.push_back(i);
    return x;
  }
  plot loss_plot() const {
    plot p("Loss from epoch to epoch", "epoch", "loss");
    p.log_y().line("training", epochs(), history.loss);
    if (!history.validation_loss.empty()) p.line("validation", epochs(), history.validation_loss);
    double rate = history.learning_rate.front();
    for (std::size_t i = 0; i < history.learning_rate.size(); ++i)
      if (history.learning_rate[i] < rate) {
        rate = history.learning_rate[i];
        p.vertical_line(number("rate %g", rate), static_cast<double>(i + 1));
      }
    return p;
  }
  plot accuracy_plot() const {
    plot p("Accuracy from epoch to epoch", "epoch", "share recognised");
    p.line("training", epochs(), history.accuracy);
    if (!history.validation_accuracy.empty()) p.line("validation", epochs(), history.validation_accuracy);
    return p;
  }

  std::string confusion_table() const {
    auto const shares = limbic::normalize_confusion_matrix(confusion);
    std::string table = "<table class=\"confusion\"><tr><th></th>";
    for (auto const& name : classes) table += "<th>" + escaped(name) + "</th>";
    table += "</tr>\n";
    for (std::ptrdiff_t i = 0; i < shares.extent(0); ++i) {
      table += "<tr><th>" + escaped(class_name(i)) + "</th>";
      for (std::ptrdiff_t j = 0; j < shares.extent(1); ++j) {
        double const share = shares(i, j);
        // Mistakes are few: a root makes them visible.
        table += "<td style=\"background:rgba(" + std::string(i == j ? "0,110,60," : "213,94,0,") +
                 number("%.3f", (i == j ? 0.6 : 1.0) * std::sqrt(share)) + ")\" title=\"" +
                 std::to_string(confusion(i, j)) + "\">" + (share > 0 ? number("%.1f", 100 * share) : "") + "</td>";
      }
      table += "</tr>\n";
    }
    return table + "</table>\n";
  }

  std::string fold_table() const {
    std::string table = "<table><tr><th>fold</th><th>accuracy</th></tr>\n";
    for (std::size_t k = 0; k < folds.size(); ++k)
      table += "<tr><td>" + std::to_string(k + 1) + "</td><td>" + number("%.4f", folds[k]) + "</td></tr>\n";
    return table + "</table>\n";
  }

  std::string class_table(limbic::classification_report_result const& r) const {
    std::string table =
        "<table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>test images</th></tr>\n";
    auto const row = [&](std::string const& name, double precision, double recall, double f1, std::string const& n) {
      table += "<tr><td>" + escaped(name) + "</td><td>" + number("%.4f", precision) + "</td><td>" +
               number("%.4f", recall) + "</td><td>" + number("%.4f", f1) + "</td><td>" + n + "</td></tr>\n";
    };
    for (std::ptrdiff_t c = 0; c < r.precision.size(); ++c)
      row(class_name(c), r.precision(c), r.recall(c), r.f1(c), std::to_string(r.support(c)));
    row("mean of the classes", r.macro.precision, r.macro.recall, r.macro.f1, "");
    return table + "</table>\n";
  }
};
