// SPDX-License-Identifier: MIT
// Only for Catch2 2.13: Catch2 3 brings its own main.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
