// reference/families/conv.cpp - convolutions of signals and images, and the transposed ones
#include "support.hpp"

#include <limbic/ops/conv_transpose.hpp>

namespace {

using namespace reference;

// One number for all axes, or a list of one for each; "same".
template <int S> limbic::per_axis<S> axes(call& c, std::string const& name, std::ptrdiff_t otherwise) {
  if (!c.given(name)) return otherwise;
  if (c.is_text(name)) {
    if (c.text(name) != "same") throw unsupported(name + " '" + c.text(name) + "'");
    return limbic::same_padding;
  }
  limbic::per_axis<S> all(c.is_list(name) ? 0 : c.integer(name));
  if (c.is_list(name)) {
    auto const given = c.numbers(name);
    for (int i = 0; i < S; ++i) all.of[i] = static_cast<std::ptrdiff_t>(given.at(static_cast<std::size_t>(i)));
  }
  return all;
}

template <int S, class D, class F> result run(call& c, F const& f) {
  recording<D> r(c);
  c.given("kernel");  // the weight's shape says it
  c.given("layout");
  auto const x = r.template variable<S + 2>("input");
  auto const weight = r.template variable<S + 2>("weight");
  if (c.flag("bias", c.find("bias") != nullptr)) r.output("output", f(x, weight, r.template variable<1>("bias")), true);
  else r.output("output", f(x, weight), true);
  return r.finish();
}

template <int S> limbic::conv_options<S> options(call& c) {
  return {axes<S>(c, "stride", 1), axes<S>(c, "padding", 0), axes<S>(c, "dilation", 1), c.integer("groups", 1)};
}
template <class D> result conv1d(call& c) {
  return run<1, D>(c, [o = options<1>(c)](auto const&... a) { return limbic::functional::conv1d(a..., o); });
}
template <class D> result conv2d(call& c) {
  return run<2, D>(c, [o = options<2>(c)](auto const&... a) { return limbic::functional::conv2d(a..., o); });
}
template <class D> result conv_transpose2d(call& c) {
  limbic::conv_transpose_options<2> const o{axes<2>(c, "stride", 1), axes<2>(c, "padding", 0),
                                            axes<2>(c, "output_padding", 0), axes<2>(c, "dilation", 1),
                                            c.integer("groups", 1)};
  return run<2, D>(c, [o](auto const&... a) { return limbic::functional::conv_transpose2d(a..., o); });
}

registration const signals{{"conv1d", {"conv1d"}, conv1d<limbic::scalar>, conv1d<limbic::simd>}};
registration const images{{"conv2d", {"conv2d"}, conv2d<limbic::scalar>, conv2d<limbic::simd>}};
registration const transposed{
    {"conv_transpose2d", {"conv_transpose2d"}, conv_transpose2d<limbic::scalar>, conv_transpose2d<limbic::simd>}};

}  // namespace
