// SPDX-License-Identifier: MIT
// diagnose() always has a finding, calls verified what the verifier accepts and nothing else, proves nothing of a
// request whose signature no key in reach has made, and tells no secret. The input is a line each for the secret,
// the webhook-id, the webhook-timestamp and the webhook-signature, in which each $ stands for the right signature
// and each % for that of another key, and then the body.
#include <anthropic/webhooks/diagnose.hpp>

#include "../signature.hpp"
#include "require.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace anthropic::webhooks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  std::string secret, id, timestamp, pattern;
  std::getline(in, secret) && std::getline(in, id) && std::getline(in, timestamp) && std::getline(in, pattern);
  const std::string body(std::istreambuf_iterator<char>(in), {});
  const std::chrono::system_clock::time_point at{std::chrono::seconds{1773568800}};

  const std::string stranger = signature("the key of another endpoint", id, timestamp, body);
  bool signed_right = false;
  std::string signatures;
  for (const char c : pattern) {
    if (c == '$') {
      const auto key = detail::key_in(secret).key;
      detail::digest_base64 right;
      if (key && detail::sign(*key, id, timestamp, body, right)) {
        signatures.append("v1,").append(right.view());
      } else {
        signatures += signature(secret, id, timestamp, body);
      }
      signed_right = true;
    } else if (c == '%') {
      signatures += stranger;
    } else {
      signatures += c;
    }
  }

  bool accepted = true;
  const std::vector<std::pair<std::string, std::string>> headers{
      {"Webhook-Id", id}, {"WEBHOOK-TIMESTAMP", timestamp}, {"webhook-signature", signatures}};
  try {
    static_cast<void>(WebhookVerifier(secret).verify(body, headers, at));
  } catch (const WebhookVerificationError&) {
    accepted = false;
  }

  const auto findings = diagnose(secret, body, headers, at);
  require(!findings.empty(), "there is a finding");
  require((findings.front().cause == WebhookCause::verified) == accepted,
          "what verifies is what the verifier accepts");
  std::set<std::pair<WebhookCause, bool>> seen;
  for (const auto& finding : findings) {
    require(finding.proven == findings.front().proven, "what is proven is told alone");
    require(!finding.proven || signed_right, "nothing is proven of what nobody signed");
    require(seen.emplace(finding.cause, finding.proven).second, "each cause is told once");
    require(!finding.what.empty() && !finding.remedy.empty(), "a finding says what it is and what to do");
    static std::set<std::string> sentences;
    sentences.insert(std::regex_replace(finding.what, std::regex("[0-9]+"), "0"));
    require(sentences.size() < 150, "the sentences are a few, and do not tell what the request or the secret is");
  }
  require(findings.size() == 1 || (findings.front().cause != WebhookCause::verified &&
                                   findings.front().cause != WebhookCause::unknown),
          "all is well, or unknown, only where there is nothing else to tell");
  return 0;
}
