// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <typeinfo>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void unwrap_in_library(std::string_view body);
EXPORTED void make_verifier_in_library(const char* secret);
EXPORTED const std::type_info& type_of_error_in_library();
EXPORTED const std::type_info& type_of_parse_error_in_library();
EXPORTED const std::type_info& type_of_verification_error_in_library();
