// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>

#include <openssl/opensslv.h>
#if OPENSSL_VERSION_MAJOR < 3
#error "anthropic-webhooks needs OpenSSL 3 or newer to verify signatures"
#endif
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

/// The signatures of Standard Webhooks 1.0: the key that is in a secret, the HMAC that it makes, and the list that
/// a webhook-signature is.
namespace anthropic::webhooks::detail {

class hmac_sha256;
using digest_base64 = std::array<char, 44>;

/// The key that is in a secret: "whsec_" and base64, or the base64 alone.
/// @throws WebhookVerificationError that says what is wrong with the secret, without telling any part of it.
hmac_sha256 key_in(std::string_view secret);

/// The signature, in base64, of what Standard Webhooks has signed: the three parts with a dot between them.
digest_base64 signature_of(const hmac_sha256& key, std::string_view id, std::string_view timestamp,
                           std::string_view body);

/// Calls f(version, text) for each signature in a webhook-signature until it returns true, and returns whether it
/// did. The version is "" where there is none. Blanks or commas are between signatures: a proxy may have joined
/// headers.
template <class F>
bool any_signature(std::string_view list, F f);

/// Whether a webhook-signature has `expected` among its v1 signatures. Compares in constant time.
bool lists_signature(std::string_view list, const digest_base64& expected);

/// What a signature looks like. Only one that is `good` can match.
enum class signature_form { good, hexadecimal, url_safe, without_version, other_version, unknown };
signature_form form_of(std::string_view version, std::string_view text);

// ---------------------------------------------------------------------------------------------------

[[noreturn]] inline void fail_secret(const std::string& what) {
  throw WebhookVerificationError(WebhookErrc::invalid_secret, "", "webhook secret: " + what);
}

/// A buffer for key material, which is wiped when it is destroyed.
struct wiped_bytes {
  explicit wiped_bytes(std::size_t size) : bytes(size) {}
  wiped_bytes(const wiped_bytes&) = delete;
  wiped_bytes& operator=(const wiped_bytes&) = delete;
  ~wiped_bytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  std::vector<unsigned char> bytes;
};

/// HMAC-SHA256 (RFC 2104) with one key. Safe to call from many threads at once.
///
/// It keeps the two states that SHA-256 has after the key, and goes on from copies of them. An EVP_MAC that is
/// copied takes 1.6 times as long, and one that is used again cannot be shared. Nothing outlives a call: there is
/// nothing to free when a thread ends.
class hmac_sha256 {
 public:
  using digest = std::array<unsigned char, 32>;

  explicit hmac_sha256(std::string_view key) : inner_(make_context()), outer_(make_context()) {
    wiped_bytes block(64);
    bool good = true;
    if (key.size() <= block.bytes.size()) {
      std::copy(key.begin(), key.end(), block.bytes.begin());
    } else {
      good = EVP_Digest(key.data(), key.size(), block.bytes.data(), nullptr, EVP_sha256(), nullptr) == 1;
    }
    for (auto& byte : block.bytes) byte ^= 0x36;
    good = good && start(inner_.get(), block);
    for (auto& byte : block.bytes) byte ^= 0x36 ^ 0x5c;
    good = good && start(outer_.get(), block);
    if (!good) fail_secret("OpenSSL has no SHA-256 to use it with");
  }

  [[nodiscard]] digest operator()(std::initializer_list<std::string_view> message) const {
    const context copy = make_context();
    digest result;
    bool good = EVP_MD_CTX_copy_ex(copy.get(), inner_.get()) == 1;
    for (const auto part : message) good = good && EVP_DigestUpdate(copy.get(), part.data(), part.size()) == 1;
    good = good && EVP_DigestFinal_ex(copy.get(), result.data(), nullptr) == 1 &&
           EVP_MD_CTX_copy_ex(copy.get(), outer_.get()) == 1 &&
           EVP_DigestUpdate(copy.get(), result.data(), result.size()) == 1 &&
           EVP_DigestFinal_ex(copy.get(), result.data(), nullptr) == 1;
    if (!good) throw std::bad_alloc();
    return result;
  }

 private:
  struct deleter {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  using context = std::unique_ptr<EVP_MD_CTX, deleter>;

  static context make_context() {
    context made(EVP_MD_CTX_new());
    if (!made) throw std::bad_alloc();
    return made;
  }

  static bool start(EVP_MD_CTX* context, const wiped_bytes& block) {
    return EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 &&
           EVP_DigestUpdate(context, block.bytes.data(), block.bytes.size()) == 1;
  }

