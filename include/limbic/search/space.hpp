// limbic/search/space.hpp - what may be tried: typed parameters, some of them only in a branch of a choice
//
//   search_space space;
//   auto const latent = space.integer("latent", 1, 64);
//   auto const rate = space.log_real("rate", 1e-4, 1e-1);              searched in the logarithm
//   auto const transform = space.categorical("transform", {"none", "wavelet"});
//   auto const level = space.integer("level", 1, 5, space.when(transform, "wavelet"));   only in this branch
//
//   candidate const c = space.make({{"latent", 42}, {"rate", 1e-3}, {"transform", "none"}});
//   c[latent], c[rate], c[transform]       std::int64_t, double, std::string const&: the handle knows the type
//   c.integer("latent"), c.real("rate"), c.category("transform"), c.has("level")
//
// A space with branches is a tagged union: each category has parameters of its own beside those that are always there.
// Branches may hold choices with branches. Names are unique in the whole space. Reading a parameter of a branch that was
// not taken is an error.
//
// The unit cube has one coordinate for each parameter. A real is low + u (high - low), log_real in the logarithm; an
// integer or a category is the cell that u lies in (cells of equal width; log_integer: of the widths that integers have
// on a logarithmic scale), and comes back as the middle of its cell. Coordinates of other branches are not looked at,
// and come back as 1/2.
//
// Features are what a Gaussian process sees: a real or integer as its place in [0, 1], a category of K as K numbers, all
// 0 but for one 1/sqrt(2), so that two categories lie 1 apart; parameters of other branches as 1/2 (0 for categories).
// All points of one integer's cell have the same features, so what is predicted is flat there (Garrido-Merchan and
// Hernandez-Lobato 2020, arXiv:1805.03463).
//
// domain  bounds finite, low <= high, log scales above 0, integers within +-2^53; at least one category, no two the same
#pragma once

#include <limbic/core/check.hpp>
#include <limbic/io/json.hpp>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <variant>

LIMBIC_BEGIN

// Which parameter of a space, and the type of its values.
template <class T> struct search_parameter {
  std::size_t index = 0;  // its place in the space
};

// Where a parameter belongs: everywhere, or to one category of a choice (search_space::when).
struct search_branch {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);  // no choice: everywhere
  std::size_t choice = none;                                         // its index in the space
  double category = 0;                                               // its index among the categories
};

// A parameter's value by its name.
struct named_value {
  std::string name;                                       // of the parameter
  std::variant<std::int64_t, double, std::string> value;  // of its type

  template <class T>
    requires std::is_arithmetic_v<T>
  named_value(std::string_view n, T v) : name(n) {
    if constexpr (std::is_integral_v<T>) value = static_cast<std::int64_t>(v);
    else value = static_cast<double>(v);
  }
  named_value(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  named_value(std::string_view n, char const* v) : name(n), value(std::string(v)) {}
};

namespace detail {

enum class search_kind { integer, real, categorical };

struct parameter_info {
  std::string name;
  search_kind kind = search_kind::real;
  bool logarithmic = false;
  double low = 0, high = 0;             // of a category: 0 and the last index
  std::vector<std::string> categories;  // of a choice
  search_branch in;

  bool discrete() const { return kind != search_kind::real; }
  double scaled(double x) const { return logarithmic ? std::log(x) : x; }
  // The ends of the interval that the cube's coordinate runs through; half a cell beyond the ends of whole numbers.
  double begin() const { return scaled(discrete() ? low - 0.5 : low); }
  double end() const { return scaled(discrete() ? high + 0.5 : high); }

