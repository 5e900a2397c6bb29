// SPDX-License-Identifier: MIT
// Compiled once for each of two versions of the headers. A macro renames the namespace `anthropic` of the other
// version, and ROWS is the name of the function.
#include "version.hpp"

#include <anthropic/webhooks/unwrap.hpp>
#ifdef WITH_VERIFICATION
#include <anthropic/webhooks/verify.hpp>
#endif

#include <chrono>
#include <cstddef>
#include <map>
#include <string_view>

namespace webhooks = anthropic::webhooks;

// Not inlined into the loop that measures it, as in a server, whose call is in another file.
[[gnu::noinline]] static webhooks::UnwrapWebhookEvent unwrap(const std::string& body) {
  return webhooks::unwrap(body);
}

std::vector<harness::row> ROWS(const std::string& real, const std::vector<std::string>& all) {
  std::vector<harness::row> rows{
      harness::make_row("unwrap(), a real body", [real] { return unwrap(real); }),
      harness::make_row("unwrap(), a body of every type", [all, i = std::size_t{0}]() mutable {
        i = i + 1 == all.size() ? 0 : i + 1;
        return unwrap(all[i]);
      })};
#ifdef WITH_VERIFICATION
  static const auto verifier =
      webhooks::WebhookVerifier::from_raw_key(std::string_view("32 bytes of a key, made by hand."));
  const auto now = std::chrono::system_clock::now();
  const auto headers = verifier.signed_headers("whe_1", real, now);
  rows.push_back(harness::make_row(
      "a delivery", [real, now, map = std::map<std::string, std::string>(headers.begin(), headers.end())] {
        webhooks::WebhookError error;
        return verifier.try_unwrap(real, map, error, now);
      }));
#endif
  return rows;
}
