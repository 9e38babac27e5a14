// limbic/infer.hpp - the core without training: tensors, ops, layers and models, and no tape
#pragma once

#include <limbic/models/lstm_autoencoder.hpp>
#include <limbic/nn/conv.hpp>
#include <limbic/nn/batch_norm.hpp>
#include <limbic/nn/dropout.hpp>
#include <limbic/nn/fold.hpp>
#include <limbic/nn/fused.hpp>
#include <limbic/nn/gumbel_softmax.hpp>
#include <limbic/nn/init.hpp>
#include <limbic/nn/layer_norm.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/nn/lstm.hpp>
#include <limbic/ops/losses.hpp>
#include <limbic/ops/ops.hpp>
