// SPDX-License-Identifier: MIT
// Metrics in Prometheus' text format.
#pragma once

#include <cstdint>
#include <map>
#include <string>

using Counts = std::map<std::string, std::int64_t>;  // by the value of a label

class Metrics {
 public:
  /// A counter if the name ends with _total, or else a gauge.
  void add(const std::string& name, const std::string& help, std::int64_t count) {
    add_head(name, help);
    text += prefix + name + ' ' + std::to_string(count) + '\n';
  }
  void add(const std::string& name, const std::string& help, const std::string& label, const Counts& counts) {
    add_head(name, help);
    for (const auto& [value, count] : counts) {
      text += prefix + name + '{' + label + "=\"" + value + "\"} " + std::to_string(count) + '\n';
    }
  }

  std::string text;

 private:
  const std::string prefix = "webhook_receiver_";

  void add_head(const std::string& name, const std::string& help) {
    text += "# HELP " + prefix + name + ' ' + help + '\n';
    text += "# TYPE " + prefix + name + (name.ends_with("_total") ? " counter\n" : " gauge\n");
  }
};
