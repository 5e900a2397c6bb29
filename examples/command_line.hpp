// SPDX-License-Identifier: MIT
// The options of the examples' command lines.
#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// Removes a flag from the arguments, and returns whether it was there.
inline bool take_flag(std::vector<std::string>& arguments, const std::string& name) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  if (found == arguments.end()) return false;
  arguments.erase(found);
  return true;
}

// Removes an option and its value from the arguments.
inline std::optional<std::string> take_option(std::vector<std::string>& arguments, const std::string& name) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  if (found == arguments.end()) return std::nullopt;
  if (std::next(found) == arguments.end()) throw std::runtime_error(name + " needs a value");
  const std::string value = found[1];
  arguments.erase(found, found + 2);
  return value;
}

// The same for a number of seconds, which may have a fraction.
inline std::optional<double> take_seconds(std::vector<std::string>& arguments, const std::string& name) {
  const auto value = take_option(arguments, name);
  if (!value) return std::nullopt;
  std::istringstream in(*value);
  double seconds = 0;
  if (!(in >> seconds) || !in.eof() || std::abs(seconds) > 1e9) {
    throw std::runtime_error(name + " takes a number of seconds, not " + *value);
  }
  return seconds;
}
