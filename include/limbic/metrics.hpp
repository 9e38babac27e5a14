// limbic/metrics.hpp - measures of what was predicted: classes, ranks, probabilities, signals, sources, events
//
// Host code: operands are tensors or views on a CPU, float or double, and results are double. Nothing here is differentiated.
#pragma once

#include <limbic/metrics/calibration.hpp>
#include <limbic/metrics/classification.hpp>
#include <limbic/metrics/events.hpp>
#include <limbic/metrics/linear_sum_assignment.hpp>
#include <limbic/metrics/matched_correlation.hpp>
#include <limbic/metrics/ranking.hpp>
#include <limbic/metrics/signal_quality.hpp>
