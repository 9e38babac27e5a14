// limbic/ops/robust_losses.hpp - losses for rare classes, for labels that may be wrong, and for unequal mistakes
#pragma once

#include <limbic/ops/active_passive_loss.hpp>
#include <limbic/ops/brier_loss.hpp>
#include <limbic/ops/dynamically_weighted_balanced_loss.hpp>
#include <limbic/ops/generalized_cross_entropy.hpp>
#include <limbic/ops/mixed_cross_entropy.hpp>
#include <limbic/ops/ramp_loss.hpp>
#include <limbic/ops/real_world_weighted_cross_entropy.hpp>
#include <limbic/ops/sce_loss.hpp>
#include <limbic/ops/small_loss.hpp>
#include <limbic/ops/symmetric_cross_entropy.hpp>
#include <limbic/ops/truncated_generalized_cross_entropy.hpp>
#include <limbic/ops/unhinged_loss.hpp>
#include <limbic/ops/wrong_norm.hpp>
