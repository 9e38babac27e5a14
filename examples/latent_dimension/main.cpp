// latent_dimension - how many numbers does it take to say what a window of a series holds?
//
// Reads a column of a CSV file, scales it to [0, 1], cuts it into overlapping windows, and trains LSTM autoencoders of
// various latent sizes, several seeds each. Bayesian optimisation proposes the sizes: it looks for the one whose latent
// vectors share the most information with the windows. That size is trained again for longer, and saved:
//
//   DIR/summary.json         trials (latent, repetition, mutual_information, mse, seconds), chosen_latent, final_mse, seed, ...
//   DIR/model.safetensors    the parameters under their torch.nn names
//   DIR/report.html          pictures and a table of the same
//   DIR/trials.jsonl         a line for each size that was tried, as soon as it was
//   DIR/trials.jsonl.old     what lay there before a run without --resume
//   DIR/checkpoints/         while the program runs, or after it was stopped: what is in training
//
// The same options give the same files, but for the seconds, whatever the number of threads, and however often the program was
// killed and taken up with --resume. Exit code 0; 1 when training failed; 2 when the input, the options or the output
// folder are at fault; 130 when it was stopped by Ctrl-C.
#include "../common/progress.hpp"
#include "experiment.hpp"
#include "report.hpp"
#include "study.hpp"

#include <limbic/io/csv.hpp>
#include <limbic/io/model.hpp>
#include <limbic/search.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

struct settings {
  std::string data = LIMBIC_SOURCE_DIR "/examples/data/airline-passengers.csv", column = "Passengers", out;
  std::ptrdiff_t window = 10;
  std::vector<std::int64_t> latent;  // empty: the search proposes them
  std::int64_t max_latent = 64;
  int sizes = 12, repetitions = 4, epochs = 100, final_epochs = 600, threads = 0;
  bool repeat_latent = false, resume = false;
  training_options training;
};

constexpr int sizes_a_round = 4;

