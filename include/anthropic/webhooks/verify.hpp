// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/unwrap.hpp>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Signature verification as in Standard Webhooks 1.0 (symmetric, `v1`), with OpenSSL 3.
namespace anthropic::webhooks {

namespace detail {
class hmac_sha256;
}

/// Verifies that a request was signed with one of the receiver's secrets, and recently.
///
/// Make one at start-up and share it: its functions are safe to call from many threads at once. Copies share the
/// keys, which are wiped when the last of them is destroyed. No message of its errors tells a secret, an expected
/// signature or the body. It throws WebhookVerificationError, besides the WebhookParseError of unwrap() and
/// std::bad_alloc, and nothing else.
class WebhookVerifier {
 public:
  static constexpr std::chrono::seconds default_tolerance = std::chrono::minutes{5};

  /// Takes a secret as the service shows it, "whsec_" and base64, or the base64 alone. `tolerance` is how far from
  /// now, to either side, a delivery may have been signed.
  /// @throws WebhookVerificationError with WebhookErrc::invalid_secret, or invalid_value for a negative tolerance.
  explicit WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance = default_tolerance);
  /// The same for what std::getenv() returns, which is null where the variable is not set.
  explicit WebhookVerifier(const char* secret, std::chrono::seconds tolerance = default_tolerance);

  /// Takes several secrets, of which any may have signed, for as long as they are being rotated.
  explicit WebhookVerifier(const std::vector<std::string>& secrets,
                           std::chrono::seconds tolerance = default_tolerance);
  explicit WebhookVerifier(std::initializer_list<const char*> secrets,
                           std::chrono::seconds tolerance = default_tolerance);

  /// Takes a key that is no base64 text but the bytes themselves.
  [[nodiscard]] static WebhookVerifier from_raw_key(std::string_view key_bytes,
                                                    std::chrono::seconds tolerance = default_tolerance);

  // No move operations, which would leave a verifier without keys behind.
  WebhookVerifier(const WebhookVerifier&) = default;
  WebhookVerifier& operator=(const WebhookVerifier&) = default;

  /// Checks the headers, the age and the signature of a request, and returns the index of the secret that signed.
  /// `body` is the raw one, byte for byte as received. `headers` are in whatever form the server has them: a range
  /// of name and value pairs, a function from a name (`const char*`) to its value, of which WebhookHeaderValue
  /// says what it may be, or WebhookHeaders. What that function throws passes through.
  template <class Headers = WebhookHeaders>
  std::size_t verify(std::string_view body, const Headers& headers,
                     std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Verifies the raw body, and only then parses it.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] UnwrapWebhookEvent unwrap(
      std::string_view body, const Headers& headers,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Does as unwrap(), and returns nothing and sets `error` where that throws a WebhookError.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(
      std::string_view body, const Headers& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Signs a body with the first secret, for tests of a receiver: "v1," and base64, a webhook-signature. The
  /// webhook-timestamp to send with it is `timestamp` in whole seconds since 1970.
  [[nodiscard]] std::string sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                 std::string_view body) const;

 private:
  explicit WebhookVerifier(std::chrono::seconds tolerance);
  std::size_t verify_found(std::string_view body, const WebhookHeaders& headers,
                           std::chrono::system_clock::time_point now) const;

  std::chrono::seconds tolerance_;
  std::shared_ptr<std::deque<detail::hmac_sha256>> hmacs_;  // one for each secret
};

/// Verifies and parses with a secret that is used only once; with more requests to come, keep a WebhookVerifier.
/// @throws as WebhookVerifier and its unwrap() do.
template <class Headers = WebhookHeaders, class Secret>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// Throws unless `timestamp` is a number of seconds since 1970 that differs from `now` by `tolerance` at the most.
inline void require_recent(std::string_view timestamp, std::chrono::system_clock::time_point now,
                           std::chrono::seconds tolerance) {
  constexpr std::size_t most_digits = 12;  // the year 33658, and far from any overflow
  if (timestamp.size() > most_digits || timestamp.find_first_not_of("0123456789") != std::string_view::npos ||
      (timestamp[0] == '0' && timestamp.size() > 1)) {
    fail_verification(WebhookErrc::invalid_header, "webhook-timestamp header: expected whole seconds since 1970");
  }
  std::int64_t signed_at = 0;
  for (const char digit : timestamp) signed_at = 10 * signed_at + (digit - '0');

  const auto age = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count() - signed_at;
  if (age >= -tolerance.count() && age <= tolerance.count()) return;
  const bool old = age > 0;
  fail_verification(old ? WebhookErrc::timestamp_too_old : WebhookErrc::timestamp_too_new,
                    "signed " + std::to_string(old ? age : -age) + (old ? " s ago" : " s in the future") +
                        ", and the tolerance is " + std::to_string(tolerance.count()) + " s");
}

[[noreturn]] inline void fail_secret(const char* what) {
  fail_verification(WebhookErrc::invalid_secret, std::string("webhook secret: ") + what);
}

/// A buffer for key material, which is wiped when it is destroyed.
struct wiped_bytes {
  explicit wiped_bytes(std::size_t size) : bytes(size) {}
  wiped_bytes(const wiped_bytes&) = delete;
  wiped_bytes& operator=(const wiped_bytes&) = delete;
  ~wiped_bytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  std::vector<unsigned char> bytes;
};

/// HMAC-SHA256 with one key, prepared once. Safe to call from many threads at once.
class hmac_sha256 {
 public:
  using digest_base64 = std::array<char, 44>;

