// limbic/optim/goal.hpp - which of two metrics is the better one
#pragma once

#include <limbic/config.hpp>

LIMBIC_BEGIN

enum class goal { min, max };

LIMBIC_END
