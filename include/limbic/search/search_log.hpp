// limbic/search/search_log.hpp - a search that survives being killed: one line of JSON for each trial that was told
//
//   bayesian_search search(space, options);
//   search_log log("trials.jsonl", search);               tells the search what the file holds
//   while (search.told() < 40)
//     for (auto const& trial : search.ask()) log.tell(trial.index, f(trial.point), {{"mse", mse}});
//
//   {"format":"limbic-search/1","space":[...],"search":{"name":"bayesian","seed":0,...},"settings":{"epochs":100}}
//   {"trial":0,"point":{"latent":42},"value":0.41,"extra":{"mse":0.0067}}        value null: the trial failed
//
// A line is on the disk before tell() returns. A killed run that is started again asks for the same trials as one that
// was not, bit for bit: trials of a round may stand in any order, an open round is completed, and numbers are written so
// that they are read as the same doubles. A last line without its end is dropped. A missing or empty file starts afresh.
//
// What else a trial's value depends on may be given as `settings`, one JSON object (search_log("trials.jsonl", search,
// "{\"epochs\":100}")), on one line: it is written to the first line, and must be the same when the log is taken up.
//
// io_error: a log of another space, seed, options or settings (the message says which), a line that is malformed, trials
// that are missing or twice there, a disk that is full (the lines before stay), another program that writes to the file.
//
// Of two threads that tell, one waits for the other.
#pragma once

#include <limbic/io/append_file.hpp>
#include <limbic/search/searcher.hpp>

#if LIMBIC_THREADS
#include <mutex>
#endif

LIMBIC_BEGIN

// Numbers of the user's that go with a trial.
using trial_extra = std::vector<std::pair<std::string, double>>;

class search_log {
 public:
  search_log(std::string path, searcher& search, std::string settings = "{}")
      : search_(search), settings_(checked(std::move(settings))), file_("search_log", std::move(path)) {
    std::string_view const text = file_.contents();
    header_ = header_line();
    std::size_t const end = text.rfind('\n') + 1;  // of the last whole line; 0 where there is none
    if (end == 0 && !header_.starts_with(text)) wrong(1, " does not begin a search's log");
    if (end > 0) check_header(text.substr(0, text.find('\n')));
    if (end > 0) read(text.substr(0, end));
    if (end < text.size()) file_.truncate(end);
    if (end > 0) header_.clear();
  }

  // Writes the line, then tells the search.
  void tell(std::size_t index, double value, trial_extra extra = {}) {
#if LIMBIC_THREADS
    std::lock_guard const lock(mutex_);
#endif
    search_.check_pending(index);
    file_.append(header_ + line(search_.trials()[index], value, extra));
    header_.clear();
    search_.tell(index, value);
    keep(index, std::move(extra));
  }

  // How many trials the file held.
  std::size_t resumed() const { return resumed_; }
  // What was told with a trial; empty where nothing was.
  trial_extra const& extra(std::size_t index) const {
    static trial_extra const none;
    return index < extras_.size() ? extras_[index] : none;
  }
  // The path that it was opened with.
  std::string const& path() const { return file_.path(); }

 private:
  static constexpr std::string_view format = "limbic-search/1";

  template <class... Parts> [[noreturn]] LIMBIC_COLD void wrong(std::size_t number, Parts const&... parts) const {
    fail<io_error>("search_log", detail::shown(file_.path()), ", line ", number, ":", parts...);
  }

