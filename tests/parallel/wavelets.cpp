// parallel/wavelets.cpp - transforms, short-time spectra and the gradients of their filters: the same bits with any number of threads
#include <catch.hpp>
#include <limbic/core/random.hpp>
#include <limbic/signal/dwt.hpp>
#include <limbic/signal/stft.hpp>

#include <cstring>

using namespace limbic;

namespace {

struct outcome {
  tensor<float, 2, simd> a, b, x, df, levels, spectra;
};
outcome run(int count) {
  set_threads(count);
  tensor<float, 2, simd> x({301, 777});
  rng random{.seed = 3};
  random.normal(x);
  auto const f = wavelet("sym8").filters<float, simd>();
  auto const line = detail::dwt_line(extension::symmetric, 1, 16);
  outcome o;
  std::tie(o.a, o.b) = dwt(x, f);
  o.x = idwt(o.a, o.b, f);
  o.df = tensor<float, 2, simd>({2, 16});
  filter_gradients(simd{}, as_sink(o.df), as_view(x), as_view(o.a), as_view(o.b), line);
  o.levels = wavedec(x, f, {.level = 3}).back();
  o.spectra = std::get<1>(stft(x.view().reshape(shape{301 * 777}), {.n_fft = 128}));
  set_threads(0);
  return o;
}
bool same_bits(tensor<float, 2, simd> const& a, tensor<float, 2, simd> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("wavelet transforms: the same bits with any number of threads") {
  outcome const one = run(1);
  for (int count : {2, 3, 5}) {
    outcome const many = run(count);
    CHECK(same_bits(one.a, many.a));
    CHECK(same_bits(one.b, many.b));
    CHECK(same_bits(one.x, many.x));
    CHECK(same_bits(one.df, many.df));
    CHECK(same_bits(one.levels, many.levels));
    CHECK(same_bits(one.spectra, many.spectra));
  }
}