// Fills the settings; returns false when the program has said all there is to say (--help).
bool read_options(settings& s, int argc, char** argv) {
  CLI::App app("Chooses the latent size of an LSTM autoencoder by mutual information.", "latent_dimension");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", s.out, "folder for all results")->required();
  app.add_flag("--resume", s.resume, "go on where a run with the same options was stopped")->capture_default_str();
  app.add_option("--data", s.data, "CSV file whose first line names the columns");
  app.add_option("--column", s.column, "column that holds the series");
  app.add_option("--window", s.window, "steps in a window")->check(CLI::Range(1, 1 << 20));
  app.add_option("--sizes", s.sizes, "latent sizes to try")->check(CLI::Range(1, 1 << 16));
  app.add_option("--max-latent", s.max_latent, "the largest size that may be tried")->check(CLI::Range(1, 1 << 16));
  app.add_option("--latent", s.latent, "latent sizes to try instead of a search, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--repetitions", s.repetitions, "seeds for each size")->check(CLI::Range(1, 1 << 16));
  app.add_flag("--repeat-latent", s.repeat_latent,
               "measure the latent vector repeated for each step, as the source's code")
      ->capture_default_str();
  app.add_option("--epochs", s.epochs, "epochs for each trial")->check(CLI::Range(1, 1 << 24));
  app.add_option("--final-epochs", s.final_epochs, "epochs for the chosen size")->check(CLI::Range(1, 1 << 24));
  app.add_option("--hidden", s.training.hidden, "hidden size of the LSTM layers")->check(CLI::Range(1, 1 << 14));
  app.add_option("--layers", s.training.layers, "LSTM layers each way")->check(CLI::Range(1, 64));
  app.add_option("--batch", s.training.batch, "windows in a batch")->check(CLI::Range(1, 1 << 20));
  app.add_option("--learning-rate", s.training.learning_rate, "of Adam")->check(CLI::PositiveNumber);
  app.add_option("--seed", s.training.seed, "of all random numbers")->check(CLI::NonNegativeNumber);
  app.add_option("--threads", s.threads, "threads, 0: one for each core; changes no result")
      ->check(CLI::Range(0, 1024));
  try {
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (CLI::ParseError const& e) {
    throw bad_input(std::string(e.what()) + " (see --help)");
  }
  for (auto const latent : s.latent)
    if (std::count(s.latent.begin(), s.latent.end(), latent) > 1)
      throw bad_input("--latent: " + std::to_string(latent) + " is given twice");
  if (s.latent.empty() && s.sizes > s.max_latent)
    throw bad_input("--sizes: there are only " + std::to_string(s.max_latent) + " sizes up to --max-latent");
  return true;
}

// The series, how it was scaled, and its windows.
struct dataset {
  limbic::tensor<float, 1> series;
  limbic::min_max_scaler<float> scaler;
  limbic::tensor<float, 3> windows;  // (N - window + 1, window, 1), scaled to [0, 1]
};

dataset read_data(settings const& s) {
  auto series = limbic::csv_file(s.data).numbers<float>(s.column);
  if (series.size() < s.window)
    throw bad_input("--window: " + std::to_string(s.window) + " steps do not fit into the " +
                    std::to_string(series.size()) + " rows of " + s.data);
  if (std::all_of(series.begin(), series.end(), [&](float v) { return v == *series.begin(); }))
    throw bad_input("--column: '" + s.column + "' of " + s.data + " is constant: there is nothing to learn");
  limbic::min_max_scaler const scaler(series);
  auto windows = limbic::sliding_windows(limbic::unsqueeze(scaler.transform(series), 1), {.length = s.window});
  return {std::move(series), scaler, std::move(windows)};
}

// Sizes that were given instead of searched for.
class listed_sizes : public limbic::searcher {
 public:
  listed_sizes(limbic::search_space space, std::vector<std::int64_t> sizes)
      : searcher(std::move(space), limbic::goal::max), sizes_(std::move(sizes)) {}
  std::string json() const override {
    std::string s = "{\"name\":\"list\",\"sizes\":\"";
    for (auto const n : sizes_) s += (s.back() == '"' ? "" : ",") + std::to_string(n);
    return s + "\"}";
  }

 private:
  std::vector<limbic::candidate> suggest(std::size_t) const override {
    std::vector<limbic::candidate> all;
    for (auto const n : sizes_) all.push_back(space().make({{"latent", n}}));
    return all;
  }
  std::size_t round_size(std::size_t) const override { return sizes_.size(); }
  std::vector<std::int64_t> sizes_;
};

// All that results depend on: a log made with other settings must not be taken up.
json described(settings const& s, dataset const& d) {
  auto const bytes = std::as_bytes(std::span(d.series.data(), static_cast<std::size_t>(d.series.size())));
  return {{"data", fs::path(s.data).filename().string()},
          {"crc32", limbic::crc32(bytes)},
          {"column", s.column},
          {"window", s.window},
          {"windows", d.windows.extent(0)},
          {"repetitions", s.repetitions},
          {"repeat_latent", s.repeat_latent},
          {"hidden", s.training.hidden},
          {"layers", s.training.layers},
          {"batch", s.training.batch},
          {"learning_rate", s.training.learning_rate},
          {"epochs", s.epochs},
          {"final_epochs", s.final_epochs},
          {"seed", s.training.seed}};
}

// Where a run keeps what it needs to go on.
struct workplace {
  fs::path folder, log = folder / "trials.jsonl", checkpoints = folder / "checkpoints";

  std::string checkpoint(std::int64_t latent, int repetition) const {
    return (checkpoints / (std::to_string(latent) + "-" + std::to_string(repetition) + ".safetensors")).string();
  }
  std::string final_checkpoint() const { return (checkpoints / "final.safetensors").string(); }
};

// Makes the folders and a file in them, so that hours of training are not lost to a folder that cannot be written. Without
// --resume a run begins anew; what another one logged is set aside, not lost.
workplace prepare_folder(settings const& s) {
  workplace const w{s.out};
  results_folder(s.out).prepare({"model.safetensors", "report.html", "summary.json", "trials.jsonl"});
  if (!s.resume) {
    if (fs::exists(w.checkpoints))
      std::fprintf(stderr, "an unfinished run was set aside: %s.old (--resume would have gone on with it)\n",
                   w.log.c_str());
    for (auto const& path : {w.log, w.checkpoints}) {
      if (!fs::exists(path)) continue;
      fs::remove_all(path.string() + ".old");
      fs::rename(path, path.string() + ".old");
    }
  }
  std::error_code error;
  fs::create_directories(w.checkpoints, error);
  if (error) throw bad_input("--out: " + w.checkpoints.string() + " cannot be made: " + error.message());
  return w;
}

// Numbers that go with a trial in the log. Of the losses at most 50 are kept.
limbic::trial_extra numbers_of(size_result const& r) {
  limbic::trial_extra numbers;
  for (auto const& t : r.trials) {
    std::string const n = "." + std::to_string(t.repetition);
    numbers.emplace_back("mutual_information" + n, t.mutual_information);
    numbers.emplace_back("mse" + n, t.mse);
    numbers.emplace_back("seconds" + n, t.seconds);
  }
  for (auto const& [epoch, loss] : r.losses) numbers.emplace_back("loss." + std::to_string(epoch), loss);
  return numbers;
}
size_result result_of(std::int64_t latent, limbic::trial_extra const& numbers, int repetitions) {
  size_result r{.latent = latent, .trials = {}, .losses = {}};
  for (int k = 0; k < repetitions; ++k) r.trials.push_back({.latent = latent, .repetition = k});
  for (auto const& [name, x] : numbers) {
    std::size_t const dot = name.rfind('.');
    auto const k = std::stoul(name.substr(dot + 1));
    std::string const what = name.substr(0, dot);
    if (what == "loss") r.losses.emplace_back(static_cast<int>(k), x);
    else
      (what == "mse"       ? r.trials.at(k).mse
       : what == "seconds" ? r.trials.at(k).seconds
                           : r.trials.at(k).mutual_information) = x;
  }
  return r;
}

// The first repetition's losses, thinned.
std::vector<std::pair<int, double>> marks(std::vector<double> const& losses) {
  std::vector<std::pair<int, double>> some;
  std::size_t const step = (losses.size() + 49) / 50;
  for (std::size_t i = 0; i < losses.size(); i += step) some.emplace_back(static_cast<int>(i + 1), losses[i]);
  return some;
}

trial measured(training const& run, std::int64_t latent, int repetition, settings const& s, dataset const& d) {
  trial const t{.latent = latent,
                .repetition = repetition,
                .mutual_information = information_of(run.net, d.windows, s.repeat_latent),
                .mse = error_of(run.net, d.windows),
                .seconds = run.seconds};
  if (!std::isfinite(t.mse) || !std::isfinite(t.mutual_information))
    throw std::runtime_error("training with latent size " + std::to_string(latent) +
                             " diverged: try a smaller --learning-rate");
  return t;
}

// Every repetition of every size that a round asks for is a job in a thread of its own. A size is logged when its last
// job is done; until then the checkpoints of its jobs are all that is kept of them.
void run_round(std::vector<limbic::search_trial> const& asked, limbic::search_log& log, workplace const& w,
               settings const& s, dataset const& d, progress& bar) {
  auto const repetitions = static_cast<std::size_t>(s.repetitions);
  std::size_t const jobs = asked.size() * repetitions;
  std::vector<size_result> results(asked.size());
  std::vector<std::size_t> left(asked.size(), repetitions);
  for (std::size_t i = 0; i < asked.size(); ++i)
    results[i] = {.latent = asked[i].point.integer("latent"), .trials = std::vector<trial>(repetitions), .losses = {}};
  std::vector<std::exception_ptr> problems(jobs);
  std::mutex mutex;
  auto const run = [&](std::size_t job) {
    std::size_t const i = job / repetitions, k = job % repetitions;
    size_result& r = results[i];
    int const repetition = static_cast<int>(k);
    training one(d.windows, s.training, r.latent, repetition);
    one.run(s.epochs, w.checkpoint(r.latent, repetition), [&](long n) { bar.advance(n); });
    trial const t = measured(one, r.latent, repetition, s, d);
    std::lock_guard const lock(mutex);
    r.trials[k] = t;
    if (k == 0) r.losses = marks(one.losses);
    if (--left[i] > 0) return;
    log.tell(asked[i].index, r.mean(&trial::mutual_information), numbers_of(r));
    for (int n = 0; n < s.repetitions; ++n) fs::remove(w.checkpoint(r.latent, n));
  };
  limbic::parallel_for(static_cast<std::ptrdiff_t>(jobs), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto job = static_cast<std::size_t>(begin); job < static_cast<std::size_t>(end); ++job) try {
        if (stop_requested == 0) run(job);
        else throw interrupted{.resumes = true};
      } catch (...) {
        problems[job] = std::current_exception();
      }
  });
  for (auto const& p : problems)
    if (p) std::rethrow_exception(p);
}

