// Electrode positions, spherical splines, scalp maps: geometry, identities, symmetries, another implementation's numbers.
#include "../matrix_support.hpp"

#include <limbic/ops/operators.hpp>
#include <limbic/ops/sum.hpp>
#include <limbic/signal/scalp_map.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

using namespace limbic;

namespace {

// The electrodes of eeg-eye-state, left to right mirrored by reading them backwards.
std::vector<std::string> const headset = {"AF3", "F7", "F3", "FC5", "T7", "P7", "O1",
                                          "O2",  "P8", "T8", "FC6", "F4", "F8", "AF4"};

double arc(std::string_view a, std::string_view b) {  // in degrees
  auto const p = electrode_position(a), q = electrode_position(b);
  return std::acos(p[0] * q[0] + p[1] * q[1] + p[2] * q[2]) * 180 / std::acos(-1.0);
}
void check_place(std::string_view name, std::initializer_list<double> want) {
  auto const place = electrode_position(name);
  for (std::size_t k = 0; k < 3; ++k) {
    INFO(name << " " << k);
    CHECK(place[k] == Approx(want.begin()[k]).margin(1e-14));
  }
}
tensor<double, 1, scalar> sample() {  // a value for each of 14 electrodes
  tensor<double, 1, scalar> z({14});
  for (int k = 0; k < 14; ++k) z(k) = std::cos(1.3 * k) * (k + 1);
  return z;
}

}  // namespace

TEST_CASE("electrodes lie at steps of 10 % of a half circle") {
  check_place("Cz", {0, 0, 1});
  check_place("Nz", {0, 1, 0});
  check_place("Iz", {0, -1, 0});
  check_place("T10", {1, 0, 0});
  std::vector<std::string> const midline = {"Nz", "Fpz", "AFz", "Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz", "Iz"};
  std::vector<std::string> const ring = {"Fpz", "Fp1", "AF7", "F7", "FT7", "T7", "TP7", "P7", "PO7", "O1", "Oz"};
  std::vector<std::string> const rim = {"AF9", "F9", "FT9", "T9", "TP9", "P9", "PO9"};
  std::vector<std::string> const crown = {"T9", "T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8", "T10"};
  for (std::size_t i = 0; i + 1 < 11; ++i) {
    CHECK(arc(midline[i], midline[i + 1]) == Approx(18));
    CHECK(arc(crown[i], crown[i + 1]) == Approx(18));
    CHECK(arc("Cz", ring[i]) == Approx(72));
    CHECK(arc(ring[i], ring[i + 1]) == Approx(arc("T7", "TP7")));
    if (i + 1 < rim.size()) CHECK(arc(rim[i], rim[i + 1]) == Approx(18));
  }
  for (std::string const row : {"AF", "F", "P", "PO"}) {  // evenly along each row's own circle, left as right
    double const step = arc(row + "z", row + "1");
    for (auto const& [a, b] : {std::pair{"1", "3"}, {"3", "5"}, {"5", "7"}, {"z", "2"}, {"4", "6"}, {"6", "8"}})
      CHECK(arc(row + a, row + b) == Approx(step));
    auto const left = electrode_position(row + "3"), right = electrode_position(row + "4");
    CHECK(left[0] == Approx(-right[0]));
    CHECK(left[0] < 0);
    CHECK(left[1] == Approx(right[1]));
  }
  // Computed elsewhere, by rotation about the axis of the circle through three points.
  check_place("AF3", {-0.312961496655711, 0.798559031945195, 0.514158121699708});
  check_place("fc5", {-0.765784151466938, 0.300012962899308, 0.568829372882976});
  check_place("F4", {0.459030529989859, 0.579959681936844, 0.673006493181859});

  CHECK(electrode_position("t3") == electrode_position("T7"));
  CHECK(electrode_position("T6") == electrode_position("P8"));
  CHECK(electrode_position("FPZ") == electrode_position("Fpz"));
  CHECK(electrode_positions({"Cz", "T10"})(1, 0) == 1);
  for (std::string const name :
       {"", "z", "C", "Q3", "C7", "FT3", "Tz", "Fp3", "N1", "C0", "C11", "Fp10", "F3 ", "AF100000000"}) {
    INFO(name);
    CHECK_THROWS_AS(electrode_position(name), argument_error);
  }
  CHECK_THROWS_WITH(electrode_positions({"Cz", "Foo1"}),
                    "[electrode_position] there is no electrode \"Foo1\" in the 10-10 system");
}