  hmac_sha256(const unsigned char* key, std::size_t size) {
    const std::unique_ptr<EVP_MAC, deleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    if (!mac) fail_secret("OpenSSL has no HMAC to use it with");
    prepared_.reset(EVP_MAC_CTX_new(mac.get()));
    if (!prepared_) throw std::bad_alloc();
    char sha256[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                                     OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(prepared_.get(), key, size, parameters) != 1) fail_secret("OpenSSL refuses it");
    reusable_ = is_reusable();
  }

  /// The HMAC of what Standard Webhooks signs: the three parts with a dot between them.
  [[nodiscard]] digest_base64 operator()(std::string_view id, std::string_view timestamp,
                                         std::string_view body) const {
    context in_use = take();
    const digest bytes = finish(in_use.get(), {id, ".", timestamp, ".", body});
    give_back(std::move(in_use));

    std::array<unsigned char, 45> text;  // EVP_EncodeBlock() ends it with a NUL
    EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    digest_base64 base64;
    std::copy_n(text.begin(), base64.size(), base64.begin());
    return base64;
  }

 private:
  using digest = std::array<unsigned char, 32>;

  struct deleter {
    void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };
  using context = std::unique_ptr<EVP_MAC_CTX, deleter>;

  static digest finish(EVP_MAC_CTX* context, std::initializer_list<std::string_view> parts) {
    digest result;
    bool good = true;
    for (const auto part : parts) {
      good =
          good && EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(part.data()), part.size()) == 1;
    }
    std::size_t size = 0;
    if (!good || EVP_MAC_final(context, result.data(), &size, result.size()) != 1) throw std::bad_alloc();
    return result;
  }

  [[nodiscard]] context duplicate() const {
    context copy(EVP_MAC_CTX_dup(prepared_.get()));
    if (!copy) throw std::bad_alloc();
    return copy;
  }

  /// Whether a context can be used again with the same key, which OpenSSL before 3.0.3, and FIPS providers of that
  /// age, seem to do, but go on with the old message (openssl/openssl#17811).
  [[nodiscard]] bool is_reusable() const {
    const context probe = duplicate();
    const auto first = finish(probe.get(), {"probe"});
    return EVP_MAC_init(probe.get(), nullptr, 0, nullptr) == 1 && finish(probe.get(), {"probe"}) == first;
  }

  static std::size_t this_thread() {
    static std::atomic<std::size_t> threads{0};
    static thread_local const std::size_t thread = threads++;
    return thread;
  }

