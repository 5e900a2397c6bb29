// SPDX-License-Identifier: MIT
// For Catch2 2.13 alone: Catch2 3 brings a main of its own.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
