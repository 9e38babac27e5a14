// limbic/ops/ops.hpp - every op of this folder (those of linear algebra are in linalg/)
#pragma once

// activations
#include <limbic/ops/elu.hpp>
#include <limbic/ops/gelu.hpp>
#include <limbic/ops/gumbel_softmax.hpp>
#include <limbic/ops/leaky_relu.hpp>
#include <limbic/ops/log_softmax.hpp>
#include <limbic/ops/relu.hpp>
#include <limbic/ops/sigmoid.hpp>
#include <limbic/ops/silu.hpp>
#include <limbic/ops/softmax.hpp>
#include <limbic/ops/softplus.hpp>
#include <limbic/ops/tanh.hpp>

// arithmetic
#include <limbic/ops/abs.hpp>
#include <limbic/ops/add.hpp>
#include <limbic/ops/clamp.hpp>
#include <limbic/ops/compare.hpp>
#include <limbic/ops/div.hpp>
#include <limbic/ops/exp.hpp>
#include <limbic/ops/hypot.hpp>
#include <limbic/ops/log.hpp>
#include <limbic/ops/minimum.hpp>
#include <limbic/ops/mul.hpp>
#include <limbic/ops/operators.hpp>
#include <limbic/ops/pow.hpp>
#include <limbic/ops/sqrt.hpp>
#include <limbic/ops/sub.hpp>
#include <limbic/ops/where.hpp>

// along an axis, or over all elements
#include <limbic/ops/logsumexp.hpp>
#include <limbic/ops/max.hpp>
#include <limbic/ops/percentile.hpp>
#include <limbic/ops/soft_histogram.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/ops/variance.hpp>

// shapes
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/index_select.hpp>
#include <limbic/ops/pad.hpp>
#include <limbic/ops/repeat.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/slice.hpp>
#include <limbic/ops/transpose.hpp>

// signals and images
#include <limbic/ops/avg_pool.hpp>
#include <limbic/ops/interpolate.hpp>
#include <limbic/ops/max_pool.hpp>

// products and layers
#include <limbic/ops/conv.hpp>
#include <limbic/ops/conv_transpose.hpp>
#include <limbic/ops/batch_norm.hpp>
#include <limbic/ops/dropout.hpp>
#include <limbic/ops/layer_norm.hpp>
#include <limbic/ops/linear.hpp>
#include <limbic/ops/lstm.hpp>
#include <limbic/ops/matmul.hpp>
#include <limbic/ops/pairwise_squared_distances.hpp>

// losses
#include <limbic/ops/losses.hpp>
