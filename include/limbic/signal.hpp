// limbic/signal.hpp - the wing of signals
#pragma once

#include <limbic/signal/complexity.hpp>
#include <limbic/signal/correlation_objective.hpp>
#include <limbic/signal/lag_correlation.hpp>
#include <limbic/signal/pair_objectives.hpp>
#include <limbic/signal/regularizers.hpp>
