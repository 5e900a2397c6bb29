// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>

#include <openssl/opensslv.h>
#if OPENSSL_VERSION_MAJOR < 3
#error "anthropic-webhooks needs OpenSSL 3 or newer to verify signatures"
#endif
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The signatures of Standard Webhooks 1.0: the HMAC, and the list that a webhook-signature is.
namespace anthropic::webhooks::detail {

/// Why OpenSSL failed.
struct openssl_fault {
  explicit operator bool() const { return reason != nullptr; }

  const char* reason = nullptr;  // in OpenSSL's words
};

/// Also names OpenSSL's configuration file, which may leave it without HMAC or SHA-256.
std::string message_of(const openssl_fault& fault);

/// HMAC-SHA256 with one key, by OpenSSL's EVP_MAC. Safe to call from many threads at once.
///
/// A context with the key is kept as it is, and a call works on a copy. It then leaves the copy as a spare for the
/// next call of its thread, since copying takes 0.8 times as long as signing. With one spare for all threads, two
/// sign no more than one; with one each, 1.8 times as much.
class hmac_sha256 {
 public:
  using digest = std::array<unsigned char, 32>;

  static std::optional<hmac_sha256> make(std::string_view key, openssl_fault& fault);

  [[nodiscard]] openssl_fault sign(std::initializer_list<std::string_view> message, digest& result) const;

 private:
  struct deleter {
    void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };
  using context = std::unique_ptr<EVP_MAC_CTX, deleter>;

  struct alignas(64) spare_context {  // each in a cache line
    spare_context() = default;
    spare_context(const spare_context&) = delete;
    spare_context& operator=(const spare_context&) = delete;
    ~spare_context() { EVP_MAC_CTX_free(context); }

    std::atomic<EVP_MAC_CTX*> context{nullptr};  // null while a call works on it
  };
  using spare_contexts = std::array<spare_context, 8>;  // the ninth thread shares the one of the first

  explicit hmac_sha256(context original)
      : original_(std::move(original)), spares_(std::make_unique<spare_contexts>()) {}

  std::atomic<EVP_MAC_CTX*>& spare_of_thread() const;

  context original_;
  std::unique_ptr<spare_contexts> spares_;
  bool restarts_ = true;
};

/// A digest in base64. EVP_EncodeBlock() ends it with a NUL.
class digest_base64 {
 public:
  static constexpr std::size_t size = 44;

  [[nodiscard]] unsigned char* data() { return text_.data(); }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(text_.data()), size}; }

 private:
  std::array<unsigned char, size + 1> text_;
};

/// Signs the three parts with a dot between them.
[[nodiscard]] openssl_fault sign(const hmac_sha256& key, std::string_view id, std::string_view timestamp,
                                 std::string_view body, digest_base64& signature);

/// Calls f(version, text) for each signature in a webhook-signature until it returns true, and returns whether it
/// did. The version is "" if there is none. Spaces or commas are between signatures: a proxy may have joined
/// headers.
template <class F>
bool any_signature(std::string_view list, F f);

/// Whether a signature may match at all.
bool may_match(std::string_view version, std::string_view text);

/// Whether a signature that may match does. Compares in constant time.
bool matches(std::string_view signature, const digest_base64& expected);

/// What a signature looks like. Only one that is `good` can match. `url_safe` is also without padding.
enum class signature_form { good, hexadecimal, url_safe, without_version, other_version, unknown };
signature_form form_of(std::string_view version, std::string_view text);

// ---------------------------------------------------------------------------------------------------

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Calls a function that uses OpenSSL and returns whether that succeeded. Entries left in the thread's error queue
/// would make SSL_get_error() fail for another connection in this thread, so they are removed, those before kept.
template <class F>
openssl_fault call_openssl(F f) {
  ERR_set_mark();
  const bool succeeded = f();
  const auto last = succeeded ? 0 : ERR_peek_last_error();
  ERR_pop_to_mark();
  if (succeeded) return {};
  const char* const reason = last == ERR_peek_last_error() ? nullptr : ERR_reason_error_string(last);
  return {reason != nullptr ? reason : "no reason given"};
}

inline std::string message_of(const openssl_fault& fault) {
  std::string message = std::string("OpenSSL failed to make an HMAC-SHA256: ").append(fault.reason);
  char* file = nullptr;
  const auto failed = call_openssl([&file] { return (file = CONF_get1_default_config_file()) != nullptr; });
  if (!failed) message.append("; its configuration is ").append(file);
  OPENSSL_free(file);
  return message;
}

