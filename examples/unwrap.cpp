// SPDX-License-Identifier: MIT
// Prints a line for each event. `unwrap --help` says how to call it.
#include "command_line.hpp"

#include <anthropic/webhooks.hpp>

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

namespace webhooks = anthropic::webhooks;

const char* const help = R"(usage: unwrap [FILE...]

Prints a line for the event in each FILE, or in standard input: when it happened, its ID and type, and the IDs of its
object. It does not verify signatures.

A body that is not an event is reported on standard error, and makes the exit status 1.
)";

// The IDs of the object that an event is about, whatever its type.
std::string resource_ids(const webhooks::BetaWebhookEventData& data) {
  const nlohmann::json json = data;
  std::string ids;
  for (const char* key : {"id", "enforcement_action_id", "session_thread_id", "vault_id"}) {
    if (json.contains(key) && json[key].is_string()) ids += std::string("  ") + key + "=" + json[key].dump();
  }
  return ids;
}

bool print_event(const std::string& name, std::istream& in) {
  const std::string body{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    std::cerr << name << ": cannot be read\n";
    return false;
  }
  webhooks::WebhookError error;
  const auto event = webhooks::try_unwrap(body, error);
  if (!event) {
    std::cerr << name << ": " << error.what() << '\n';
    return false;
  }
  const bool unknown = std::holds_alternative<webhooks::BetaWebhookUnknownEventData>(event->data);
  std::cout << webhooks::format_timestamp(event->created_at) << "  " << event->id << "  "
            << webhooks::event_type(event->data) << (unknown ? " (unknown)" : "") << resource_ids(event->data)
            << std::endl;
  return true;
}

int main(int argc, char** argv) {
  std::vector<std::string> files(argv + 1, argv + argc);
  if (take_flag(files, "--help")) {
    std::cout << help;
    return 0;
  }
  if (files.empty()) return print_event("standard input", std::cin) ? 0 : 1;
  bool good = true;
  for (const auto& name : files) {
    std::ifstream file(name, std::ios::binary);
    good &= print_event(name, file);
  }
  return good ? 0 : 1;
}
