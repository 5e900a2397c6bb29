// SPDX-License-Identifier: MIT
// diagnose() always has a finding, reports `verified` exactly if the verifier accepts, proves nothing unless the
// request was signed with its secret, shows no secret, and stays within its budget. The input is a line each for
// the secret, the webhook-id (also the Content-Length), the webhook-timestamp and the webhook-signature, and then
// the body. In the signatures, each $ stands for the right one, and each % for one made with another key.
#include <anthropic/webhooks/diagnose.hpp>

#include "../signature.hpp"
#include "require.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace anthropic::webhooks;

namespace {

/// Makes libFuzzer keep an input that takes at least a tenth more work than any before.
__attribute__((section("__libfuzzer_extra_counters"))) std::array<std::uint8_t, 256> work_steps;

void notice_work(std::size_t work) {
  std::size_t step = 0;
  for (std::size_t bound = 1; bound < work && step + 1 < work_steps.size(); bound += bound / 10 + 1) ++step;
  work_steps[step] = 1;
  static std::size_t max_work = 0;
  static const bool prints_at_exit =
      std::atexit([] { std::fprintf(stderr, "the most work: %zu bytes written and hashed\n", max_work); }) == 0;
  require(prints_at_exit, "the most work is printed");
  max_work = (std::max)(max_work, work);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  std::string secret, id, timestamp, pattern;
  std::getline(in, secret) && std::getline(in, id) && std::getline(in, timestamp) && std::getline(in, pattern);
  const std::string body(std::istreambuf_iterator<char>(in), {});
  const std::chrono::system_clock::time_point at{std::chrono::seconds{1773568800}};

  const std::string stranger = signature("the key of another endpoint", id, timestamp, body);
  const auto key = detail::key_in(secret).key;
  bool signed_right = false;
  std::string signatures;
  for (const char c : pattern) {
    if (c == '$') {
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

  const std::vector<std::pair<std::string, std::string>> headers{{"Webhook-Id", id},
                                                                 {"WEBHOOK-TIMESTAMP", timestamp},
                                                                 {"webhook-signature", signatures},
                                                                 {"Content-Length", id}};
  WebhookError error;
  const auto verifier = WebhookVerifier::try_make({secret}, error);
  const bool accepted = verifier && verifier->try_verify(body, headers, error, at);

  detail::work_budget budget;
  const auto findings = detail::with_headers(headers, [&](const detail::header_views& received) {
    return detail::diagnose_received(secret, body, received, headers, at, budget);
  });
  require(budget.spent() <= std::size_t{512} << 20, "the work is bounded");
  notice_work(budget.spent());
  require(!findings.empty(), "there is a finding");
  require((findings.front().cause == WebhookCause::verified) == accepted,
          "verified means that the verifier accepts");
  std::set<std::pair<WebhookCause, bool>> seen;
  for (const auto& finding : findings) {
    require(finding.proven == findings.front().proven, "proven findings come alone");
    require(!finding.proven || signed_right, "nothing is proven without a signature");
    require(seen.emplace(finding.cause, finding.proven).second, "each cause is reported once");
    require(!finding.what.empty() && !finding.remedy.empty(), "a finding says what is wrong and what to do");
    static std::set<std::string> sentences;
    sentences.insert(std::regex_replace(finding.what, std::regex("[0-9]+"), "0"));
    require(sentences.size() < 150, "the sentences are few, so they show neither the request nor the secret");
  }
  require(findings.size() == 1 || (findings.front().cause != WebhookCause::verified &&
                                   findings.front().cause != WebhookCause::unknown),
          "verified and unknown come alone");
  return 0;
}
