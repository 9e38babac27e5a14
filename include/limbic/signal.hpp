// limbic/signal.hpp - the wing of signals
#pragma once

#include <limbic/signal/distance_cache.hpp>
#include <limbic/signal/downsample.hpp>
#include <limbic/signal/soft_dtw.hpp>
