// SPDX-License-Identifier: MIT
// Prints a request that was signed just now: headers, an empty line, and the body in the file, as diagnose reads
// it.
//   ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_... sign file
#include <anthropic/webhooks/verify.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

int main(int argc, char** argv) try {
  if (argc != 2) throw std::runtime_error("usage: sign file");
  std::ifstream in(argv[1], std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + std::string(argv[1]));
  const std::string body{std::istreambuf_iterator<char>(in), {}};

  const anthropic::webhooks::WebhookVerifier signer(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto now = std::chrono::system_clock::now();
  std::cout << "webhook-id: msg_1\nwebhook-timestamp: "
            << std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count()
            << "\nwebhook-signature: " << signer.sign("msg_1", now, body) << "\n\n"
            << body;
  return 0;
} catch (const std::exception& e) {
  std::cerr << "sign: " << e.what() << '\n';
  return 2;
}