std::vector<size_result> run_trials(limbic::searcher& search, std::size_t wanted, workplace const& w, settings const& s,
                                    dataset const& d) {
  limbic::search_log log(w.log.string(), search, described(s, d).dump());
  progress bar("trying sizes", static_cast<long>(wanted) * s.repetitions * s.epochs);
  if (search.told() > 0) bar.advance(static_cast<long>(search.told()) * s.repetitions * s.epochs);
  while (search.told() < wanted) run_round(search.ask(), log, w, s, d, bar);
  std::vector<size_result> sizes;
  for (auto const& t : search.trials())
    sizes.push_back(result_of(t.point.integer("latent"), log.extra(t.index), s.repetitions));
  return sizes;
}

// Each step's mean over the windows that hold it, in the data's own units.
std::vector<double> reconstructed(autoencoder const& net, dataset const& d) {
  auto const y = net(d.windows);
  std::ptrdiff_t const length = y.extent(1);
  limbic::tensor<float, 1> line({d.series.size()}, 0.0F);
  for (std::ptrdiff_t i = 0; i < line.size(); ++i) {
    std::ptrdiff_t const first = std::max<std::ptrdiff_t>(0, i - length + 1), last = std::min(i, y.extent(0) - 1);
    for (std::ptrdiff_t k = first; k <= last; ++k) line(i) += y(k, i - k, 0) / static_cast<float>(last - first + 1);
  }
  auto const own = d.scaler.inverse(line);
  return {own.begin(), own.end()};
}

