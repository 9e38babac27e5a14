// tests/catch.hpp - Catch2 under one name: version 2 (Debian 12) and version 3 (Debian 13)
//
// After this header TEST_CASE, TEMPLATE_TEST_CASE, SECTION, CHECK, REQUIRE, CHECK_THROWS_AS, CHECK_THROWS_WITH,
// GENERATE, INFO, CAPTURE and `Approx` mean the same under both.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
