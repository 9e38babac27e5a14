// limbic/data.hpp - from recordings to batches: scaling, windows, order, counts, pairs, splits
#pragma once

#include <limbic/data/batches.hpp>
#include <limbic/data/class_weights.hpp>
#include <limbic/data/histogram.hpp>
#include <limbic/data/injections.hpp>
#include <limbic/data/min_max_scaler.hpp>
#include <limbic/data/pairs.hpp>
#include <limbic/data/sliding_windows.hpp>
#include <limbic/data/splits.hpp>
#include <limbic/data/standard_scaler.hpp>
#include <limbic/data/stratified.hpp>
