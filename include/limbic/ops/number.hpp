// limbic/ops/number.hpp - plain numbers beside operands
//
// x + 2, 1 - x: the number is an option of the op (a double), so that no tensor is made of it.
#pragma once

#include <limbic/ops/elementwise.hpp>

LIMBIC_BEGIN

// A number of the language: what may stand beside an operand.
template <class S> concept plain_number = std::is_arithmetic_v<std::remove_cvref_t<S>>;

LIMBIC_END
