// SPDX-License-Identifier: MIT
// expect: pass a range of name and value pairs, a function from a name .const char.. to its value, or Web
#include <anthropic/webhooks/verify.hpp>

#include <string>
#include <string_view>
#include <vector>

#ifdef FAIL
using Values = std::vector<std::string>;
#else
using Values = std::string;
#endif

/// A server's own request type.
struct Request {
  Values operator()(std::string_view name) const;
};

std::size_t index(const anthropic::webhooks::WebhookVerifier& verifier, const Request& request) {
  return verifier.verify("{}", request);
}
