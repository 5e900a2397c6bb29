// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

void print_verification(std::string_view body);
