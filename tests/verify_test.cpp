// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"
#include "signature.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if __has_include(<httplib.h>)
#include <httplib.h>
#endif

// These take the place of OpenSSL's own in this program, to see what is compared in constant time, and what is
// wiped.
static thread_local std::size_t bytes_compared = 0;
int CRYPTO_memcmp(const void* a, const void* b, std::size_t size) {
  bytes_compared += size;
  return std::memcmp(a, b, size);
}
static thread_local std::size_t openssl_allocations = 0;
static const bool counts_openssl_allocations =
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) { return ++openssl_allocations, std::malloc(size); },
        [](void* memory, std::size_t size, const char*, int) {
          return ++openssl_allocations, std::realloc(memory, size);
        },
        [](void* memory, const char*, int) { std::free(memory); }) == 1;
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

const std::string key = "secret\n";
const std::string secret = "whsec_c2VjcmV0Cg==";
constexpr time_point now{seconds{1773568800}};
const std::string real_body = samples::fixture("session.status_idled");
const std::string real_signature = "v1,wTnohUOy8o3ym0dAIWsf9rZnOQWHHBif7o5uADBMSeo=";
const WebhookHeaders real_headers{"1", "1773568800", real_signature};

constexpr auto no_match = "webhook-signature header: no v1 signature of this request with the receiver's secret";

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

/// The WebhookError that `f` throws; anything else that it throws fails the test.
template <class F>
failure failure_of(F f) {
  try {
    static_cast<void>(f());
    return {};
  } catch (const WebhookVerificationError& e) {
    CHECK(e.path().empty());
    CHECK(e.http_status() == (e.code() == WebhookErrc::invalid_value ? 400 : 401));
    return {e.code(), e.what()};
  } catch (const WebhookParseError& e) {
    CHECK(e.http_status() == 400);
    return {e.code(), e.what()};
  }
}

/// What verify() throws, if anything, after a check that unwrap() and try_unwrap() do the same.
failure failure_of_request(const WebhookVerifier& verifier, std::string_view body, const WebhookHeaders& headers,
                           time_point at = now) {
  const auto verified = failure_of([&] { return verifier.verify(body, headers, at); });
  for (const auto& confidential : {secret, key, std::string(body), std::string(headers.signature),
                                   signature(key, headers.id, headers.timestamp, body)}) {
    CHECK_FALSE(has_a_part_of(verified.what, confidential));
  }

  std::optional<UnwrapWebhookEvent> unwrapped;
  const auto failed = failure_of([&] { return unwrapped = verifier.unwrap(body, headers, at); });
  WebhookError error(WebhookErrc::invalid_secret, "/before", "before");
  const auto tried = verifier.try_unwrap(body, headers, error, at);
  CHECK(tried == unwrapped);
  CHECK(tried.has_value() == (failed.code == WebhookErrc::none));
  CHECK(error.code() == failed.code);
  CHECK(error.what() == failed.what);
  if (verified.code != WebhookErrc::none) {
    CHECK(failed == verified);
    CHECK(error.http_status() == 401);
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
  CHECK(failure_of_request(verifier, body, headers, at) == failure{WebhookErrc::no_matching_signature, no_match});
}

std::string with_bit_changed(std::string text, std::size_t bit) {
  text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  return text;
}

}  // namespace

TEST_CASE("the signatures of other implementations are made and verified") {
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
      {verifier_with("whsec_c2VjcmV0Cg=="), "1", 1773568800, real_body, real_signature},
      {verifier_with("whsec_c2VjcmV0Cg=="), "1", 1773568800, "",
       "v1,QwutII3FBl/Nx3h96n6MZA7MjBoN6Gi6xXqlh5ON06A="},
      {verifier_with("whsec_c2VjcmV0Cg=="), "1", 1773568800, "\x00\xff\x80{}"s,
       "v1,5bytAvPu3D3ct8QQDPz2Z+HazezemdVlWeEwbhnCvIY="},
      {WebhookVerifier::from_raw_key("secret\n"), "1", 1773568800, real_body, real_signature},
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
}

// Secrets.

