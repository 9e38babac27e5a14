// signal/filters.cpp - the 106 wavelets: defining identities, properties, names
#include <catch.hpp>
#include <limbic/signal/wavelet.hpp>

#include <cmath>
#include <string>

using namespace limbic;

namespace {

double const root2 = std::sqrt(2.0);

// |sum_k a[k] b[L - 1 - k - 2s]|, which is 1 at s = 0 and 0 elsewhere where a and b reconstruct: how far it is from that, at
// worst and in all.
struct reconstruction {
  double worst = 0, sum = 0;
  reconstruction(std::span<double const> a, std::span<double const> b) {
    auto const n = static_cast<std::ptrdiff_t>(a.size());
    for (std::ptrdiff_t s = -n / 2; s <= n / 2; ++s) {
      double error = s == 0 ? -1 : 0;
      for (std::ptrdiff_t k = 0; k < n; ++k) {
        std::ptrdiff_t const l = n - 1 - k - 2 * s;
        if (l >= 0 && l < n) error += a[static_cast<std::size_t>(k)] * b[static_cast<std::size_t>(l)];
      }
      worst = std::max(worst, std::abs(error));
      sum += std::abs(error);
    }
  }
};

// The p-th moment about the middle, in units in which the longest tap is 1 away, by sums in long double.
double moment(std::span<double const> f, int p) {
  long double sum = 0, half = static_cast<long double>(f.size()) / 2;
  for (std::size_t k = 0; k < f.size(); ++k)
    sum += f[k] * std::pow((static_cast<long double>(k) - half + 0.5L) / half, static_cast<long double>(p));
  return static_cast<double>(sum);
}

}  // namespace

TEST_CASE("wavelets: every filter pair reconstructs, dmey's as well as its table can") {
  for (int i = 0; i < wavelet_count; ++i) {
    wavelet const w(wavelet_name(i));
    CAPTURE(std::string(w.name()));
    reconstruction const low(w.dec_lo(), w.rec_lo()), high(w.dec_hi(), w.rec_hi());
    if (w.name() == "dmey") {  // as wavelet.hpp states it
      CHECK(low.worst == Approx(2.2448e-3).epsilon(1e-4));
      CHECK(low.sum == Approx(6.6677e-3).epsilon(1e-4));
      CHECK(high.sum == Approx(low.sum).epsilon(1e-12));
    } else {
      CHECK(low.worst <= 2e-15);
      CHECK(high.worst <= 2e-15);
    }
    CHECK(std::abs(moment(w.dec_lo(), 0) - root2) < 1e-14);
    CHECK(std::abs(moment(w.rec_lo(), 0) - root2) < 1e-14);
    bool reversed = true;
    for (int k = 0; k < w.length(); ++k) {
      auto const at = static_cast<std::size_t>(k), back = static_cast<std::size_t>(w.length() - 1 - k);
      double const sign = k % 2 == 0 ? 1 : -1;
      CHECK(w.dec_hi()[at] == -sign * w.rec_lo()[at]);
      CHECK(w.rec_hi()[at] == sign * w.dec_lo()[at]);
      reversed = reversed && w.dec_lo()[at] == w.rec_lo()[back];
    }
    // Of the biorthogonal ones only 1.1, which is haar, has both filters equal.
    CHECK(reversed == (w.orthogonal() || w.name() == "bior1.1" || w.name() == "rbio1.1"));
  }
}

TEST_CASE("wavelets: as many moments vanish as they say, and not one more") {
  for (int i = 0; i < wavelet_count; ++i) {
    wavelet const w(wavelet_name(i));
    CAPTURE(std::string(w.name()));
    if (w.name() == "dmey") continue;
    for (int p = 0; p < w.vanishing_moments(); ++p) CHECK(std::abs(moment(w.dec_hi(), p)) < 1e-15 * w.length());
    // The next one is small beside 1 for long filters, yet far above rounding up to some 20 taps.
    if (w.length() <= 20) CHECK(std::abs(moment(w.dec_hi(), w.vanishing_moments())) > 1e-9);
  }
  wavelet const c("coif3");  // its scaling function has moments about its centre too
  double first = 0, second = 0, third = 0;
  for (int k = 0; k < 18; ++k) {
    double const at = k - 6, h = c.rec_lo()[static_cast<std::size_t>(k)];
    first += h * at, second += h * at * at, third += h * at * at * at;
  }
  CAPTURE(first, second, third);
  CHECK(std::abs(first) < 1e-13);
  CHECK(std::abs(second) < 1e-12);
  CHECK(std::abs(third) < 1e-11);
}

TEST_CASE("wavelets: values that others published") {
  wavelet const haar("haar"), db2("db2");
  CHECK(haar.rec_lo()[0] == Approx(1 / root2).epsilon(1e-15));
  double const s3 = std::sqrt(3.0);
  double const want[] = {(1 + s3) / (4 * root2), (3 + s3) / (4 * root2), (3 - s3) / (4 * root2),
                         (1 - s3) / (4 * root2)};
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::abs(db2.rec_lo()[k] - want[k]) < 4e-16);  // Daubechies 1988
  CHECK(db2.length() == 4);
  CHECK(wavelet("db38").length() == 76);
  CHECK(wavelet("sym20").length() == 40);
  CHECK(wavelet("coif17").length() == 102);
  CHECK(wavelet("dmey").length() == 62);
  CHECK(wavelet("bior2.2").rec_lo()[2] == Approx(root2 / 2).epsilon(1e-15));
  CHECK(wavelet("rbio2.2").dec_lo()[3] == Approx(root2 / 2).epsilon(1e-15));
  CHECK(wavelet("bior4.4").rec_lo()[4] == Approx(0.788485616405583).epsilon(1e-12));  // the 9/7 pair of JPEG 2000
  auto const f = wavelet("db2").filters<float, scalar>();
  CHECK(f.shape() == shape<2>{{4, 4}});
  CHECK(f(1, 3) == static_cast<float>(db2.dec_hi()[3]));
}

TEST_CASE("wavelets: an unknown name is refused with those near it") {
  auto const said = [](char const* name) -> std::string {
    try {
      wavelet const w(name);
      return "";
    } catch (argument_error const& e) {
      return e.what();
    }
  };
  CHECK(said("db4").empty());
  CHECK(said("db39").find("db39") != std::string::npos);
  CHECK(said("db39").find("near are db3, db9") != std::string::npos);
  CHECK(said("bior44").find("bior4.4") != std::string::npos);
  CHECK(said("").find("[wavelet]") != std::string::npos);
  CHECK(said("a name longer than any of them").find("families") != std::string::npos);
}
