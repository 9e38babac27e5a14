// limbic/limbic.hpp - the core: what infer.hpp has, and training
//
// The wings are separate: information.hpp (entropy and mutual information; needs Eigen), io/ (files), data/.
#pragma once

#include <limbic/infer.hpp>
#include <limbic/optim/optim.hpp>
#include <limbic/tape/checkpoint.hpp>
#include <limbic/tape/gradient_check.hpp>
#include <limbic/tape/hessian.hpp>
#include <limbic/tape/record.hpp>
