// latent_dimension - how many numbers does it take to say what a window of a series holds?
//
// Reads a column of a CSV file, scales it to [0, 1], cuts it into overlapping windows, and trains an LSTM autoencoder
// for each latent size of a list. The size whose latent vectors share the most information with the windows is chosen
// (of equals the smallest), trained again for longer, and saved:
//
//   DIR/summary.json         trials (latent, mutual_information, mse, seconds), chosen_latent, final_mse, seed, settings
//   DIR/model.safetensors    the parameters under their torch.nn names
//
// The same options give the same files, but for the seconds, whatever the number of threads: trials run side by side.
// Exit code 0; 1 when training failed; 2 when the input, the options or the output folder are at fault.
#include "../common/progress.hpp"
#include "experiment.hpp"

#include <limbic/io/csv.hpp>
#include <limbic/io/model.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct settings {
  std::string data = LIMBIC_SOURCE_DIR "/examples/data/airline-passengers.csv", column = "Passengers", out;
  std::ptrdiff_t window = 10;
  std::vector<std::ptrdiff_t> latent = {2, 4, 8, 16, 24, 32, 42, 48, 64};
  int epochs = 100, final_epochs = 300, threads = 0;
  training_options training;
};

struct bad_input : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Fills the settings; returns false when the program has said all there is to say (--help).
bool read_options(settings& s, int argc, char** argv) {
  CLI::App app("Chooses the latent size of an LSTM autoencoder by mutual information.", "latent_dimension");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", s.out, "folder for summary.json and model.safetensors")->required();
  app.add_option("--data", s.data, "CSV file whose first line names the columns");
  app.add_option("--column", s.column, "column that holds the series");
  app.add_option("--window", s.window, "steps in a window")->check(CLI::Range(1, 1 << 20));
  app.add_option("--latent", s.latent, "latent sizes to try, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--epochs", s.epochs, "epochs for each size")->check(CLI::Range(1, 1 << 24));
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
  for (std::size_t i = 0; i < s.latent.size(); ++i)
    if (std::count(s.latent.begin(), s.latent.end(), s.latent[i]) > 1)
      throw bad_input("--latent: " + std::to_string(s.latent[i]) + " is given twice");
  return true;
}

// (N - window + 1, window, 1), scaled to [0, 1].
limbic::tensor<float, 3> read_windows(settings const& s) {
  auto const series = limbic::csv_file(s.data).numbers<float>(s.column);
  if (series.size() < s.window)
    throw bad_input("--window: " + std::to_string(s.window) + " steps do not fit into the " +
                    std::to_string(series.size()) + " rows of " + s.data);
  auto const scaled = limbic::min_max_scaler(series).transform(series);
  return limbic::sliding_windows(limbic::unsqueeze(scaled, 1), {.length = s.window});
}

// Makes the folder and a file in it, so that hours of training are not lost to a folder that cannot be written.
void prepare_folder(fs::path const& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw bad_input("--out: " + folder.string() + " cannot be made: " + problem.message());
  for (char const* name : {"summary.json", "model.safetensors"})
    if (fs::is_directory(folder / name)) throw bad_input("--out: " + (folder / name).string() + " is a folder");
  fs::path const probe = folder / "latent_dimension.probe";
  limbic::write_file("--out", probe.string(), "");
  fs::remove(probe, problem);
}

// Trials are independent of one another, so each runs in a thread of its own.
std::vector<trial> run_trials(limbic::tensor<float, 3> const& windows, settings const& s) {
  auto const count = static_cast<std::ptrdiff_t>(s.latent.size());
  std::vector<trial> trials(s.latent.size());
  std::vector<std::exception_ptr> problems(s.latent.size());
  progress bar("trying sizes", static_cast<long>(count) * s.epochs);
  limbic::parallel_for(count, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) try {
        trials[i] = measure(windows, s.latent[i], s.epochs, s.training, [&] { bar.advance(); });
      } catch (...) {
        problems[i] = std::current_exception();
      }
  });
  for (auto const& p : problems)
    if (p) std::rethrow_exception(p);
  for (auto const& t : trials)
    if (!std::isfinite(t.mse) || !std::isfinite(t.mutual_information))
      throw std::runtime_error("training with latent size " + std::to_string(t.latent) +
                               " diverged: try a smaller --learning-rate");
  return trials;
}

