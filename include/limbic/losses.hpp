// limbic/losses.hpp - the wing of losses: the usual ones, margins on the logits, and losses for hard data
//
// Opt-in. The usual ones (ops/losses.hpp) come with <limbic/limbic.hpp> too.
#pragma once

#include <limbic/ops/losses.hpp>
#include <limbic/ops/margin_losses.hpp>
#include <limbic/ops/robust_losses.hpp>
