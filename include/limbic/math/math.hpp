// limbic/math/math.hpp - functions of one lane: a number, a dual number, a SIMD pack of either, a CUDA thread's number
//
// An elementwise op is written once in these functions and operators. Qualify every call (math::exp): an unqualified
// one on a pack finds xsimd's.
#pragma once

#include <limbic/math/base.hpp>
#include <limbic/math/erf.hpp>
#include <limbic/math/exp.hpp>
#include <limbic/math/log.hpp>
#include <limbic/math/pow.hpp>
#include <limbic/math/tanh.hpp>
#include <limbic/math/trig.hpp>