inline std::optional<hmac_sha256> hmac_sha256::make(std::string_view key, openssl_fault& fault) {
  context original;
  fault = call_openssl([&] {
    const std::unique_ptr<EVP_MAC, deleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    if (mac != nullptr) original.reset(EVP_MAC_CTX_new(mac.get()));
    std::array<char, 7> hash{"SHA256"};
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
                                OSSL_PARAM_construct_end()};
    return original != nullptr && EVP_MAC_init(original.get(), bytes_of(key), key.size(), parameters.data()) == 1;
  });
  std::optional<hmac_sha256> result;
  if (fault) return result;
  result.emplace(hmac_sha256(std::move(original)));
  // OpenSSL 3.0.0 to 3.0.2 do not start again when they are asked to, and report success
  // (https://github.com/openssl/openssl/issues/17811).
  digest first, again;
  fault = result->sign({"x"}, first);
  if (fault) {
    result.reset();
  } else if (result->sign({"x"}, again) || first != again) {
    result->restarts_ = false;
    result->spares_ = std::make_unique<spare_contexts>();
  }
  return result;
}

inline std::atomic<EVP_MAC_CTX*>& hmac_sha256::spare_of_thread() const {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number = next++;
  return (*spares_)[number % spares_->size()].context;
}

inline openssl_fault hmac_sha256::sign(std::initializer_list<std::string_view> message, digest& result) const {
  return call_openssl([&] {
    auto& spare = spare_of_thread();
    context used(spare.exchange(nullptr));
    if (used == nullptr) used.reset(EVP_MAC_CTX_dup(original_.get()));
    // Without a key, it starts again with the one that it has.
    bool good = used != nullptr && EVP_MAC_init(used.get(), nullptr, 0, nullptr) == 1;
    for (const auto part : message) good = good && EVP_MAC_update(used.get(), bytes_of(part), part.size()) == 1;
    std::size_t size = 0;
    good = good && EVP_MAC_final(used.get(), result.data(), &size, result.size()) == 1 && size == result.size();
    if (good && restarts_) used.reset(spare.exchange(used.release()));
    return good;
  });
}

/// Whether all are letters, digits, or one of `others`, which are "-_" in the url-safe alphabet.
inline bool is_base64(std::string_view digits, std::string_view others = "+/") {
  return std::all_of(digits.begin(), digits.end(), [others](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

inline openssl_fault sign(const hmac_sha256& key, std::string_view id, std::string_view timestamp,
                          std::string_view body, digest_base64& signature) {
  hmac_sha256::digest digest;
  std::array<char, 1024> joined;
  openssl_fault fault;
  const auto size = id.size() + timestamp.size() + body.size() + 2;
  if (size < joined.size()) {
    char* end = joined.data();  // one call of OpenSSL instead of five saves 2 % of a delivery
    for (const std::string_view part : {id, timestamp, body}) {
      end = std::copy(part.begin(), part.end(), end);
      *end++ = '.';  // the last one is not signed
    }
    fault = key.sign({std::string_view(joined.data(), size)}, digest);
  } else {
    fault = key.sign({id, ".", timestamp, ".", body}, digest);
  }
  if (!fault) EVP_EncodeBlock(signature.data(), digest.data(), static_cast<int>(digest.size()));
  return fault;
}

template <class F>
bool any_signature(std::string_view list, F f) {
  const auto is_separator = [](char c) { return c == ' ' || c == ',' || c == '\t'; };
  std::string_view version;
  while (!list.empty()) {
    const auto end = std::find_if(list.begin(), list.end(), is_separator);
    const auto word = list.substr(0, static_cast<std::size_t>(end - list.begin()));
    const bool before_comma = end != list.end() && *end == ',';
    list.remove_prefix(end == list.end() ? list.size() : word.size() + 1);
    if (before_comma && word.size() > 1 && word.size() < 5 && word[0] == 'v') {
      version = word;
    } else if (!word.empty() || !version.empty()) {
      if (f(version, word)) return true;
      version = {};
    }
  }
  return false;
}

inline bool may_match(std::string_view version, std::string_view text) {
  return version == "v1" && text.size() == digest_base64::size;
}

inline bool matches(std::string_view signature, const digest_base64& expected) {
  return CRYPTO_memcmp(signature.data(), expected.view().data(), digest_base64::size) == 0;
}

inline signature_form form_of(std::string_view version, std::string_view text) {
  const auto is_hexadecimal = [](char c) { return hex_digit(c) < 16; };
  const auto tail = text.size() > 64 ? text.substr(text.size() - 64) : text;
  if (tail.size() == 64 && std::all_of(tail.begin(), tail.end(), is_hexadecimal))
    return signature_form::hexadecimal;
  if (!version.empty() && version != "v1") return signature_form::other_version;
  const bool padded = text.size() == 44 && text.back() == '=';
  const auto digits = text.substr(0, padded ? 43 : text.size());
  if (padded && is_base64(digits)) return version.empty() ? signature_form::without_version : signature_form::good;
  if (digits.size() == 43 && is_base64(digits, "+/-_")) return signature_form::url_safe;
  return signature_form::unknown;
}

}  // namespace anthropic::webhooks::detail