  /// The slots, beginning with the one that this thread uses as long as there are enough for all.
  template <class F>
  void for_each_slot(F try_slot) const {
    const std::size_t first = this_thread();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (try_slot(slots_[(first + i) % slots_.size()].idle)) return;
    }
  }

  [[nodiscard]] context take() const {
    context taken;
    for_each_slot([&taken](auto& idle) {
      if (idle.load(std::memory_order_relaxed) != nullptr) taken.reset(idle.exchange(nullptr));
      return taken != nullptr;
    });
    return taken ? std::move(taken) : duplicate();
  }

  void give_back(context used) const {
    if (!reusable_ || EVP_MAC_init(used.get(), nullptr, 0, nullptr) != 1) return;
    for_each_slot([&used](auto& idle) {
      EVP_MAC_CTX* none = nullptr;
      return idle.compare_exchange_strong(none, used.get()) && used.release() != nullptr;
    });
  }

  /// A context that is not in use, far enough from the next that threads do not wait for the same cache line.
  struct slot {
    ~slot() { deleter()(idle.load()); }
    std::atomic<EVP_MAC_CTX*> idle{nullptr};
    std::array<char, 128> gap;
  };

  context prepared_;
  bool reusable_ = false;
  mutable std::array<slot, 32> slots_;  // since making a context costs as much as an HMAC
};

/// The base64 digits of a secret, without prefix and padding. It is strict where EVP_DecodeBlock() is not.
inline std::string_view base64_digits(std::string_view secret) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto starts_with = [secret](std::string_view prefix) { return secret.substr(0, prefix.size()) == prefix; };

  if (secret.find_first_of(" \t\r\n\v\f") != std::string_view::npos) fail_secret("it has white space in it");
  if (starts_with("v1,whsec_")) fail_secret("it starts with \"v1,\"; the secret is what follows that");
  if (starts_with("whpk_") || starts_with("whsk_")) fail_secret("it is a key of the asymmetric scheme, v1a");
  if (starts_with("whsec_")) secret.remove_prefix(6);
  if (secret.empty()) fail_secret("it is empty");
  if (secret.find_first_of("-_") != std::string_view::npos) {
    fail_secret("it is in the url-safe alphabet; it must be in standard base64");
  }
  const auto digits = secret.substr(0, secret.find_last_not_of('=') + 1);
  const auto padding = secret.size() - digits.size();
  const bool padded = padding > 0;
  if (digits.find_first_not_of(alphabet) != std::string_view::npos || digits.size() % 4 == 1 ||
      (padded && (padding > 2 || secret.size() % 4 != 0))) {
    fail_secret("it is not base64");
  }
  return digits;
}

inline void add_secret(std::deque<hmac_sha256>& hmacs, std::string_view secret) {
  const auto digits = base64_digits(secret);
  wiped_bytes text((digits.size() + 3) / 4 * 4);
  std::fill(std::copy(digits.begin(), digits.end(), text.bytes.begin()), text.bytes.end(), 'A');  // zero bits
  wiped_bytes key(text.bytes.size() / 4 * 3);
  const int size = EVP_DecodeBlock(key.bytes.data(), text.bytes.data(), static_cast<int>(text.bytes.size()));
  if (size < 0 || static_cast<std::size_t>(size) != key.bytes.size()) fail_secret("it is not base64");
  hmacs.emplace_back(key.bytes.data(), digits.size() * 3 / 4);
}

inline void add_secret(std::deque<hmac_sha256>& hmacs, const char* secret) {
  if (secret == nullptr) fail_secret("it is null: is the environment variable set?");
  add_secret(hmacs, std::string_view(secret));
}

