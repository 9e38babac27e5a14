// reference/families/pool.cpp - the greatest, and the mean, of windows over images
#include "support.hpp"

#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/max_pool.hpp>

namespace {

using namespace reference;

limbic::per_axis<2> pair(call& c, std::string const& name) {
  auto const v = c.numbers(name);
  if (v.size() != 2) throw unsupported("option '" + name + "' has not two numbers");
  return {static_cast<std::ptrdiff_t>(v[0]), static_cast<std::ptrdiff_t>(v[1])};
}

template <class D, class Y> result give(recording<D>& r, Y const& y) {
  r.output("output", y, true);
  return r.finish();
}
template <class I> result with_indices(call& c, result r, I const& index) {
  if (!c.expects("indices")) return r;
  limbic::tensor<double, 4> as_numbers(index.shape());
  for (std::ptrdiff_t i = 0; i < index.size(); ++i) as_numbers.data()[i] = static_cast<double>(index.data()[i]);
  r.values["indices"] = to_value(as_numbers);
  return r;
}

template <class D> result run(call& c) {
  recording<D> r(c);
  auto const x = r.template variable<4>("input");
  if (c.op() == "global_avg_pool2d" || c.op() == "global_max_pool2d") {
    if (c.flag("keepdim")) throw unsupported("global pooling drops its axes");
    return c.op() == "global_avg_pool2d" ? give(r, limbic::global_avg_pool(x)) : give(r, limbic::global_max_pool(x));
  }
  if (c.op() == "adaptive_avg_pool2d") return give(r, limbic::adaptive_avg_pool2d(x, pair(c, "output_size")));
  if (c.op() == "adaptive_max_pool2d") {
    auto const size = pair(c, "output_size");
    return with_indices(c, give(r, limbic::adaptive_max_pool2d(x, size)),
                        limbic::adaptive_max_pool2d_indices(x.value(), size));
  }
  auto const kernel = pair(c, "kernel");
  if (c.op() == "avg_pool2d")
    return give(r, limbic::avg_pool2d(x, kernel,
                                      {.stride = pair(c, "stride"),
                                       .padding = pair(c, "padding"),
                                       .ceil_mode = c.flag("ceil_mode"),
                                       .count_include_pad = c.flag("count_include_pad")}));
  limbic::max_pool_options<2> const o{.stride = pair(c, "stride"),
                                      .padding = pair(c, "padding"),
                                      .dilation = pair(c, "dilation"),
                                      .ceil_mode = c.flag("ceil_mode")};
  return with_indices(c, give(r, limbic::max_pool2d(x, kernel, o)), limbic::max_pool2d_indices(x.value(), kernel, o));
}

registration const here{{"pool",
                         {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "global_avg_pool2d",
                          "global_max_pool2d"},
                         run<limbic::scalar>,
                         run<limbic::simd>}};

}  // namespace
