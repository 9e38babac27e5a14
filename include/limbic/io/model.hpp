// limbic/io/model.hpp - a model's parameters to a safetensors file and back, under PyTorch-compatible names
//
//   save(model, "model.safetensors");
//   load(model, "model.safetensors");
//
// A model is anything with `each(f)`, which calls f(name, member) for its members: parameters, tensors that belong to
// the model without being trained, and further models, whose names are joined by a dot: "encoder.weight_ih_l0".
// A file that does not fit leaves the model as it was.
#pragma once

#include <limbic/core/parameter.hpp>
#include <limbic/io/safetensors.hpp>

LIMBIC_BEGIN

struct load_options {
  bool allow_extra = false;  // tensors in the file that the model lacks are skipped instead of refused
};

namespace detail {

template <class T, int R, class D> view<T, R, D> stored(parameter<T, R, D>& p) { return p.value.view(); }
template <class T, int R, class D> view<T, R, D> stored(tensor<T, R, D>& t) { return t.view(); }

// Calls f(full name, view) for everything that a model keeps.
template <class Model, class F> void each_stored(Model& model, std::string const& prefix, F const& f) {
  model.each([&](std::string_view name, auto& member) {
    std::string full = prefix;
    if (!full.empty() && !name.empty()) full += '.';
    full += name;
    if constexpr (requires { stored(member); }) f(full, stored(member));
    else each_stored(member, full, f);
  });
}

}  // namespace detail

template <class Model> void save(Model const& model, std::string const& path, file_metadata const& metadata = {}) {
  std::vector<named_view> all;
  // each(f) hands out mutable members; they are only read here.
  detail::each_stored(const_cast<Model&>(model), "",
                      [&](std::string const& name, auto const& v) { all.emplace_back(name, v); });
  save_safetensors(path, all, metadata);
}

template <class Model> void load(Model& model, safetensors_file const& file, load_options const& options = {}) {
  std::size_t used = 0;
  std::vector<std::string> names;
  detail::each_stored(model, "", [&](std::string const& name, auto const& v) {
    using V = std::remove_cvref_t<decltype(v)>;
    file.template get<typename V::value_type, V::rank>(name, v.shape());
    names.push_back(name);
    ++used;
  });
  if (!options.allow_extra && used != file.entries().size()) {
    std::sort(names.begin(), names.end());
    for (auto const& e : file.entries())
      if (!std::binary_search(names.begin(), names.end(), e.name))
        fail<io_error>("load", detail::shown(file.path()), ": the model has no parameter '", e.name, "'");
  }
  detail::each_stored(model, "", [&](std::string const& name, auto const& v) { file.read(name, v); });
}

template <class Model> void load(Model& model, std::string const& path, load_options const& options = {}) {
  load(model, safetensors_file(path), options);
}

LIMBIC_END
