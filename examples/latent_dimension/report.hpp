// examples/latent_dimension/report.hpp - report.html: what was found, as pictures and a table; one file, nothing to load
#pragma once

#include "../common/page.hpp"
#include "study.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

struct report {
  std::string column;  // of the data
  std::vector<size_result> sizes;
  conclusion found;
  struct predicted {
    double latent, low, mean, high;
  };
  std::vector<predicted> belief;  // of the Gaussian process; empty without a search
  std::vector<double> final_losses;
  double final_mse = 0;
  std::vector<double> series, reconstruction;  // in the data's own units, step by step
  std::vector<std::pair<std::string, std::string>> settings;

  std::string html() const {
    page p("Latent size of an LSTM autoencoder");
    p.add_style(".chosen{background:#eef6ee}");
    p.text(verdict());
    p.picture(information_plot());
    p.raw(size_table());
    p.heading("Training");
    p.picture(loss_plot());
    p.heading("Reconstruction");
    p.text(
        "Every step is reconstructed in each window that holds it; the line is their mean. Mean squared error of the "
        "scaled windows: " +
        number("%.6f", final_mse) + ".");
    p.picture(reconstruction_plot());
    p.settings(settings);
    return p.html();
  }

  // What the trials allow to say of the choice.
  std::string verdict() const {
    std::size_t const repetitions = sizes.front().trials.size();
    std::string text = "Latent size " + std::to_string(found.largest) + " has the largest mean mutual information";
    if (repetitions < 2)
      return text + ". With one seed a size nobody can tell a difference between sizes from one between seeds.";
    if (found.within_error != found.largest)
      text += "; " + std::to_string(found.within_error) + " is the smallest within one standard error of it";
    text += ". Seeds of one size differ by " + number("%.4f", found.deviation) +
            " (standard deviation); sizes account for " + number("%.0f", 100 * found.explained) +
            " % of the variance among trials, and so large a share comes by chance " + "with probability " +
            number("%.4f", found.p_value) + ": ";
    return text + (found.p_value < 0.05 ? "the sizes differ." : "the sizes cannot be told apart.");
  }

 private:
  plot information_plot() const {
    plot p("Mutual information between windows and latent vectors", "latent size", "mutual information (nats)");
    if (!belief.empty()) {
      auto const all_of = [&](double predicted::* what) {
        std::vector<double> all;
        for (auto const& b : belief) all.push_back(b.*what);
        return all;
      };
      auto const x = all_of(&predicted::latent);
      p.band("Gaussian process, 2 sd", x, all_of(&predicted::low), all_of(&predicted::high))
          .line("Gaussian process, mean", x, all_of(&predicted::mean));
    }
    std::vector<double> seed_x, seed_y, x, mean, low, high;
    for (auto const& s : sizes) {
      double const m = s.mean(&trial::mutual_information), e = found.standard_error(s.trials.size());
      x.push_back(static_cast<double>(s.latent)), mean.push_back(m), low.push_back(m - e), high.push_back(m + e);
      for (auto const& t : s.trials)
        seed_x.push_back(static_cast<double>(t.latent)), seed_y.push_back(t.mutual_information);
    }
    p.points("single seeds", seed_x, seed_y);
    if (sizes.front().trials.size() > 1) p.intervals("mean, standard error", x, mean, low, high);
    return p.vertical_line("chosen: " + std::to_string(found.largest), static_cast<double>(found.largest));
  }

  plot loss_plot() const {
    plot p("Loss from epoch to epoch", "epoch", "mean squared error");
    p.log_y();
    std::vector<double> epochs(final_losses.size());
    for (std::size_t i = 0; i < epochs.size(); ++i) epochs[i] = static_cast<double>(i + 1);
    bool first = true;
    for (auto const& s : sizes) {
      std::vector<double> x, y;
      for (auto const& [epoch, loss] : s.losses) x.push_back(epoch), y.push_back(loss);
      p.dashed(std::exchange(first, false) ? "trials, one of each size" : "", x, y);
    }
    p.line("final training, size " + std::to_string(found.largest), epochs, final_losses);
    return p;
  }

  plot reconstruction_plot() const {
    std::vector<double> x(series.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
    plot p("Data and reconstruction", "row", column);
    p.points("data", x, series).line("reconstruction", x, reconstruction);
    return p;
  }

  std::string size_table() const {
    std::string table =
        "<table><tr><th>latent size</th><th>mutual information</th><th>&plusmn; 2 standard errors</th><th>mean squared "
        "error</th>"
        "<th>seeds</th></tr>\n";
    for (auto const& s : sizes) {
      double const m = s.mean(&trial::mutual_information), half = 2 * found.standard_error(s.trials.size());
      table += std::string(s.latent == found.largest ? "<tr class=\"chosen\">" : "<tr>") + "<td>" +
               std::to_string(s.latent) + "</td><td>" + number("%.4f", m) + "</td><td>" +
               (s.trials.size() > 1 ? number("%.4f", m - half) + " to " + number("%.4f", m + half) : "unknown") +
               "</td><td>" + number("%.5f", s.mean(&trial::mse)) + "</td><td>" + std::to_string(s.trials.size()) +
               "</td></tr>\n";
    }
    return table + "</table>\n";
  }
};
