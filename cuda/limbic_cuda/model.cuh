// limbic_cuda/model.cuh - a model's parameters and state between host and GPU
//
//   lstm_autoencoder<float, cuda> on_gpu(options, random);
//   upload_state(on_gpu, on_host);        the GPU's model becomes the host's: parameters, and tensors that belong to it
//   download_state(on_host, on_gpu);      and back, for files and for inference on the CPU
//
// Both are the same model on two devices: the same members in the same order, under the same names and shapes.
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic_cuda/memory.cuh>

LIMBIC_BEGIN

namespace detail {

// One member of a model whose type is not known: what a copy between devices must find the same on both sides.
struct state_member {
  void* data;
  std::ptrdiff_t size;
  std::size_t element;
  int rank;
};

template <class M> state_member state_of(M& member) {
  auto& t = [&]() -> auto& {
    if constexpr (is_parameter<std::remove_const_t<M>>) return member.value;
    else return member;
  }();
  using T = typename std::remove_cvref_t<decltype(t)>::value_type;
  return {const_cast<T*>(t.data()), t.size(), sizeof(T), std::remove_cvref_t<decltype(t)>::rank};
}

template <class To, class From> void copy_state(std::string_view op, To& to, From const& from) {
  std::ptrdiff_t count = 0, k = 0;
  visit_state(from, [&](std::string_view, auto const&) { ++count; });
  tensor<state_member, 1, scalar> members(shape<1>{{count}}, uninitialized);
  visit_state(from, [&](std::string_view, auto const& member) { members.data()[k++] = state_of(member); });
  k = 0;
  visit_state(to, [&](std::string_view name, auto& member) {
    state_member const target = state_of(member);
    if (k == count) fail<shape_error>(op, "the other model has no ", name);
    state_member const source = members.data()[k++];
    if (source.size != target.size || source.element != target.element || source.rank != target.rank)
      fail<shape_error>(op, name, " has ", target.size, " elements of ", target.element, " bytes here, and ",
                        source.size, " of ", source.element, " there");
    copy_bytes(target.data, source.data, static_cast<std::size_t>(target.size) * target.element, op);
  });
  if (k != count) fail<shape_error>(op, "the other model has ", count, " parameters and tensors, this one ", k);
  synchronize();
}

}  // namespace detail

template <class Gpu, class Host> void upload_state(Gpu& to, Host const& from) {
  detail::copy_state("upload_state", to, from);
}
template <class Host, class Gpu> void download_state(Host& to, Gpu const& from) {
  detail::copy_state("download_state", to, from);
}

LIMBIC_END