json summary_of(std::vector<size_result> const& sizes, conclusion const& found, double final_mse, settings const& s,
                dataset const& d) {
  json summary;
  summary["trials"] = json::array();
  for (auto const& r : sizes)
    for (auto const& t : r.trials)
      summary["trials"].push_back({{"latent", t.latent},
                                   {"repetition", t.repetition},
                                   {"mutual_information", t.mutual_information},
                                   {"mse", t.mse},
                                   {"seconds", t.seconds}});
  summary["chosen_latent"] = found.largest;
  summary["smallest_within_one_standard_error"] = found.within_error;
  summary["final_mse"] = final_mse;
  summary["seed"] = s.training.seed;
  summary["standard_deviation_of_seeds"] = found.deviation;  // null where there is one seed a size
  summary["share_of_variance_explained_by_size"] = found.explained;
  summary["p_value"] = found.p_value;
  summary["sizes"] = json::array();
  for (auto const& r : sizes)
    summary["sizes"].push_back({{"latent", r.latent},
                                {"mutual_information", r.mean(&trial::mutual_information)},
                                {"standard_error", found.standard_error(r.trials.size())},
                                {"mse", r.mean(&trial::mse)}});
  summary["settings"] = described(s, d);
  return summary;
}

// All files are complete before any takes its name; the summary is the last to do so.
void write_results(autoencoder const& net, report const& r, json const& summary, settings const& s) {
  auto const text = [](auto n) { return std::to_string(n); };
  results_folder(s.out).replace({"model.safetensors", "report.html", "summary.json"},
                                [&](std::string const& name, std::string const& path) {
                                  if (name == "report.html") return limbic::write_file("report", path, r.html());
                                  if (name == "summary.json")
                                    return limbic::write_file("summary", path, summary.dump(2) + "\n");
                                  limbic::save(net, path,
                                               {{"model", "lstm_autoencoder"},
                                                {"input_size", "1"},
                                                {"hidden_size", text(s.training.hidden)},
                                                {"latent_size", text(r.found.largest)},
                                                {"layers", text(s.training.layers)},
                                                {"window", text(s.window)}});
                                });
}

