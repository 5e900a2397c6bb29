// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"
#include "signature.hpp"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <new>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// These replace OpenSSL's own functions, to see what is compared in constant time, wiped and hashed, and to make
// OpenSSL fail.
static thread_local std::size_t bytes_compared = 0;
int CRYPTO_memcmp(const void* a, const void* b, std::size_t size) {
  bytes_compared += size;
  return std::memcmp(a, b, size);
}
static thread_local std::size_t openssl_allocations = 0;
static thread_local std::size_t failing_openssl_allocation = 0;  // by its number, from 1
static std::atomic<long> openssl_blocks{0};                      // not freed yet
static void* reallocate(void* memory, std::size_t size) {
  if (++openssl_allocations == failing_openssl_allocation) return nullptr;
  void* const result = std::realloc(memory, size);
  if (memory == nullptr && result != nullptr) ++openssl_blocks;
  return result;
}
static const bool counts_openssl_allocations =
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) { return reallocate(nullptr, size); },
        [](void* memory, std::size_t size, const char*, int) { return reallocate(memory, size); },
        [](void* memory, const char*, int) {
          if (memory != nullptr) --openssl_blocks;
          std::free(memory);
        }) == 1;
static thread_local std::size_t hashes = 0;  // started
static thread_local enum { starts, fails, does_not_start_again } mac = starts;
int EVP_MAC_init(EVP_MAC_CTX* context, const unsigned char* key, std::size_t key_size,
                 const OSSL_PARAM* parameters) {
  static const auto init = reinterpret_cast<decltype(&EVP_MAC_init)>(dlsym(RTLD_NEXT, "EVP_MAC_init"));
  ++hashes;
  if (mac == fails) return 0;
  if (mac == does_not_start_again && key == nullptr) return 1;
  return init(context, key, key_size, parameters);
}
static thread_local std::size_t copies = 0;  // of contexts
EVP_MAC_CTX* EVP_MAC_CTX_dup(const EVP_MAC_CTX* context) {
  static const auto dup = reinterpret_cast<decltype(&EVP_MAC_CTX_dup)>(dlsym(RTLD_NEXT, "EVP_MAC_CTX_dup"));
  ++copies;
  return dup(context);
}
static thread_local std::vector<std::string>* wiped = nullptr;
void OPENSSL_cleanse(void* memory, std::size_t size) {
  if (wiped != nullptr) wiped->emplace_back(static_cast<const char*>(memory), size);
  std::memset(memory, 0, size);
}

using namespace anthropic::webhooks;
using namespace std::literals;
using std::chrono::seconds;
using time_point = std::chrono::system_clock::time_point;

