// reference/call.cpp - a case as its handler sees it: options and arrays, and a note of what was read
#include "case.hpp"

#include <nlohmann/json.hpp>

namespace reference {

nlohmann::json const* call::look(std::string const& name) {
  auto const i = case_.attributes->find(name);
  if (i == case_.attributes->end()) return nullptr;
  read_attributes_.insert(name);
  return i->is_null() || *i == false ? nullptr : &*i;
}

nlohmann::json const& call::need(std::string const& name) {
  auto const* v = look(name);
  if (!v) throw unsupported("the case lacks the attribute '" + name + "'");
  return *v;
}

void call::wrong(std::string const& name, char const* expected) const {
  throw unsupported("attribute '" + name + "' is " + case_.attributes->at(name).dump() + ", expected " + expected);
}

bool call::is_text(std::string const& name) {
  auto const* v = look(name);
  return v && v->is_string();
}

bool call::is_list(std::string const& name) {
  auto const* v = look(name);
  return v && v->is_array();
}

bool call::flag(std::string const& name, bool otherwise) {
  auto const i = case_.attributes->find(name);
  if (i == case_.attributes->end()) return otherwise;
  read_attributes_.insert(name);
  if (i->is_null()) return false;
  if (!i->is_boolean()) wrong(name, "true or false");
  return i->get<bool>();
}

double call::number(std::string const& name) {
  auto const& v = need(name);
  if (!v.is_number()) wrong(name, "a number");
  return v.get<double>();
}

std::int64_t call::integer(std::string const& name) {
  double const v = number(name);
  auto const whole = static_cast<std::int64_t>(v);
  if (static_cast<double>(whole) != v) wrong(name, "a whole number");
  return whole;
}

std::size_t call::size(std::string const& name) {
  auto const v = integer(name);
  if (v < 0) wrong(name, "a size");
  return static_cast<std::size_t>(v);
}

std::string call::text(std::string const& name) {
  auto const& v = need(name);
  if (!v.is_string()) wrong(name, "a text");
  return v.get<std::string>();
}

std::vector<double> call::numbers(std::string const& name) {
  auto const& v = need(name);
  if (!v.is_array()) wrong(name, "a list of numbers");
  std::vector<double> list;
  for (auto const& e : v) {
    if (!e.is_number()) wrong(name, "a list of numbers");
    list.push_back(e.get<double>());
  }
  return list;
}

std::vector<std::string> call::texts(std::string const& name) {
  auto const& v = need(name);
  if (!v.is_array()) wrong(name, "a list of texts");
  std::vector<std::string> list;
  for (auto const& e : v) {
    if (!e.is_string()) wrong(name, "a list of texts");
    list.push_back(e.get<std::string>());
  }
  return list;
}

array const* call::find(std::string const& name) {
  auto const* a = case_.find(name);
  if (!a || (a->role != role_type::input && a->role != role_type::param)) return nullptr;
  read_arrays_.insert(name);
  return a;
}

array const& call::get(std::string const& name) {
  auto const* a = find(name);
  if (!a) throw unsupported("the case has no input array '" + name + "'");
  return *a;
}

bool call::expects(std::string_view name) const {
  auto const* a = case_.find(name);
  return a && a->role == role_type::expected;
}

bool call::differentiates(std::string_view of) const {
  for (auto const& a : case_.arrays)
    if (a.role == role_type::expected_grad && a.of == of) return true;
  return false;
}

bool call::has_cotangents() const {
  for (auto const& a : case_.arrays)
    if (a.role == role_type::cotangent) return true;
  return false;
}

array const* call::cotangent(std::string_view of) const {
  for (auto const& a : case_.arrays)
    if (a.role == role_type::cotangent && a.of == of) return &a;
  return nullptr;
}

void call::finish() const {
  for (auto const& [key, value] : case_.attributes->items())
    if (!read_attributes_.contains(key))
      throw unsupported("option '" + key + "' (" + value.dump() + ") of " + op() + " does not exist here");
  for (auto const& a : case_.arrays)
    if ((a.role == role_type::input || a.role == role_type::param) && !read_arrays_.contains(a.name))
      throw unsupported("array '" + a.name + "' of " + op() + " has no use here");
}

}  // namespace reference
