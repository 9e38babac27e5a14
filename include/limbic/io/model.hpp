// limbic/io/model.hpp - a model's parameters to a safetensors file and back, under PyTorch-compatible names
//
//   save(model, "model.safetensors");
//   load(model, "model.safetensors");
//
// What is kept are the parameters and the untrained tensors that visit_state(model, f) names (core/visit.hpp).
// A file that does not fit leaves the model as it was.
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic/io/safetensors.hpp>

LIMBIC_BEGIN

struct load_options {
  bool allow_extra = false;  // tensors in the file that the model lacks are skipped instead of refused
};

namespace detail {

template <class T, int R, class D> view<T const, R, D> stored(parameter<T, R, D> const& p) { return p.value.view(); }
template <class T, int R, class D> view<T const, R, D> stored(tensor<T, R, D> const& t) { return t.view(); }
template <class T, int R, class D> view<T, R, D> stored(parameter<T, R, D>& p) { return p.value.view(); }
template <class T, int R, class D> view<T, R, D> stored(tensor<T, R, D>& t) { return t.view(); }

}  // namespace detail

template <class Model> void save(Model const& model, std::string const& path, file_metadata const& metadata = {}) {
  std::vector<named_view> all;
  visit_state(model, [&](std::string_view name, auto const& member) {
    all.emplace_back(std::string(name), detail::stored(member));
  });
  save_safetensors(path, all, metadata);
}

template <class Model> void load(Model& model, safetensors_file const& file, load_options const& options = {}) {
  std::vector<std::string> names;
  visit_state(std::as_const(model), [&](std::string_view name, auto const& member) {
    auto const v = detail::stored(member);
    file.template get<typename decltype(v)::value_type, decltype(v)::rank>(name, v.shape());
    names.emplace_back(name);
  });
  std::sort(names.begin(), names.end());
  if (!options.allow_extra)
    for (auto const& e : file.entries())
      if (!std::binary_search(names.begin(), names.end(), e.name))
        fail<io_error>("load", detail::shown(file.path()), ": the model has no parameter '", e.name, "'");
  visit_state(model, [&](std::string_view name, auto& member) { file.read(name, detail::stored(member)); });
}

template <class Model> void load(Model& model, std::string const& path, load_options const& options = {}) {
  load(model, safetensors_file(path), options);
}

LIMBIC_END