  // Settings that could not be read back would make the log useless.
  static std::string checked(std::string settings) {
    json_reader json("search_log", "settings", settings);
    json.object([&](std::string const&) { json.skip(); });
    json.end();
    if (settings.find('\n') != settings.npos) fail<io_error>("search_log", "settings must be one line");
    return settings;
  }
  std::string header_line() const {
    std::string s = "{\"format\":";
    append_json(s, format);
    return s + ",\"space\":" + search_.space().json() + ",\"search\":" + search_.json() + ",\"settings\":" + settings_ +
           "}\n";
  }
  void check_header(std::string_view line) const {
    std::string_view space, search, settings;
    std::string came;
    json_reader json = reader(1, line);
    json.object([&](std::string const& key) {
      if (key == "format") came = json.text();
      else if (key == "space") space = json.skip();
      else if (key == "search") search = json.skip();
      else if (key == "settings") settings = json.skip();
      else wrong(1, " unknown member '", key, "'");
    });
    json.end();
    if (came != format) wrong(1, " the format is '", came, "', expected '", format, "'");
    if (space != search_.space().json()) wrong(1, " another space: ", difference(space, search_.space().json()));
    if (search != search_.json()) wrong(1, " another search: ", difference(search, search_.json()));
    if (settings != settings_) wrong(1, " other settings: ", difference(settings, settings_));
  }
  // The first members that differ: round about, what a reader needs to see.
  static std::string difference(std::string_view came, std::string_view expected) {
    std::size_t at = 0;
    while (at < came.size() && at < expected.size() && came[at] == expected[at]) ++at;
    while (at > 0 && came[at - 1] != '{' && came[at - 1] != ',') --at;
    auto const part = [&](std::string_view s) { return std::string(s.substr(at, s.find_first_of(",}", at) - at)); };
    return "the file has " + part(came) + ", the program " + part(expected);
  }

  static std::string line(search_trial const& t, double value, trial_extra const& extra) {
    std::string s = "{\"trial\":" + std::to_string(t.index) + ",\"point\":" + t.point.json() + ",\"value\":";
    append_json(s, value);
    if (!extra.empty()) {
      s += ",\"extra\":{";
      for (auto const& [name, number] : extra) {
        if (s.back() != '{') s += ',';
        append_json(s, name);
        s += ':';
        append_json(s, number);
      }
      s += '}';
    }
    return s + "}\n";
  }

  json_reader reader(std::size_t number, std::string_view text) const {
    return {"search_log", detail::shown(file_.path()) + ", line " + std::to_string(number), text};
  }
  static double number_or_nan(json_reader& json) {
    return json.word("null") ? std::numeric_limits<double>::quiet_NaN() : json.number();
  }

  void read(std::string_view text) {
    std::vector<search_trial> told;
    std::size_t number = 1;
    text.remove_prefix(text.find('\n') + 1);
    for (; !text.empty(); text.remove_prefix(text.find('\n') + 1)) {
      ++number;
      json_reader json = reader(number, text.substr(0, text.find('\n')));
      std::optional<std::size_t> index;
      std::optional<double> value;
      std::vector<named_value> values;
      trial_extra extra;
      json.object([&](std::string const& key) {
        if (key == "trial") index = static_cast<std::size_t>(json.whole());
        else if (key == "value") value = number_or_nan(json);
        else if (key == "point") json.object([&](std::string const& name) { values.push_back(value_of(json, name)); });
        else if (key == "extra")
          json.object([&](std::string const& name) { extra.emplace_back(name, number_or_nan(json)); });
        else wrong(number, " unknown member '", key, "'");
      });
      json.end();
      if (!index || !value) wrong(number, " a trial needs its number, its point and its value");
      if (*index > 100'000'000) wrong(number, " there is no trial ", *index);
      std::string problem;
      auto point = search_.space().make(values, problem);
      if (!point) wrong(number, " ", problem);
      told.push_back({.index = *index, .point = *std::move(point), .value = *value});
      keep(*index, std::move(extra));
    }
    std::sort(told.begin(), told.end(), [](auto const& a, auto const& b) { return a.index < b.index; });
    for (std::size_t i = 1; i < told.size(); ++i)
      if (told[i].index == told[i - 1].index)
        fail<io_error>("search_log", detail::shown(file_.path()), ": trial ", told[i].index, " is there twice");
    if (auto const missing = search_.replay(told))
      fail<io_error>("search_log", detail::shown(file_.path()), ": there is a trial ", told.back().index,
                     ", but trial ", *missing, " before it is missing");
    resumed_ = told.size();
  }
  static named_value value_of(json_reader& json, std::string const& name) {
    if (json.peek() == '"') return {name, json.text()};
    return {name, json.number()};  // make() asks integers to be whole
  }
  void keep(std::size_t index, trial_extra extra) {
    if (extra.empty()) return;
    if (extras_.size() <= index) extras_.resize(index + 1);
    extras_[index] = std::move(extra);
  }

  searcher& search_;
  std::string settings_;
  append_file file_;
  std::string header_;  // goes with the first trial; empty when it is written
  std::vector<trial_extra> extras_;
  std::size_t resumed_ = 0;
#if LIMBIC_THREADS
  std::mutex mutex_;
#endif
};

LIMBIC_END
