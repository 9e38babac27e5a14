// limbic/explain/guided_backpropagation.hpp - which pixels speak for a class, in the fine grain of the image
//
//   guided_backpropagation(net, x, classes)              (N, C, H, W)
//   guided_grad_cam(net, x, classes, {.layer = ...})     the same where Grad-CAM finds evidence
//
// The gradient of the class's logit, but for rectifiers, which let through only what is positive on both ways (Springenberg
// et al. 2015, arXiv:1412.6806, fig. 1):
//
//   dx = f'(x) dy    where dy > 0 and y > 0
//   dx = 0           elsewhere
//
// Rectifiers are relu, relu6, leaky_relu and elu. Of an ELU this is the rule of the ReLU: what it makes of negative x, its
// soft floor above -alpha, passes nothing on, although its derivative e^x is not 0 there. Everything else (tanh, sigmoid,
// gelu, silu, pooling, convolutions, norms) goes back as in a gradient.
//
// Guided Grad-CAM multiplies by the map of grad_cam, brought to the image's size bilinearly (arXiv:1610.02391, section 3.2).
//
// The model is called in evaluation mode; its parameters and their gradients stay as they are.
//
// shape   x (N, C, H, W) or of any other rank, classes (N) -> that of x
// errors  classes out of range, shapes that the model refuses
#pragma once

#include <limbic/explain/class_score.hpp>
#include <limbic/explain/grad_cam.hpp>
#include <limbic/ops/interpolate.hpp>

LIMBIC_BEGIN

template <class Model, class T, int R, class D>
tensor<T, R, D> guided_backpropagation(Model const& model, tensor<T, R, D> const& x,
                                       tensor<std::int64_t, 1, D> const& classes) {
  tape t;
  auto const v = t.variable(x);
  return detail::gradients_by(true, detail::class_score(detail::evaluated(model, v), classes), v);
}

template <class Model, class T, class D>
tensor<T, 4, D> guided_grad_cam(Model const& model, tensor<T, 4, D> const& x, tensor<std::int64_t, 1, D> const& classes,
                                grad_cam_options const& o = {}) {
  auto const coarse = grad_cam(model, x, classes, o);
  auto const map = interpolate(coarse.view().unsqueeze(1), {x.extent(2), x.extent(3)}, {interpolation::bilinear});
  return guided_backpropagation(model, x, classes) * map;
}

LIMBIC_END