namespace {

const std::string key = "0123456789abcdefghijklmnopqrstu\n";
const std::string secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=";
const std::string other_key = "the key of another endpoint";
const std::string other_secret = "whsec_dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50";
constexpr time_point now{seconds{1773568800}};
const std::string real_body = samples::fixture("session.status_idled");
const std::string real_signature = "v1,ofgVwRx4f4CCUQfcyQflQqtMMKMmGQ5v4QOu6Al0WgA=";
const WebhookHeaders real_headers{"1", "1773568800", real_signature};

std::vector<std::string> split(std::string_view rows) {
  std::vector<std::string> result(1);
  for (const char c : rows) {
    if (c == '|') {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

bool has_a_part_of(std::string_view text, std::string_view confidential) {
  constexpr std::size_t length = 7;
  for (std::size_t i = 0; i + length <= confidential.size(); ++i) {
    if (text.find(confidential.substr(i, length)) != std::string_view::npos) return true;
  }
  return false;
}

struct failure {
  WebhookErrc code = WebhookErrc::none;
  std::string what;
};

bool operator==(const failure& a, const failure& b) { return a.code == b.code && a.what == b.what; }

std::ostream& operator<<(std::ostream& out, const failure& failure) {
  return out << static_cast<int>(failure.code) << ' ' << failure.what;
}

/// The WebhookError that `f` throws; any other exception fails the test.
template <class F>
failure failure_of(F f) {
  try {
    static_cast<void>(f());
    return {};
  } catch (const WebhookVerificationError& e) {
    CHECK(e.path().empty());
    CHECK(e.http_status() == (e.code() == WebhookErrc::invalid_value    ? 400
                              : e.code() == WebhookErrc::crypto_failure ? 500
                                                                        : 401));
    return {e.code(), e.what()};
  } catch (const WebhookParseError& e) {
    CHECK(e.http_status() == 400);
    return {e.code(), e.what()};
  }
}

/// The base64 of some bytes.
std::string base64(std::string_view bytes) {
  std::string result((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock() ends it with a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return result.substr(0, result.size() - 1);
}

/// The error that verify() throws, if any. Checks that the other functions agree.
failure failure_of_request(const WebhookVerifier& verifier, std::string_view body, const WebhookHeaders& headers,
                           time_point at = now) {
  const auto verified = failure_of([&] { return verifier.verify(body, headers, at); });
  for (const auto& confidential : {secret, key, std::string(body), std::string(headers.signature),
                                   signature(key, headers.id, headers.timestamp, body)}) {
    CHECK_FALSE(has_a_part_of(verified.what, confidential));
  }

  WebhookError verify_error(WebhookErrc::invalid_secret, "/before", "before");
  CHECK(verifier.try_verify(body, headers, verify_error, at).has_value() == (verified.code == WebhookErrc::none));
  CHECK(verify_error.code() == verified.code);
  CHECK(verify_error.what() == verified.what);
  CHECK(verify_error.path().empty());

  WebhookError error(WebhookErrc::invalid_secret, "/before", "before");
  const auto tried = verifier.try_unwrap(body, headers, error, at);
  bool same = !tried;
  const auto failed = failure_of([&] { same = tried == verifier.unwrap(body, headers, at); });
  CHECK(same);
  CHECK(tried.has_value() == (failed.code == WebhookErrc::none));
  CHECK(error.code() == failed.code);
  CHECK(error.what() == failed.what);
  if (verified.code != WebhookErrc::none) {
    CHECK(failed == verified);
    CHECK(error.http_status() == (verified.code == WebhookErrc::crypto_failure ? 500 : 401));
  } else {
    CHECK(error.http_status() == (tried ? 200 : 400));
  }
  return verified;
}

void check_verifies(const WebhookVerifier& verifier, std::string_view body, const WebhookHeaders& headers,
                    time_point at = now) {
  CHECK(failure_of_request(verifier, body, headers, at).what.empty());
}

void check_does_not_match(const WebhookVerifier& verifier, std::string_view body, const WebhookHeaders& headers,
                          time_point at = now) {
  const auto failure = failure_of_request(verifier, body, headers, at);
  CHECK(failure.code == WebhookErrc::no_matching_signature);
  CHECK(failure.what.find("no signature matches: the ") == 0);
}

/// Checks that try_make() fails with either form of the list.
void check_not_made(const std::vector<std::string>& secrets, const failure& expected,
                    seconds tolerance = WebhookVerifier::default_tolerance) {
  const auto check = [&expected](bool made, const WebhookError& error) {
    CHECK_FALSE(made);
    CHECK(failure{error.code(), error.what()} == expected);
    CHECK(error.path().empty());
  };
  WebhookError error;
  check(WebhookVerifier::try_make(secrets, error, tolerance).has_value(), error);
  if (secrets.size() != 1) return;
  error = {};
  check(WebhookVerifier::try_make({secrets[0]}, error, tolerance).has_value(), error);
}

std::string openssl_message(const std::string& reason) {
  char* const file = CONF_get1_default_config_file();
  const std::string message =
      "OpenSSL failed to make an HMAC-SHA256: " + reason + "; its configuration is " + std::string(file);
  OPENSSL_free(file);
  return message;
}

std::string with_bit_changed(std::string text, std::size_t bit) {
  text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  return text;
}

}  // namespace

TEST_CASE("signatures agree with other implementations, even for bodies that are not events") {
  const auto verifier_with = [](const char* text) { return WebhookVerifier(text); };
  const struct {
    WebhookVerifier verifier;
    std::string id;
    int timestamp;
    std::string body, signature;
  } rows[] = {
      {verifier_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
       R"({"test": 2432232314})", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
      {verifier_with("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553,
       R"({"email":"test@example.com","username":"test_user"})",
       "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
      {WebhookVerifier(secret), "1", 1773568800, real_body, real_signature},
      {WebhookVerifier(secret), "1", 1773568800, "", "v1,fNftC+bzWk6U5lBST3hSDO+q/UbsfKUhO6jn1tvysEA="},
      {WebhookVerifier(secret), "1", 1773568800, "\x00\xff\x80{}"s,
       "v1,jHy8t4TsA4nW0GzaPDMr++MGdGwiPv6YJG2g+jeUfhk="},
      {WebhookVerifier::from_raw_key(key), "1", 1773568800, real_body, real_signature},
      {WebhookVerifier::from_raw_key("secret\n"sv), "1", 1773568800, real_body,
       "v1,wTnohUOy8o3ym0dAIWsf9rZnOQWHHBif7o5uADBMSeo="},
      {WebhookVerifier::from_raw_key(std::string(64, 'a')), "1", 1773568800, real_body,
       "v1,H/7P/88rZbod8/0tozwSNNhhNK9trDitzyQQ95+B190="},
      {WebhookVerifier::from_raw_key(std::string(65, 'a')), "1", 1773568800, real_body,
       "v1,6z8ss/59Rnglg8qrSlS6rkiK1sMlBkjLlyEccIh3E+A="},
  };
  for (const auto& row : rows) {
    INFO(row.signature);
    const time_point at{seconds{row.timestamp}};
    const std::string timestamp = std::to_string(row.timestamp);
    for (int round = 0; round < 3; ++round) {
      CHECK(row.verifier.sign(row.id, at, row.body) == row.signature);
      CHECK(row.verifier.verify(row.body, {row.id, timestamp, row.signature}, at) == 0);
      check_verifies(row.verifier, row.body, {row.id, timestamp, row.signature}, at);
    }
    check_does_not_match(row.verifier, row.body + "\0"s, {row.id, timestamp, row.signature}, at);
  }
  CHECK(WebhookVerifier(secret).verify({}, {"1", "1773568800", rows[3].signature}, now) == 0);
  CHECK_THROWS_AS(anthropic::webhooks::unwrap(rows[0].body), WebhookParseError);
}

// Secrets.

TEST_CASE("secrets are base64, with or without a prefix and padding") {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const struct {
    std::string text, key;
  } rows[] = {
      {secret, key},
      {"whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo", key},
      {"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=", key},
      {"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo", key},
      {"/////////////////////w==", std::string(16, '\xff')},
      {"/////////////////////w", std::string(16, '\xff')},
      {"//////////////////////8=", std::string(17, '\xff')},
      {"//////////////////////8", std::string(17, '\xff')},
      {"////////////////////////", std::string(18, '\xff')},
      {"AP8A/wD/AP8A/wD/AP8A/w==", "\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff"s},
      {alphabet,
       "\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f\x82\x18"
       "\xa3"
       "\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf"s},
      {std::string(100'000, '/'), std::string(75'000, '\xff')},
  };
  for (const auto& row : rows) {
    INFO(row.text.substr(0, 100));
    const std::string expected = signature(row.key, "1", "1773568800", real_body);
    CHECK(WebhookVerifier(row.text).sign("1", now, real_body) == expected);
    CHECK(WebhookVerifier(std::vector{row.text}).sign("1", now, real_body) == expected);
    CHECK(WebhookVerifier::from_raw_key(row.key).sign("1", now, real_body) == expected);
    check_verifies(WebhookVerifier(row.text), real_body, {"1", "1773568800", expected});
  }
}

TEST_CASE("keys of any length sign as OpenSSL's own HMAC does") {
  std::string bytes;
  for (int i = 1; i <= 200; ++i) {
    bytes += static_cast<char>(37 * i);
    INFO(bytes.size());
    const auto verifier = WebhookVerifier::from_raw_key(bytes);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{270}, std::size_t{1011}, std::size_t{1012}, std::size_t{5000}}) {
      const std::string body(size, 'x');
      CHECK(verifier.sign("1", now, body) == signature(bytes, "1", "1773568800", body));
    }
    if (bytes.size() < 16) continue;
    CHECK(WebhookVerifier(base64(bytes)).sign("1", now, "x") == signature(bytes, "1", "1773568800", "x"));
  }
}

TEST_CASE("the error for a malformed secret says what is wrong with it, but does not show it") {
  const auto empty = "webhook secret: it is empty";
  const auto whitespace = "webhook secret: there is whitespace in it";
  const auto quotes = "webhook secret: there are quotes in it";
  const auto byte_order_mark = "webhook secret: there is a byte-order mark in it";
  const auto comma = "webhook secret: there is a comma in it; pass several secrets as a list";
  const auto listed = "webhook secret: it starts with \"v1,\"; the secret is what follows that";
  const auto signature = "webhook secret: it starts with \"v1,\", as a signature does";
  const auto api_key = "webhook secret: it is an API key; the endpoint has its own signing secret";
  const auto asymmetric = "webhook secret: it is a key of the asymmetric scheme, v1a";
  const auto twice = "webhook secret: its prefix is duplicated";
  const auto inside = "webhook secret: its prefix is not at the start";
  const auto capitals = "webhook secret: its prefix is in capital letters";
  const auto encoded =
      "webhook secret: it is base64 of the secret, as a Kubernetes manifest has it; decode it once";
  const auto url_safe = "webhook secret: it is in the url-safe alphabet; it must be in standard base64";
  const auto no_base64 = "webhook secret: it is not base64";
  const struct {
    std::string text, what;
  } rows[] = {
      {"", empty},
      {"whsec_", empty},
      {"d2hzZWNfTWZLUTlyOEdLWXFyVHdqVVBEOElMUFpJbzJMYUxhU3c=", encoded},
      {"whsec_d2hzZWNfTWZLUTlyOEdLWXFyVHdqVVBEOElMUFpJbzJMYUxhU3c", encoded},
      {"d2hzZWNf", encoded},
      {" ", whitespace},
      {"whsec_ ", whitespace},
      {" whsec_MfKQ9r8G", whitespace},
      {"whsec_MfKQ9r8G ", whitespace},
      {"whsec_MfKQ9r8G\n", whitespace},
      {"whsec_MfKQ9r8G\r\n", whitespace},
      {"whsec_\tMfKQ9r8G", whitespace},
      {"MfKQ 9r8G", whitespace},
      {"MfKQ\v9r8G", whitespace},
      {"MfKQ\f9r8G", whitespace},
      {"MfKQ\r9r8G", whitespace},
      {"whsec_MfKQ9r8G whsec_MfKQ9r8G", whitespace},
      {"whsec_MfKQ9r8G, whsec_MfKQ9r8G", whitespace},
      {"\"whsec_MfKQ9r8G\"", quotes},
      {"'whsec_MfKQ9r8G'", quotes},
      {"`whsec_MfKQ9r8G`", quotes},
      {"\"whsec_MfKQ9r8G\"\r\n", quotes},
      {"whsec_MfKQ9r8G\"", quotes},
      {"whsec_\"MfKQ9r8G\"", quotes},
      {"\"MfKQ9r8G\"", quotes},
      {"\"\"", quotes},
      {"\xef\xbb\xbfwhsec_MfKQ9r8G", byte_order_mark},
      {"\xef\xbb\xbf\"whsec_MfKQ9r8G\"\n", byte_order_mark},
      {"whsec_MfKQ9r8G,whsec_MfKQ9r8G", comma},
      {"MfKQ9r8G,MfKQ9r8G", comma},
      {"whsec_MfKQ9r8G,", comma},
      {"a,b", comma},
      {"v1,whsec_MfKQ9r8G", listed},
      {"v1,MfKQ9r8G", signature},
      {"sk-ant-api03-MfKQ9r8G", api_key},
      {"sk-ant-", api_key},
      {"whpk_MfKQ9r8G", asymmetric},
      {"whsk_MfKQ9r8G", asymmetric},
      {"whsk_", asymmetric},
      {"whsec_whsec_MfKQ9r8G", twice},
      {"whsec_whsec_", twice},
      {"WEBHOOK=whsec_MfKQ9r8G", inside},
      {"MfKQ9r8Gwhsec_MfKQ9r8G", inside},
      {"whsec_MfKQ9r8Gwhsec_", inside},
      {"WHSEC_MfKQ9r8G", capitals},
      {"Whsec_MfKQ9r8G", capitals},
      {"whseC_", capitals},
      {"whsec_WHSEC_MfKQ9r8G", capitals},
      {"whsec_MfKQ-r8G", url_safe},
      {"MfKQ_r8G", url_safe},
      {"MfKQ_r8G+/==", url_safe},
      {"-_", url_safe},
      {"whsec-MfKQ9r8G", url_safe},
      {"whsex_MfKQ9r8GMf", url_safe},
      {"whse_MfKQ9r8GMfK", url_safe},
      {"MfKQ-r8G!", no_base64},
      {"-", no_base64},
      {"sk_ant_api03*", no_base64},
      {"=", no_base64},
      {"==", no_base64},
      {"====", no_base64},
      {"whsec_====", no_base64},
      {"A", no_base64},
      {"A===", no_base64},
      {"MfKQ9", no_base64},
      {"MfKQ9===", no_base64},
      {"MfKQ9r=", no_base64},
      {"MfKQ9r===", no_base64},
      {"MfKQ9r8==", no_base64},
      {"MfKQ9r8G=", no_base64},
      {"MfKQ9r8G====", no_base64},
      {"MfK=9r8G", no_base64},
      {"=MfK9r8G", no_base64},
      {"MfKQ9r8G\0"s, no_base64},
      {"\0MfK9r8G"s, no_base64},
      {"MfKQ\xc3\xa9r8G", no_base64},
      {"MfKQ9r8\xef\xbc\xa1", no_base64},
      {"MfKQ\xc2\xa0r8G", no_base64},
      {"whsec:MfKQ9r8G", no_base64},
      {std::string(100'000, '!'), no_base64},
  };
  for (const auto& row : rows) {
    INFO(row.text.substr(0, 100));
    const failure expected{WebhookErrc::invalid_secret, row.what};
    CHECK_FALSE(has_a_part_of(row.what, row.text));
    CHECK(failure_of([&] { return WebhookVerifier(row.text); }) == expected);
    CHECK(failure_of([&] { return WebhookVerifier(std::vector{secret, row.text, secret}); }) == expected);
    check_not_made({row.text}, expected);
    check_not_made({secret, row.text, other_secret}, expected);
    CHECK(failure_of([&] { return unwrap(real_body, real_headers, row.text); }) == expected);
    if (row.text.find('\0') != std::string::npos) continue;
    CHECK(failure_of([&] { return WebhookVerifier(row.text.c_str()); }) == expected);
    CHECK(failure_of([&] { return WebhookVerifier({secret.c_str(), row.text.c_str()}); }) == expected);
  }
  CHECK(failure_of([] { return WebhookVerifier::from_raw_key(""sv); }) ==
        failure{WebhookErrc::invalid_secret, empty});
  CHECK(failure_of([] { return WebhookVerifier(std::vector<std::string>{}); }) ==
        failure{WebhookErrc::invalid_secret, "webhook secret: there is none"});
  check_not_made({}, {WebhookErrc::invalid_secret, "webhook secret: there is none"});
  CHECK(failure_of([] { return WebhookVerifier(std::initializer_list<const char*>{}); }) ==
        failure{WebhookErrc::invalid_secret, "webhook secret: there is none"});
}

TEST_CASE("the error for a secret with a short key gives the length") {
  for (std::size_t size = 1; size < 20; ++size) {
    INFO(size);
    const std::string bytes = key.substr(0, size);
    const auto failed = failure_of([&] { return WebhookVerifier("whsec_" + base64(bytes)); });
    CHECK(failed == (size >= 16 ? failure{}
                                : failure{WebhookErrc::invalid_secret,
                                          "webhook secret: its key is too short: " + std::to_string(size) +
                                              " of the usual 32 bytes; at least 16 are needed"}));
    CHECK(failure_of([&] { return WebhookVerifier::from_raw_key(bytes); }) == failure{});
  }
  CHECK(failure_of([] { return WebhookVerifier("mysecretkey1"); }).code == WebhookErrc::invalid_secret);
}

TEST_CASE("a secret contains only the 64 characters of the alphabet") {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int byte = 0; byte < 256; ++byte) {
    INFO(byte);
    const std::string text = "MfKQ"s + static_cast<char>(byte) + "r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const auto code = failure_of([&] { return WebhookVerifier(text); }).code;
    const bool good = alphabet.find(static_cast<char>(byte)) != std::string_view::npos;
    CHECK(code == (good ? WebhookErrc::none : WebhookErrc::invalid_secret));
  }
}

TEST_CASE("try_make() makes what the constructors make") {
  WebhookError error(WebhookErrc::invalid_json, "/before", "before");
  const auto check = [&](const std::optional<WebhookVerifier>& verifier, std::size_t index) {
    CHECK(error.code() == WebhookErrc::none);
    CHECK(error.what() == ""s);
    REQUIRE(verifier.has_value());
    CHECK(verifier->try_verify(real_body, real_headers, error, now) == index);
    error = WebhookError(WebhookErrc::invalid_json, "/before", "before");
  };
  check(WebhookVerifier::try_make(std::vector{secret}, error), 0);
  check(WebhookVerifier::try_make({other_secret, secret}, error), 1);
  check(WebhookVerifier::try_make({secret.c_str()}, error), 0);
  check(WebhookVerifier::try_make({std::string_view(other_secret), std::string_view(secret)}, error), 1);

  const auto patient = WebhookVerifier::try_make({secret}, error, 1h);
  CHECK(patient->try_verify(real_body, real_headers, error, now + 3600s) == std::size_t{0});
  CHECK_FALSE(patient->try_verify(real_body, real_headers, error, now + 3601s));
  const char* const not_set = nullptr;
  CHECK_FALSE(WebhookVerifier::try_make({not_set}, error));
  CHECK(error.code() == WebhookErrc::invalid_secret);
  CHECK(error.what() == "webhook secret: it is null: is the environment variable set?"s);
}

// A range that makes each secret on demand, like views::transform.
struct secrets_on_the_fly {
  struct iterator {
    int index;
    std::string operator*() const { return index == 0 ? other_secret : secret; }
    iterator& operator++() { return ++index, *this; }
    bool operator!=(const iterator& other) const { return index != other.index; }
  };
  [[nodiscard]] iterator begin() const { return {0}; }
  [[nodiscard]] iterator end() const { return {2}; }
};

/// A range that can only be iterated as non-const, like a C++20 filter view.
template <class T>
struct unconst_range {
  std::vector<T> elements;
  auto begin() { return elements.begin(); }
  auto end() { return elements.end(); }
};

TEST_CASE("a range of secrets may make them on demand, or only be iterable as non-const") {
  CHECK(WebhookVerifier(secrets_on_the_fly{}).verify(real_body, real_headers, now) == 1);
  unconst_range<std::string> secrets{{other_secret, secret}};
  CHECK(WebhookVerifier(secrets).verify(real_body, real_headers, now) == 1);
  WebhookError error;
  CHECK(WebhookVerifier::try_make(secrets, error)->verify(real_body, real_headers, now) == 1);
  CHECK(WebhookVerifier::try_make(secrets_on_the_fly{}, error)->verify(real_body, real_headers, now) == 1);
}

TEST_CASE("verify() returns the index of the secret that signed") {
  const std::string keys[] = {"the newest of the keys", "one that is older", "the oldest of the keys"};
  const std::vector<std::string> secrets{base64(keys[0]), base64(keys[1]), base64(keys[2]), base64(keys[1])};
  const WebhookVerifier verifier(secrets);
  const std::array signatures{signature(keys[0], "1", "1773568800", real_body),
                              signature(keys[1], "1", "1773568800", real_body),
                              signature(keys[2], "1", "1773568800", real_body)};
  for (std::size_t index = 0; index < signatures.size(); ++index) {
    check_verifies(verifier, real_body, {"1", "1773568800", signatures[index]});
    CHECK(verifier.verify(real_body, {"1", "1773568800", signatures[index]}, now) == index);
  }
  const std::string list = signatures[2] + " " + signatures[1];
  CHECK(verifier.verify(real_body, {"1", "1773568800", list}, now) == 1);
  CHECK(verifier.sign("1", now, real_body) == signatures[0]);
  check_does_not_match(verifier, real_body, real_headers);
}

TEST_CASE("a braced list is a list of secrets, whatever their type") {
  const std::string other = base64(other_key);
  const char* const literals[] = {"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=", other.c_str()};
  const auto check = [](const WebhookVerifier& verifier, std::size_t index) {
    CHECK(verifier.verify(real_body, real_headers, now) == index);
  };
  check(WebhookVerifier({"dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50", "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="}),
        1);
  check(WebhookVerifier({"dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50", "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="},
                        1h),
        1);
  check(WebhookVerifier{"dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50", "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="},
        1);
  check(WebhookVerifier({other, secret}), 1);
  check(WebhookVerifier({other, secret}, 1h), 1);
  check(WebhookVerifier({other, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="}), 1);
  check(WebhookVerifier({literals[1], literals[1], literals[0]}), 2);
  check(WebhookVerifier({"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="}), 0);
  check(WebhookVerifier{"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo="}, 0);
  check(WebhookVerifier{"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=", 1h}, 0);
  check(WebhookVerifier{secret}, 0);
  check(WebhookVerifier{secret, 1h}, 0);
  const std::string_view view = secret, other_view = other;
  check(WebhookVerifier({secret}), 0);
  check(WebhookVerifier({secret}, 1h), 0);
  check(WebhookVerifier({view}), 0);
  check(WebhookVerifier({other_view, view}), 1);
  check(WebhookVerifier({other, view, literals[0]}), 1);
  check(WebhookVerifier(std::vector{other_view, view}, 1h), 1);
  check(WebhookVerifier(std::array{other, secret}), 1);
  check(WebhookVerifier(literals), 0);
  const char* const not_set = nullptr;
  CHECK(failure_of([&] {
          return WebhookVerifier({secret.c_str(), not_set});
        }).what == "webhook secret: it is null: is the environment variable set?");
}

// Headers.

TEST_CASE("headers may be in any form that servers use") {
  const std::string stamp =
      std::to_string(std::chrono::floor<seconds>(std::chrono::system_clock::now()).time_since_epoch().count());
  const WebhookVerifier verifier(secret, 24h);
  const std::string good = signature(key, "1", stamp, real_body);
  const auto check = [&](auto&& headers) {
    CHECK(verifier.verify(real_body, headers) == 0);
    CHECK(verifier.unwrap(real_body, headers) == unwrap(real_body));
    WebhookError error;
    CHECK(verifier.try_unwrap(real_body, headers, error) == unwrap(real_body));
    CHECK(verifier.try_verify(real_body, headers, error) == std::size_t{0});
    CHECK(unwrap(real_body, headers, secret) == unwrap(real_body));
  };
  const std::map<std::string, std::string> map{
      {"Webhook-Id", "1"}, {"Webhook-Timestamp", stamp}, {"Webhook-Signature", " " + good}};
  check(map);
  check(webhook_headers(map));
  check(WebhookHeaders{"1", stamp, good});
  check([&](std::string_view name) {
    return name == "webhook-id" ? "1" : name == "webhook-timestamp" ? stamp : good;
  });

  check(std::map<std::string, std::string>(map));
  check(unconst_range<std::pair<std::string, std::string>>{{map.begin(), map.end()}});
  check([&, calls = 0](std::string_view name) mutable {
    return ++calls, name == "webhook-id" ? "1" : name == "webhook-timestamp" ? stamp : good;
  });
  CHECK(verifier.verify(real_body, {"1"s, std::string(stamp), signature(key, "1", stamp, real_body)}) == 0);
  CHECK(unwrap(real_body, {"1", stamp, good}, secret) == unwrap(real_body));
}

TEST_CASE("a missing header is an error of unwrap() and try_unwrap() in any form") {
  const WebhookVerifier verifier(secret);
  const std::map<std::string, std::string> all{
      {"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}, {"webhook-signature", real_signature}};
  const auto check = [&](const auto& headers, const std::string& what) {
    const failure missing{WebhookErrc::missing_header, what};
    CHECK(failure_of([&] { return verifier.verify(real_body, headers, now); }) == missing);
    CHECK(failure_of([&] { return verifier.unwrap(real_body, headers, now); }) == missing);
    CHECK(failure_of([&] { return unwrap(real_body, headers, secret); }) == missing);
    WebhookError error;
    CHECK_FALSE(verifier.try_unwrap(real_body, headers, error, now));
    CHECK(error.code() == WebhookErrc::missing_header);
    CHECK(error.what() == what);
    error = {};
    CHECK_FALSE(verifier.try_verify(real_body, headers, error, now));
    CHECK(error.what() == what);
  };
  for (const auto& [name, value] : all) {
    auto map = all;
    map.erase(name);
    const std::string missing = name + " header: missing";
    const auto lookup = [&map = map](const char* wanted) -> const char* {
      const auto found = map.find(wanted);
      return found == map.end() ? nullptr : found->second.c_str();
    };
    check(map, missing);
    check(lookup, missing);
    check([&](const std::string& wanted) { return map[wanted]; }, missing);
    check(WebhookHeaders{lookup("webhook-id"), lookup("webhook-timestamp"), lookup("webhook-signature")}, missing);
    map["Svix-Id"] = "1";
    check(map, missing + "; there is svix-id, which Standard Webhooks does not use");
  }
  check(std::map<std::string, std::string>(), "webhook-id header: missing");
  check(WebhookHeaders{}, "webhook-id header: missing");
}

TEST_CASE("exceptions of a lookup function propagate, even from try_unwrap()") {
  const WebhookVerifier verifier(secret);
  const std::map<std::string, std::string> none;
  const auto lookup = [&](const std::string& name) { return none.at(name); };
  WebhookError error(WebhookErrc::invalid_json, "", "before");
  CHECK_THROWS_AS(verifier.verify(real_body, lookup, now), std::out_of_range);
  CHECK_THROWS_AS(verifier.unwrap(real_body, lookup, now), std::out_of_range);
  CHECK_THROWS_AS(verifier.try_verify(real_body, lookup, error, now), std::out_of_range);
  CHECK_THROWS_AS(verifier.try_unwrap(real_body, lookup, error, now), std::out_of_range);
  CHECK(error.code() == WebhookErrc::invalid_json);
}

// The timestamp.

TEST_CASE("a timestamp must be whole seconds, even if something else was signed") {
  const WebhookVerifier verifier(secret, seconds::max());
  for (const std::string timestamp : {"0", "1", "9", "10", "1773568800", "99999999999", "999999999999"}) {
    INFO(timestamp);
    const std::string good = signature(key, "1", timestamp, real_body);
    check_verifies(verifier, real_body, {"1", timestamp, good});
  }

  const failure invalid{WebhookErrc::invalid_header,
                        "webhook-timestamp header: expected whole seconds since 1970"};
  auto timestamps = split(
      "+1|-1|-0|+0|1.5|1.|.5|1e9|1\n|\n1|1 2|1_000|1,773,568,800|1'000|0x1|0b1|00|007|01773568800|"
      "1773568800\0|\0|1\0001|1773568800s|1773568800Z|2026-03-15T10:00:00Z|now|nan|a|/"
      "|:|1000000000000|9999999999999|"
      "1773568800000|0000000000001|12345678901234567890|9223372036854775807|-9223372036854775808|"
      "18446744073709551616|"
      "\xef\xbc\x91|\xd9\xa1|\xc2\xb9|\xb1|1773568800\xd9\xa1|\xff"sv);
  timestamps.emplace_back(100'000, '9');
  for (const auto& timestamp : timestamps) {
    INFO(timestamp.substr(0, 100));
    const std::string good = signature(key, "1", timestamp, real_body);
    CHECK(failure_of_request(verifier, real_body, {"1", timestamp, good}) == invalid);
  }
}

TEST_CASE("a delivery must have been signed recently") {
  constexpr auto old = WebhookErrc::timestamp_too_old;
  constexpr auto young = WebhookErrc::timestamp_too_new;
  constexpr auto ok = WebhookErrc::none;
  constexpr auto year_292277026596 = seconds::max();
  const struct {
    seconds tolerance;
    std::chrono::milliseconds age;
    WebhookErrc code;
    std::string what;
  } rows[] = {
      {300s, 0s, ok, ""},
      {300s, 299s, ok, ""},
      {300s, 300s, ok, ""},
      {300s, 300'999ms, ok, ""},
      {300s, 301s, old, "signed 301 s ago, and the tolerance is 300 s"},
      {300s, 301'999ms, old, "signed 301 s ago, and the tolerance is 300 s"},
      {300s, 86400s, old, "signed 86400 s ago, and the tolerance is 300 s"},
      {300s, -299s, ok, ""},
      {300s, -299'999ms, ok, ""},
      {300s, -300s, ok, ""},
      {300s, -300'001ms, young, "signed 301 s in the future, and the tolerance is 300 s"},
      {300s, -301s, young, "signed 301 s in the future, and the tolerance is 300 s"},
      {300s, -86400s, young, "signed 86400 s in the future, and the tolerance is 300 s"},
      {0s, 0s, ok, ""},
      {0s, 999ms, ok, ""},
      {0s, 1s, old, "signed 1 s ago, and the tolerance is 0 s"},
      {0s, -1ms, young, "signed 1 s in the future, and the tolerance is 0 s"},
      {1h, 3600s, ok, ""},
      {1h, 3601s, old, "signed 3601 s ago, and the tolerance is 3600 s"},
      {1h, -3600s, ok, ""},
      {1h, -3601s, young, "signed 3601 s in the future, and the tolerance is 3600 s"},
      {year_292277026596, 1'773'568'800s, ok, ""},
      {year_292277026596, -1'000'000'000'000ms, ok, ""},
  };
  for (const auto& row : rows) {
    INFO("tolerance " << row.tolerance.count() << " s, age " << row.age.count() << " ms");
    const failure expected{row.code, row.what};
    for (const auto& verifier :
         {WebhookVerifier(secret, row.tolerance), WebhookVerifier(std::vector{secret}, row.tolerance),
          WebhookVerifier::from_raw_key(key, row.tolerance)}) {
      CHECK(failure_of_request(verifier, real_body, real_headers, now + row.age) == expected);
    }
    if (row.tolerance == 300s) {
      for (const auto& verifier :
           {WebhookVerifier(secret), WebhookVerifier(std::vector{secret}), WebhookVerifier::from_raw_key(key)}) {
        CHECK(failure_of_request(verifier, real_body, real_headers, now + row.age) == expected);
      }
    }
  }
}

TEST_CASE("no time, timestamp or tolerance overflows") {
  for (const time_point at : {time_point::min(), time_point{}, now, time_point::max()}) {
    for (const std::string timestamp : {"0", "1773568800", "999999999999"}) {
      const std::string good = signature(key, "1", timestamp, real_body);
      const WebhookHeaders headers{"1", timestamp, good};
      check_verifies(WebhookVerifier(secret, seconds::max()), real_body, headers, at);

      const auto seconds_at = std::chrono::floor<seconds>(at).time_since_epoch().count();
      const auto age = seconds_at - std::stoll(timestamp);
      const auto expected = age == 0  ? WebhookErrc::none
                            : age > 0 ? WebhookErrc::timestamp_too_old
                                      : WebhookErrc::timestamp_too_new;
      CHECK(failure_of_request(WebhookVerifier(secret, 0s), real_body, headers, at).code == expected);
    }
  }
}

TEST_CASE("a negative tolerance is an error") {
  const failure negative{WebhookErrc::invalid_value, "the tolerance is negative"};
  for (const seconds tolerance : {-1s, -300s, seconds::min()}) {
    CHECK(failure_of([&] { return WebhookVerifier(secret, tolerance); }) == negative);
    CHECK(failure_of([&] { return WebhookVerifier(std::vector{secret}, tolerance); }) == negative);
    CHECK(failure_of([&] { return WebhookVerifier::from_raw_key(key, tolerance); }) == negative);
    check_not_made({secret}, negative, tolerance);
    check_not_made({""}, negative, tolerance);
  }
}

// Signatures.

namespace {

/// `list` with every @ replaced by the good signature, and every # by one made with another key.
std::string with_signatures(std::string_view list) {
  std::string result;
  for (const char c : list) {
    if (c != '@' && c != '#') {
      result += c;
    } else {
      result += signature(c == '@' ? key : "another", "1", "1773568800", real_body).substr(3);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a matching v1 signature may be anywhere in the list, among anything else") {
  const WebhookVerifier verifier(secret);
  for (const auto& list : split(
           "v1,@|v1,@ v1,#|v1,# v1,@|v1,# v1,@ v1,#|v1,@ v1,@| v1,@|v1,@ |   v1,#    v1,@   |v1a,@ v1,@|v2,@ v1,@|"
           "v1, v1,@|v1 v1,@|v1 , v1,@|, v1,@|,, v1,@|v1,, v1,@|x v1,@|@ v1,@|v1,@= v1,@|\"v1,@\" v1,@|"
           "\xff\xfe\x80 v1,@|\0 v1,@|v1,@\r|v1,# v1,@ \r|v1,@ \xc3\xa9|v1,\xc3\xa9 v1,@|"
           "v1,#, v1,@|v1,#,v1,@|v1,@, v1,#|v1,@,v1,#|v1,@,|v1,@ ,|,v1,@|,,v1,@,,|v1,#,\tv1,@|\tv1,@\t|v1,#\tv1,@|"
           "v1a,#,v1,@|v1a,# , v1,@|x,v1,@|v1,v1,@|v1,v1,v1,@|v1,x,v1,@|v1,,v1,@|@,v1,@|v12,v1,@"sv)) {
    INFO(list);
    check_verifies(verifier, real_body, {"1", "1773568800", with_signatures(list)});
  }
}

TEST_CASE("only spaces, commas and tabs separate signatures, at any position") {
  const WebhookVerifier verifier(secret);
  for (std::size_t length = 1; length < 20; ++length) {
    for (int c = 0; c < 256; ++c) {
      const std::string list = std::string(length, 'x') + static_cast<char>(c) + real_signature;
      WebhookError error;
      const bool verifies =
          verifier.try_verify(real_body, WebhookHeaders{"1", "1773568800", list}, error, now).has_value();
      INFO(length << " characters before character " << c);
      CHECK(verifies == (c == ' ' || c == ',' || c == '\t'));
    }
  }
}

TEST_CASE("signatures are visited until one is accepted") {
  int visited = 0;
  const auto visit = [&visited](std::string_view, std::string_view text) { return ++visited, text == "b"; };
  CHECK(detail::any_signature("v1,a v1,b v1,c", visit));
  CHECK(visited == 2);
  CHECK_FALSE(detail::any_signature("v1,a v1,c", visit));
  CHECK(visited == 4);
  CHECK_FALSE(detail::any_signature("", visit));
}

TEST_CASE("several webhook-signature headers form one list of signatures") {
  const WebhookVerifier verifier(secret);
  for (const auto& lists :
       {"v1,@|v1,#", "v1,#|v1,@", "v1,#|v1,#|v1,@", "v1,# v1,@|v1,#", "|v1,@", "v1,#,|v1,@,"}) {
    INFO(lists);
    std::multimap<std::string, std::string> headers{{"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}};
    for (const auto& list : split(lists)) headers.emplace("webhook-signature", with_signatures(list));
    CHECK(verifier.verify(real_body, headers, now) == 0);
    CHECK(verifier.verify(real_body, webhook_headers(headers), now) == 0);
  }
}

TEST_CASE("anything but a v1 signature of the request does not match") {
  const WebhookVerifier verifier(secret);
  const std::string& good = real_signature;
  std::string url_safe = signature(key, "1", "1773568800", "");
  check_verifies(verifier, "", {"1", "1773568800", url_safe});
  url_safe[url_safe.find('/')] = '_';
  check_does_not_match(verifier, "", {"1", "1773568800", url_safe});

  for (const auto& list :
       split("v1a,@|v2,@|v0,@|V1,@|v11,@|v,@|1v,@|v1 ,@|v1, @|v1 "
             "@|v1@|v1;@|v1=@|v1:@|@|,@|v1,,@|v1,x,@|v1,#,@|xv1,@|"
             "v1,@;|v1,@\n|v1,@\r\n|v1,@\r "
             "v1,#|v1,@\0|\0v1,@|v1,@=|v1,@A|\"v1,@\"|v1,\"@\"|'v1,@'|<v1,@>|v1,|v1|v|,|, ,|"
             "v1, v1, v1,|v1,\xc3\xa9|\xff|\xef\xbd\x96@|v1\xef\xbc\x8c@|v1,\xc2\xa0@|v1,@@|v1,#|v1,# v1,# v2,@|"
             "v1\t,@|v1,\t@|v1a,v1a,@|v1,v2,@"sv)) {
    INFO(list);
    check_does_not_match(verifier, real_body, {"1", "1773568800", with_signatures(list)});
  }
  for (std::size_t length = 1; length < good.size(); ++length) {
    check_does_not_match(verifier, real_body, {"1", "1773568800", std::string_view(good).substr(0, length)});
    check_does_not_match(verifier, real_body, {"1", "1773568800", std::string_view(good).substr(length)});
  }
}

TEST_CASE("the error counts the signatures of each form, and does not show them") {
  const std::string hexadecimal = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF";
  const std::string base64_digits = "ofgVwRx4f4CCUQfcyQflQqtMMKMmGQ5v4QOu6Al0WgB=",
                    plus = base64_digits.substr(0, 40) + "+/+=";
  const std::string url_safe = base64_digits.substr(0, 40) + "-_-=",
                    of_the_form = " of the form v1,<44 base64 digits>";
  const struct {
    std::string list, forms;
  } rows[] = {
      {"v1," + base64_digits, "1" + of_the_form},
      {"v1," + plus + " v1," + base64_digits, "2" + of_the_form},
      {"v1," + base64_digits + ",v1," + base64_digits + ",", "2" + of_the_form},
      {hexadecimal, "0" + of_the_form + ": 1 is hexadecimal"},
      {"v1," + hexadecimal, "0" + of_the_form + ": 1 is hexadecimal"},
      {"sha256=" + hexadecimal, "0" + of_the_form + ": 1 is hexadecimal"},
      {"t=1773568800,v1=" + hexadecimal + ",v1=" + hexadecimal,
       "0" + of_the_form + ": 2 are hexadecimal, 1 is of no known form"},
      {hexadecimal.substr(1), "0" + of_the_form + ": 1 is of no known form"},
      {hexadecimal.substr(1) + "g", "0" + of_the_form + ": 1 is of no known form"},
      {hexadecimal.substr(1) + "/", "0" + of_the_form + ": 1 is of no known form"},
      {hexadecimal.substr(1) + ":", "0" + of_the_form + ": 1 is of no known form"},
      {hexadecimal.substr(1) + "@", "0" + of_the_form + ": 1 is of no known form"},
      {hexadecimal.substr(1) + "G", "0" + of_the_form + ": 1 is of no known form"},
      {"v1," + url_safe, "0" + of_the_form + ": 1 is url-safe or without padding"},
      {url_safe, "0" + of_the_form + ": 1 is url-safe or without padding"},
      {"v1," + url_safe.substr(0, 43), "0" + of_the_form + ": 1 is url-safe or without padding"},
      {base64_digits, "0" + of_the_form + ": 1 is without \"v1,\""},
      {plus + " " + base64_digits, "0" + of_the_form + ": 2 are without \"v1,\""},
      {"v1a," + base64_digits, "0" + of_the_form + ": 1 is of another version"},
      {"v2,x v1a," + hexadecimal, "0" + of_the_form + ": 1 is hexadecimal, 1 is of another version"},
      {"v1," + plus.substr(0, 43), "0" + of_the_form + ": 1 is url-safe or without padding"},
      {plus.substr(0, 43), "0" + of_the_form + ": 1 is url-safe or without padding"},
      {"v1," + base64_digits + "=", "0" + of_the_form + ": 1 is of no known form"},
      {"v1,A" + base64_digits, "0" + of_the_form + ": 1 is of no known form"},
      {"v1," + base64_digits.substr(1), "0" + of_the_form + ": 1 is of no known form"},
      {"v1," + base64_digits.substr(0, 42) + "*=", "0" + of_the_form + ": 1 is of no known form"},
      {"v1," + base64_digits.substr(0, 43) + "A", "0" + of_the_form + ": 1 is of no known form"},
      {"v," + base64_digits, "0" + of_the_form + ": 1 is without \"v1,\", 1 is of no known form"},
      {"x1," + base64_digits, "0" + of_the_form + ": 1 is without \"v1,\", 1 is of no known form"},
      {"v1, x", "0" + of_the_form + ": 2 are of no known form"},
      {"v1,", "0" + of_the_form},
      {" , ", "0" + of_the_form},
      {"v1," + base64_digits + " " + hexadecimal + " x v1," + url_safe,
       "1" + of_the_form + ", 1 is hexadecimal, 1 is url-safe or without padding, 1 is of no known form"},
  };
  for (const auto& row : rows) {
    INFO(row.list);
    const WebhookHeaders headers{"1", "1773568800", row.list};
    const auto check = [&](const WebhookVerifier& verifier, std::string_view body, const std::string& tried) {
      const auto reason = row.forms[0] == '0'
                              ? ""
                              : "the secret is another endpoint's, or the body was changed; diagnose() finds out "
                                "which. The body has " +
                                    std::to_string(body.size()) + " bytes, " + tried + " tried, and ";
      CHECK(failure_of_request(verifier, body, headers) ==
            failure{WebhookErrc::no_matching_signature,
                    "no signature matches: " + reason + "the webhook-signature header has " + row.forms});
    };
    check(WebhookVerifier(secret), "{}", "1 secret was");
    check(WebhookVerifier({secret, other_secret}), "", "2 secrets were");
  }
}

TEST_CASE("a long list is read to its end") {
  const WebhookVerifier verifier(secret);
  for (const std::string& token :
       {", "s, ","s, "v1, "s, "v1,"s, "x "s, signature("another", "1", "1773568800", real_body) + " "}) {
    std::string list;
    for (int i = 0; i < 100'000; ++i) list += token;
    CHECK(failure_of([&] {
            return verifier.verify(real_body, {"1", "1773568800", list}, now);
          }).code == WebhookErrc::no_matching_signature);
    list += real_signature;
    CHECK(verifier.verify(real_body, {"1", "1773568800", list}, now) == 0);
  }
  const std::string one_token = "v1," + std::string(10'000'000, 'A');
  CHECK(failure_of([&] {
          return verifier.verify(real_body, {"1", "1773568800", one_token}, now);
        }).code == WebhookErrc::no_matching_signature);
}

TEST_CASE("a request with one bit changed does not verify") {
  const WebhookVerifier verifier(secret, seconds::max());
  const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp = "1773568800";
  const std::string good = signature(key, id, timestamp, real_body);
  check_verifies(verifier, real_body, {id, timestamp, good});

  for (std::size_t bit = 0; bit < 8 * real_body.size(); ++bit) {
    check_does_not_match(verifier, with_bit_changed(real_body, bit), {id, timestamp, good});
  }
  for (std::size_t bit = 0; bit < 8 * id.size(); ++bit) {
    check_does_not_match(verifier, real_body, {with_bit_changed(id, bit), timestamp, good});
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    check_does_not_match(verifier, real_body, {id, timestamp, with_bit_changed(good, bit)});
  }
  for (std::size_t bit = 0; bit < 8 * timestamp.size(); ++bit) {
    const std::string changed = with_bit_changed(timestamp, bit);
    INFO(changed);
    const WebhookHeaderValue value(changed);
    const std::string_view received = value;  // without the last digit if that became a space
    const bool number = received.find_first_not_of("0123456789") == std::string::npos && received[0] != '0';
    CHECK(failure_of_request(verifier, real_body, {id, changed, good}).code ==
          (number ? WebhookErrc::no_matching_signature : WebhookErrc::invalid_header));
  }
  for (std::size_t bit = 0; bit < 8 * key.size(); ++bit) {
    check_does_not_match(WebhookVerifier::from_raw_key(with_bit_changed(key, bit)), real_body,
                         {id, timestamp, good});
  }

  const std::string whole_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";  // all of whose bits are in the key
  const std::string with_whole_secret = WebhookVerifier(whole_secret).sign(id, now, real_body);
  int taken = 0;
  for (std::size_t bit = 0; bit < 8 * whole_secret.size(); ++bit) {
    std::optional<WebhookVerifier> other;
    failure_of([&] { return other.emplace(with_bit_changed(whole_secret, bit)), 0; });
    if (!other) continue;
    ++taken;
    check_does_not_match(*other, real_body, {id, timestamp, with_whole_secret});
  }
  CHECK(taken > 32);
}

TEST_CASE("the parts of a request cannot be swapped or shifted") {
  const WebhookVerifier verifier(secret, seconds::max());
  const std::string good = signature(key, "1", "2", "3");
  check_verifies(verifier, "3", {"1", "2", good});
  for (const auto& [id, timestamp, body] :
       {std::array{"1", "3", "2"}, std::array{"2", "1", "3"}, std::array{"3", "2", "1"},
        std::array{"1", "2", "3."}, std::array{"1", "23", ""}, std::array{"12", "3", ""},
        std::array{"1", "2", ".3"}}) {
    check_does_not_match(verifier, body, {id, timestamp, good});
  }
}

TEST_CASE("an old delivery does not pass as a recent one that is split at another dot") {
  const WebhookVerifier verifier(secret);
  const std::string old_signature = signature(key, "msg_1", "100", "1773568800.rest");
  const auto failure = failure_of([&] {
    return verifier.verify("rest", {"msg_1.100", "1773568800", old_signature}, now);
  });
  CHECK(failure.code == WebhookErrc::invalid_header);
  CHECK(failure.what == "webhook-id header: there is a dot in it");
}

TEST_CASE("an unset environment variable is an error, and a moved-from verifier still works") {
  CHECK(failure_of([] { return WebhookVerifier(static_cast<const char*>(nullptr)); }).what ==
        "webhook secret: it is null: is the environment variable set?");
  CHECK(failure_of([] { return unwrap(real_body, real_headers, static_cast<const char*>(nullptr)); }).what ==
        "webhook secret: it is null: is the environment variable set?");
  WebhookVerifier first(secret);
  const WebhookVerifier second(std::move(first));
  CHECK(first.sign("1", now, "x") == second.sign("1", now, "x"));  // NOLINT(bugprone-use-after-move): the point
}

// sign(), unwrap(), try_unwrap().

TEST_CASE("a signed body verifies") {
  for (const auto& verifier : {WebhookVerifier(secret), WebhookVerifier(std::vector{other_secret, secret}),
                               WebhookVerifier::from_raw_key("\x00\xff"s)}) {
    for (const std::string& id :
         {"1"s, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"s, "a b"s, "a\0b"s, "\xff"s, std::string(100'000, 'x')}) {
      for (const std::string& body :
           {real_body, ""s, "\0"s, "\xff\xfe"s, "not JSON"s, std::string(1 << 20, 'x')}) {
        const auto at = now + 999ms;
        const std::string made = verifier.sign(id, at, body);
        CHECK(verifier.verify(body, {id, "1773568800", made}, at) == 0);
      }
    }
  }
  CHECK(WebhookVerifier(secret).sign("1", time_point{}, "x") == signature(key, "1", "0", "x"));
  CHECK(WebhookVerifier(secret).sign("1", time_point{} - 1ms, "x") == signature(key, "1", "-1", "x"));
}

TEST_CASE("signed_headers() returns headers that verify, even copied to another range") {
  const WebhookVerifier verifier({secret, other_secret});
  const auto headers = verifier.signed_headers("msg_1", real_body, now + 999ms);
  CHECK(headers == std::array<std::pair<std::string, std::string>, 3>{
                       {{"webhook-id", "msg_1"},
                        {"webhook-timestamp", "1773568800"},
                        {"webhook-signature", signature(key, "msg_1", "1773568800", real_body)}}});
  CHECK(verifier.verify(real_body, headers, now) == 0);
  CHECK(verifier.verify(real_body, std::map<std::string, std::string>(headers.begin(), headers.end()), now) == 0);
  CHECK(verifier.verify(real_body, verifier.signed_headers("1", real_body)) == 0);  // by default, it is now
}

TEST_CASE("try_ functions do the same as those that throw, and clear the error") {
  WebhookError error(WebhookErrc::invalid_json, "/before", "before");
  const auto cleared = [&error] {
    const bool result = error.code() == WebhookErrc::none;
    error = WebhookError(WebhookErrc::invalid_json, "/before", "before");
    return result;
  };
  const auto verifier = WebhookVerifier::try_from_raw_key(key, error, 1h);
  CHECK(cleared());
  REQUIRE(verifier.has_value());
  CHECK(verifier->verify(real_body, real_headers, now + 3600s) == 0);
  CHECK(failure_of([&] { return verifier->verify(real_body, real_headers, now + 3601s); }).code ==
        WebhookErrc::timestamp_too_old);
  CHECK(verifier->try_sign("1", now, real_body, error) == real_signature);
  CHECK(cleared());
  CHECK(verifier->try_signed_headers("1", real_body, error, now) == verifier->signed_headers("1", real_body, now));
  CHECK(cleared());

  CHECK_FALSE(WebhookVerifier::try_from_raw_key(""sv, error));
  CHECK(failure{error.code(), error.what()} ==
        failure{WebhookErrc::invalid_secret, "webhook secret: it is empty"});
  CHECK_FALSE(WebhookVerifier::try_from_raw_key(key, error, -1s));
  CHECK(failure{error.code(), error.what()} == failure{WebhookErrc::invalid_value, "the tolerance is negative"});
}

TEST_CASE("an id that verify() refuses is not signed") {
  const WebhookVerifier verifier(secret);
  const struct {
    std::string id;
    failure expected;
  } rows[] = {
      {"", {WebhookErrc::missing_header, "webhook-id header: missing"}},
      {".", {WebhookErrc::invalid_header, "webhook-id header: there is a dot in it"}},
      {"msg_1.1", {WebhookErrc::invalid_header, "webhook-id header: there is a dot in it"}},
      {" ", {WebhookErrc::invalid_header, "webhook-id header: there is whitespace around it"}},
      {"1 ", {WebhookErrc::invalid_header, "webhook-id header: there is whitespace around it"}},
      {"\t1", {WebhookErrc::invalid_header, "webhook-id header: there is whitespace around it"}},
      {"1\r", {WebhookErrc::invalid_header, "webhook-id header: there is whitespace around it"}},
  };
  for (const auto& row : rows) {
    INFO(row.id);
    CHECK(failure_of([&] { return verifier.sign(row.id, now, real_body); }) == row.expected);
    CHECK(failure_of([&] { return verifier.signed_headers(row.id, real_body, now); }) == row.expected);
    WebhookError error;
    CHECK_FALSE(verifier.try_sign(row.id, now, real_body, error));
    CHECK(failure{error.code(), error.what()} == row.expected);
    error = {};
    CHECK_FALSE(verifier.try_signed_headers(row.id, real_body, error, now));
    CHECK(failure{error.code(), error.what()} == row.expected);
    CHECK(failure_of_request(verifier, real_body,
                             {row.id, "1773568800", signature(key, row.id, "1773568800", real_body)})
              .code != WebhookErrc::none);
  }
}

TEST_CASE("a body is parsed only after it is verified") {
  const WebhookVerifier verifier(secret);
  for (const std::string& body :
       {""s, "{"s, "\xff"s, "[]"s, "{}"s, R"({"type":"event"})"s, std::string(1000, '[')}) {
    INFO(body);
    const auto parsed = failure_of([&] { return unwrap(body); });
    CHECK(parsed.code != WebhookErrc::none);
    const std::string good = verifier.sign("1", now, body);
    check_verifies(verifier, body, {"1", "1773568800", good});
    CHECK(failure_of([&] { return verifier.unwrap(body, {"1", "1773568800", good}, now); }) == parsed);
    check_does_not_match(verifier, body, real_headers);
  }
}

TEST_CASE("a verified body is unwrapped") {
  const WebhookVerifier verifier(secret);
  CHECK(verifier.unwrap(real_body, real_headers, now) == unwrap(real_body));
  WebhookError error(WebhookErrc::invalid_json, "/before", "before");
  CHECK(verifier.try_unwrap(real_body, real_headers, error, now) == unwrap(real_body));
  CHECK(error.code() == WebhookErrc::none);
  CHECK(error.http_status() == 200);
  CHECK(error.path().empty());
  CHECK(error.what() == ""s);
}

TEST_CASE("the time defaults to the current one") {
  const auto clock = std::chrono::system_clock::now();
  const std::string timestamp = std::to_string(std::chrono::floor<seconds>(clock).time_since_epoch().count());
  const WebhookVerifier verifier(secret, 24h);
  const std::string good = verifier.sign("1", clock, real_body);
  const WebhookHeaders headers{"1", timestamp, good};
  WebhookError error;
  CHECK(verifier.verify(real_body, headers) == 0);
  CHECK(verifier.unwrap(real_body, headers) == unwrap(real_body));
  CHECK(verifier.try_unwrap(real_body, headers, error) == unwrap(real_body));
  CHECK(unwrap(real_body, headers, secret) == unwrap(real_body));
  CHECK(failure_of([&] { return unwrap(real_body, headers, other_secret); }).code ==
        WebhookErrc::no_matching_signature);

  const std::string long_ago = verifier.sign("1", time_point{}, real_body);
  CHECK(failure_of([&] {
          return verifier.verify(real_body, {"1", "0", long_ago});
        }).code == WebhookErrc::timestamp_too_old);
  CHECK(failure_of([&] {
          return unwrap(real_body, {"1", "0", long_ago}, secret);
        }).code == WebhookErrc::timestamp_too_old);
}

TEST_CASE("a signature is compared in constant time, wherever it differs") {
  const WebhookVerifier verifier(secret);
  for (std::size_t at = "v1,"sv.size(); at < real_signature.size(); ++at) {
    std::string other = real_signature;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    bytes_compared = 0;
    CHECK(failure_of([&] {
            return verifier.verify(real_body, {"1", "1773568800", other}, now);
          }).code == WebhookErrc::no_matching_signature);
    CHECK(bytes_compared == 44);
  }
}

TEST_CASE("the decoded secret and its base64 digits are wiped") {
  std::vector<std::string> contents;
  wiped = &contents;
  { const WebhookVerifier verifier(secret); }
  wiped = nullptr;
  for (const auto& confidential : {key, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo"s}) {
    CHECK(std::any_of(contents.begin(), contents.end(), [&](const std::string& content) {
      return content.substr(0, confidential.size()) == confidential;
    }));
  }
}

TEST_CASE("only a request with a signature that could match is hashed, once per secret") {
  const WebhookVerifier verifier({other_secret, secret, other_secret});
  const auto hashes_for = [&](const WebhookHeaders& headers, time_point at = now) {
    WebhookError error;
    const auto before = hashes;
    static_cast<void>(verifier.try_verify(real_body, headers, error, at));
    return hashes - before;
  };
  CHECK(hashes_for(real_headers) == 2);
  CHECK(hashes_for({"1", "1773568800", signature("another", "1", "1773568800", real_body)}) == 3);
  CHECK(hashes_for({"1", "1773568800", "v1,x v1," + std::string(44, 'A')}) == 3);
  for (const auto& without : {"v1,x"s, "v1," + std::string(43, 'A'), "v1," + std::string(45, 'A'),
                              "v2," + real_signature.substr(3), real_signature.substr(3), "x"s}) {
    CHECK(hashes_for({"1", "1773568800", without}) == 0);
  }
  CHECK(hashes_for({"", "1773568800", real_signature}) == 0);
  CHECK(hashes_for({"1.", "1773568800", real_signature}) == 0);
  CHECK(hashes_for(real_headers, now + 301s) == 0);
}

// Resources and threads.

TEST_CASE("copies share the keys and outlive each other") {
  std::optional<WebhookVerifier> original(std::in_place, std::vector{other_secret, secret}, 10s);
  const auto before = allocations::count;
  std::optional<WebhookVerifier> copy(original);
  CHECK(allocations::count == before);
  WebhookVerifier assigned(other_secret);
  assigned = *copy;
  original.reset();
  CHECK(copy->verify(real_body, real_headers, now) == 1);
  copy.reset();
  CHECK(assigned.verify(real_body, real_headers, now) == 1);
  CHECK(failure_of_request(assigned, real_body, real_headers, now + 11s).code == WebhookErrc::timestamp_too_old);
}

TEST_CASE("whatever a stranger sends, verifying it makes few more allocations") {
  REQUIRE(counts_openssl_allocations);
  const WebhookVerifier verifier(std::vector<std::string>{other_secret, secret});
  const auto allocations_for = [&](std::string_view body, const auto& headers) {
    WebhookError error;
    const auto before = allocations::count + openssl_allocations;
    static_cast<void>(verifier.try_unwrap(body, headers, error, now));
    return allocations::count + openssl_allocations - before;
  };
  using map = std::map<std::string, std::string>;
  const auto lookup = [&](std::string_view name) {
    return name == "webhook-id" ? "1" : name == "webhook-timestamp" ? "1773568800" : real_signature.c_str();
  };
  const map genuine{
      {"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}, {"webhook-signature", real_signature}};
  const auto most = allocations_for(real_body, genuine) + 12;
  for (int i = 0; i < 10; ++i) {
    const auto before = allocations::count;
    CHECK(verifier.verify(real_body, lookup, now) == 1);
    CHECK(allocations::count == before);
    CHECK(allocations_for(real_body, genuine) + 12 == most);
  }

  const std::string forged = signature("another", "1", "1773568800", real_body);
  std::string list = forged;
  for (int i = 0; i < 1000; ++i) list += " " + forged + " x";
  map many = genuine;
  for (int i = 0; i < 1000; ++i) many["X-Header-" + std::to_string(i)] = "a value that takes an allocation";
  const map none, without_signature{{"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}};
  const map with_list{{"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}, {"webhook-signature", list}};
  const map old{{"webhook-id", "1"}, {"webhook-timestamp", "1"}, {"webhook-signature", real_signature}};
  for (const auto& headers : {genuine, many, none, without_signature, with_list, old}) {
    for (const std::string& body : {"x"s, real_body + " ", std::string(1 << 20, '[')}) {
      CHECK(allocations_for(body, headers) <= most);
    }
  }
}

TEST_CASE("whichever OpenSSL allocation fails, the result is std::bad_alloc or an error, and nothing leaks") {
  REQUIRE(counts_openssl_allocations);
  const std::string long_key(100, 'x');
  const auto blocks_after = [&](std::size_t failing, WebhookErrc& outcome) {
    ERR_raise(ERR_LIB_USER, 1);
    openssl_allocations = 0;
    failing_openssl_allocation = failing;
    outcome = WebhookErrc::none;
    try {
      const auto verifier = WebhookVerifier::from_raw_key(long_key);
      const std::string made = verifier.sign("1", now, real_body);
      verifier.verify(real_body, {"1", "1773568800", made}, now);
    } catch (const std::bad_alloc&) {
      outcome = WebhookErrc::crypto_failure;
    } catch (const WebhookVerificationError& e) {
      outcome = e.code();
    }
    failing_openssl_allocation = 0;
    CHECK(ERR_get_error() == ERR_PACK(ERR_LIB_USER, 0, 1));  // only the earlier one is left
    CHECK(ERR_get_error() == 0);
    ERR_clear_error();  // so that the same entries of the queue are reused
    return openssl_blocks.load();
  };
  WebhookErrc outcome{};
  blocks_after(1, outcome);  // OpenSSL keeps what it needs to report errors
  const auto blocks = blocks_after(0, outcome);
  REQUIRE(outcome == WebhookErrc::none);
  std::size_t failed = 0;
  for (std::size_t failing = 1; openssl_allocations >= failing || failing == 1; ++failing) {
    REQUIRE(failing < 1000);
    CHECK(blocks_after(failing, outcome) == blocks);
    CHECK((outcome == WebhookErrc::none || outcome == WebhookErrc::crypto_failure));
    failed += outcome == WebhookErrc::none ? 0 : 1;
  }
  CHECK(failed > 0);
  check_verifies(WebhookVerifier(secret), real_body, real_headers);
}

TEST_CASE("if OpenSSL fails to hash, that is a distinct error, and the verifier still works afterwards") {
  const WebhookVerifier verifier(secret);
  const failure expected{WebhookErrc::crypto_failure, openssl_message("no reason given")};
  mac = fails;
  const auto verified = failure_of_request(verifier, real_body, real_headers);
  const auto made = failure_of([&] { return verifier.sign("1", now, real_body); });
  const auto headers = failure_of([&] { return verifier.signed_headers("1", real_body, now); });
  mac = starts;
  CHECK(verified == expected);
  CHECK(made == expected);
  CHECK(headers == expected);
  check_verifies(verifier, real_body, real_headers);
}

TEST_CASE("one copy of the keyed context serves successive deliveries") {
  const WebhookVerifier verifier(secret);
  const auto before = copies;
  for (int i = 0; i < 5; ++i) check_verifies(verifier, real_body, real_headers);
  CHECK(copies == before);
}

TEST_CASE("each of eight threads has a copy of the keyed context") {
  const WebhookVerifier verifier(secret);  // which leaves a copy for this thread
  std::size_t first = 0, later = 0;
  for (int i = 0; i < 8; ++i) {
    std::thread([&] {
      copies = 0;
      check_verifies(verifier, real_body, real_headers);
      first += copies;
      check_verifies(verifier, real_body, real_headers);
      later += copies;
    }).join();
  }
  CHECK(first == 7);
  CHECK(later == first);
}

TEST_CASE("if OpenSSL cannot restart an HMAC, the context is copied") {
  mac = does_not_start_again;
  const WebhookVerifier verifier({other_secret, secret});
  const auto before = copies;
  CHECK(verifier.verify(real_body, real_headers, now) == 1);
  CHECK(copies == before + 2);
  for (int i = 0; i < 5; ++i) check_verifies(verifier, real_body, real_headers);
  const WebhookVerifier copy(verifier);
  CHECK(copy.sign("1", now, real_body) == signature(other_key, "1", "1773568800", real_body));
  mac = starts;
}

TEST_CASE("making a verifier fails if OpenSSL has no HMAC") {
  ERR_clear_error();
  REQUIRE(EVP_set_default_properties(nullptr, "provider=none") == 1);
  const auto failed = failure_of([] { return WebhookVerifier(secret); });
  const auto failed_with_long_key = failure_of([] { return WebhookVerifier::from_raw_key(std::string(65, 'x')); });
  WebhookError error;
  const bool made = WebhookVerifier::try_make({secret}, error).has_value();
  REQUIRE(EVP_set_default_properties(nullptr, "") == 1);
  const failure expected{WebhookErrc::crypto_failure, openssl_message("unsupported")};
  CHECK(failed == expected);
  CHECK(failed_with_long_key == expected);
  CHECK_FALSE(made);
  CHECK(failure{error.code(), error.what()} == expected);
  CHECK(ERR_peek_error() == 0);
  check_verifies(WebhookVerifier(secret), real_body, real_headers);
}

TEST_CASE("running out of memory throws std::bad_alloc, even from try_unwrap()") {
  const WebhookVerifier verifier(secret);
  WebhookError error(WebhookErrc::invalid_json, "", "before");
  int thrown = 0;
  const auto count = [&](auto f) {
    try {
      f();
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
  };
  allocations::largest = 0;
  count([&] { verifier.verify("", real_headers, now); });
  count([&] { static_cast<void>(verifier.unwrap(real_body, real_headers, now)); });
  count([&] { static_cast<void>(verifier.try_unwrap("", real_headers, error, now)); });
  count([&] { static_cast<void>(WebhookVerifier(secret)); });
  allocations::largest = allocations::unlimited;
  CHECK(thrown == 4);
  CHECK(error.code() == WebhookErrc::invalid_json);
  check_verifies(verifier, real_body, real_headers);
}

static_assert(std::is_nothrow_copy_constructible_v<WebhookVerifier>);

TEST_CASE("one verifier serves many threads at once, from its first call on") {
  constexpr int rounds = 10, thread_count = 40, calls = 50;
  std::atomic<int> wrong{0}, right{0};
  for (int round = 0; round < rounds; ++round) {
    const WebhookVerifier verifier(std::vector<std::string>{other_secret, secret});
    std::atomic<int> waiting{thread_count};
    const auto run = [&](int thread) {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      for (int call = 0; call < calls; ++call) {
        const std::string body = std::to_string(thread) + "." + std::to_string(call) + real_body;
        const std::string id = std::to_string(call);
        const bool with_old_secret = call % 2 == 0;
        const bool good = call % 3 != 0;
        const std::string sent =
            signature(with_old_secret ? key : other_key, id, "1773568800", good ? body : body + " ");
        try {
          const auto index = verifier.verify(body, {id, "1773568800", sent}, now);
          ++(good && index == (with_old_secret ? 1 : 0) ? right : wrong);
        } catch (const WebhookVerificationError& e) {
          ++(!good && e.code() == WebhookErrc::no_matching_signature ? right : wrong);
        }
        if (verifier.sign(id, now, body) != signature(other_key, id, "1773568800", body)) ++wrong;
      }
    };
    std::vector<std::thread> threads;
    for (int thread = 0; thread < thread_count; ++thread) threads.emplace_back(run, thread);
    for (auto& thread : threads) thread.join();
  }
  CHECK(wrong == 0);
  CHECK(right == rounds * thread_count * calls);
}
