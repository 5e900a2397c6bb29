// SPDX-License-Identifier: MIT
// Prints a signed request, as diagnose reads it. `sign --help` says how to call it.
#include "command_line.hpp"
#include "delivery.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

const char* const usage = "usage: sign EVENT";
const char* const help = R"(
Prints a request, signed now with the first secret in ANTHROPIC_WEBHOOK_SIGNING_KEY: the three headers, an empty
line, and the body.

EVENT  An event type, such as session.status_idled, for which sign generates an event; or a file with a body.
)";

int main(int argc, char** argv) try {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (take_flag(arguments, "--help")) {
    std::cout << usage << '\n' << help;
    return 0;
  }
  if (arguments.size() != 1 || arguments[0] == "all") throw std::runtime_error(usage);
  const auto delivery = deliveries_of(arguments).front();
  for (const auto& [name, value] : signer_from_environment().signed_headers(delivery.id, delivery.body)) {
    std::cout << name << ": " << value << '\n';
  }
  std::cout << '\n' << delivery.body;
  return 0;
} catch (const std::exception& e) {
  std::cerr << "sign: " << e.what() << '\n';
  return 2;
}
