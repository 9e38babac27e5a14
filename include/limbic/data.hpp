// limbic/data.hpp - from recordings to batches: scaling, windows, order
#pragma once

#include <limbic/data/batches.hpp>
#include <limbic/data/min_max_scaler.hpp>
#include <limbic/data/sliding_windows.hpp>