TEST_CASE("secrets are base64, with or without prefix and padding") {
  const struct {
    std::string text, key;
  } rows[] = {
      {"whsec_c2VjcmV0Cg==", "secret\n"},
      {"whsec_c2VjcmV0Cg", "secret\n"},
      {"c2VjcmV0Cg==", "secret\n"},
      {"c2VjcmV0Cg", "secret\n"},
      {"/w==", "\xff"},
      {"/w", "\xff"},
      {"//8=", "\xff\xff"},
      {"//8", "\xff\xff"},
      {"////", "\xff\xff\xff"},
      {"AP8A/w==", "\x00\xff\x00\xff"s},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
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

TEST_CASE("a malformed secret is an error that says what is wrong with it, without telling it") {
  const auto empty = "webhook secret: it is empty";
  const auto white_space = "webhook secret: it has white space in it";
  const auto listed = "webhook secret: it starts with \"v1,\"; the secret is what follows that";
  const auto asymmetric = "webhook secret: it is a key of the asymmetric scheme, v1a";
  const auto url_safe = "webhook secret: it is in the url-safe alphabet; it must be in standard base64";
  const auto no_base64 = "webhook secret: it is not base64";
  const struct {
    std::string text, what;
  } rows[] = {
      {"", empty},
      {"whsec_", empty},
      {" ", white_space},
      {"whsec_ ", white_space},
      {" whsec_MfKQ9r8G", white_space},
      {"whsec_MfKQ9r8G ", white_space},
      {"whsec_MfKQ9r8G\n", white_space},
      {"whsec_MfKQ9r8G\r\n", white_space},
      {"whsec_\tMfKQ9r8G", white_space},
      {"MfKQ 9r8G", white_space},
      {"MfKQ\v9r8G", white_space},
      {"MfKQ\f9r8G", white_space},
      {"MfKQ\r9r8G", white_space},
      {"v1,whsec_MfKQ9r8G", listed},
      {"whpk_MfKQ9r8G", asymmetric},
      {"whsk_MfKQ9r8G", asymmetric},
      {"whsk_", asymmetric},
      {"whsec_MfKQ-r8G", url_safe},
      {"MfKQ_r8G", url_safe},
      {"whsec_whsec_MfKQ9r8G", url_safe},
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
      {"v1,MfKQ9r8G", no_base64},
      {"whsec:MfKQ9r8G", no_base64},
      {"\"MfKQ9r8G\"", no_base64},
      {std::string(100'000, '!'), no_base64},
  };
  for (const auto& row : rows) {
    INFO(row.text.substr(0, 100));
    const failure expected{WebhookErrc::invalid_secret, row.what};
    CHECK(failure_of([&] { return WebhookVerifier(row.text); }) == expected);
    CHECK(failure_of([&] { return WebhookVerifier(std::vector{secret, row.text, secret}); }) == expected);
    CHECK(failure_of([&] { return unwrap(real_body, real_headers, row.text); }) == expected);
  }
  CHECK(failure_of([] { return WebhookVerifier::from_raw_key(""); }) ==
        failure{WebhookErrc::invalid_secret, empty});
  CHECK(failure_of([] { return WebhookVerifier(std::vector<std::string>{}); }) ==
        failure{WebhookErrc::invalid_secret, "webhook secret: there is none"});
}

TEST_CASE("no byte but the 64 of the alphabet can be within a secret") {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int byte = 0; byte < 256; ++byte) {
    INFO(byte);
    const std::string text = "MfKQ"s + static_cast<char>(byte) + "r8G";
    const auto code = failure_of([&] { return WebhookVerifier(text); }).code;
    const bool good = alphabet.find(static_cast<char>(byte)) != std::string_view::npos;
    CHECK(code == (good ? WebhookErrc::none : WebhookErrc::invalid_secret));
  }
}

TEST_CASE("verify() returns the index of the secret that signed") {
  const std::vector<std::string> secrets{"bmV3", "b2xk", "b2xkZXI=", "b2xk"};
  const WebhookVerifier verifier(secrets);
  const std::array signatures{signature("new", "1", "1773568800", real_body),
                              signature("old", "1", "1773568800", real_body),
                              signature("older", "1", "1773568800", real_body)};
  for (std::size_t index = 0; index < signatures.size(); ++index) {
    check_verifies(verifier, real_body, {"1", "1773568800", signatures[index]});
    CHECK(verifier.verify(real_body, {"1", "1773568800", signatures[index]}, now) == index);
  }
  const std::string list = signatures[2] + " " + signatures[1];
  CHECK(verifier.verify(real_body, {"1", "1773568800", list}, now) == 1);
  CHECK(verifier.sign("1", now, real_body) == signatures[0]);
  check_does_not_match(verifier, real_body, real_headers);
}

// Headers.

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

struct found_headers {
  std::string id, timestamp, signature;
};

bool operator==(const found_headers& a, const found_headers& b) {
  return a.id == b.id && a.timestamp == b.timestamp && a.signature == b.signature;
}

template <class Range>
void check_finds(const Range& range, const found_headers& expected) {
  const auto headers = webhook_headers(range);
  CHECK(found_headers{std::string(headers.id), std::string(headers.timestamp), std::string(headers.signature)} ==
        expected);
}

struct look_up {
  template <class Range>
  auto operator()(Range&& range) const -> decltype(webhook_headers(std::forward<Range>(range)));
};

template <class Range>
constexpr bool is_found_in = std::is_invocable_v<look_up, Range>;

}  // namespace

TEST_CASE("headers are found in any range of pairs") {
  const auto check = [](const auto& range) {
    using range_type = std::decay_t<decltype(range)>;
    static_assert(is_found_in<range_type&> && is_found_in<const range_type&>);
    static_assert(!is_found_in<range_type> && !is_found_in<const range_type>, "the views would dangle");
    check_finds(range, {"1", "1773568800", real_signature});
    const auto headers = webhook_headers(range);
    CHECK(WebhookVerifier(secret).verify(real_body, headers, now) == 0);
    for (const auto& [name, value] : range) {
      if (std::string_view(name) == "Webhook-Id") CHECK(headers.id.data() == std::string_view(value).data());
    }
  };
  const pairs all{{"Host", "x"},
                  {"Webhook-Id", "1"},
                  {"Webhook-Timestamp", "1773568800"},
                  {"Webhook-Signature", real_signature},
                  {"", ""}};
  check(all);
  check(std::map<std::string, std::string>(all.begin(), all.end()));
  check(std::multimap<std::string, std::string>(all.begin(), all.end()));
  check(std::unordered_map<std::string, std::string>(all.begin(), all.end()));
  check(std::map<std::string, std::string, std::greater<>>(all.begin(), all.end()));
  check(std::vector<std::pair<std::string_view, std::string_view>>(all.begin(), all.end()));
  check(std::array<std::pair<const char*, const char*>, 3>{
      {{"Webhook-Signature", real_signature.c_str()}, {"Webhook-Timestamp", "1773568800"}, {"Webhook-Id", "1"}}});
#if __has_include(<httplib.h>)
  check(httplib::Headers(all.begin(), all.end()));
#endif
}

TEST_CASE("header names may be in any letter case, and values may have blanks around them") {
  const pairs rows[] = {
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}},
      {{"WEBHOOK-ID", "a b"}, {"WEBHOOK-TIMESTAMP", "t"}, {"WEBHOOK-SIGNATURE", "s"}},
      {{"WeBhOoK-sIgNaTuRe", "s"}, {"webhooK-timestamP", "t"}, {"Webhook-ID", "a b"}},
      {{"webhook-id", " a b"}, {"webhook-timestamp", "t "}, {"webhook-signature", "\ts\t \t"}},
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}, {"webhook-id", "a b"}},
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}, {"Webhook-Id", " a b\t"}},
  };
  for (const auto& row : rows) check_finds(row, {"a b", "t", "s"});

  pairs with_others = rows[0];
  for (
      const auto& name : split(
          "webhook-id |webhook-i|webhook-idd|webhook_id|webhookMid|svix-id|webhook-\xc4\xb1\x64|webhook-id\0"sv)) {
    with_others.insert(with_others.begin(), {name, "x"});
  }
  check_finds(with_others, {"a b", "t", "s"});
  check_finds(pairs{{"webhook-id", "\r\x01\xff\n"}, {"webhook-timestamp", "\0"s}, {"webhook-signature", "\xa0"}},
              {"\r\x01\xff\n", "\0"s, "\xa0"});
}

