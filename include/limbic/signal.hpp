// limbic/signal.hpp - the wing of signals: wavelets, short-time spectra, soft-DTW, lag correlation, objectives over pairs,
// scalp maps
//
// Opt-in. With <limbic/limbic.hpp> everything in it is differentiable.
#pragma once

#include <limbic/signal/complexity.hpp>
#include <limbic/signal/correlation_objective.hpp>
#include <limbic/signal/distance_cache.hpp>
#include <limbic/signal/downsample.hpp>
#include <limbic/signal/dwt.hpp>
#include <limbic/signal/electrode_positions.hpp>
#include <limbic/signal/lag_correlation.hpp>
#include <limbic/signal/lattice.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/regularizers.hpp>
#include <limbic/signal/scalogram.hpp>
#include <limbic/signal/scalp_map.hpp>
#include <limbic/signal/soft_dtw.hpp>
#include <limbic/signal/spherical_spline.hpp>
#include <limbic/signal/stft.hpp>
#include <limbic/signal/swt.hpp>
#include <limbic/signal/threshold.hpp>
#include <limbic/signal/wavelet.hpp>
#include <limbic/signal/wavelet_tables.hpp>
