// limbic/search.hpp - the wing that chooses among runs: spaces, random and Bayesian search, logs to resume from
//
// Opt-in, because it includes Eigen.
#pragma once

#include <limbic/search/acquisition.hpp>
#include <limbic/search/bayesian_search.hpp>
#include <limbic/search/gaussian_process.hpp>
#include <limbic/search/random_search.hpp>
#include <limbic/search/search_log.hpp>
#include <limbic/search/space.hpp>
