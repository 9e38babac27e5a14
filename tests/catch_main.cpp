// The entry point of every Catch2 program under version 2; version 3 brings its own.
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
