// limbic/manifold.hpp - manifolds, and the optimisers that step along them; brings Eigen's eigenvalues
#pragma once

#include <limbic/manifold/euclidean.hpp>
#include <limbic/manifold/grassmann.hpp>
#include <limbic/manifold/positive.hpp>
#include <limbic/manifold/spd.hpp>
#include <limbic/manifold/sphere.hpp>
#include <limbic/manifold/stiefel.hpp>
#include <limbic/optim/riemannian.hpp>
