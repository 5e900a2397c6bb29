// SPDX-License-Identifier: MIT
// A verifier accepts exactly what was signed with its key, according to OpenSSL's HMAC(), and throws one of its
// errors otherwise, whatever the form of the headers. The input is a line each for the secret, the webhook-id, the
// webhook-timestamp and the webhook-signature, and then the body. In the signatures, each $ stands for the right
// one, and each | starts another header of that name.
#include <anthropic/webhooks/verify.hpp>

#include "../signature.hpp"
#include "require.hpp"

#include <openssl/evp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace anthropic::webhooks;

namespace {

constexpr std::int64_t now = 1773568800;
constexpr std::int64_t tolerance = 300;

/// The key of a secret, from a decoder that accepts anything.
std::string key_of(std::string secret) {
  if (secret.rfind("whsec_", 0) == 0) secret.erase(0, 6);
  secret.erase(secret.find_last_not_of('=') + 1);
  const std::size_t size = secret.size() * 3 / 4;
  secret.append((4 - secret.size() % 4) % 4, 'A');
  std::string key(secret.size(), '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()),
                  reinterpret_cast<const unsigned char*>(secret.data()), static_cast<int>(secret.size()));
  return key.substr(0, size);
}

/// The only special character of regular expressions in `expected` is +.
bool is_listed(const std::string& expected, const std::string& signatures) {
  const std::string escaped = std::regex_replace(expected, std::regex("[+]"), "[+]");
  return std::regex_search(signatures, std::regex("(^|[ \t,])" + escaped + "($|[ \t,])"));
}

std::string trimmed(const std::string& text) {
  return std::regex_replace(text, std::regex("^[ \t\r]+|[ \t\r]+$"), "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  std::string secret, id, timestamp, pattern;
  std::getline(in, secret) && std::getline(in, id) && std::getline(in, timestamp) && std::getline(in, pattern);
  const std::string body(std::istreambuf_iterator<char>(in), {});

  std::optional<WebhookVerifier> verifier;
  try {
    verifier.emplace(secret, std::chrono::seconds{tolerance});
  } catch (const WebhookVerificationError& e) {
    require(e.code() == WebhookErrc::invalid_secret, "the secret is at fault");
    static std::set<std::string> messages;
    messages.insert(std::regex_replace(e.what(), std::regex("short: [0-9]+"), "short"));
    constexpr auto problems = static_cast<std::size_t>(detail::secret_problem::short_key);
    require(messages.size() <= problems, "each problem has one message, which does not show the secret");
    return 0;
  }

  const std::string expected = signature(key_of(secret), trimmed(id), trimmed(timestamp), body);
  std::string signatures;
  std::vector<std::pair<std::string, std::string>> headers{{"Webhook-Id", id}, {"WEBHOOK-TIMESTAMP", timestamp}};
  std::istringstream patterns(pattern);
  for (std::string one; std::getline(patterns, one, '|');) {
    std::string list;
    for (const char c : one) list += c == '$' ? expected : std::string(1, c);
    headers.emplace_back("webhook-signature", list);
    signatures += list + ' ';
  }
  const auto lookup = [&](std::string_view name) {
    return name == "webhook-id" ? id : name == "webhook-timestamp" ? timestamp : signatures;
  };

  static const std::regex seconds("0|[1-9][0-9]{0,11}");
  const bool is_number = std::regex_match(trimmed(timestamp), seconds);
  const auto age = is_number ? now - std::stoll(trimmed(timestamp)) : 0;
  const bool good = !trimmed(id).empty() && id.find('.') == std::string::npos && is_number && age >= -tolerance &&
                    age <= tolerance && is_listed(expected, trimmed(signatures));
  const auto at = std::chrono::system_clock::time_point(std::chrono::seconds{now});
  WebhookError error, verify_error;
  static_cast<void>(verifier->try_unwrap(body, lookup, error, at));
  const auto index = verifier->try_verify(body, headers, verify_error, at);
  require(index.has_value() == (verify_error.code() == WebhookErrc::none), "an index comes with no error");
  require(index.has_value() == good, "try_verify() accepts what was signed with the key");
  try {
    require(verifier->verify(body, headers, at) == 0, "there is only one secret");
    require(good, "what is accepted was signed with the key");
    require(error.http_status() != 401, "a lookup function finds what a range has");
  } catch (const WebhookVerificationError& e) {
    require(!good, "what was signed with the key is accepted");
    require(error.code() == e.code() && std::string_view(error.what()) == e.what(),
            "the error is the same for a lookup function");
    require(e.http_status() == 401 && e.path().empty(), "it is not an error of the body");
    require(std::string_view(e.what()).find(expected) == std::string_view::npos,
            "the message does not show the signature");
  }
  return 0;
}