TEST_CASE("a spherical spline takes the values, keeps constants, and is what others compute") {
  auto const electrodes = electrode_positions(headset);
  auto const own = spherical_spline(electrodes, electrodes);
  for (int i = 0; i < 14; ++i)
    for (int j = 0; j < 14; ++j) CHECK(own(i, j) == Approx(i == j ? 1 : 0).margin(1e-10));
  auto const points =
      random_tensor<double, 2, scalar>(limbic::shape<2>{{20, 3}}, 6);  // of any length, below the rim too
  for (double const lambda : {0.0, 1e-5, 1.0}) {
    auto const w = spherical_spline(electrodes, points, {.lambda = lambda});
    for (int i = 0; i < 20; ++i) {
      double total = 0;
      for (int j = 0; j < 14; ++j) total += w(i, j);
      CHECK(total == Approx(1).epsilon(1e-11));
    }
  }
  // With an endless lambda only the mean is left.
  CHECK(spherical_spline(electrodes, points, {.lambda = 1e9})(3, 5) == Approx(1 / 14.0).epsilon(1e-6));
  CHECK(spherical_spline(electrode_positions({"F3"}), points)(0, 0) == Approx(1));

  // SciPy's Legendre polynomials, NumPy's solver; pixels (row, column) of 16 x 20.
  int const pixels[5][2] = {{8, 10}, {3, 5}, {12, 14}, {6, 18}, {1, 9}};
  double const exact[5] = {5.48428324360721, 0.761608747638605, -1.37649934296625, -6.00018589159537,
                           -0.644174028690992};
  double const smooth[5] = {6.41907870346293, 0.395548273724006, -2.81793290798864, -4.07658568013783,
                            -4.9885506476151};
  scalp_map<double, scalar> const through(electrodes, {.height = 16, .width = 20});
  scalp_map<double, scalar> const near(electrodes, {.height = 16, .width = 20, .spline = {.lambda = 1e-5}});
  auto const a = through(sample()), b = near(sample());
  for (int k = 0; k < 5; ++k) {
    CHECK(a(pixels[k][0], pixels[k][1]) == Approx(exact[k]).epsilon(1e-9));
    CHECK(b(pixels[k][0], pixels[k][1]) == Approx(smooth[k]).epsilon(1e-9));
  }
}

TEST_CASE("what spherical splines refuse") {
  auto const electrodes = electrode_positions({"Cz", "T7", "t3"});
  tensor<double, 2, scalar> const point({1, 3}, {0, 0, 2});
  CHECK_THROWS_WITH(spherical_spline(electrodes, point),
                    "[spherical_spline] electrodes 1 and 2 lie at one place, where lambda must be positive");
  auto const shared = spherical_spline(electrodes, point, {.lambda = 1e-3});
  CHECK(shared(0, 1) == Approx(shared(0, 2)));
  CHECK_THROWS_AS(spherical_spline(electrodes, point, {.order = 1, .lambda = 1}), argument_error);
  CHECK_THROWS_AS(spherical_spline(electrodes, point, {.terms = 0, .lambda = 1}), argument_error);
  CHECK_THROWS_AS(spherical_spline(electrodes, point, {.lambda = -1}), argument_error);
  CHECK_THROWS_AS(spherical_spline(electrodes, tensor<double, 2, scalar>({1, 2}), {.lambda = 1}), shape_error);
  CHECK_THROWS_AS(spherical_spline(electrodes, tensor<double, 2, scalar>({1, 3}), {.lambda = 1}), argument_error);
  CHECK_THROWS_AS(spherical_spline(tensor<double, 2, scalar>({0, 3}), point), argument_error);
  CHECK_THROWS_AS((scalp_map<float>(electrode_positions({"Cz"}), {.height = 0})), argument_error);
}

