// limbic/signal.hpp - the wing of signals
#pragma once

#include <limbic/signal/soft_dtw.hpp>
