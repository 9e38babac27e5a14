// limbic/information.hpp - the wing of entropies: Gram matrices, Shannon's and Renyi's entropy, mutual information;
// and principal components (linalg/pca.hpp)
//
// Opt-in, because it includes Eigen. With <limbic/limbic.hpp> everything in it is differentiable.
#pragma once

#include <limbic/information/entropy.hpp>
#include <limbic/information/gram.hpp>
#include <limbic/information/mutual_information.hpp>
#include <limbic/linalg/pca.hpp>
