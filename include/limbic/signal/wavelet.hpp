// limbic/signal/wavelet.hpp - the 106 discrete wavelets, by name
//
//   wavelet const w("db4");
//   w.length()                    8
//   w.rec_lo()                    0.2303..., 0.7148..., ...: a span of doubles; dec_lo(), dec_hi(), rec_hi() likewise
//   w.filters<float>()            (4, 8), rows dec_lo, dec_hi, rec_lo, rec_hi: what the transforms take
//
// Names, order and signs are PyWavelets': haar, db1 to db38, sym2 to sym20, coif1 to coif17, dmey, and biorN.M and rbioN.M
// for N.M = 1.1 1.3 1.5 2.2 2.4 2.6 2.8 3.1 3.3 3.5 3.7 3.9 4.4 5.5 6.8. An unknown name is an argument_error that says which
// names are near. The low-pass filters come from wavelet_tables.hpp; the others follow from them:
//
//   orthogonal  dec_lo[k] = rec_lo[L - 1 - k]           rbio  bior with both filters exchanged and reversed
//   dec_hi[k] = -(-1)^k rec_lo[k],  rec_hi[k] = (-1)^k dec_lo[k]
//
// Accurate to the last digit of a double, where PyWavelets' tables of sym, bior and rbio have 11 to 13 digits. Only dmey is
// known by its numbers alone: Meyer's filter, which never ends, cut off after 61 taps. It fulfils the identities of an
// orthogonal filter to 2.3e-3 (its squares add up to 1.0022), so that a transform and its inverse filter the extended
// signal by 1 + e, where sum |e_k| = 6.67e-3. That share of the largest sample is the most that a level can be off by, and
// some signal is; the root mean square is 3.0e-3 of that of white noise. PyWavelets, with the same taps, is off by as much.
#pragma once

#include <limbic/core/dual.hpp>
#include <limbic/core/tensor.hpp>
#include <limbic/signal/wavelet_tables.hpp>

#include <span>

LIMBIC_BEGIN

inline constexpr int wavelet_count = 106;  // names that wavelet knows

namespace detail {

struct wavelet_names {
  char name[wavelet_count][8] = {};

  constexpr wavelet_names() {
    int at = 0;
    add(at, "haar");
    for (int n = 1; n <= 38; ++n) add(at, "db", n);
    for (int n = 2; n <= 20; ++n) add(at, "sym", n);
    for (int n = 1; n <= 17; ++n) add(at, "coif", n);
    for (auto const& e : biorthogonal_index) add(at, "bior", e.n, e.m);
    for (auto const& e : biorthogonal_index) add(at, "rbio", e.n, e.m);
    add(at, "dmey");
  }

 private:
  constexpr void add(int& at, std::string_view family, int n = 0, int m = 0) {
    int i = 0;
    auto const put = [&](int c) { name[at][i++] = static_cast<char>(c); };
    for (char c : family) put(c);
    if (n >= 10) put('0' + n / 10);
    if (n > 0) put('0' + n % 10);
    if (m > 0) put('.'), put('0' + m);
    ++at;
  }
};
inline constexpr wavelet_names all_wavelets;

// How many letters must be changed, added or left out (Levenshtein), up to 15.
constexpr int letters_apart(std::string_view a, std::string_view b) {
  int row[16] = {};
  std::size_t const n = a.size() < 15 ? a.size() : 15;
  for (std::size_t i = 0; i <= n; ++i) row[i] = static_cast<int>(i);
  for (std::size_t j = 1; j <= b.size(); ++j) {
    int diagonal = row[0];
    row[0] = static_cast<int>(j);
    for (std::size_t i = 1; i <= n; ++i) {
      int const change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      int const least = row[i] < row[i - 1] ? row[i] + 1 : row[i - 1] + 1;
      diagonal = row[i];
      row[i] = change < least ? change : least;
    }
  }
  return row[n];
}

}  // namespace detail

// The i-th of the wavelet_count names.
constexpr std::string_view wavelet_name(int i) { return detail::all_wavelets.name[i]; }

class wavelet {
 public:
  // From a name, also implicitly: dwt(x, "db4").
  wavelet(std::string_view name) : wavelet(name, index_of(name)) {}
  wavelet(char const* name) : wavelet(std::string_view(name)) {}

  std::string_view name() const { return name_; }  // as PyWavelets spells it
  int length() const { return length_; }           // L, the taps of each filter
  // One filter, used reversed and shifted by even numbers, is an orthonormal basis (dmey: nearly).
  bool orthogonal() const { return orthogonal_; }
  // Polynomials of a lower degree than this have no detail coefficients: dec_hi's moments 0 ... n - 1 vanish. (What PyWavelets
  // calls so differs for rbio, where it names the other filter's, and for bior5.5, which has 6. dmey has none.)
  int vanishing_moments() const { return moments_; }

