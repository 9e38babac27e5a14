// limbic/search/searcher.hpp - ask and tell: what every search has in common
//
//   random_search search(space, {.seed = 1});
//   while (search.told() < 40)
//     for (auto const& trial : search.ask()) search.tell(trial.index, f(trial.point));
//   search.best().point
//
// Trials come in rounds. ask() gives the trials of the current round that have no value yet, and begins the next round
// when there are none. What a round suggests depends on the space, the options and the values of the rounds before: not on
// the order in which values came, on who computed them, or on time. So the trials are the same for any number of workers.
// A value of NaN or infinity says that the trial failed.
//
// A search is told by one thread. To survive a kill, tell it through a search_log.
#pragma once

#include <limbic/optim/goal.hpp>
#include <limbic/search/space.hpp>

LIMBIC_BEGIN

// Whether there is a value, or never will be.
enum class trial_state { pending, done, failed };

// One point to be tried, and what came of it.
struct search_trial {
  std::size_t index = 0;                                    // counted from 0, in the order of suggestion
  std::size_t round = 0;                                    // counted from 0
  candidate point;                                          // what is to be tried
  trial_state state = trial_state::pending;                 // of the trial
  double value = std::numeric_limits<double>::quiet_NaN();  // of trials that are done
};

class searcher {
 public:
  virtual ~searcher() = default;

  // What may be tried.
  search_space const& space() const { return space_; }
  // Which values are better.
  limbic::goal goal() const { return goal_; }

  // What is to be evaluated next; never empty.
  std::vector<search_trial> ask() {
    if (told_ == trials_.size()) {
      std::size_t const round = rounds();
      for (auto& point : suggest(round)) add(round, std::move(point));
    }
    std::vector<search_trial> open;
    for (auto const& t : trials_)
      if (t.state == trial_state::pending) open.push_back(t);
    return open;
  }

  // The value of a trial; one that is not finite means that it failed.
  void tell(std::size_t index, double value) {
    check_pending(index);
    auto& t = trials_[index];
    bool const good = std::isfinite(value);
    t.state = good ? trial_state::done : trial_state::failed;
    if (good) t.value = value;
    ++told_;
  }
  // Refuses what tell() would refuse.
  void check_pending(std::size_t index) const {
    if (index >= trials_.size())
      fail<argument_error>("search", "trial ", index, " was told, but only ", trials_.size(), " were asked for");
    if (trials_[index].state != trial_state::pending)
      fail<argument_error>("search", "trial ", index, " was told twice");
  }

  // All trials so far, those of an open round too; told() of them have a value or have failed.
  std::span<search_trial const> trials() const { return trials_; }
  // Trials that have a value or have failed.
  std::size_t told() const { return told_; }
  // Rounds so far, an open one too.
  std::size_t rounds() const { return trials_.empty() ? 0 : trials_.back().round + 1; }

  // The trial with the best value; of equals the first. An error where none is done.
  search_trial const& best() const {
    search_trial const* best = nullptr;
    for (auto const& t : trials_)
      if (t.state == trial_state::done && (best == nullptr || better(t.value, best->value))) best = &t;
    if (best == nullptr) fail<argument_error>("search", "none of ", trials_.size(), " trials is done");
    return *best;
  }
  // Whether value a is better than b.
  bool better(double a, double b) const { return goal_ == goal::max ? a > b : a < b; }

  // What was told before, to a search that has not begun: in the order of the indices, complete but for the last round.
  // The points count as they were, whatever would be suggested today. Returns a trial that is missing, if there is one.
  std::optional<std::size_t> replay(std::span<search_trial const> told) {
    if (!trials_.empty()) fail<argument_error>("search", "a search that has begun cannot be replayed");
    std::size_t at = 0;
    while (at < told.size()) {
      std::size_t const round = rounds(), size = round_size(round), begin = trials_.size();
      bool const whole = told.size() - at >= size && told[at + size - 1].index == begin + size - 1;
      if (whole)
        for (std::size_t i = 0; i < size; ++i) add(round, told[at + i].point);
      else ask();
      for (; at < told.size() && trials_.size() > told[at].index; ++at) {
        auto const& t = told[at];
        check_pending(t.index);
        trials_[t.index].point = t.point;
        tell(t.index, t.value);
      }
      if (!whole && at < told.size()) return ask().front().index;
    }
    return std::nullopt;
  }

  // All that decides what is suggested, but for the space, in canonical JSON: {"name":"random","seed":1,...}
  virtual std::string json() const = 0;

 protected:
  searcher(search_space space, limbic::goal goal) : space_(std::move(space)), goal_(goal) {
    if (space_.size() == 0) fail<argument_error>("search", "the space has no parameters");
  }
  searcher(searcher const&) = default;
  searcher& operator=(searcher const&) = default;

  // The points of a round, round_size(round) of them: a pure function of space, options and the rounds before.
  virtual std::vector<candidate> suggest(std::size_t round) const = 0;
  virtual std::size_t round_size(std::size_t round) const = 0;

  bool tried(candidate const& c) const {
    for (auto const& t : trials_)
      if (t.point == c) return true;
    return false;
  }

 private:
  void add(std::size_t round, candidate point) {
    trials_.push_back({.index = trials_.size(), .round = round, .point = std::move(point)});
  }

  search_space space_;
  limbic::goal goal_;
  std::vector<search_trial> trials_;
  std::size_t told_ = 0;
};

LIMBIC_END
