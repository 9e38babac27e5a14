// A log resumes to the same trials wherever the run was cut, and refuses what is not its own.
#include <limbic/search.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <csignal>

using namespace limbic;

namespace {

namespace fs = std::filesystem;

search_space example() {
  search_space s;
  s.integer("n", 1, 1000);
  s.log_real("rate", 1e-4, 1);
  auto const k = s.categorical("kind", {"a", "b \"c\""});
  s.real("x", 0, 1, s.when(k, "b \"c\""));
  return s;
}

double value_of(candidate const& c) {
  if (c.integer("n") > 900) return std::nan("");
  return std::sin(static_cast<double>(c.integer("n"))) + std::log(c.real("rate")) / 7 +
         (c.has("x") ? c.real("x") : 0.1);
}

bayesian_search_options const options{.seed = 7, .round = 3, .initial = 4, .goal = goal::max};
constexpr std::size_t trials = 13;

// Each round backwards, so that the file is not in the order of the trials.
void finish(bayesian_search& search, search_log& log, std::size_t stop = trials) {
  while (search.told() < stop) {
    auto const round = search.ask();
    for (auto t = round.rbegin(); t != round.rend() && search.told() < stop; ++t)
      log.tell(t->index, value_of(t->point), {{"mse", 1.0 / static_cast<double>(t->index + 3)}, {"gap", std::nan("")}});
  }
}

std::string what_of(searcher const& s) {
  std::string all;
  for (auto const& t : s.trials()) {
    all += t.point.json() + " ";
    append_json(all, t.value);
    all += '\n';
  }
  return all;
}

std::string refusal(std::string const& path, searcher& s) {
  try {
    search_log const log(path, s);
  } catch (io_error const& e) {
    return e.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("cut at any byte, a run goes on to the same trials") {
  scratch file;
  std::string whole;
  std::string undisturbed;
  {
    bayesian_search search(example(), options);
    search_log log(file, search);
    CHECK(log.resumed() == 0);
    finish(search, log);
    undisturbed = what_of(search);
    whole = file.read();
  }
  REQUIRE(whole.back() == '\n');
  std::size_t lines = 0, last_line = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    if (size > 0 && whole[size - 1] == '\n') ++lines, last_line = size;
    file.write(whole.substr(0, size));
    bayesian_search search(example(), options);
    search_log log(file, search);
    std::size_t const told = lines == 0 ? 0 : lines - 1;
    REQUIRE(log.resumed() == told);
    REQUIRE(search.told() == told);
    std::string const kept = whole.substr(0, last_line);
    REQUIRE(file.read() == kept);
    if (size == last_line || size == last_line + 1) {  // between: the same file as at the line's beginning
      finish(search, log);
      REQUIRE(what_of(search) == undisturbed);
      REQUIRE(file.read() == whole);
    }
  }
  CHECK(lines == trials + 1);
}

TEST_CASE("what was told with a trial comes back with it") {
  scratch file;
  {
    bayesian_search search(example(), options);
    search_log log(file, search);
    finish(search, log, 5);
  }
  bayesian_search search(example(), options);
  search_log log(file, search);
  REQUIRE(log.resumed() == 5);
  REQUIRE(log.extra(2).size() == 2);
  CHECK(log.extra(2)[0].first == "mse");
  CHECK(log.extra(2)[0].second == 1.0 / 5);
  CHECK(std::isnan(log.extra(2)[1].second));
  CHECK(log.extra(12345).empty());
  CHECK_THROWS_AS(log.tell(2, 1.0), argument_error);  // nothing is written either
  bayesian_search again(example(), options);
  CHECK(mentions(refusal(file, again), "another program"));  // the first still writes to it
}

TEST_CASE("a log of another run is refused, and says what differs") {
  scratch file;
  {
    bayesian_search search(example(), options);
    search_log log(file, search);
    finish(search, log, 6);
  }
  std::string const before = file.read();
  auto other_seed = options, other_round = options, other_goal = options;
  other_seed.seed = 8, other_round.round = 4, other_goal.goal = goal::min;
  bayesian_search seed(example(), other_seed), round(example(), other_round), direction(example(), other_goal);
  CHECK(mentions(refusal(file, seed), "the file has \"seed\":7, the program \"seed\":8"));
  CHECK(mentions(refusal(file, round), "the file has \"round\":3, the program \"round\":4"));
  CHECK(mentions(refusal(file, direction), "the file has \"goal\":\"max\", the program \"goal\":\"min\""));
  random_search random(example(), {.seed = 7});
  CHECK(mentions(refusal(file, random), "the file has \"name\":\"bayesian\", the program \"name\":\"random\""));
  search_space wider;
  wider.integer("n", 1, 2000);
  bayesian_search space(wider, options);
  CHECK(mentions(refusal(file, space), "another space: the file has \"high\":1000, the program \"high\":2000"));
  CHECK(file.read() == before);

  scratch with_settings;
  for (bool const begun : {false, true}) {
    bayesian_search search(example(), options);
    search_log log(with_settings, search, R"({"epochs":100,"rate":0.1})");
    CHECK(log.resumed() == (begun ? 2 : 0));
    finish(search, log, 2);
  }
  bayesian_search plain(example(), options), changed(example(), options), broken(example(), options);
  CHECK(mentions(refusal([&] { search_log(with_settings, plain); }), "other settings"));
  CHECK(mentions(refusal([&] { search_log(with_settings, changed, R"({"epochs":50,"rate":0.1})"); }),
                 "other settings: the file has \"epochs\":100, the program \"epochs\":50"));
  for (char const* settings : {"", "7", "{\"a\":}", "{} {}", "{\n}"})
    CHECK(mentions(refusal([&] { search_log(with_settings, broken, settings); }), "settings"));
}

TEST_CASE("a log that lies is refused, and left as it is") {
  scratch file;
  std::vector<std::string> lines;
  {
    bayesian_search search(example(), options);
    search_log log(file, search);
    finish(search, log, 9);
    std::string const text = file.read();
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const end = text.find('\n', at) + 1;
      lines.push_back(text.substr(at, end - at));
      at = end;
    }
  }
  auto const joined = [&](std::vector<std::size_t> const& which) {
    std::string s;
    for (auto const i : which) s += lines[i];
    return s;
  };
  struct lie {
    std::string text, expected;
  };
  std::string const head = lines[0];
  std::vector<lie> const lies{
      {"hello", "does not begin a search's log"},
      {"hello\n", "malformed"},
      {std::string(100, '\0'), "does not begin a search's log"},
      {"{}\n", "the format is ''"},
      {"{\"format\":\"limbic-search/2\"}\n", "the format is 'limbic-search/2', expected 'limbic-search/1'"},
      {head + "nonsense\n" + lines[1], "line 2 is malformed"},
      {head + "\n" + lines[1], "line 2 is malformed"},
      {head + lines[1] + lines[1], "trial 3 is there twice"},
      {joined({0, 1, 2, 3, 5}), "there is a trial"},  // of a second round, before the first is complete
      {head + "{\"trial\":0,\"value\":1}\n", "has no value"},
      {head + "{\"trial\":0,\"point\":{\"n\":1,\"rate\":1,\"kind\":\"a\"}}\n",
       "needs its number, its point and its value"},
      {head + "{\"trial\":0,\"point\":{\"n\":1,\"rate\":1,\"kind\":\"a\"},\"value\":1e999}\n", "malformed"},
      {head + "{\"trial\":0,\"point\":{\"n\":1,\"rate\":2,\"kind\":\"a\"},\"value\":1}\n",
       "between 1e-04 and 1, but is 2"},
      {head + "{\"trial\":0,\"point\":{\"m\":1},\"value\":1}\n", "no parameter 'm'"},
      {head + "{\"trial\":0,\"trial\":1,\"value\":1}\n", "'trial' twice"},
      {head + "{\"trial\":99999999999,\"point\":{},\"value\":1}\n", "trial 99999999999"},
      {head + "{\"other\":1}\n", "unknown member 'other'"}};
  for (auto const& l : lies) {
    file.write(l.text);
    bayesian_search search(example(), options);
    auto const came = refusal(file, search);
    INFO(l.text << "\n" << came);
    CHECK(mentions(came, l.expected));
    CHECK(file.read() == l.text);
  }
  bayesian_search search(example(), options);
  CHECK(mentions(refusal("/nonexistent/folder/log", search), "cannot be opened"));
}

TEST_CASE("a full disk is an error that leaves the lines before") {
  scratch file;
  bayesian_search search(example(), options);
  search_log log(file, search);
  finish(search, log, 3);
  std::string const before = file.read();
  auto const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit const full{.rlim_cur = before.size() + 20, .rlim_max = old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  auto const open = search.ask().front();
  CHECK_THROWS_AS(log.tell(open.index, 1.0), io_error);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  CHECK(file.read() == before);
  CHECK(search.told() == 3);
  log.tell(open.index, 1.0);  // there is room again
  CHECK(file.read().size() > before.size());
  CHECK(search.told() == 4);
}
