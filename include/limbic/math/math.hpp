// limbic/math/math.hpp - functions of one lane: a number, a dual number, a SIMD pack of either, a CUDA thread's number
//
// An elementwise op is written once in these functions and operators. V is float, double, dual<float>, dual<double>,
// xsimd::batch<float or double>, or a dual of such a pack. Qualify every call (math::exp): an unqualified one on a pack
// finds xsimd's.
//
// Numbers go to <cmath> (or CUDA's). Packs have their own formulas, each told at the top of its file, with selects
// instead of branches: an element's bits depend on its value alone, not on its place in the pack nor on its neighbours.
// Largest error in units of the last place, against long double, over the whole range of arguments; std is glibc 2.36:
//
//              float   std       double   std
//   exp         1.1    0.51        1.1    0.51       as std down to the last subnormal number
//   expm1       1.4    0.79        1.7    0.84
//   log         0.9    0.81        0.9    0.52
//   log1p       1.5    0.80        1.5    0.84
//   tanh        2.0    2.15        2.0    2.16
//   sigmoid     1.8    1.61        1.8    1.60       std: the same formula on numbers
//   erf         1.5    0.89        1.6    1.17
//   sin, cos    2.5    0.57        2.2    0.52       up to |x| = 1e4 (float), 1e6 (double); beyond, std's
//   pow         0.51   0.52        std's
//   sqrt, abs, sign, floor, min, max: exact or correctly rounded
//
// NaN stays NaN, -0 stays -0 where the function has it so, infinities are served. -ffast-math voids all of this.
#pragma once

#include <limbic/math/base.hpp>
#include <limbic/math/erf.hpp>
#include <limbic/math/exp.hpp>
#include <limbic/math/log.hpp>
#include <limbic/math/pow.hpp>
#include <limbic/math/tanh.hpp>
#include <limbic/math/trig.hpp>