  context inner_;
  context outer_;
};

/// Whether all are letters, digits, or one of `others`, which are "-_" in the url-safe alphabet.
inline bool is_base64(std::string_view digits, std::string_view others = "+/") {
  return std::all_of(digits.begin(), digits.end(), [others](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

/// The base64 digits of a secret, without prefix and padding. It is strict where EVP_DecodeBlock() is not.
inline std::string_view base64_digits(std::string_view secret) {
  constexpr std::string_view prefix = "whsec_";
  const auto starts_with = [&secret](std::string_view text) { return secret.substr(0, text.size()) == text; };
  const auto has = [&secret](std::string_view text) { return secret.find(text) != std::string_view::npos; };
  const auto has_any_of = [&secret](const char* set) {
    return secret.find_first_of(set) != std::string_view::npos;
  };
  const auto is_same_letter = [](char c, char lower) { return c == lower || c - 'A' + 'a' == lower; };

  if (has("\xef\xbb\xbf")) fail_secret("there is a byte-order mark in it");
  if (has_any_of("\"'`")) fail_secret("there are quotes in it");
  if (has_any_of(" \t\r\n\v\f")) fail_secret("there is white space in it");
  if (starts_with("v1,whsec_")) fail_secret("it starts with \"v1,\"; the secret is what follows that");
  if (starts_with("v1,")) fail_secret("it starts with \"v1,\", as a signature does");
  if (has(",")) fail_secret("there is a comma in it; pass several secrets as a list");
  if (starts_with("sk-ant-")) fail_secret("it is an API key; the endpoint has a signing secret of its own");
  if (starts_with("whpk_") || starts_with("whsk_")) fail_secret("it is a key of the asymmetric scheme, v1a");

  if (starts_with(prefix)) secret.remove_prefix(prefix.size());
  if (starts_with(prefix)) fail_secret("its prefix is there twice");
  if (has(prefix)) fail_secret("its prefix is not at the start");
  const auto start = secret.substr(0, prefix.size());
  if (std::equal(start.begin(), start.end(), prefix.begin(), prefix.end(), is_same_letter)) {
    fail_secret("its prefix is in capital letters");
  }

  if (secret.empty()) fail_secret("it is empty");
  const auto digits = secret.substr(0, secret.find_last_not_of('=') + 1);
  const auto padding = secret.size() - digits.size();
  if (!is_base64(digits, "+/-_") || digits.size() % 4 == 1 || padding > 2 ||
      (padding > 0 && secret.size() % 4 != 0)) {
    fail_secret("it is not base64");
  }
  if (has_any_of("-_")) fail_secret("it is in the url-safe alphabet; it must be in standard base64");
  return digits;
}

inline hmac_sha256 key_in(std::string_view secret) {
  const auto digits = base64_digits(secret);
  wiped_bytes text((digits.size() + 3) / 4 * 4);
  std::fill(std::copy(digits.begin(), digits.end(), text.bytes.begin()), text.bytes.end(), 'A');  // zero bits
  wiped_bytes key(text.bytes.size() / 4 * 3);
  EVP_DecodeBlock(key.bytes.data(), text.bytes.data(), static_cast<int>(text.bytes.size()));

  const auto size = digits.size() * 3 / 4;
  if (size < 16) {
    fail_secret("its key is too short: " + std::to_string(size) +
                " of the usual 32 bytes; at least 16 are needed");
  }
  return hmac_sha256({reinterpret_cast<const char*>(key.bytes.data()), size});
}

inline digest_base64 signature_of(const hmac_sha256& key, std::string_view id, std::string_view timestamp,
                                  std::string_view body) {
  hmac_sha256::digest digest;
  std::array<char, 1024> joined;
  if (id.size() + timestamp.size() + body.size() + 2 <= joined.size()) {  // one piece takes less time than five
    char* end = joined.data();
    for (const std::string_view part : {id, std::string_view("."), timestamp, std::string_view("."), body}) {
      end = std::copy(part.begin(), part.end(), end);
    }
    digest = key({std::string_view(joined.data(), static_cast<std::size_t>(end - joined.data()))});
  } else {
    digest = key({id, ".", timestamp, ".", body});
  }

  std::array<unsigned char, 45> text;  // EVP_EncodeBlock() ends it with a NUL
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  digest_base64 base64;
  std::copy_n(text.begin(), base64.size(), base64.begin());
  return base64;
}

template <class F>
bool any_signature(std::string_view list, F f) {
  const auto is_separator = [](char c) { return c == ' ' || c == ',' || c == '\t'; };
  std::string_view version;
  while (!list.empty()) {
    const auto end = std::find_if(list.begin(), list.end(), is_separator);
    const auto word = list.substr(0, static_cast<std::size_t>(end - list.begin()));
    const bool before_comma = end != list.end() && *end == ',';
    list.remove_prefix((std::min)(word.size() + 1, list.size()));
    if (before_comma && word.size() > 1 && word.size() < 5 && word[0] == 'v') {
      version = word;
    } else if (!word.empty() || !version.empty()) {
      if (f(version, word)) return true;
      version = {};
    }
  }
  return false;
}

inline bool lists_signature(std::string_view list, const digest_base64& expected) {
  return any_signature(list, [&expected](std::string_view version, std::string_view text) {
    return version == "v1" && text.size() == expected.size() &&
           CRYPTO_memcmp(text.data(), expected.data(), expected.size()) == 0;
  });
}

inline signature_form form_of(std::string_view version, std::string_view text) {
  const auto is_hexadecimal = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  if (text.size() >= 64 && std::all_of(text.end() - 64, text.end(), is_hexadecimal)) {
    return signature_form::hexadecimal;
  }
  if (!version.empty() && version != "v1") return signature_form::other_version;
  const bool padded = text.size() == 44 && text.back() == '=';
  const auto digits = text.substr(0, padded ? 43 : text.size());
  if (padded && is_base64(digits)) return version.empty() ? signature_form::without_version : signature_form::good;
  if (digits.size() == 43 && is_base64(digits, "-_")) return signature_form::url_safe;
  return signature_form::unknown;
}

}  // namespace anthropic::webhooks::detail
