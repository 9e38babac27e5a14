// limbic/ops/margin_losses.hpp - every margin on the logits of a softmax
#pragma once

#include <limbic/ops/am_softmax.hpp>
#include <limbic/ops/arcface.hpp>
#include <limbic/ops/double_additive_margin.hpp>
#include <limbic/ops/dynamic_additive_margin.hpp>
#include <limbic/ops/l_softmax.hpp>
#include <limbic/ops/mam_softmax.hpp>
#include <limbic/ops/normalized_softmax.hpp>
#include <limbic/ops/soft_margin_softmax.hpp>
#include <limbic/ops/sphereface.hpp>