TEST_CASE("a header that is absent, empty or contradicts itself is an error that names it") {
  const WebhookVerifier verifier(secret);
  for (const std::string name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    INFO(name);
    pairs others;
    for (const auto& [other, value] :
         pairs{{"webhook-id", "1"}, {"webhook-timestamp", "1773568800"}, {"webhook-signature", real_signature}}) {
      if (other != name) others.emplace_back(other, value);
    }
    const failure missing{WebhookErrc::missing_header, name + " header: missing"};
    const failure twice{WebhookErrc::invalid_header, name + " header: there twice, with different values"};
    const struct {
      std::vector<std::string> values;
      failure expected;
    } rows[] = {
        {{}, missing},         {{""}, missing},          {{" \t "}, missing}, {{"", ""}, missing},
        {{"", " "}, missing},  {{"x", "y"}, twice},      {{"x", "X"}, twice}, {{"x", ""}, twice},
        {{"", "x"}, twice},    {{"x", "x", "y"}, twice}, {{"x", " x "}, {}},  {{"x", "x", "x"}, {}},
        {{"x", "x y"}, twice},
    };
    for (const auto& row : rows) {
      pairs headers = others;
      bool upper = false;
      for (const auto& value : row.values) {
        headers.emplace(headers.begin(), upper ? "W" + name.substr(1) : name, value);
        upper = !upper;
      }
      CHECK(failure_of([&] { return webhook_headers(headers); }) == row.expected);
      const std::multimap<std::string, std::string> map(headers.begin(), headers.end());
      CHECK(failure_of([&] { return webhook_headers(map); }) == row.expected);
    }

    WebhookHeaders by_hand = real_headers;
    (name == "webhook-id" ? by_hand.id : name == "webhook-timestamp" ? by_hand.timestamp : by_hand.signature) = {};
    CHECK(failure_of_request(verifier, real_body, by_hand) == missing);
  }
  const pairs none;
  const failure id_missing{WebhookErrc::missing_header, "webhook-id header: missing"};
  CHECK(failure_of([&] { return webhook_headers(none); }) == id_missing);
  CHECK(failure_of_request(verifier, real_body, {}) == id_missing);
}