  std::span<double const> dec_lo() const { return row(0); }  // of the transform: averages
  std::span<double const> dec_hi() const { return row(1); }  // of the transform: details
  std::span<double const> rec_lo() const { return row(2); }  // of its inverse: averages
  std::span<double const> rec_hi() const { return row(3); }  // of its inverse: details

  // (4, length): the four filters one below the other, in that order.
  template <class T = float, class D = default_device> tensor<T, 2, D> filters() const {
    tensor<T, 2, scalar> f(shape<2>{{4, length_}}, uninitialized);
    for (int r = 0; r < 4; ++r)
      for (int k = 0; k < length_; ++k) f(r, k) = T(static_cast<base_of<T>>(taps_[r][k]));
    if constexpr (is_host<D>) return tensor<T, 2, D>(view<T const, 2, D>(f.view().on(D{})));
    else return to_device(f);
  }

 private:
  static constexpr int longest = 102;

  static int index_of(std::string_view name) {
    for (int i = 0; i < wavelet_count; ++i)
      if (wavelet_name(i) == name) return i;
    int near[3] = {0, 0, 0}, apart[3] = {99, 99, 99};
    for (int i = 0; i < wavelet_count; ++i) {
      int const d = detail::letters_apart(name, wavelet_name(i));
      for (int k = 0; k < 3; ++k)
        if (d < apart[k]) {
          for (int l = 2; l > k; --l) near[l] = near[l - 1], apart[l] = apart[l - 1];
          near[k] = i, apart[k] = d;
          break;
        }
    }
    fail<argument_error>("wavelet", "there is no '", name, "'; near are ", wavelet_name(near[0]), ", ",
                         wavelet_name(near[1]), ", ", wavelet_name(near[2]),
                         " (families: haar, db1-38, sym2-20, coif1-17, bior and rbio 1.1-6.8, dmey)");
  }

  wavelet(std::string_view, int i) : name_(wavelet_name(i)) { take(i); }

  void take(int i) {
    constexpr int splines = static_cast<int>(std::size(detail::biorthogonal_index));
    if (i == 0) return from_scaling(detail::daubechies_taps, 2, 1);
    if (i <= 38) return from_scaling(detail::daubechies_taps + i * (i - 1), 2 * i, i);
    i -= 38 - 1;  // 2 ... 20
    if (i <= 20) return from_scaling(detail::symlet_taps + i * (i - 1) - 2, 2 * i, i);
    i -= 20;  // 1 ... 17
    if (i <= 17) return from_scaling(detail::coiflet_taps + 3 * i * (i - 1), 6 * i, 2 * i);
    i -= 17 + 1;
    if (i < 2 * splines) return from_pair(detail::biorthogonal_index[i % splines], i >= splines);
    double meyer[62] = {};
    for (int k = 0; k < 31; ++k) meyer[k] = meyer[60 - k] = detail::dmey_taps[k];
    from_scaling(meyer, 62, 0);
  }

  void from_scaling(double const* rec_lo, int length, int moments) {
    length_ = length;
    moments_ = moments;
    orthogonal_ = true;
    for (int k = 0; k < length; ++k) taps_[0][length - 1 - k] = taps_[2][k] = rec_lo[k];
    high_pass();
  }
  void from_pair(detail::biorthogonal_entry const& e, bool reverse) {
    length_ = e.length;
    // Zeros at pi of the reconstructing low-pass filter; 5.5 shares 4 + 6 of them.
    moments_ = reverse ? (e.n == 5 ? 4 : e.m) : (e.n == 5 ? 6 : e.n);
    double const *const dec = detail::biorthogonal_taps + e.first, *const rec = dec + e.length;
    for (int k = 0; k < length_; ++k) {
      taps_[0][k] = reverse ? rec[length_ - 1 - k] : dec[k];
      taps_[2][k] = reverse ? dec[length_ - 1 - k] : rec[k];
    }
    high_pass();
  }
  void high_pass() {
    for (int k = 0; k < length_; ++k) {
      double const sign = k % 2 == 0 ? 1.0 : -1.0;
      taps_[1][k] = -sign * taps_[2][k];
      taps_[3][k] = sign * taps_[0][k];
    }
  }
  std::span<double const> row(int r) const { return {taps_[r], static_cast<std::size_t>(length_)}; }

  std::string_view name_;
  int length_ = 0, moments_ = 0;
  bool orthogonal_ = false;
  double taps_[4][longest] = {};
};

LIMBIC_END
