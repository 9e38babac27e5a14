// limbic/nn/mode.hpp - whether a layer is being trained or used
//
// A property of the call, apart from whether a tape records: what dropout and normalisation do depends on it alone.
//
//   auto operator()(auto const& x, auto mode) const { return out(drop(hidden(x), mode)); }
//
//   net(x, evaluation{});             always the same answer
//   net(t(x), training{random});      random numbers come from here, and from nowhere else
//
// Each is a type, so that a program that only evaluates holds no code for training.
#pragma once

#include <limbic/core/random.hpp>

LIMBIC_BEGIN

// The mode of a model in use: nothing is random.
struct evaluation {
  static constexpr bool trains = false;  // which of the two
};
// The mode of a model that learns: dropout draws from `random`.
struct training {
  static constexpr bool trains = true;  // which of the two
  rng& random;                          // moves on with each draw
};

// One of the two modes.
template <class M> concept layer_mode = std::is_same_v<M, evaluation> || std::is_same_v<M, training>;

LIMBIC_END
