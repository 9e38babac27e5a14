// reference/families/wavelets.cpp - filters, discrete and stationary wavelet transforms, thresholds
//
// Most cases hold one row for each of their modes; every row is a tape of its own.
#include "support.hpp"

#include <limbic/signal.hpp>

namespace {

using namespace reference;
using limbic::shape;
using limbic::tensor;

template <class D> using line = limbic::variable<double, 1, D>;

// An array of the result, row by row.
struct rows {
  std::vector<double> data;
  std::size_t count = 0;
  template <class V> void append(V const& v) {
    auto const one = to_value(v);
    data.insert(data.end(), one.data.begin(), one.data.end());
  }
  template <class D> void append_gradient(line<D> const& x) {
    if (x.has_gradient()) append(x.gradient());
    else data.insert(data.end(), static_cast<std::size_t>(x.size()), 0.0);
  }
  void end() { ++count; }
  tensor_value value() const { return {{count, data.size() / count}, data}; }
};

// Row r of a given array, or the whole of one of rank 1.
template <class D> tensor<double, 1, D> row_of(array const& a, std::size_t r) {
  std::size_t const n = a.shape.back();
  if ((r + 1) * n > a.data.size()) throw unsupported("array '" + a.name + "' has fewer rows than needed");
  tensor<double, 1, D> t(shape{static_cast<std::ptrdiff_t>(n)});
  for (std::size_t i = 0; i < n; ++i) t.data()[i] = a.data[r * n + i];
  return t;
}
// The part of a cotangent's row that belongs to y, which begins at `at`.
template <class D> void seed_part(limbic::tape& t, line<D> const& y, array const* c, std::size_t r, std::size_t& at) {
  if (c == nullptr) return;
  tensor<double, 1, D> part(y.shape());
  for (double& v : part) v = c->data.at(r * c->shape.back() + at++);
  t.seed(y, part);
}
template <class D> void seed_row(limbic::tape& t, line<D> const& y, array const* c, std::size_t r) {
  std::size_t at = 0;
  seed_part(t, y, c, r, at);
}

result filters(call& c) {
  if (c.texts("rows") != std::vector<std::string>{"dec_lo", "dec_hi", "rec_lo", "rec_hi"})
    throw unsupported("another order of the filters");
  c.given("wavelets");  // what PyWavelets says of each: its table's error is within the tolerance
  result r;
  for (int i = 0; i < limbic::wavelet_count; ++i) {
    std::string const name(limbic::wavelet_name(i));
    if (c.expects(name)) r.values[name] = to_value(limbic::wavelet(name).filters<double, limbic::scalar>());
  }
  return r;
}

template <class D> result dwt(call& c) {
  limbic::wavelet const w(c.text("wavelet"));
  if (c.given("axis") || c.given("mode")) {
    recording<D> r(c);
    auto const [a, b] =
        limbic::dwt(r.template variable<2>("x"), w,
                    {.mode = limbic::extension_mode(c.text("mode")), .axis = static_cast<int>(c.integer("axis"))});
    r.output("cA", a);
    r.output("cD", b);
    return r.finish();
  }
  if (c.size("length") != c.get("x").data.size()) throw unsupported("another length than x has");
  rows cA, cD, grad;
  for (auto const& mode : c.texts("modes")) {
    limbic::tape t;
    auto const x = t.variable(row_of<D>(c.get("x"), 0));
    auto const [a, b] = limbic::dwt(x, w, {.mode = limbic::extension_mode(mode)});
    seed_row(t, a, c.cotangent("cA"), cA.count);
    seed_row(t, b, c.cotangent("cD"), cD.count);
    t.backward();
    cA.append(a.value()), cA.end();
    cD.append(b.value()), cD.end();
    grad.append_gradient(x), grad.end();
  }
  return {{{"cA", cA.value()}, {"cD", cD.value()}}, {{"x", grad.value()}}};
}

template <class D> result idwt(call& c) {
  if (c.size("coefficients") != c.get("cA").data.size()) throw unsupported("another number of coefficients");
  recording<D> r(c);
  auto const a = r.template variable<1>("cA"), b = r.template variable<1>("cD");
  r.output("x", limbic::idwt(a, b, c.text("wavelet").c_str(), {.mode = limbic::extension_mode(c.text("mode"))}));
  return r.finish();
}

template <class D> result wavedec(call& c) {
  limbic::wavelet const w(c.text("wavelet"));
  auto const levels = static_cast<int>(c.integer("levels"));
  auto const n = static_cast<std::ptrdiff_t>(c.size("length"));
  if (limbic::max_level(n, w.length()) != c.integer("max_level")) throw unsupported("another max_level");
  auto const lengths = c.numbers("coefficient_lengths");
  rows coeffs, reconstruction, resynthesis, grad_x, grad_perturbed;
  for (auto const& mode : c.texts("modes")) {
    std::size_t const r = coeffs.count;
    limbic::tape t;
    auto const m = limbic::extension_mode(mode);
    auto const x = t.variable(row_of<D>(c.get("x"), 0));
    auto const bands = limbic::wavedec(x, w, {.mode = m, .level = levels, .beyond_max_level = true});
    std::size_t at = 0;
    for (std::size_t k = 0; k < bands.size(); ++k) {
      if (k >= lengths.size() || static_cast<double>(bands[k].size()) != lengths[k])
        throw unsupported("another length of band " + std::to_string(k));
      coeffs.append(bands[k].value());
      seed_part(t, bands[k], c.cotangent("coeffs"), r, at);
    }
    reconstruction.append(limbic::waverec(bands, w, {.mode = m}).value());

    std::vector<line<D>> perturbed;
    auto const all = row_of<D>(c.get("perturbed"), r);
    std::ptrdiff_t begin = 0;
    for (double const length : lengths) {
      auto const end = begin + static_cast<std::ptrdiff_t>(length);
      perturbed.push_back(t.variable(tensor<double, 1, D>(all.view().slice(0, begin, end))));
      begin = end;
    }
    auto const y = limbic::waverec(perturbed, w, {.mode = m});
    seed_row(t, y, c.cotangent("resynthesis"), r);
    t.backward();
    resynthesis.append(y.value());
    grad_x.append_gradient(x);
    for (auto const& p : perturbed) grad_perturbed.append_gradient(p);
    for (rows* each : {&coeffs, &reconstruction, &resynthesis, &grad_x, &grad_perturbed}) each->end();
  }
  return {
      {{"coeffs", coeffs.value()}, {"reconstruction", reconstruction.value()}, {"resynthesis", resynthesis.value()}},
      {{"x", grad_x.value()}, {"perturbed", grad_perturbed.value()}}};
}

template <class D> result swt(call& c) {
  limbic::wavelet const w(c.text("wavelet"));
  auto const levels = static_cast<int>(c.integer("levels"));
  c.text("rows");  // says in words what follows here
  if (c.size("length") != c.get("x").data.size()) throw unsupported("another length than x has");
  result r;
  rows cA, cD, grad_A, grad_D;
  limbic::tape t;
  auto const x = t.variable(row_of<D>(c.get("x"), 0));
  auto const bands = limbic::swt(x, w, levels);
  std::vector<std::tuple<line<D>, line<D>>> perturbed;
  for (auto const& [a, b] : bands) {
    seed_row(t, a, c.cotangent("cA"), cA.count);
    seed_row(t, b, c.cotangent("cD"), cA.count);
    perturbed.emplace_back(t.variable(row_of<D>(c.get("perturbed_cA"), cA.count)),
                           t.variable(row_of<D>(c.get("perturbed_cD"), cA.count)));
    cA.append(a.value()), cA.end();
    cD.append(b.value()), cD.end();
  }
  r.values["reconstruction"] = to_value(limbic::iswt(bands, w).value());
  auto const y = limbic::iswt(perturbed, w);
  r.values["resynthesis"] = to_value(y.value());
  seed_row(t, y, c.cotangent("resynthesis"), 0);
  t.backward();
  for (auto const& [a, b] : perturbed) {
    grad_A.append_gradient(a), grad_A.end();
    grad_D.append_gradient(b), grad_D.end();
  }
  r.values["cA"] = cA.value();
  r.values["cD"] = cD.value();
  r.grads["x"] = to_value(x.gradient());
  r.grads["perturbed_cA"] = grad_A.value();
  r.grads["perturbed_cD"] = grad_D.value();
  return r;
}

limbic::thresholding kind_of(std::string const& name) {
  if (name == "soft") return limbic::thresholding::soft;
  if (name == "hard") return limbic::thresholding::hard;
  if (name == "garrote") return limbic::thresholding::garrote;
  throw unsupported("thresholding '" + name + "' does not exist here");
}

template <class D> result threshold(call& c) {
  double const level = c.number("threshold");
  auto const& given = c.get("x");  // of any rank: elementwise
  shape const extents{static_cast<std::ptrdiff_t>(given.data.size())};
  result r;
  for (std::string const kind : {"soft", "hard", "garrote"}) {
    limbic::tape t;
    auto const x = t.variable(to_tensor<double, D>(given, extents));
    auto const y = limbic::threshold(x, level, kind_of(kind));
    auto const* cotangent = c.cotangent(kind);
    if (cotangent == nullptr) throw unsupported("no cotangent of '" + kind + "'");
    t.backward(y, to_tensor<double, D>(*cotangent, extents));
    r.values[kind] = to_value(y.value(), given.shape);
    r.grads["grad_x_" + kind] = to_value(x.gradient(), given.shape);
  }
  return r;
}

template <class D> result denoise(call& c) {
  limbic::wavelet const w(c.text("wavelet"));
  auto const x = to_tensor<double, 1, D>(c.get("x"));
  c.get("clean");  // what the case's author compared with
  auto const mode = limbic::extension_mode(c.text("mode"));
  auto bands =
      limbic::wavedec(x, w, {.mode = mode, .level = static_cast<int>(c.integer("levels")), .beyond_max_level = true});
  double const sigma = limbic::noise_level(bands.back()), level = limbic::universal_threshold(sigma, x.size());
  auto const kind = kind_of(c.text("kind"));
  for (std::size_t k = 1; k < bands.size(); ++k) bands[k] = limbic::threshold(bands[k], level, kind);
  auto const y = limbic::waverec(bands, w, {.mode = mode, .length = x.size()});
  return {{{"sigma", to_value(sigma)}, {"threshold", to_value(level)}, {"denoised", to_value(y)}}, {}};
}

registration const filters_here{{"wavelet_filters", {"wavelet_filters"}, filters, filters}};
registration const dwt_here{{"dwt", {"dwt"}, dwt<limbic::scalar>, dwt<limbic::simd>}};
registration const idwt_here{{"idwt", {"idwt"}, idwt<limbic::scalar>, idwt<limbic::simd>}};
registration const wavedec_here{{"wavedec", {"wavedec"}, wavedec<limbic::scalar>, wavedec<limbic::simd>}};
registration const swt_here{{"swt", {"swt"}, swt<limbic::scalar>, swt<limbic::simd>}};
registration const threshold_here{
    {"threshold", {"wavelet_threshold"}, threshold<limbic::scalar>, threshold<limbic::simd>}};
registration const denoise_here{{"threshold", {"wavelet_denoise"}, denoise<limbic::scalar>, denoise<limbic::simd>}};

}  // namespace