// By the largest mutual information; of equals the smallest size.
std::ptrdiff_t choose(std::vector<trial> const& trials) {
  trial const* best = &trials.front();
  for (auto const& t : trials)
    if (t.mutual_information > best->mutual_information ||
        (t.mutual_information >= best->mutual_information && t.latent < best->latent))
      best = &t;
  return best->latent;
}

// Both files are complete before either takes its name.
void write_results(autoencoder const& net, std::vector<trial> const& trials, std::ptrdiff_t chosen, double final_mse,
                   limbic::tensor<float, 3> const& windows, settings const& s) {
  auto const text = [](auto n) { return std::to_string(n); };
  nlohmann::ordered_json summary;
  summary["trials"] = nlohmann::ordered_json::array();
  for (auto const& t : trials)
    summary["trials"].push_back(
        {{"latent", t.latent}, {"mutual_information", t.mutual_information}, {"mse", t.mse}, {"seconds", t.seconds}});
  summary["chosen_latent"] = chosen;
  summary["final_mse"] = final_mse;
  summary["seed"] = s.training.seed;
  summary["settings"] = {{"data", fs::path(s.data).filename().string()},
                         {"column", s.column},
                         {"windows", windows.extent(0)},
                         {"window", s.window},
                         {"hidden", s.training.hidden},
                         {"layers", s.training.layers},
                         {"batch", s.training.batch},
                         {"learning_rate", s.training.learning_rate},
                         {"epochs", s.epochs},
                         {"final_epochs", s.final_epochs}};
  fs::path const folder = s.out, model = folder / "model.safetensors", report = folder / "summary.json";
  fs::path const new_model = folder / "model.safetensors.new", new_report = folder / "summary.json.new";
  try {
    limbic::save(net, new_model.string(),
                 {{"model", "lstm_autoencoder"},
                  {"input_size", "1"},
                  {"hidden_size", text(s.training.hidden)},
                  {"latent_size", text(chosen)},
                  {"layers", text(s.training.layers)},
                  {"window", text(s.window)}});
    limbic::write_file("summary", new_report.string(), summary.dump(2) + "\n");
    fs::rename(new_model, model);
    fs::rename(new_report, report);
  } catch (...) {
    std::error_code ignored;
    fs::remove(new_model, ignored);
    fs::remove(new_report, ignored);
    throw;
  }
  std::printf("%s\n%s\n", report.string().c_str(), model.string().c_str());
}

void run(settings const& s) {
  if (s.threads > 0) limbic::set_threads(s.threads);
  auto const windows = read_windows(s);
  prepare_folder(s.out);

  auto const trials = run_trials(windows, s);
  std::printf("%td windows of %td steps from %s\n\n%8s %20s %10s %9s\n", windows.extent(0), windows.extent(1),
              s.data.c_str(), "latent", "mutual information", "mse", "seconds");
  for (auto const& t : trials)
    std::printf("%8td %20.5f %10.6f %9.2f\n", t.latent, t.mutual_information, t.mse, t.seconds);

  std::ptrdiff_t const chosen = choose(trials);
  if (s.training.hidden < 256) limbic::set_threads(1);  // a step of a small model is too short to be shared
  progress bar("training", s.final_epochs);
  autoencoder const net = train(windows, chosen, s.final_epochs, s.training, [&] { bar.advance(); });
  double const final_mse = error_of(net, windows);
  if (!std::isfinite(final_mse)) throw std::runtime_error("the final training diverged: try a smaller --learning-rate");
  std::printf("\nlatent size %td has the largest mutual information; after %d epochs its mse is %.6f\n\n", chosen,
              s.final_epochs, final_mse);
  write_results(net, trials, chosen, final_mse, windows, s);
}

}  // namespace

int main(int argc, char** argv) {
  auto const report = [](char const* message, int code) {
    std::fprintf(stderr, "latent_dimension: %s\n", message);
    return code;
  };
  try {
    settings s;
    if (read_options(s, argc, argv)) run(s);
    return 0;
  } catch (bad_input const& e) {
    return report(e.what(), 2);
  } catch (limbic::error const& e) {  // a file or a value that is not as it must be
    return report(e.what(), 2);
  } catch (fs::filesystem_error const& e) {
    return report(e.what(), 2);
  } catch (std::exception const& e) {
    return report(e.what(), 1);
  }
}
