// SPDX-License-Identifier: MIT
// Requests that were refused, in files, for `diagnose`.
#pragma once

#include "log.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

// Saves header lines, an empty line and the body. The first four requests stay until somebody deletes them. Later
// ones take turns in four more files, at most one a second. So it is not easy to push out the one that is wanted.
// After a failure it also waits for a second.
inline void save(const std::string& path, const Headers& headers, const std::string& body) {
  struct Turns {
    int number = 0;
    bool failed = false;
    std::chrono::steady_clock::time_point next;
  };
  static std::map<std::string, Turns> all;
  Turns& turns = all[path];
  std::error_code ignored;  // what cannot be seen cannot be written either
  int number = 1;
  while (number < 5 && std::filesystem::exists(path + std::to_string(number), ignored)) ++number;
  const auto now = std::chrono::steady_clock::now();
  if ((number == 5 || turns.failed) && now < turns.next) return;
  turns.next = now + std::chrono::seconds(1);
  if (number == 5) number += turns.number++ % 4;
  std::string text;
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value) += '\n';
  text += '\n' + body;
  const std::string part = path + "part", name = path + std::to_string(number);
  unlink(part.c_str());
  std::FILE* const file = std::fopen(part.c_str(), "wbx");  // x: what is there, such as a link, is not opened
  bool good = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file) good = std::fclose(file) == 0 && good;
  turns.failed = !good || std::rename(part.c_str(), name.c_str()) != 0;
  if (turns.failed) the_log.refused("cannot save the request in " + name);
}