  double from_unit(double u) const {
    double x = begin() + u * (end() - begin());
    if (logarithmic) x = std::exp(x);
    if (discrete()) x = std::floor(x + 0.5);
    return x < low ? low : x > high ? high : x;
  }
  double to_unit(double x) const {
    if (low == high) return 0.5;
    double const below = discrete() ? scaled(x - 0.5) : scaled(x), above = discrete() ? scaled(x + 0.5) : below;
    double const u = (0.5 * (below + above) - begin()) / (end() - begin());
    return u < 0 ? 0 : u > 1 ? 1 : u;
  }
  std::size_t features() const { return kind == search_kind::categorical ? categories.size() : 1; }
};

using parameter_list = std::vector<parameter_info>;

inline char const* kind_name(search_kind kind) {
  constexpr char const* names[] = {"integer", "real", "categorical"};
  return names[static_cast<int>(kind)];
}

template <class T> inline constexpr search_kind search_kind_of = std::is_same_v<T, std::string>
                                                                     ? search_kind::categorical
                                                                 : std::is_same_v<T, double> ? search_kind::real
                                                                                             : search_kind::integer;

template <class T> using value_of_parameter = std::conditional_t<std::is_same_v<T, std::string>, std::string const&, T>;

// The place of a parameter; the number of them where there is none of this name.
inline std::size_t find_parameter(parameter_list const& all, std::string_view name) {
  std::size_t i = 0;
  while (i < all.size() && all[i].name != name) ++i;
  return i;
}
inline std::string unknown_parameter(parameter_list const& all, std::string_view name) {
  std::string s = "there is no parameter '" + std::string(name) + "'; there are ";
  for (auto const& p : all) s += (&p == &all.front() ? "'" : ", '") + p.name + "'";
  return s;
}

inline std::string text_of(double x) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, x).ptr};
}

}  // namespace detail

// One point of a space. Plain data: copy it, keep it, hand it to a thread.
class candidate {
 public:
  template <class T> detail::value_of_parameter<T> operator[](search_parameter<T> p) const { return get<T>(p.index); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(find(name)); }
  // The value of a real parameter, by its name.
  double real(std::string_view name) const { return get<double>(find(name)); }
  // The category of a choice, by its name.
  std::string const& category(std::string_view name) const { return get<std::string>(find(name)); }

  // Whether the parameter belongs to a branch that was taken.
  bool has(std::string_view name) const { return active(find(name)); }
  template <class T> bool has(search_parameter<T> p) const { return p.index < values_.size() && active(p.index); }

  // The parameters that it has, in the space's order.
  std::vector<named_value> values() const {
    std::vector<named_value> all;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!active(i)) continue;
      auto const& p = (*parameters_)[i];
      if (p.kind == detail::search_kind::categorical) all.emplace_back(p.name, std::string_view(category_of(i)));
      else if (p.kind == detail::search_kind::integer) all.emplace_back(p.name, static_cast<std::int64_t>(values_[i]));
      else all.emplace_back(p.name, values_[i]);
    }
    return all;
  }
  // {"latent":42,"rate":0.001}
  std::string json() const {
    std::string s = "{";
    for (auto const& [name, value] : values()) {
      if (s.size() > 1) s += ',';
      append_json(s, name);
      s += ':';
      if (auto const* text = std::get_if<std::string>(&value)) append_json(s, *text);
      else if (auto const* whole = std::get_if<std::int64_t>(&value)) s += std::to_string(*whole);
      else append_json(s, std::get<double>(value));
    }
    return s + "}";
  }

  friend bool operator==(candidate const& a, candidate const& b) {
    if (a.values_.size() != b.values_.size()) return false;
    for (std::size_t i = 0; i < a.values_.size(); ++i)
      if (a.active(i) != b.active(i) || (a.active(i) && a.values_[i] != b.values_[i])) return false;
    return true;
  }

 private:
  friend class search_space;
  candidate(std::shared_ptr<detail::parameter_list const> parameters, std::vector<double> values)
      : parameters_(std::move(parameters)), values_(std::move(values)) {}

  bool active(std::size_t i) const { return !std::isnan(values_[i]); }
  std::size_t find(std::string_view name) const {
    auto const i = detail::find_parameter(*parameters_, name);
    if (i == values_.size()) fail<argument_error>("candidate", detail::unknown_parameter(*parameters_, name));
    return i;
  }
  std::string const& category_of(std::size_t i) const {
    return (*parameters_)[i].categories[static_cast<std::size_t>(values_[i])];
  }
  template <class T> detail::value_of_parameter<T> get(std::size_t i) const {
    if (i >= values_.size()) fail<argument_error>("candidate", "a parameter of another space was asked for");
    auto const& p = (*parameters_)[i];
    if (p.kind != detail::search_kind_of<T>)
      fail<argument_error>("candidate", "parameter '", p.name, "' is ", detail::kind_name(p.kind), ", not ",
                           detail::kind_name(detail::search_kind_of<T>));
    if (!active(i)) {
      auto const& choice = (*parameters_)[p.in.choice];
      fail<argument_error>("candidate", "parameter '", p.name, "' belongs to the branch ", choice.name, " = ",
                           choice.categories[static_cast<std::size_t>(p.in.category)], ", which was not taken");
    }
    if constexpr (std::is_same_v<T, std::string>) return category_of(i);
    else return static_cast<T>(values_[i]);
  }

  std::shared_ptr<detail::parameter_list const> parameters_;
  std::vector<double> values_;  // of a category its index; NaN where the branch was not taken
};

