// limbic/signal.hpp - the wing of signals
#pragma once

#include <limbic/signal/complexity.hpp>
#include <limbic/signal/correlation_objective.hpp>
#include <limbic/signal/distance_cache.hpp>
#include <limbic/signal/downsample.hpp>
#include <limbic/signal/lag_correlation.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/regularizers.hpp>
#include <limbic/signal/soft_dtw.hpp>
