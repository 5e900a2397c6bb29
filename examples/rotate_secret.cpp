// SPDX-License-Identifier: MIT
// While a signing secret is replaced, deliveries may be signed with either; verify() tells which one it was.
#include <anthropic/webhooks/verify.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;

int main() {
  const std::string new_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const std::string old_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

  const WebhookVerifier verifier({new_secret, old_secret});

  // A test of a receiver signs its own deliveries.
  const WebhookVerifier sender(old_secret);
  const std::string body = "{}";
  const auto now = std::chrono::system_clock::now();
  const auto timestamp = std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  const auto signature = sender.sign("msg_1", now, body);

  const auto index = verifier.verify(body, {"msg_1", timestamp, signature});
  std::cout << (index == 0 ? "signed with the new secret\n" : "signed with the old secret\n");
}
