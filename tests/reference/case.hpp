// reference/case.hpp - one reference case: what an operation is given, and what it must return
//
// The format is described in README.md beside this file. Everything here is plain data; how it is read lies in
// load.cpp, how it is compared in compare.cpp, and what runs it in families/.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
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
  std::shared_ptr<nlohmann::json const> attributes;  // an object
  tolerance value, grad;
  std::vector<array> arrays;

  array const* find(std::string_view wanted) const {
    for (auto const& a : arrays)
      if (a.name == wanted) return &a;
    return nullptr;
  }
};

// What a family's handler gives back: the expected arrays by name, the gradients by the name of what they belong to, or,
// where a case has several with respect to one array, by their own.
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

  // An option that is not there, `null` or `false` is absent; without a second argument it must be there.
  bool given(std::string const& name) { return look(name) != nullptr; }
  bool is_text(std::string const& name);
  bool flag(std::string const& name, bool otherwise = false);
  double number(std::string const& name);
  double number(std::string const& name, double otherwise) { return given(name) ? number(name) : otherwise; }
  std::int64_t integer(std::string const& name);
  std::int64_t integer(std::string const& name, std::int64_t otherwise) {
    return given(name) ? integer(name) : otherwise;
  }
  std::size_t size(std::string const& name);
  std::size_t size(std::string const& name, std::size_t otherwise) { return given(name) ? size(name) : otherwise; }
  std::string text(std::string const& name);
  std::string text(std::string const& name, std::string const& otherwise) {
    return given(name) ? text(name) : otherwise;
  }
  std::vector<double> numbers(std::string const& name);

  // A given array; find gives null where there is none.
  array const* find(std::string const& name);
  array const& get(std::string const& name);
  bool expects(std::string_view name) const;
  bool differentiates(std::string_view of) const;  // whether the gradient with respect to an array is wanted
  bool has_cotangents() const;
  array const* cotangent(std::string_view of) const;

  // Called after the handler: throws where something of the case was never looked at.
  void finish() const;

 private:
  nlohmann::json const* look(std::string const& name);
  nlohmann::json const& need(std::string const& name);
  [[noreturn]] void wrong(std::string const& name, char const* expected) const;

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
