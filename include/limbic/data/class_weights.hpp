// limbic/data/class_weights.hpp - how often each class comes, and how much it weighs so that all count the same
//
//   tensor<std::int64_t, 1> const n = class_counts(labels, 10);
//   tensor<float, 1> const w = class_weights<float>(labels, 10);        cross_entropy(scores, labels, w)
//
//   w_c = N / (K n_c)      "balanced" of scikit-learn: the weights of all N samples add up to N
//
// domain  labels (N) in [0, K), else index_error; weights need a sample of every class
#pragma once

#include <limbic/data/splits.hpp>

LIMBIC_BEGIN

template <detail::group_list Labels>
tensor<std::int64_t, 1, typename Labels::device> class_counts(Labels const& labels, std::ptrdiff_t classes) {
  if (classes < 1) fail<argument_error>("class_counts", "there must be a class, but there are ", classes);
  tensor<std::int64_t, 1, typename Labels::device> counts(shape<1>{{classes}});
  auto const v = detail::group_view(labels);
  for (std::ptrdiff_t i = 0; i < v.size(); ++i) {
    auto const label = static_cast<std::int64_t>(v(i));
    if (label < 0 || label >= classes)
      fail<index_error>("class_counts", "sample ", i, " has the label ", label, ", expected 0 to ", classes - 1);
    ++counts(label);
  }
  return counts;
}

template <class F, detail::group_list Labels>
tensor<F, 1, typename Labels::device> class_weights(Labels const& labels, std::ptrdiff_t classes) {
  static_assert(std::is_floating_point_v<F>, "limbic: class weights are real numbers");
  auto const counts = class_counts(labels, classes);
  tensor<F, 1, typename Labels::device> weights(counts.shape(), uninitialized);
  for (std::ptrdiff_t c = 0; c < classes; ++c) {
    if (counts(c) == 0) fail<argument_error>("class_weights", "class ", c, " of ", classes, " has no sample");
    weights(c) = static_cast<F>(static_cast<double>(labels.shape()[0]) /
                                (static_cast<double>(classes) * static_cast<double>(counts(c))));
  }
  return weights;
}

LIMBIC_END
