// SPDX-License-Identifier: MIT
#pragma once

#include "harness.hpp"

#include <string>
#include <vector>

/// The rows to compare with another version of the headers: unwrap() of the real body, of all bodies in turn, and,
/// with OpenSSL, a whole delivery of the real body.
std::vector<harness::row> rows_of_this_version(const std::string& real, const std::vector<std::string>& all);
std::vector<harness::row> rows_of_other_version(const std::string& real, const std::vector<std::string>& all);
