// reference/registry.cpp - which families and operations exist here
#include "case.hpp"

#include <algorithm>

namespace reference {
namespace {

// A function's static, because the registrations run before main in an order that nobody knows.
std::vector<handler>& handlers() {
  static std::vector<handler> all;
  return all;
}

}  // namespace

registration::registration(handler h) { handlers().push_back(std::move(h)); }

handler const* find_handler(std::string const& family, std::string const& op) {
  for (auto const& h : handlers())
    if (h.family == family && std::find(h.ops.begin(), h.ops.end(), op) != h.ops.end()) return &h;
  return nullptr;
}

bool family_exists(std::string const& family) {
  return std::any_of(handlers().begin(), handlers().end(), [&](auto const& h) { return h.family == family; });
}

}  // namespace reference