class search_space {
 public:
  search_parameter<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high,
                                         search_branch in = {}) {
    return {add_number(name, detail::search_kind::integer, false, whole(name, low), whole(name, high), in)};
  }
  // An integer searched in the logarithm.
  search_parameter<std::int64_t> log_integer(std::string_view name, std::int64_t low, std::int64_t high,
                                             search_branch in = {}) {
    return {add_number(name, detail::search_kind::integer, true, whole(name, low), whole(name, high), in)};
  }
  // A number in [low, high].
  search_parameter<double> real(std::string_view name, double low, double high, search_branch in = {}) {
    return {add_number(name, detail::search_kind::real, false, low, high, in)};
  }
  search_parameter<double> log_real(std::string_view name, double low, double high, search_branch in = {}) {
    return {add_number(name, detail::search_kind::real, true, low, high, in)};
  }
  // A choice among categories.
  search_parameter<std::string> categorical(std::string_view name, std::initializer_list<std::string_view> categories,
                                            search_branch in = {}) {
    return categorical(name, std::span(categories.begin(), categories.size()), in);
  }
  search_parameter<std::string> categorical(std::string_view name, std::span<std::string_view const> categories,
                                            search_branch in = {}) {
    detail::parameter_info p;
    p.name = name;
    p.kind = detail::search_kind::categorical;
    for (auto const c : categories) {
      for (auto const& known : p.categories)
        if (known == c) fail<argument_error>("search_space", "parameter '", name, "' has the category '", c, "' twice");
      p.categories.emplace_back(c);
    }
    if (p.categories.empty()) fail<argument_error>("search_space", "parameter '", name, "' has no categories");
    p.high = static_cast<double>(p.categories.size() - 1);
    return {add(std::move(p), in)};
  }

  // The branch of a choice that holds the parameters which are added with it.
  search_branch when(search_parameter<std::string> choice, std::string_view category) const {
    if (choice.index >= size() || (*parameters_)[choice.index].kind != detail::search_kind::categorical)
      fail<argument_error>("search_space", "when() needs a choice of this space");
    auto const& p = (*parameters_)[choice.index];
    for (std::size_t k = 0; k < p.categories.size(); ++k)
      if (p.categories[k] == category) return {choice.index, static_cast<double>(k)};
    fail<argument_error>("search_space", "choice '", p.name, "' has no category '", category, "'");
  }

  // The number of parameters: coordinates of the unit cube.
  std::size_t size() const { return parameters_->size(); }
  // How many features a candidate has.
  std::size_t features() const {
    std::size_t n = 0;
    for (auto const& p : *parameters_) n += p.features();
    return n;
  }

  // The candidate with these values. Each parameter of the branches taken must be there, and no other. A whole number
  // is taken where a real is expected.
  candidate make(std::span<named_value const> values) const {
    std::string problem;
    auto c = make(values, problem);
    if (!c) fail<argument_error>("search_space", problem);
    return *std::move(c);
  }
  candidate make(std::initializer_list<named_value> values) const {
    return make(std::span(values.begin(), values.size()));
  }
  // The same for values that come from a file: nothing, and why.
  std::optional<candidate> make(std::span<named_value const> values, std::string& problem) const {
    auto const& all = *parameters_;
    auto const refuse = [&](std::string const& name, std::string const& what) {
      problem = "parameter '" + name + "' " + what;
      return std::nullopt;
    };
    std::vector<named_value const*> given(all.size(), nullptr);
    for (auto const& v : values) {
      auto const i = detail::find_parameter(all, v.name);
      if (i == all.size()) {
        problem = detail::unknown_parameter(all, v.name);
        return std::nullopt;
      }
      if (given[i] != nullptr) return refuse(v.name, "is given twice");
      given[i] = &v;
    }
    std::vector<double> x(all.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto const& p = all[i];
      bool const active = is_active(i, x);
      if (active && given[i] == nullptr) return refuse(p.name, "has no value");
      if (!active && given[i] != nullptr)
        return refuse(
            p.name, "belongs to the branch " + all[p.in.choice].name + " = " + branch_name(p) + ", which is not taken");
      if (!active) continue;
      auto const what = read(p, *given[i], x[i]);
      if (!what.empty()) return refuse(p.name, what);
    }
    return candidate(parameters_, std::move(x));
  }

  // The candidate at a point of the unit cube, and the point of a candidate.
  candidate from_cube(std::span<double const> u) const {
    if (u.size() != size())
      fail<shape_error>("search_space", "a point of ", size(), " coordinates is needed, but came ", u.size());
    std::vector<double> x(u.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < u.size(); ++i) {
      if (!(u[i] >= 0 && u[i] <= 1))
        fail<argument_error>("search_space", "coordinates must lie in [0, 1], but there is ", u[i]);
      if (is_active(i, x)) x[i] = (*parameters_)[i].from_unit(u[i]);
    }
    return candidate(parameters_, std::move(x));
  }
  // The place of a candidate in the unit cube.
  std::vector<double> to_cube(candidate const& c) const {
    own(c);
    std::vector<double> u(size(), 0.5);
    for (std::size_t i = 0; i < size(); ++i)
      if (c.active(i)) u[i] = (*parameters_)[i].to_unit(c.values_[i]);
    return u;
  }

  // The features of a candidate.
  void encode(candidate const& c, std::span<double> to) const {
    own(c);
    if (to.size() != features())
      fail<shape_error>("search_space", "room for ", features(), " features is needed, but came ", to.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      auto const& p = (*parameters_)[i];
      if (p.kind == detail::search_kind::categorical) {
        for (std::size_t k = 0; k < p.categories.size(); ++k)
          to[at++] = c.active(i) && static_cast<double>(k) == c.values_[i] ? 0.70710678118654752 : 0.0;
      } else {
        double const low = p.scaled(p.low), high = p.scaled(p.high);
        to[at++] = c.active(i) && low < high ? (p.scaled(c.values_[i]) - low) / (high - low) : 0.5;
      }
    }
  }
  std::vector<double> encode(candidate const& c) const {
    std::vector<double> f(features());
    encode(c, f);
    return f;
  }

  // All candidates, where there are at most so many: then every parameter is discrete, or has one value.
  std::optional<std::vector<candidate>> enumerate(std::size_t most) const {
    std::vector<candidate> found;
    std::vector<double> x(size(), std::numeric_limits<double>::quiet_NaN());
    for (;;) {
      // The first candidate that agrees with what is left of x.
      for (std::size_t i = 0; i < size(); ++i) {
        auto const& p = (*parameters_)[i];
        if (!is_active(i, x)) continue;
        if (!p.discrete() && p.low < p.high) return std::nullopt;
        if (std::isnan(x[i])) x[i] = p.low;
      }
      if (found.size() == most) return std::nullopt;
      found.push_back(candidate(parameters_, x));
      // Counts up, the last parameter fastest; what stands behind the one that moves begins anew.
      std::size_t i = size();
      while (i > 0 && (std::isnan(x[i - 1]) || x[i - 1] >= (*parameters_)[i - 1].high)) --i;
      if (i == 0) return found;
      x[i - 1] += 1;
      for (; i < size(); ++i) x[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }

  // The whole definition in canonical JSON: two spaces are the same when their texts are.
  std::string json() const {
    std::string s = "[";
    for (auto const& p : *parameters_) {
      if (s.size() > 1) s += ',';
      s += "{\"name\":";
      append_json(s, p.name);
      s += ",\"type\":\"";
      s += p.logarithmic ? "log_" : "";
      s += detail::kind_name(p.kind);
      s += '"';
      if (p.kind == detail::search_kind::categorical) {
        s += ",\"categories\":[";
        for (auto const& c : p.categories) {
          if (s.back() != '[') s += ',';
          append_json(s, c);
        }
        s += ']';
      } else {
        s += ",\"low\":";
        append_json(s, p.low);
        s += ",\"high\":";
        append_json(s, p.high);
      }
      if (p.in.choice != search_branch::none) {
        s += ",\"when\":[";
        append_json(s, (*parameters_)[p.in.choice].name);
        s += ',';
        append_json(s, branch_name(p));
        s += ']';
      }
      s += '}';
    }
    return s + "]";
  }

  // Neighbouring places of one coordinate, for a search that walks: a step up and down for numbers, at least one cell;
  // every other category. Coordinates of branches that are not taken have none.
  std::vector<double> neighbours(candidate const& c, std::span<double const> u, std::size_t i, double step) const {
    std::vector<double> places;
    auto const& p = (*parameters_)[i];
    if (!c.active(i) || p.low == p.high) return places;
    if (p.kind == detail::search_kind::categorical) {
      for (double k = 0; k <= p.high; ++k)
        if (k != c.values_[i]) places.push_back(p.to_unit(k));
    } else {
      for (double const sign : {-1.0, 1.0}) {
        double at = u[i] + sign * step;
        at = at < 0 ? 0 : at > 1 ? 1 : at;
        if (p.discrete() && p.from_unit(at) == c.values_[i]) {
          double const next = c.values_[i] + sign;
          if (next < p.low || next > p.high) continue;
          at = p.to_unit(next);
        }
        if (at != u[i]) places.push_back(at);
      }
    }
    return places;
  }

 private:
  static double whole(std::string_view name, std::int64_t x) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    if (x < -most || x > most)
      fail<argument_error>("search_space", "bounds of '", name, "' must lie within 2^53, but there is ", x);
    return static_cast<double>(x);
  }
  std::size_t add_number(std::string_view name, detail::search_kind kind, bool logarithmic, double low, double high,
                         search_branch in) {
    if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(high - low))
      fail<argument_error>("search_space", "bounds of '", name, "' must be finite, but are ", low, " and ", high);
    if (low > high)
      fail<argument_error>("search_space", "parameter '", name, "' has a low bound of ", low,
                           " above its high bound of ", high);
    if (logarithmic && !(low > 0))
      fail<argument_error>("search_space", "parameter '", name, "' is searched in the logarithm, so ", low,
                           " cannot be its low bound");
    detail::parameter_info p;
    p.name = name;
    p.kind = kind;
    p.logarithmic = logarithmic;
    p.low = low;
    p.high = high;
    return add(std::move(p), in);
  }
  // Candidates made before keep the list as it was.
  std::size_t add(detail::parameter_info p, search_branch in) {
    if (p.name.empty()) fail<argument_error>("search_space", "a parameter needs a name");
    for (auto const& known : *parameters_)
      if (known.name == p.name) fail<argument_error>("search_space", "there are two parameters named '", p.name, "'");
    auto grown = std::make_shared<detail::parameter_list>(*parameters_);
    p.in = in;
    grown->push_back(std::move(p));
    parameters_ = std::move(grown);
    return parameters_->size() - 1;
  }

  bool is_active(std::size_t i, std::span<double const> x) const {
    auto const& p = (*parameters_)[i];
    return p.in.choice == search_branch::none || x[p.in.choice] == p.in.category;  // a choice that is not there is NaN
  }
  std::string const& branch_name(detail::parameter_info const& p) const {
    return (*parameters_)[p.in.choice].categories[static_cast<std::size_t>(p.in.category)];
  }
  void own(candidate const& c) const {
    if (c.parameters_ != parameters_ && c.values_.size() != size())
      fail<argument_error>("search_space", "a candidate of another space has come");
  }
  // Reads a value for a parameter; what is wrong with it, or nothing.
  static std::string read(detail::parameter_info const& p, named_value const& v, double& x) {
    auto const* text = std::get_if<std::string>(&v.value);
    if (p.kind == detail::search_kind::categorical) {
      std::string known;
      for (std::size_t k = 0; k < p.categories.size(); ++k) {
        known += (k == 0 ? "'" : ", '") + p.categories[k] + "'";
        if (text == nullptr || p.categories[k] != *text) continue;
        x = static_cast<double>(k);
        return "";
      }
      return "must be one of " + known + ", but is " + (text != nullptr ? "'" + *text + "'" : "a number");
    }
    if (text != nullptr) return std::string("is ") + detail::kind_name(p.kind) + ", but its value is a text";
    auto const* integer = std::get_if<std::int64_t>(&v.value);
    x = integer != nullptr ? static_cast<double>(*integer) : std::get<double>(v.value);
    auto const shown = [](double n) { return detail::text_of(n); };
    if (p.kind == detail::search_kind::integer && std::floor(x) != x)
      return "is an integer, but its value is " + shown(x);
    if (!(x >= p.low && x <= p.high))
      return "must lie between " + shown(p.low) + " and " + shown(p.high) + ", but is " + shown(x);
    return "";
  }

  std::shared_ptr<detail::parameter_list const> parameters_ = std::make_shared<detail::parameter_list>();
};

LIMBIC_END
