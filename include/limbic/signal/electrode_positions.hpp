// limbic/signal/electrode_positions.hpp - where electrodes of the international 10-20 and 10-10 systems lie on a sphere
//
//   electrode_position("Cz")                        {0, 0, 1}: x to the right ear, y to the nose, z up
//   electrode_positions({"AF3", "F7", "T7", "O1"})  (4, 3), a row each
//
// The head is the unit sphere's upper half. Nasion (Nz), inion (Iz) and the points before the ears (T9, T10) lie on its
// rim, so that 10 % of a half circle are 18 degrees:
//
//   row        N  Fp  AF  F  FC, FT  C, T  CP, TP  P  PO  O   I
//   p          0  10  20  30   40     50     60    70 80  90 100
//
//   midline z  in the plane x = 0, p from nasion to inion
//   7, 8       (and Fp1, Fp2, O1, O2) on the ring 10 % above the rim, p of a half circle around it from Fpz
//   9, 10      on the rim, as 7 and 8
//   1 to 6     on the circle through 7, z and 8 of their row: 1, 2 a quarter, 3, 4 half, 5, 6 three quarters away from z
//
// Odd numbers are left. T3, T4, T5, T6 are older names of T7, T8, P7, P8. Case does not matter.
//
// domain  names of the table; any other is an argument_error that names it
// source  Jasper 1958 (10-20); Oostenveld and Praamstra 2001, Clin. Neurophysiol. 112 (10-10: the circles through three points)
#pragma once

#include <limbic/core/tensor.hpp>

#include <array>
#include <cmath>
#include <numbers>

LIMBIC_BEGIN

namespace detail {

// One row of the table above, in lower case: the numbers it has, and whether it crosses the midline.
struct electrode_row {
  std::string_view label;
  double percent;
  int least, most;
  bool midline;
};
inline constexpr electrode_row electrode_rows[] = {
    {"n", 0, 1, 0, true},   {"fp", 10, 1, 2, true},   {"af", 20, 1, 10, true}, {"f", 30, 1, 10, true},
    {"fc", 40, 1, 6, true}, {"ft", 40, 7, 10, false}, {"c", 50, 1, 6, true},   {"t", 50, 7, 10, false},
    {"cp", 60, 1, 6, true}, {"tp", 60, 7, 10, false}, {"p", 70, 1, 10, true},  {"po", 80, 1, 10, true},
    {"o", 90, 1, 2, true},  {"i", 100, 1, 0, true}};

// Angles in per cent of a half circle: from the vertex down, and from the nose to the right.
inline std::array<double, 3> on_sphere(double down, double right) {
  double const a = down / 100 * std::numbers::pi, b = right / 100 * std::numbers::pi;
  return {std::sin(a) * std::sin(b), std::sin(a) * std::cos(b), std::cos(a)};
}

// side: -1 left, 1 right.
inline std::array<double, 3> electrode_of_row(electrode_row const& row, int number) {
  double const side = number % 2 == 1 ? -1 : 1;
  if (number == 0) return on_sphere(50 - row.percent, 0);
  if (number >= 9) return on_sphere(50, side * row.percent);
  if (number >= 7 || row.most == 2) return on_sphere(40, side * row.percent);
  // The circle through 7, z and 8: half their distance a, z's height h above their middle, the angle phi from z to 7.
  auto const ring = on_sphere(40, row.percent), top = on_sphere(50 - row.percent, 0);
  double const a = ring[0], dy = top[1] - ring[1], dz = top[2] - ring[2], h = std::sqrt(dy * dy + dz * dz);
  double const radius = (a * a + h * h) / (2 * h), phi = std::atan2(a, radius - h);
  double const along = phi * ((number + 1) / 2) / 4, up = radius * (std::cos(along) - 1);
  return {side * radius * std::sin(along), top[1] + up * dy / h, top[2] + up * dz / h};
}

}  // namespace detail

// The place {x, y, z} of one electrode.
inline std::array<double, 3> electrode_position(std::string_view name) {
  char text[8] = {};
  std::size_t const size = name.size();
  std::size_t letters = 0;
  for (std::size_t i = 0; i < size && i < sizeof text; ++i) {
    char const c = name[i];
    text[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (letters == i && text[i] >= 'a' && text[i] <= 'y') ++letters;
  }
  std::string_view label(text, letters), rest(text + letters, (size < sizeof text ? size : letters) - letters);
  int number = -1;
  if (rest == "z") number = 0;
  else if (rest == "10") number = 10;
  else if (rest.size() == 1 && rest[0] >= '1' && rest[0] <= '9') number = rest[0] - '0';
  if (label == "t" && number >= 3 && number <= 6) {  // T3 and T4 are T7 and T8, T5 and T6 are P7 and P8
    if (number >= 5) label = "p";
    number = number % 2 == 1 ? 7 : 8;
  }
  for (auto const& row : detail::electrode_rows)
    if (row.label == label && (number == 0 ? row.midline : number >= row.least && number <= row.most))
      return detail::electrode_of_row(row, number);
  fail<argument_error>("electrode_position", "there is no electrode \"", name, "\" in the 10-10 system");
}

// The places of several, a row each. Names: a range of what converts to std::string_view.
template <class Names> tensor<double, 2, scalar> electrode_positions(Names const& names) {
  tensor<double, 2, scalar> places(shape<2>{{static_cast<std::ptrdiff_t>(std::size(names)), 3}});
  std::ptrdiff_t i = 0;
  for (auto const& name : names) {
    auto const place = electrode_position(name);
    for (int k = 0; k < 3; ++k) places(i, k) = place[static_cast<std::size_t>(k)];
    ++i;
  }
  return places;
}
inline tensor<double, 2, scalar> electrode_positions(std::initializer_list<std::string_view> names) {
  return electrode_positions<std::initializer_list<std::string_view>>(names);
}

LIMBIC_END
