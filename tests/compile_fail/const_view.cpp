// A view of const elements does not become one of mutable elements.
// expect: conversion from | no viable conversion
#include <limbic/core/view.hpp>

void f(limbic::view<float, 2> writable, limbic::view<float const, 2> readable) {
#ifdef LIMBIC_BAD
  limbic::view<float, 2> v = readable;
#else
  limbic::view<float const, 2> v = writable;
#endif
  (void)v;
  (void)readable;
  (void)writable;
}
