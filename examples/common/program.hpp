// examples/common/program.hpp - what programs with a command line and a folder of results have in common
//
//   int main(int argc, char** argv) {
//     return run_program("name", [&] { ... });       Ctrl-C and errors become a line on stderr and an exit code
//   }
//
//   results_folder const out(options.out);
//   out.prepare({"model.safetensors", "summary.json"});       before hours of work: it exists, and can be written
//   out.replace({"model.safetensors", "summary.json"}, [&](std::string const& name, std::string const& path) { ... });
//
// Exit code 0; 1 when the work failed; 2 when the input, the options or the folder are at fault; 130 when it was stopped.
#pragma once

#include <limbic/io/file.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

struct bad_input : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Set by Ctrl-C and by a polite kill; long work looks at it, and throws interrupted.
inline volatile std::sig_atomic_t stop_requested = 0;
struct interrupted {
  bool resumes = false;  // whether --resume takes the work up again
};

template <class Run> int run_program(char const* name, Run const& run) {
  auto const report = [&](char const* message, int code) {
    std::fprintf(stderr, "%s: %s\n", name, message);
    return code;
  };
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGTERM, [](int) { stop_requested = 1; });
  try {
    run();
    return 0;
  } catch (interrupted const& e) {
    return report(e.resumes ? "stopped; the same options and --resume go on from here" : "stopped", 130);
  } catch (bad_input const& e) {
    return report(e.what(), 2);
  } catch (limbic::error const& e) {  // a file or a value that is not as it must be
    return report(e.what(), 2);
  } catch (std::filesystem::filesystem_error const& e) {
    return report(e.what(), 2);
  } catch (std::exception const& e) {
    return report(e.what(), 1);
  }
}

class results_folder {
 public:
  using names = std::vector<std::string>;
  explicit results_folder(std::string path) : path_(std::move(path)) {}

  std::string operator/(std::string const& name) const { return (path_ / name).string(); }

  // Makes it and a file in it, and takes away what a killed run was just writing of these files.
  void prepare(names const& files) const {
    namespace fs = std::filesystem;
    auto const problem = [](std::string const& what) { return bad_input("--out: " + what); };
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) throw problem(path_.string() + " cannot be made: " + error.message());
    for (auto const& name : files)
      if (fs::is_directory(path_ / name)) throw problem((path_ / name).string() + " is a folder");
    for (auto const& entry : fs::directory_iterator(path_))
      for (auto const& name : files)
        if (entry.path().filename().string().starts_with(name + ".new")) fs::remove(entry.path(), error);
    fs::path const probe = path_ / "limbic.probe";
    limbic::write_file("--out", probe.string(), "");
    fs::remove(probe, error);
  }

  // write(name, path) for each of the files; all are complete before any takes its name. Their paths go to stdout.
  template <class Write> void replace(names const& files, Write const& write) const {
    namespace fs = std::filesystem;
    auto const fresh = [&](std::string const& name) { return *this / (name + ".new"); };
    try {
      for (auto const& name : files) write(name, fresh(name));
      for (auto const& name : files) fs::rename(fresh(name), *this / name);
    } catch (...) {
      std::error_code ignored;
      for (auto const& name : files) fs::remove(fresh(name), ignored);
      throw;
    }
    for (auto const& name : files) std::printf("%s\n", (*this / name).c_str());
  }

 private:
  std::filesystem::path path_;
};
