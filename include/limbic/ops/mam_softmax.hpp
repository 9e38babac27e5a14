// limbic/ops/mam_softmax.hpp - a margin on the target's logit that the sample's own logits set: MAM-Softmax
//
//   logit_c = z_c - M,  logit_j = z_j                    then cross entropy; top = max_j z_j + epsilon
//
//   mam_variant::equations    q = min(clip_max, log max(1, top))      M = 1/C sum_j z_j + q
//   mam_variant::figure       q = log max(1, min(clip_max, top))      M = log(1/C sum_j e^(z_j) + q)
//
//   mam_softmax_loss(z, labels)                 cross_entropy(mam_logits(z, labels, o), labels, {.label_smoothing = 0.1})
//
// The two are the equations and the figure of one text, which differ; the reference family mam says how they were read.
//
// M is a constant to the gradient (margin_gradient::stop). With margin_gradient::full the loss has a trivial minimum: all
// logits going to minus infinity together, M follows them, so that logit_c tends to 0 while the others vanish. log_base is
// the base of q's logarithm in the figure, where it is not e.
//
// shape   z (N, C), labels (N) -> (N, C); the loss is (), or (N) for none
// adjoint z'_j += y'_j - y'_c dM/dz_j;  dM/dz_j (full): equations 1/C + q', figure (e^(z_j) / C + q') / e^M, with q' at the
//         greatest logit alone, 0 where it is clipped
// domain  labels in [0, C), epsilon finite, clip_max >= 0, log_base > 1; logits of any size; NaN stays NaN
#pragma once

#include <limbic/ops/cross_entropy.hpp>
#include <limbic/ops/dynamic_additive_margin.hpp>

LIMBIC_BEGIN

// Which of the two readings.
enum class mam_variant { equations, figure };

namespace detail {

template <class Op> struct mam_forward {
  Op o;
  constexpr void operator()(auto z, auto label, auto y) const {
    using T = typename decltype(y)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    if (c < 0 || c >= z.size()) return set_row(y, math::constant<T>(std::numeric_limits<double>::quiet_NaN()));
    map(y, [](auto v) { return v; }, z);
    y.put(c, z[c] - o.template margin<T>(z).value);
  }
};
template <class Op> struct mam_adjoint {
  Op o;
  constexpr void operator()(auto z, auto label, auto dy, auto dz) const {
    using T = typename decltype(dz)::value_type;
    auto const c = static_cast<std::ptrdiff_t>(label[0]);
    if (c < 0 || c >= z.size()) return set_row(dz, T(0));
    if (o.margin_gradient == limbic::margin_gradient::stop) return map(dz, [](auto v) { return v; }, dy);
    auto const m = o.template margin<T>(z);
    T const g = dy[c], classes = math::constant<T>(static_cast<double>(z.size()));
    if (o.variant == mam_variant::equations) {
      map(dz, [](auto v, auto share) { return v - share; }, dy, g / classes);
    } else {
      T const level = m.value + math::log(classes);  // e^(z_j) / C / e^M
      map(dz, [](auto v, auto x, auto by, auto l) { return v - by * math::exp(x - l); }, dy, z, g, level);
    }
    add_at(dz, argmax(z), -(g * m.slope));
  }
};

}  // namespace detail

struct mam_softmax_op {
  static constexpr std::string_view name = "mam_softmax";
  static constexpr keep needs = keep::inputs(0, 1);
  mam_variant variant = mam_variant::equations;  // which reading
  limbic::margin_gradient margin_gradient = limbic::margin_gradient::stop;
  double epsilon = 0.2;
  double clip_max = 4.0;
  double log_base = 0.0;  // 0 stands for e

