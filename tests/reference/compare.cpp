// reference/compare.cpp - |got - want| <= atol + rtol*|want|, for every element of every array that a case expects
#include "case.hpp"

#include <cmath>
#include <cstdio>

namespace reference {
namespace {

std::string number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", x);
  return text;
}

std::string short_number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

// The position of a flat index, as [2, 0, 1].
std::string position(std::size_t flat, shape_type const& shape) {
  std::string text;
  for (std::size_t d = shape.size(); d-- > 0;) {
    text = std::to_string(flat % shape[d]) + (text.empty() ? "" : ", ") + text;
    flat /= shape[d];
  }
  return "[" + text + "]";
}

void compare_array(array const& want, tensor_value const* got, tolerance const& tol,
                   std::vector<std::string>& failures) {
  if (!got) {
    failures.push_back(want.name + ": nothing was computed for it");
    return;
  }
  if (got->shape != want.shape || got->data.size() != want.data.size()) {
    failures.push_back(want.name + ": shape is " + to_string(got->shape) + ", expected " + to_string(want.shape));
    return;
  }
  std::size_t wrong = 0, worst = 0;
  double worst_excess = -1;
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    double const g = got->data[i], w = want.data[i];
    if (g == w) continue;  // infinities too, whose difference is not a number
    double const allowed = tol.atol + tol.rtol * std::abs(w);
    double const off = std::abs(g - w);
    if (std::isfinite(w) && off <= allowed) continue;  // false for NaN
    ++wrong;
    double const excess = std::isfinite(off) ? off - allowed : HUGE_VAL;
    if (excess > worst_excess) worst_excess = excess, worst = i;
  }
  if (wrong == 0) return;
  double const g = got->data[worst], w = want.data[worst];
  failures.push_back(want.name + position(worst, want.shape) + ": got " + number(g) + ", want " + number(w) +
                     ", off by " + short_number(std::abs(g - w)) + ", tolerance " +
                     short_number(tol.atol + tol.rtol * std::abs(w)) + " (rtol " + short_number(tol.rtol) + ", atol " +
                     short_number(tol.atol) + "); " + std::to_string(wrong) + " of " +
                     std::to_string(want.data.size()) + " elements differ");
}

}  // namespace

std::vector<std::string> compare(test_case const& c, result const& got) {
  std::vector<std::string> failures;
  for (auto const& a : c.arrays) {
    if (a.role == role_type::expected) {
      auto const i = got.values.find(a.name);
      compare_array(a, i == got.values.end() ? nullptr : &i->second, c.value, failures);
    } else if (a.role == role_type::expected_grad) {
      auto i = got.grads.find(a.name);
      if (i == got.grads.end()) i = got.grads.find(a.of);
      compare_array(a, i == got.grads.end() ? nullptr : &i->second, c.grad, failures);
    }
  }
  return failures;
}

}  // namespace reference
