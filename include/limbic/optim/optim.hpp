// limbic/optim/optim.hpp - everything that changes parameters
#pragma once

#include <limbic/optim/adam.hpp>
#include <limbic/optim/average.hpp>
#include <limbic/optim/gradients.hpp>
#include <limbic/optim/rmsprop.hpp>
#include <limbic/optim/schedule.hpp>
#include <limbic/optim/sgd.hpp>