  shape<2> shape_of(shape<2> const& z, shape<1> const& label) const {
    if (label[0] != z[0]) fail<shape_error>(name, "logits ", z, " need a label for each row, but came ", label);
    return z;
  }
  constexpr bool ignores(std::ptrdiff_t) const { return false; }  // no sample
  void forward(auto d, auto y, auto z, auto label) const {
    detail::check_labels(d, *this, label, z.extent(1));
    for_each_row(d, 1, detail::mam_forward<mam_softmax_op>{*this}, z, label.unsqueeze(1), y);
  }
  void adjoint(auto d, auto z, auto label, auto, auto dy, auto dz, auto) const {
    if (dz) for_each_row(d, 1, detail::mam_adjoint<mam_softmax_op>{*this}, z, label.unsqueeze(1), dy, dz);
  }

  template <class T> struct sample_margin {
    T value, slope;
  };
  // M of a row of logits, and its slope by the greatest of them through q.
  template <class T> constexpr sample_margin<T> margin(auto z) const {
    T const one(1), top = max(z) + math::constant<T>(epsilon), most = math::constant<T>(clip_max);
    T const classes = math::constant<T>(static_cast<double>(z.size()));
    T const unit = log_base > 0 ? one / math::log(math::constant<T>(log_base)) : one;
    if (variant == mam_variant::equations) {
      T const q = top <= one ? T(0) : math::log(top), mean = sum(z) / classes;
      bool const clipped = top <= one || q >= most;
      return {mean + math::min(q, most), clipped ? T(0) : one / top};
    }
    auto const norm = detail::log_norm<T>::of(z);
    bool const low = most <= one || top <= one, high = top >= most;
    T const q = low ? T(0) : unit * math::log(high ? most : top);
    T const mean = norm.largest + (norm.log_sum - math::log(classes));  // log 1/C sum e^z
    T const m = q > T(0) ? log_add(mean, math::log(q)) : mean;
    return {m, low || high ? T(0) : unit / top * math::exp(-m)};
  }

 private:
  // log(e^a + e^b)
  template <class T> static constexpr T log_add(T a, T b) {
    return math::max(a, b) + math::log1p(math::exp(a > b ? b - a : a - b));
  }
};

// The logits with the margin taken off the target's.
template <operand Z, operand Y> auto mam_logits(Z&& z, Y&& labels, mam_softmax_op const& options = {}) {
  constexpr bool ranks = rank_of<Z> == 2 && detail::has_labels<Z, Y>;
  static_assert(ranks, "limbic: mam_softmax takes logits (N, C) and integer labels (N)");
  auto const& o = options;
  if (!math::isfinite(o.epsilon)) fail<argument_error>("mam_softmax", "epsilon must be finite, but is ", o.epsilon);
  if (!(o.clip_max >= 0)) fail<argument_error>("mam_softmax", "clip_max must not be negative, but is ", o.clip_max);
  if (o.log_base != 0 && !(o.log_base > 1 && o.variant == mam_variant::figure))
    fail<argument_error>("mam_softmax", "log_base must exceed 1 and belongs to the figure, but is ", o.log_base);
  if constexpr (ranks) return apply(options, std::forward<Z>(z), std::forward<Y>(labels));
}

template <operand Z, operand Y, common_reduction R = reduction::mean_t>
auto mam_softmax_loss(Z&& z, Y&& labels, mam_softmax_op const& options = {}, R r = {}) {
  if constexpr (rank_of<Z> == 2 && detail::has_labels<Z, Y>) {
    auto const y = mam_logits(std::forward<Z>(z), std::forward<Y>(labels), options);
    return cross_entropy(y, std::forward<Y>(labels), r);  // a temporary is copied, never moved from
  } else {
    mam_logits(std::forward<Z>(z), std::forward<Y>(labels), options);  // says what is wrong
  }
}
template <operand Z, operand Y, common_reduction R> auto mam_softmax_loss(Z&& z, Y&& labels, R r) {
  return mam_softmax_loss(std::forward<Z>(z), std::forward<Y>(labels), {}, r);
}

LIMBIC_END