// The timestamp.

TEST_CASE("a timestamp is a number of whole seconds, even if what was signed is something else") {
  const WebhookVerifier verifier(secret, seconds::max());
  for (const std::string timestamp : {"0", "1", "9", "10", "1773568800", "99999999999", "999999999999"}) {
    INFO(timestamp);
    const std::string good = signature(key, "1", timestamp, real_body);
    check_verifies(verifier, real_body, {"1", timestamp, good});
  }

  const failure invalid{WebhookErrc::invalid_header,
                        "webhook-timestamp header: expected whole seconds since 1970"};
  auto timestamps = split(
      "+1|-1|-0|+0|1.5|1.|.5|1e9| 1|1 |\t1|1\n|1 2|1_000|1,773,568,800|1'000|0x1|0b1|00|007|01773568800|"
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
  }
}

// Signatures.

namespace {

/// `list` with the good signature in place of every @, and one with another key in place of every #.
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

TEST_CASE("a v1 signature that matches may be anywhere in the list, among whatever else") {
  const WebhookVerifier verifier(secret);
  for (const auto& list : split(
           "v1,@|v1,@ v1,#|v1,# v1,@|v1,# v1,@ v1,#|v1,@ v1,@| v1,@|v1,@ |   v1,#    v1,@   |v1a,@ v1,@|v2,@ v1,@|"
           "v1, v1,@|v1 v1,@|v1 , v1,@|, v1,@|,, v1,@|v1,, v1,@|x v1,@|@ v1,@|v1,@= v1,@|\"v1,@\" v1,@|"
           "\xff\xfe\x80 v1,@|\0 v1,@|v1,@ \xc3\xa9|v1,\xc3\xa9 v1,@"sv)) {
    INFO(list);
    check_verifies(verifier, real_body, {"1", "1773568800", with_signatures(list)});
  }
}

TEST_CASE("what is no v1 signature of the request does not match") {
  const WebhookVerifier verifier(secret);
  const std::string& good = real_signature;
  std::string url_safe = signature(key, "1", "1773568800", "");
  check_verifies(verifier, "", {"1", "1773568800", url_safe});
  url_safe[url_safe.find('/')] = '_';
  check_does_not_match(verifier, "", {"1", "1773568800", url_safe});

  for (const auto& list : split(
           "v1a,@|v2,@|v0,@|V1,@|v11,@|v,@|1v,@|v1 ,@|v1, @|v1 "
           "@|v1@|v1;@|v1=@|v1:@|,@|@|,v1,@|v1,v1,@|v1,,@|v1,x,@|"
           "x,v1,@|xv1,@|v1,@,|v1,@,@|v1,@,v1|v1,@;|v1,@\t|\tv1,@|v1,@\n|v1,@\r|v1,@\0|\0v1,@|v1,@=|v1,@A|\"v1,@"
           "\"|"
           "v1,\"@\"|'v1,@'|<v1,@>|v1,|v1|v|,| |     |v1, v1, v1,|v1,\xc3\xa9|\xff|\xef\xbd\x96@|v1\xef\xbc\x8c@|"
           "v1,\xc2\xa0@|v1,@\tv1,@|v1,@,v1,@|v1,@@|v1,#|v1,# v1,# v2,@"sv)) {
    INFO(list);
    check_does_not_match(verifier, real_body, {"1", "1773568800", with_signatures(list)});
  }
  for (std::size_t length = 1; length < good.size(); ++length) {
    check_does_not_match(verifier, real_body, {"1", "1773568800", std::string_view(good).substr(0, length)});
    check_does_not_match(verifier, real_body, {"1", "1773568800", std::string_view(good).substr(length)});
  }
}

TEST_CASE("a long list is read to its end") {
  const WebhookVerifier verifier(secret);
  for (const std::string& token :
       {" "s, "v1, "s, "x "s, signature("another", "1", "1773568800", real_body) + " "}) {
    std::string list;
    for (int i = 0; i < 100'000; ++i) list += token;
    CHECK(failure_of([&] {
            return verifier.verify(real_body, {"1", "1773568800", list}, now);
          }) == failure{WebhookErrc::no_matching_signature, no_match});
    list += real_signature;
    CHECK(verifier.verify(real_body, {"1", "1773568800", list}, now) == 0);
  }
  const std::string one_token = "v1," + std::string(10'000'000, 'A');
  CHECK(failure_of([&] {
          return verifier.verify(real_body, {"1", "1773568800", one_token}, now);
        }).what == no_match);
}

TEST_CASE("a request of which one bit was changed does not pass") {
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
    const bool number = changed.find_first_not_of("0123456789") == std::string::npos && changed[0] != '0';
    CHECK(failure_of_request(verifier, real_body, {id, changed, good}).code ==
          (number ? WebhookErrc::no_matching_signature : WebhookErrc::invalid_header));
  }
  for (std::size_t bit = 0; bit < 8 * key.size(); ++bit) {
    check_does_not_match(WebhookVerifier::from_raw_key(with_bit_changed(key, bit)), real_body,
                         {id, timestamp, good});
  }

  const std::string whole_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";  // of which all bits are in the key
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

TEST_CASE("the parts of a request cannot take each other's place") {
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

TEST_CASE("an environment variable that is not set is an error, and a verifier that was moved from still works") {
  CHECK(failure_of([] { return WebhookVerifier(static_cast<const char*>(nullptr)); }).what ==
        "webhook secret: it is null: is the environment variable set?");
  CHECK(failure_of([] { return unwrap(real_body, real_headers, static_cast<const char*>(nullptr)); }).what ==
        "webhook secret: it is null: is the environment variable set?");
  WebhookVerifier first(secret);
  const WebhookVerifier second(std::move(first));
  CHECK(first.sign("1", now, "x") == second.sign("1", now, "x"));  // NOLINT(bugprone-use-after-move): the point
}

// sign(), unwrap(), try_unwrap().

TEST_CASE("what is signed verifies") {
  for (const auto& verifier : {WebhookVerifier(secret), WebhookVerifier(std::vector{"bmV3"s, secret}),
                               WebhookVerifier::from_raw_key("\x00\xff"s)}) {
    for (const std::string& id :
         {"1"s, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"s, " "s, "a\0b"s, "\xff"s, std::string(100'000, 'x')}) {
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

TEST_CASE("by default now is now") {
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
  CHECK(failure_of([&] { return unwrap(real_body, headers, "bmV3"); }).code == WebhookErrc::no_matching_signature);

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
          }).what == no_match);
    CHECK(bytes_compared == 44);
  }
}

TEST_CASE("what a secret is decoded to, and its digits, are wiped") {
  std::vector<std::string> contents;
  wiped = &contents;
  { const WebhookVerifier verifier(secret); }
  wiped = nullptr;
  for (const auto& confidential : {key, "c2VjcmV0Cg"s}) {
    CHECK(std::any_of(contents.begin(), contents.end(), [&](const std::string& content) {
      return content.substr(0, confidential.size()) == confidential;
    }));
  }
}

// Resources and threads.

TEST_CASE("copies share the keys and outlive each other") {
  std::optional<WebhookVerifier> original(std::in_place, std::vector{"bmV3"s, secret}, 10s);
  const auto before = allocations::count;
  std::optional<WebhookVerifier> copy(original);
  CHECK(allocations::count == before);
  WebhookVerifier assigned("bmV3");
  assigned = *copy;
  original.reset();
  CHECK(copy->verify(real_body, real_headers, now) == 1);
  copy.reset();
  CHECK(assigned.verify(real_body, real_headers, now) == 1);
  CHECK(failure_of_request(assigned, real_body, real_headers, now + 11s).code == WebhookErrc::timestamp_too_old);
}

TEST_CASE("verifying allocates nothing, once it is warmed up") {
  const WebhookVerifier verifier(std::vector{"bmV3"s, secret});
  const pairs headers{
      {"Webhook-Id", "1"}, {"Webhook-Timestamp", "1773568800"}, {"Webhook-Signature", real_signature}};
  verifier.verify(real_body, webhook_headers(headers), now);
  const auto before = allocations::count;
  for (int i = 0; i < 100; ++i) verifier.verify(real_body, webhook_headers(headers), now);
  CHECK(allocations::count == before);
}

TEST_CASE(
    "OpenSSL allocates no more for a verifier, once it is warmed up, than for a context that is used again") {
  REQUIRE(counts_openssl_allocations);
  const auto allocations_of = [](auto f) {
    const auto before = openssl_allocations;
    f();
    return openssl_allocations - before;
  };
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  char sha256[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                                   OSSL_PARAM_construct_end()};
  const auto bytes = reinterpret_cast<const unsigned char*>(key.data());
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  bool good = EVP_MAC_init(context, bytes, key.size(), parameters) == 1;
  const auto bare = allocations_of([&] {
    good = good && EVP_MAC_init(context, nullptr, 0, nullptr) == 1 && EVP_MAC_update(context, bytes, 1) == 1 &&
           EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1;
  });
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  REQUIRE(good);

  const WebhookVerifier verifier(secret);
  verifier.verify(real_body, real_headers, now);
  CHECK(allocations_of([&] { verifier.verify(real_body, real_headers, now); }) <= bare);
}

TEST_CASE("out of memory is std::bad_alloc, from try_unwrap() too") {
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

TEST_CASE("one verifier serves many threads at once, from its first call on") {
  constexpr int rounds = 10, thread_count = 40, calls = 50;  // more threads than the verifier keeps contexts for
  std::atomic<int> wrong{0}, right{0};
  for (int round = 0; round < rounds; ++round) {
    const WebhookVerifier verifier(std::vector{"bmV3"s, secret});
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
            signature(with_old_secret ? key : "new", id, "1773568800", good ? body : body + " ");
        try {
          const auto index = verifier.verify(body, {id, "1773568800", sent}, now);
          ++(good && index == (with_old_secret ? 1 : 0) ? right : wrong);
        } catch (const WebhookVerificationError& e) {
          ++(!good && e.code() == WebhookErrc::no_matching_signature ? right : wrong);
        }
        if (verifier.sign(id, now, body) != signature("new", id, "1773568800", body)) ++wrong;
      }
    };
    std::vector<std::thread> threads;
    for (int thread = 0; thread < thread_count; ++thread) threads.emplace_back(run, thread);
    for (auto& thread : threads) thread.join();
  }
  CHECK(wrong == 0);
  CHECK(right == rounds * thread_count * calls);
}