/// Whether `signatures`, the value of a webhook-signature, has `expected` among its v1 signatures. Blanks and
/// commas are between them, since a proxy may have joined several headers.
inline bool lists_signature(std::string_view signatures, const hmac_sha256::digest_base64& expected) noexcept {
  const auto is_separator = [](char c) { return c == ' ' || c == ',' || c == '\t'; };
  bool is_v1 = false;  // whether "v1," comes before
  while (!signatures.empty()) {
    const auto end = std::find_if(signatures.begin(), signatures.end(), is_separator);
    const auto word = signatures.substr(0, static_cast<std::size_t>(end - signatures.begin()));
    if (is_v1 && word.size() == expected.size() &&
        CRYPTO_memcmp(word.data(), expected.data(), expected.size()) == 0) {
      return true;
    }
    is_v1 = word == "v1" && end != signatures.end() && *end == ',';
    signatures.remove_prefix((std::min)(word.size() + 1, signatures.size()));
  }
  return false;
}

}  // namespace detail

inline WebhookVerifier::WebhookVerifier(std::chrono::seconds tolerance)
    : tolerance_(tolerance), hmacs_(std::make_shared<std::deque<detail::hmac_sha256>>()) {
  if (tolerance.count() < 0) detail::fail_verification(WebhookErrc::invalid_value, "the tolerance is negative");
}

inline WebhookVerifier::WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  detail::add_secret(*hmacs_, secret);
}

inline WebhookVerifier::WebhookVerifier(const char* secret, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  detail::add_secret(*hmacs_, secret);
}

inline WebhookVerifier::WebhookVerifier(const std::vector<std::string>& secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  if (secrets.empty()) detail::fail_secret("there is none");
  for (const auto& secret : secrets) detail::add_secret(*hmacs_, secret);
}

inline WebhookVerifier::WebhookVerifier(std::initializer_list<const char*> secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  if (secrets.size() == 0) detail::fail_secret("there is none");
  for (const char* const secret : secrets) detail::add_secret(*hmacs_, secret);
}

inline WebhookVerifier WebhookVerifier::from_raw_key(std::string_view key_bytes, std::chrono::seconds tolerance) {
  if (key_bytes.empty()) detail::fail_secret("it is empty");
  WebhookVerifier verifier(tolerance);
  verifier.hmacs_->emplace_back(reinterpret_cast<const unsigned char*>(key_bytes.data()), key_bytes.size());
  return verifier;
}

template <class Headers>
std::size_t WebhookVerifier::verify(std::string_view body, const Headers& headers,
                                    std::chrono::system_clock::time_point now) const {
  return verify_found(body, detail::headers_of(headers), now);
}

inline std::size_t WebhookVerifier::verify_found(std::string_view body, const WebhookHeaders& headers,
                                                 std::chrono::system_clock::time_point now) const {
  detail::require_headers(headers);
  detail::require_recent(headers.timestamp, now, tolerance_);
  std::size_t index = 0;
  for (const auto& hmac : *hmacs_) {
    if (detail::lists_signature(headers.signature, hmac(headers.id, headers.timestamp, body))) return index;
    ++index;
  }
  detail::fail_verification(
      WebhookErrc::no_matching_signature,
      "webhook-signature header: no v1 signature of this request with the receiver's secret");
}

template <class Headers>
UnwrapWebhookEvent WebhookVerifier::unwrap(std::string_view body, const Headers& headers,
                                           std::chrono::system_clock::time_point now) const {
  verify(body, headers, now);
  return webhooks::unwrap(body);
}

template <class Headers>
std::optional<UnwrapWebhookEvent> WebhookVerifier::try_unwrap(std::string_view body, const Headers& headers,
                                                              WebhookError& error,
                                                              std::chrono::system_clock::time_point now) const {
  try {
    verify(body, headers, now);
  } catch (const WebhookVerificationError& e) {
    error = e;
    return std::nullopt;
  }
  return webhooks::try_unwrap(body, error);
}

inline std::string WebhookVerifier::sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                         std::string_view body) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timestamp.time_since_epoch()).count();
  const auto base64 = hmacs_->front()(id, std::to_string(seconds), body);
  return "v1," + std::string(base64.begin(), base64.end());
}

template <class Headers, class Secret>
UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret) {
  return WebhookVerifier(secret).unwrap(body, headers);
}

}  // namespace anthropic::webhooks
