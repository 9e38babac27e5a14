// limbic/information/mutual_information.hpp - what two sets of samples tell of one another, without densities
//
//   I(X; Z) = S(A_X) + S(A_Z) - S(A_XZ)
//
//   mutual_information(x, z, {.sigma = 1, .alpha = 2})    from samples: row i of x belongs to row i of z
//   gram_mutual_information(a, b, {.alpha = 2})           from Gram matrices of trace 1
//
// S is Renyi's matrix entropy (information/entropy.hpp), A_X and A_Z the normalised Gram matrices of a Gaussian kernel,
// A_XZ their joint (information/gram.hpp). Differentiable in x and in z. alpha = 2 takes no eigenvalues.
//
// shape   x (N, ...), z (N, ...), of any ranks -> a number
// domain  N >= 1; sigma > 0 (sigma_z, where given, is the width for z), alpha > 0; NaN in gives NaN out
#pragma once

#include <limbic/information/entropy.hpp>

#include <optional>

LIMBIC_BEGIN

struct mutual_information_options {
  double sigma = 1;
  double alpha = 2;
  std::optional<double> sigma_z = std::nullopt;  // as sigma
};

// s_x + s_z - s_xz
struct information_op {
  static constexpr std::string_view name = "mutual_information";
  static constexpr keep needs = keep::nothing;
  template <class V> constexpr V value(V x, V z, V xz) const { return x + z - xz; }
  template <class V> constexpr results<V, 3> slopes() const { return {{V(1), V(1), V(-1)}}; }
};

template <operand A, operand B> auto gram_mutual_information(A&& a, B&& b, entropy_options const& options = {}) {
  static_assert(rank_of<A> == 2 && rank_of<B> == 2, "limbic: gram_mutual_information takes two matrices");
  auto s_a = renyi_entropy(a, options);
  auto s_b = renyi_entropy(b, options);
  return apply(information_op{}, std::move(s_a), std::move(s_b),
               joint_entropy(std::forward<A>(a), std::forward<B>(b), options));
}

template <operand X, operand Z> auto mutual_information(X&& x, Z&& z, mutual_information_options const& options = {}) {
  static_assert(rank_of<X> >= 1 && rank_of<Z> >= 1, "limbic: mutual_information takes rows: tensors of rank 1 or more");
  if (x.shape()[0] != z.shape()[0])
    fail<shape_error>("mutual_information", "x ", x.shape(), " and z ", z.shape(),
                      " must have the same number of rows");
  return gram_mutual_information(normalized_rbf_gram(std::forward<X>(x), options.sigma),
                                 normalized_rbf_gram(std::forward<Z>(z), options.sigma_z.value_or(options.sigma)),
                                 entropy_options{.alpha = options.alpha});
}

LIMBIC_END
