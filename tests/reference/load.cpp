// reference/load.cpp - reads reference cases, as folders of .npy files or packed in safetensors files
//
// Nothing is believed: sizes, types and shapes are checked against case.json and the file's length before anything is
// allocated, and an error names the file and what was expected.
#include "case.hpp"

#include <limbic/io/npy.hpp>
#include <limbic/io/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>

namespace reference {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json const& member(json const& object, char const* key) {
  if (!object.is_object()) throw malformed("expected an object that holds '" + std::string(key) + "'");
  auto const i = object.find(key);
  if (i == object.end()) throw malformed("lacks '" + std::string(key) + "'");
  return *i;
}

std::string text_member(json const& object, char const* key) {
  auto const& v = member(object, key);
  if (!v.is_string() || v.get_ref<std::string const&>().empty())
    throw malformed("'" + std::string(key) + "' must be a text");
  return v.get<std::string>();
}

tolerance read_tolerance(json const& object, char const* key) {
  auto const& v = member(object, key);
  auto const part = [&](char const* name) {
    auto const& n = member(v, name);
    if (!n.is_number() || !std::isfinite(n.get<double>()) || n.get<double>() < 0)
      throw malformed("tolerance '" + std::string(key) + "." + name + "' must be a number, not below 0");
    return n.get<double>();
  };
  return {part("rtol"), part("atol")};
}

role_type read_role(std::string const& name) {
  if (name == "input") return role_type::input;
  if (name == "param") return role_type::param;
  if (name == "expected") return role_type::expected;
  if (name == "cotangent") return role_type::cotangent;
  if (name == "expected_grad") return role_type::expected_grad;
  throw malformed("unknown role '" + name + "'");
}

std::size_t element_count(shape_type const& shape) {
  std::size_t count = 1;
  for (auto const n : shape) {
    if (n != 0 && count > std::numeric_limits<std::size_t>::max() / 16 / n)
      throw malformed("shape " + to_string(shape) + " is too large");
    count *= n;
  }
  return count;
}

// A case without its values. `files` receives the file name of each array.
test_case read_case(json const& j, std::vector<std::string>& files) {
  if (text_member(j, "schema") != "limbic-reference/1")
    throw malformed("schema is '" + text_member(j, "schema") + "', expected 'limbic-reference/1'");
  test_case c;
  c.family = text_member(j, "family");
  c.name = text_member(j, "name");
  c.op = text_member(j, "op");
  auto const level = text_member(j, "level");
  if (level != "core" && level != "extra") throw malformed("level is '" + level + "', expected 'core' or 'extra'");
  c.extra = level == "extra";
  c.attributes = std::make_shared<json const>(member(j, "attributes"));
  if (!c.attributes->is_object()) throw malformed("'attributes' must be an object");
  auto const& tol = member(j, "tolerance");
  c.value = read_tolerance(tol, "value");
  c.grad = read_tolerance(tol, "grad");

  auto const& arrays = member(j, "arrays");
  if (!arrays.is_array()) throw malformed("'arrays' must be a list");
  bool anything_expected = false;
  for (auto const& entry : arrays) {
    array a;
    a.name = text_member(entry, "name");
    if (c.find(a.name)) throw malformed("two arrays named '" + a.name + "'");
    a.role = read_role(text_member(entry, "role"));
    anything_expected |= a.role == role_type::expected;
    if (a.role == role_type::cotangent || a.role == role_type::expected_grad) a.of = text_member(entry, "of");
    auto const dtype = text_member(entry, "dtype");
    if (dtype != "float64" && dtype != "int64")
      throw malformed("array '" + a.name + "' has dtype '" + dtype + "', expected float64 or int64");
    a.integer = dtype == "int64";
    auto const& shape = member(entry, "shape");
    if (!shape.is_array()) throw malformed("the shape of array '" + a.name + "' must be a list");
    for (auto const& n : shape) {
      if (!n.is_number_integer() || n.get<std::int64_t>() < 0)
        throw malformed("the shape of array '" + a.name + "' must hold sizes");
      a.shape.push_back(n.get<std::size_t>());
    }
    element_count(a.shape);
    files.push_back(text_member(entry, "file"));
    c.arrays.push_back(std::move(a));
  }
  if (!anything_expected) throw malformed("expects nothing: no array has the role 'expected'");
  for (auto const& a : c.arrays) {
    if (a.of.empty()) continue;
    auto const* of = c.find(a.of);
    if (!of) throw malformed("array '" + a.name + "' belongs to '" + a.of + "', which does not exist");
    if (a.role != role_type::cotangent) continue;
    if (of->role != role_type::expected)
      throw malformed("array '" + a.name + "' belongs to '" + a.of + "', which is no expected array");
    if (of->shape != a.shape)
      throw malformed("array '" + a.name + "' has shape " + to_string(a.shape) + ", '" + a.of + "' has " +
                      to_string(of->shape));
  }
  return c;
}

// Whether a file's array is the one that case.json describes.
void check_stored(array const& a, limbic::dtype type, std::vector<std::ptrdiff_t> const& shape) {
  if (type != (a.integer ? limbic::dtype::i64 : limbic::dtype::f64))
    throw malformed("array '" + a.name + "' has another dtype than case.json says");
  if (!std::equal(shape.begin(), shape.end(), a.shape.begin(), a.shape.end(),
                  [](std::ptrdiff_t m, std::size_t n) { return static_cast<std::size_t>(m) == n; }))
    throw malformed("array '" + a.name + "' has another shape than case.json says");
}

// `data` holds exactly the array's elements.
void fill(array& a, void const* data) {
  auto const count = element_count(a.shape);
  a.data.resize(count);
  if (a.integer) {
    a.integers.resize(count);
    if (count) std::memcpy(a.integers.data(), data, 8 * count);
    for (std::size_t i = 0; i < count; ++i) a.data[i] = static_cast<double>(a.integers[i]);
  } else {
    if (count) std::memcpy(a.data.data(), data, 8 * count);
    for (auto const x : a.data)
      if (std::isnan(x)) throw malformed("holds a NaN");
  }
}

void read_npy(fs::path const& path, array& a) {
  limbic::npy_file const file(path.string());
  check_stored(a, file.type(), file.shape());
  if (a.integer) fill(a, file.elements<std::int64_t>().data());
  else fill(a, file.elements<double>().data());
}

template <class F> void guard(case_set& set, fs::path const& path, F&& f) {
  try {
    f();
  } catch (malformed const& e) {
    set.errors.push_back(path.string() + ": " + e.what());
  } catch (limbic::io_error const& e) {
    set.errors.push_back(path.string() + ": " + e.what());
  } catch (json::exception const& e) {
    set.errors.push_back(path.string() + ": " + e.what());
  }
}

bool note_family(case_set& set, std::set<std::string> const& wanted, std::string const& family) {
  set.known.insert(family);
  return wanted.empty() || wanted.contains(family);
}

void load_folder_case(case_set& set, std::set<std::string> const& wanted, fs::path const& path) {
  guard(set, path, [&] {
    auto const bytes = limbic::read_file("reference", path.string());
    auto const* const text = reinterpret_cast<char const*>(bytes.data());
    auto const j = json::parse(text, text + bytes.size());
    if (!note_family(set, wanted, text_member(j, "family"))) return;
    std::vector<std::string> files;
    auto c = read_case(j, files);
    bool whole = true;
    for (std::size_t i = 0; i < c.arrays.size(); ++i) {
      fs::path const file = files[i];
      if (file.filename() != file || file == "." || file == "..")
        throw malformed("'" + files[i] + "' is no plain file name");
      auto const before = set.errors.size();
      guard(set, path.parent_path() / file, [&] { read_npy(path.parent_path() / file, c.arrays[i]); });
      whole &= set.errors.size() == before;
    }
    if (whole) set.families[c.family].push_back(std::move(c));
  });
}

void load_packed(case_set& set, std::set<std::string> const& wanted, fs::path const& path) {
  guard(set, path, [&] {
    limbic::safetensors_file const file(path.string());
    auto const metadata = [&](char const* key) {
      auto const* const value = file.metadata(key);
      return value ? *value : std::string();
    };
    if (metadata("format") != "limbic-reference-packed/1") throw malformed("not a packed family of reference cases");
    auto const family = metadata("family");
    if (!note_family(set, wanted, family)) return;
    for (auto const& [key, text] : file.metadata()) {
      if (!key.starts_with("case:")) continue;
      auto const name = key.substr(5);
      guard(set, path / name, [&, &text = text] {
        std::vector<std::string> files;
        auto c = read_case(json::parse(text), files);
        if (c.family != family) throw malformed("family '" + c.family + "' in a file of another family");
        for (auto& a : c.arrays) {
          auto const* const entry = file.find(name + "/" + a.name);
          if (entry == nullptr) throw malformed("lacks '" + name + "/" + a.name + "'");
          check_stored(a, entry->type, entry->shape);
          fill(a, entry->bytes.data());
        }
        set.families[c.family].push_back(std::move(c));
      });
    }
  });
}

}  // namespace

std::string to_string(shape_type const& shape) {
  std::string text;
  for (auto const n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "(" + text + ")";
}

case_set load(fs::path const& folder, std::set<std::string> const& wanted) {
  case_set set;
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw malformed(folder.string() + ": no such folder");
  std::vector<fs::path> files;
  for (auto const& entry : fs::recursive_directory_iterator(folder)) {
    auto const& path = entry.path();
    if (path.filename() == "case.json" || path.extension() == ".safetensors") files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  for (auto const& path : files)
    path.filename() == "case.json" ? load_folder_case(set, wanted, path) : load_packed(set, wanted, path);
  if (files.empty()) throw malformed(folder.string() + ": holds neither case.json nor packed cases (*.safetensors)");
  return set;
}

}  // namespace reference