TEMPLATE_TEST_CASE("scalp maps have the electrodes' symmetries", "", scalar, simd) {
  auto const electrodes = electrode_positions(headset);
  scalp_map<double, TestType> const map(electrodes, {.height = 9, .width = 9});
  tensor<double, 2, TestType> x({3, 14});
  for (int k = 0; k < 14; ++k) {
    x(0, k) = sample()(k);
    x(1, k) = sample()(13 - k);  // mirrored
    x(2, k) = -2.5;
  }
  auto const y = map(x);
  REQUIRE(y.shape() == limbic::shape<3>{{3, 9, 9}});
  int head = 0;
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 9; ++j) {
      CHECK(y(0, i, j) == Approx(y(1, i, 8 - j)).margin(1e-10));
      bool const on = std::hypot(i - 4, j - 4) <= 4.5;
      CHECK(map.inside(i, j) == (on ? 1 : 0));
      CHECK(y(2, i, j) == Approx(on ? -2.5 : 0).margin(1e-12));
      head += on ? 1 : 0;
    }
  CHECK(head == 69);

  // A quarter turn of the electrodes, from the nose to the right ear, turns the images.
  tensor<double, 2, scalar> turned(electrodes);
  for (int k = 0; k < 14; ++k) turned(k, 0) = electrodes(k, 1), turned(k, 1) = -electrodes(k, 0);
  auto const z = scalp_map<double, TestType>(turned, {.height = 9, .width = 9})(x);
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 9; ++j) CHECK(z(0, j, 8 - i) == Approx(y(0, i, j)).margin(1e-10));

  // The nose is at the top, the right ear on the right.
  scalp_map<double, TestType> const cross(electrode_positions({"Fz", "C4", "Pz", "C3", "Cz"}),
                                          {.height = 11, .width = 11});
  tensor<double, 1, TestType> const front({5}, {1, 0, 0, 0, 0}), right({5}, {0, 1, 0, 0, 0}), top({5}, {0, 0, 0, 0, 1});
  CHECK(cross(front)(3, 5) > 0.5);
  CHECK(cross(right)(5, 7) > 0.5);
  CHECK(cross(top)(5, 5) == Approx(1));
}

TEST_CASE("a gradient goes through a scalp map, of second order too") {
  scalp_map<double, scalar> const map(electrode_positions({"F3", "F4", "Cz", "O1"}), {.height = 5, .width = 4});
  auto const f = [&](auto const& x) {
    auto const y = map(x);
    return sum(y * y * y);
  };
  auto const x = random_tensor<double, 2, scalar>(limbic::shape<2>{{3, 4}}, 2);
  auto const direction = random_tensor<double, 2, scalar>(x.shape(), 3);
  CHECK(check_gradient(f, x).passed);
  CHECK(distance(hessian_vector_product(f, x, direction), difference_of_gradients(f, x, direction)) < 1e-7);

  scalp_map<float> const single(electrode_positions({"F3", "F4", "Cz", "O1"}), {.height = 5, .width = 4});
  tensor<float, 3> const batch({2, 3, 4}, 1.5F);
  auto const y = single(batch);
  REQUIRE(y.shape() == limbic::shape<4>{{2, 3, 5, 4}});
  CHECK(y(1, 2, 2, 2) == Approx(1.5).epsilon(1e-5));
  CHECK_THROWS_WITH(single(tensor<float, 2>({2, 1})),
                    "[scalp_map] the last axis must have the 4 electrodes, but came (2, 1)");
}
