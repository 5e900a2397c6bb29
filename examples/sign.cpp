// SPDX-License-Identifier: MIT
// Prints a request that was signed just now: headers, an empty line, and the body in the file, as diagnose reads
// it.
//   ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_... sign file
#include <anthropic/webhooks/verify.hpp>

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
  for (const auto& [name, value] : signer.signed_headers("msg_1", body))
    std::cout << name << ": " << value << '\n';
  std::cout << '\n' << body;
  return 0;
} catch (const std::exception& e) {
  std::cerr << "sign: " << e.what() << '\n';
  return 2;
}
