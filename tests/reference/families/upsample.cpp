// reference/families/upsample.cpp - images in a larger size
#include "support.hpp"

#include <limbic/ops/interpolate.hpp>

namespace {

using namespace reference;

template <class D> result run(call& c) {
  recording<D> r(c);
  auto const x = r.template variable<4>("input");
  auto const mode = c.text("mode");
  if (mode != "nearest" && mode != "bilinear") throw unsupported("mode '" + mode + "' does not exist here");
  limbic::interpolate_options const o{
      .mode = mode == "nearest" ? limbic::interpolation::nearest : limbic::interpolation::bilinear,
      .align_corners = c.flag("align_corners")};
  auto const v = c.numbers(c.given("size") ? "size" : "scale_factor");
  limbic::per_axis<2> const to{static_cast<std::ptrdiff_t>(v.at(0)), static_cast<std::ptrdiff_t>(v.at(1))};
  r.output("output", c.given("size") ? limbic::interpolate(x, to, o) : limbic::upsample(x, to, o), true);
  return r.finish();
}

registration const here{{"upsample", {"upsample2d"}, run<limbic::scalar>, run<limbic::simd>}};

}  // namespace
