// limbic/ops/margin_losses.hpp - every margin on the logits of a softmax
#pragma once

#include <limbic/ops/am_softmax_margin.hpp>
#include <limbic/ops/arcface_margin.hpp>
#include <limbic/ops/double_additive_margin.hpp>
#include <limbic/ops/dynamic_additive_margin.hpp>
#include <limbic/ops/l_softmax_margin.hpp>
#include <limbic/ops/mam_softmax.hpp>
#include <limbic/ops/no_margin.hpp>
#include <limbic/ops/soft_margin.hpp>
#include <limbic/ops/sphereface_margin.hpp>
