// limbic/explain/grad_cam.hpp - where in an image the evidence for a class lies: Grad-CAM
//
//   grad_cam(net, x, classes)                            (N, h, w), by the last images that the network makes
//   grad_cam(net, x, classes, {.layer = "c2.conv"})      by those of another op; names: see explain/observe.hpp
//
// Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 and 2, for the channels A_k of a layer and the logit y_c:
//
//   a_k = mean over pixels of dy_c / dA_k               map = max(0, sum_k a_k A_k)
//
// The model is called in evaluation mode; its parameters and their gradients stay as they are. The map is not scaled:
// divide by its maximum to draw it, and bring it to the image's size by interpolate (bilinear).
//
// shape   x (N, C, H, W), classes (N) -> (N, h, w), the layer's extents
// errors  no such layer, classes out of range, shapes that the model refuses
#pragma once

#include <limbic/explain/class_score.hpp>
#include <limbic/explain/observe.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sum.hpp>

LIMBIC_BEGIN

struct grad_cam_options {
  std::string_view layer = {};  // whose images are looked at; empty: the last ones
};

template <class Model, class T, class D>
tensor<T, 3, D> grad_cam(Model const& model, tensor<T, 4, D> const& x, tensor<std::int64_t, 1, D> const& classes,
                         grad_cam_options const& o = {}) {
  observer<T, D> seen(image_layers_of<T>(model, x.shape()).find(o.layer));
  tape t;
  auto const y = detail::class_score(detail::evaluated(model, seen(t.variable(x))).recorded(), classes);
  auto const& maps = seen.result();
  auto const weights = mean(mean(gradients(y, maps), 3, keepdim), 2, keepdim);
  return relu(sum(maps.value() * weights, 1));
}

LIMBIC_END
