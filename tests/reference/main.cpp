// reference/main.cpp - runs every reference case of a set on both CPU backends
//
// Prints `FAMILY BACKEND: P passed, F failed, S skipped` for each family and backend, and below it what failed.
// Exit code 0: nothing failed; 1: something failed; 2: bad input.
#include "case.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

#ifndef LIMBIC_REFERENCE_DATA
#define LIMBIC_REFERENCE_DATA "tests/reference/data"
#endif

namespace {

using namespace reference;

enum class outcome { passed, failed, skipped };

struct report {
  outcome what = outcome::passed;
  std::vector<std::string> lines;  // failed: what differs; skipped: why
};

report run(test_case const& c, result (*handler::*backend)(call&)) {
  auto const* h = find_handler(c.family, c.op);
  if (!h) {
    if (!family_exists(c.family)) return {outcome::skipped, {"this family does not exist here"}};
    return {outcome::skipped, {"operation '" + c.op + "' does not exist here"}};
  }
  try {
    call given(c);
    auto const got = (h->*backend)(given);
    given.finish();
    auto lines = compare(c, got);
    return {lines.empty() ? outcome::passed : outcome::failed, std::move(lines)};
  } catch (unsupported const& e) {
    if (c.extra) return {outcome::skipped, {e.what()}};
    return {outcome::failed, {std::string(e.what()) + " (level core)"}};
  } catch (std::exception const& e) {
    return {outcome::failed, {std::string("an error: ") + e.what()}};
  }
}

int run_all(case_set const& set) {
  bool failed = false;
  // (family, why) -> case names; the backends skip the same cases, so each is named once
  std::map<std::pair<std::string, std::string>, std::set<std::string>> skipped;
  for (auto const& [family, cases] : set.families) {
    for (auto const& [backend, member] : {std::pair{"scalar", &handler::scalar}, std::pair{"simd", &handler::simd}}) {
      std::size_t count[3] = {};
      std::string details;
      for (auto const& c : cases) {
        auto const r = run(c, member);
        ++count[static_cast<int>(r.what)];
        if (r.what == outcome::skipped) skipped[{family, r.lines.front()}].insert(c.name);
        if (r.what == outcome::failed)
          for (auto const& line : r.lines) details += "  FAILED " + c.name + " (" + c.op + "): " + line + "\n";
      }
      std::printf("%s %s: %zu passed, %zu failed, %zu skipped\n%s", family.c_str(), backend, count[0], count[1],
                  count[2], details.c_str());
      std::fflush(stdout);
      failed |= count[1] != 0;
    }
  }
  if (!skipped.empty()) std::printf("\nSkipped:\n");
  for (auto const& [key, names] : skipped) {
    std::string list;
    if (family_exists(key.first))
      for (auto const& name : names) list += (list.empty() ? ": " : ", ") + name;
    std::printf("  %s, %zu case%s: %s%s\n", key.first.c_str(), names.size(), names.size() == 1 ? "" : "s",
                key.second.c_str(), list.c_str());
  }
  return failed ? 1 : 0;
}

int bad_input(std::string const& what) {
  std::fprintf(stderr, "reference_tests: %s\n", what.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = LIMBIC_REFERENCE_DATA;
  std::vector<std::string> families;
  CLI::App app("Compares the library with reference numbers that other implementations computed.", "reference_tests");
  app.add_option("--dir", folder, "Folder of cases (case.json and .npy files) or of packed families (*.safetensors)")
      ->capture_default_str();
  app.add_option("--family", families, "Run this family only; may be given several times");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    auto const set = load(folder, {families.begin(), families.end()});
    std::string known;
    for (auto const& name : set.known) known += (known.empty() ? "" : ", ") + name;
    for (auto const& line : set.errors) bad_input(line);
    for (auto const& name : families)
      if (!set.known.contains(name)) return bad_input(folder + ": no family '" + name + "'; there are: " + known);
    return set.errors.empty() ? run_all(set) : 2;
  } catch (std::exception const& e) {
    return bad_input(e.what());
  }
}
