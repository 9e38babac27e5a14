// tests/losses/classes.hpp - seven samples of five classes
#pragma once

#include "support.hpp"

namespace {

using labels = std::int64_t;

template <class D> struct samples {
  limbic::tensor<double, 2, D> x = random_tensor<D>(limbic::shape{7, 5}, 1, -3, 3);
  limbic::tensor<labels, 1, D> y{limbic::shape<1>{{7}}, {0, 4, 2, -100, 1, 1, 3}};
  limbic::tensor<labels, 1, D> all{limbic::shape<1>{{7}}, {0, 4, 2, 2, 1, 1, 3}};
  limbic::tensor<double, 1, D> w{limbic::shape<1>{{5}}, {0.3, 1, 2, 0.5, 1.5}};
};

}  // namespace
