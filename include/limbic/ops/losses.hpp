// limbic/ops/losses.hpp - the usual losses; margin_losses.hpp and robust_losses.hpp have the others
#pragma once

#include <limbic/ops/binary_cross_entropy.hpp>
#include <limbic/ops/cross_entropy.hpp>
#include <limbic/ops/focal_loss.hpp>
#include <limbic/ops/huber_loss.hpp>
#include <limbic/ops/kl_div.hpp>
#include <limbic/ops/l1_loss.hpp>
#include <limbic/ops/mse_loss.hpp>
#include <limbic/ops/nll_loss.hpp>
#include <limbic/ops/smooth_l1_loss.hpp>
