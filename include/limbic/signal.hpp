// limbic/signal.hpp - the wing of signals: wavelets
//
// Opt-in. With <limbic/limbic.hpp> everything in it is differentiable.
#pragma once

#include <limbic/signal/dwt.hpp>
#include <limbic/signal/lattice.hpp>
#include <limbic/signal/swt.hpp>
#include <limbic/signal/threshold.hpp>
#include <limbic/signal/wavelet.hpp>
