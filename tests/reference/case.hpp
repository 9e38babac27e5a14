// reference/case.hpp - one reference case: what an operation is given, and what it must return
//
// The format is described in README.md beside this file. Everything here is plain data; how it is read lies in
// load.cpp, how it is compared in compare.cpp, and what runs it in families/.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reference {

using shape_type = std::vector<std::size_t>;

enum class role_type { input, param, expected, cotangent, expected_grad };

struct array {
  std::string name;
  role_type role = role_type::input;
  std::string of;                      // cotangent and expected_grad: the array that it belongs to
  bool integer = false;                // int64 instead of float64
  shape_type shape;                    // empty for a scalar, which has one element
  std::vector<double> data;            // integers too, converted: no label comes near 2^53
  std::vector<std::int64_t> integers;  // an int64 array's own values
};

struct tolerance {
  double rtol = 0;
  double atol = 0;
};

struct test_case {
  std::string family, name, op;
  bool extra = false;  // level `extra`: outside what was asked for, skipped where the option does not exist
  nlohmann::json attributes;
  tolerance value, grad;
  std::vector<array> arrays;

  array const* find(std::string_view wanted) const {
    for (auto const& a : arrays)
      if (a.name == wanted) return &a;
    return nullptr;
  }
};

// What a family's handler gives back: the expected arrays by name, the gradients by the name of what they belong to.
struct tensor_value {
  shape_type shape;
  std::vector<double> data;
};

struct result {
  std::map<std::string, tensor_value, std::less<>> values;
  std::map<std::string, tensor_value, std::less<>> grads;
};

// An option that does not exist in the library. A case of level `extra` is skipped, a `core` case fails.
struct unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A file that is not what the format asks for.
struct malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A case as its handler sees it. Reads are noted: an attribute or a given array that the handler never looked at is
// an option that it does not know, so that nothing can be ignored in silence.
class call {
 public:
  explicit call(test_case const& c) : case_(c) {}

  std::string const& op() const { return case_.op; }

  // An option that is not there, `null` or `false` is absent.
  bool given(std::string const& name) { return look(name) != nullptr; }
  bool flag(std::string const& name, bool otherwise = false) {
    auto const i = case_.attributes.find(name);
    if (i == case_.attributes.end()) return otherwise;
    read_attributes_.insert(name);
    if (!i->is_boolean()) wrong(name, "true or false");
    return i->template get<bool>();
  }
  double number(std::string const& name, double otherwise) { return look(name) ? number(name) : otherwise; }
  double number(std::string const& name) {
    auto const& v = need(name);
    if (!v.is_number()) wrong(name, "a number");
    return v.template get<double>();
  }
  std::int64_t integer(std::string const& name, std::int64_t otherwise) {
    return look(name) ? integer(name) : otherwise;
  }
  std::int64_t integer(std::string const& name) {
    double const v = number(name);
    auto const whole = static_cast<std::int64_t>(v);
    if (static_cast<double>(whole) != v) wrong(name, "a whole number");
    return whole;
  }
  std::size_t size(std::string const& name) {
    auto const v = integer(name);
    if (v < 0) wrong(name, "a size");
    return static_cast<std::size_t>(v);
  }
  std::size_t size(std::string const& name, std::size_t otherwise) { return look(name) ? size(name) : otherwise; }
  std::string text(std::string const& name, std::string const& otherwise) {
    return look(name) ? text(name) : otherwise;
  }
  std::string text(std::string const& name) {
    auto const& v = need(name);
    if (!v.is_string()) wrong(name, "a text");
    return v.template get<std::string>();
  }
  std::vector<double> numbers(std::string const& name) {
    auto const& v = need(name);
    if (!v.is_array()) wrong(name, "a list of numbers");
    std::vector<double> list;
    for (auto const& e : v) {
      if (!e.is_number()) wrong(name, "a list of numbers");
      list.push_back(e.template get<double>());
    }
    return list;
  }
  // The attribute as it stands, for options that may be a number or a text.
  nlohmann::json const* attribute(std::string const& name) { return look(name); }

  array const* find(std::string const& name) {
    auto const* a = case_.find(name);
    if (!a || (a->role != role_type::input && a->role != role_type::param)) return nullptr;
    read_arrays_.insert(name);
    return a;
  }
  array const& get(std::string const& name) {
    auto const* a = find(name);
    if (!a) throw unsupported("the case has no input array '" + name + "'");
    return *a;
  }
  bool expects(std::string_view name) const {
    auto const* a = case_.find(name);
    return a && a->role == role_type::expected;
  }
  // Whether the gradient with respect to an array is wanted.
  bool differentiates(std::string_view of) const {
    for (auto const& a : case_.arrays)
      if (a.role == role_type::expected_grad && a.of == of) return true;
    return false;
  }
  bool has_cotangents() const {
    for (auto const& a : case_.arrays)
      if (a.role == role_type::cotangent) return true;
    return false;
  }
  array const* cotangent(std::string_view of) const {
    for (auto const& a : case_.arrays)
      if (a.role == role_type::cotangent && a.of == of) return &a;
    return nullptr;
  }

  // Called after the handler: throws where something of the case was never looked at.
  void finish() const {
    for (auto const& [key, value] : case_.attributes.items())
      if (!read_attributes_.contains(key))
        throw unsupported("option '" + key + "' (" + value.dump() + ") of " + op() + " does not exist here");
    for (auto const& a : case_.arrays)
      if ((a.role == role_type::input || a.role == role_type::param) && !read_arrays_.contains(a.name))
        throw unsupported("array '" + a.name + "' of " + op() + " has no use here");
  }

 private:
  nlohmann::json const* look(std::string const& name) {
    auto const i = case_.attributes.find(name);
    if (i == case_.attributes.end()) return nullptr;
    read_attributes_.insert(name);
    return i->is_null() || *i == false ? nullptr : &*i;
  }
  nlohmann::json const& need(std::string const& name) {
    auto const* v = look(name);
    if (!v) throw unsupported("the case lacks the attribute '" + name + "'");
    return *v;
  }
  [[noreturn]] void wrong(std::string const& name, char const* expected) const {
    throw unsupported("attribute '" + name + "' is " + case_.attributes.at(name).dump() + ", expected " + expected);
  }

  test_case const& case_;
  std::set<std::string> read_attributes_, read_arrays_;
};

// --- load.cpp

struct case_set {
  std::map<std::string, std::vector<test_case>> families;  // in the order of their names
  std::set<std::string> known;                             // every family below the folder, also those not asked for
  std::vector<std::string> errors;                         // what is malformed, one line each
};

// Reads every case below `folder`, in either form. `wanted` narrows to some families; empty means all.
case_set load(std::filesystem::path const& folder, std::set<std::string> const& wanted);

std::string to_string(shape_type const& shape);

// --- compare.cpp

// One line for each array that is missing, of a wrong shape, or beyond the tolerance; empty if the case passed.
std::vector<std::string> compare(test_case const& c, result const& got);

// --- registry.cpp

// Runs some operations of a family, on either backend.
struct handler {
  std::string family;
  std::vector<std::string> ops;
  result (*scalar)(call&);
  result (*simd)(call&);
};

struct registration {
  explicit registration(handler h);
};

handler const* find_handler(std::string const& family, std::string const& op);
bool family_exists(std::string const& family);

}  // namespace reference