void run(settings const& s) {
  if (s.threads > 0) limbic::set_threads(s.threads);
  dataset const d = read_data(s);
  limbic::search_space space;
  space.integer("latent", 1, s.latent.empty() ? s.max_latent : *std::max_element(s.latent.begin(), s.latent.end()));
  std::unique_ptr<limbic::searcher> search;
  limbic::bayesian_search* proposes = nullptr;
  if (s.latent.empty()) {
    // Rounds of a fixed size, so that trials do not depend on the number of threads; the first takes what is left over.
    int const first = std::min(s.sizes, sizes_a_round + s.sizes % sizes_a_round);
    auto bayesian =
        std::make_unique<limbic::bayesian_search>(space, limbic::bayesian_search_options{.seed = s.training.seed,
                                                                                         .round = sizes_a_round,
                                                                                         .initial = first,
                                                                                         .goal = limbic::goal::max,
                                                                                         .noisy = true});
    proposes = bayesian.get();
    search = std::move(bayesian);
  } else {
    search = std::make_unique<listed_sizes>(space, s.latent);
  }
  workplace const w = prepare_folder(s);

  std::size_t const wanted = s.latent.empty() ? static_cast<std::size_t>(s.sizes) : s.latent.size();
  auto sizes = run_trials(*search, wanted, w, s, d);
  std::printf("%td windows of %td steps from %s\n\n%8s %20s %12s %10s\n", d.windows.extent(0), d.windows.extent(1),
              s.data.c_str(), "latent", "mutual information", "+- 1 se", "mse");
  conclusion const found = conclude(sizes, s.training.seed);
  for (auto const& r : sizes)
    std::printf("%8td %20.5f %12.5f %10.6f\n", static_cast<std::ptrdiff_t>(r.latent),
                r.mean(&trial::mutual_information), found.standard_error(r.trials.size()), r.mean(&trial::mse));

  if (s.training.hidden < 256) limbic::set_threads(1);  // a step of a small model is too short to be shared
  progress bar("training", s.final_epochs);
  training last(d.windows, s.training, found.largest, 0);
  last.run(s.final_epochs, w.final_checkpoint(), [&](long n) { bar.advance(n); });
  double const final_mse = error_of(last.net, d.windows);
  if (!std::isfinite(final_mse)) throw std::runtime_error("the final training diverged: try a smaller --learning-rate");

  json const summary = summary_of(sizes, found, final_mse, s, d);
  report r{.column = s.column,
           .sizes = sizes,
           .found = found,
           .belief = {},
           .final_losses = last.losses,
           .final_mse = final_mse,
           .series = {d.series.begin(), d.series.end()},
           .reconstruction = reconstructed(last.net, d),
           .settings = {}};
  for (auto const& [name, value] : summary["settings"].items()) r.settings.emplace_back(name, value.dump());
  if (proposes != nullptr && wanted > 1) {
    auto const model = proposes->model();
    for (std::int64_t n = 1; n <= s.max_latent; ++n) {
      auto const p = model.predict(space.make({{"latent", n}}));
      double const deviation = std::sqrt(p.variance);
      r.belief.push_back({static_cast<double>(n), p.mean - 2 * deviation, p.mean, p.mean + 2 * deviation});
    }
  }
  std::printf("\n%s\n\nafter %d epochs its mean squared error is %.6f\n\n", r.verdict().c_str(), s.final_epochs,
              final_mse);
  write_results(last.net, r, summary, s);
  fs::remove_all(w.checkpoints);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("latent_dimension", [&] {
    settings s;
    if (read_options(s, argc, argv)) run(s);
  });
}
