// SPDX-License-Identifier: MIT
#pragma once

#include "harness.hpp"

#include <string>
#include <vector>

/// What is compared with another version of the headers: unwrap() of the real body, of all bodies in turn, and a
/// whole delivery of the real body if there is OpenSSL.
std::vector<harness::row> rows_of_this_version(const std::string& real, const std::vector<std::string>& all);
std::vector<harness::row> rows_of_other_version(const std::string& real, const std::vector<std::string>& all);
