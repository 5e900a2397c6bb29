// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>

#include <openssl/opensslv.h>
#if OPENSSL_VERSION_MAJOR < 3
#error "anthropic-webhooks needs OpenSSL 3 or newer to verify signatures"
#endif
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

/// The signatures of Standard Webhooks 1.0: the HMAC, and the list that a webhook-signature is.
namespace anthropic::webhooks::detail {

/// HMAC-SHA256 with one key, by OpenSSL's EVP_MAC. Safe to call from many threads at once.
///
/// A context with the key is kept as it is, and a call works on a copy. It then leaves the copy as a spare one for
/// the next call, since copying takes more than half as long as signing a delivery. Threads have places of their
/// own for it, so that they seldom meet; a call that finds its place empty makes another copy.
class hmac_sha256 {
 public:
  using digest = std::array<unsigned char, 32>;

  /// Nothing where OpenSSL has no HMAC-SHA256 for this key, or no memory.
  static std::optional<hmac_sha256> make(std::string_view key);

  /// Returns whether OpenSSL made it.
  [[nodiscard]] bool sign(std::initializer_list<std::string_view> message, digest& result) const;

 private:
  struct deleter {
    void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };
  using context = std::unique_ptr<EVP_MAC_CTX, deleter>;

  struct place {
    place() = default;
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { EVP_MAC_CTX_free(spare); }

    std::atomic<EVP_MAC_CTX*> spare{nullptr};
    std::array<char, 64 - sizeof(void*)> padding{};  // so that no two are in a cache line
  };
  using places = std::array<place, 8>;

  explicit hmac_sha256(context original) : original_(std::move(original)), places_(std::make_unique<places>()) {}

  context original_;
  std::unique_ptr<places> places_;
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

/// Makes the signature of what Standard Webhooks has signed: the three parts with a dot between them. Returns
/// whether OpenSSL did it.
[[nodiscard]] bool sign(const hmac_sha256& key, std::string_view id, std::string_view timestamp,
                        std::string_view body, digest_base64& signature);

/// Calls f(version, text) for each signature in a webhook-signature until it returns true, and returns whether it
/// did. The version is "" where there is none. Spaces or commas are between signatures: a proxy may have joined
/// headers.
template <class F>
bool any_signature(std::string_view list, F f);

/// Whether a signature may match at all.
bool is_candidate(std::string_view version, std::string_view text);

/// Whether a candidate is the signature that is expected. Compares in constant time.
bool matches(std::string_view candidate, const digest_base64& expected);

/// What a signature looks like. Only one that is `good` can match. `url_safe` is also without padding.
enum class signature_form { good, hexadecimal, url_safe, without_version, other_version, unknown };
signature_form form_of(std::string_view version, std::string_view text);

// ---------------------------------------------------------------------------------------------------

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline std::optional<hmac_sha256> hmac_sha256::make(std::string_view key) {
  std::optional<hmac_sha256> result;
  const std::unique_ptr<EVP_MAC, deleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  context made(mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac.get()));
  std::array<char, 7> hash{"SHA256"};
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
                              OSSL_PARAM_construct_end()};
  if (made == nullptr || EVP_MAC_init(made.get(), bytes_of(key), key.size(), parameters.data()) != 1)
    return result;
  result.emplace(hmac_sha256(std::move(made)));
  // OpenSSL 3.0.0 to 3.0.2 do not start again when they are asked to, and report success
  // (https://github.com/openssl/openssl/issues/17811).
  digest first, again;
  if (!result->sign({"x"}, first)) {
    result.reset();
  } else if (!result->sign({"x"}, again) || first != again) {
    result->restarts_ = false;
    result->places_ = std::make_unique<places>();
  }
  return result;
}

/// Numbers the threads that call it.
inline std::size_t number_of_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number = next++;
  return number;
}

inline bool hmac_sha256::sign(std::initializer_list<std::string_view> message, digest& result) const {
  auto& spare = (*places_)[number_of_thread() % places_->size()].spare;
  context used(spare.exchange(nullptr));
  if (used == nullptr) used.reset(EVP_MAC_CTX_dup(original_.get()));
  // Without a key, it starts again with the one that it has.
  bool good = used != nullptr && EVP_MAC_init(used.get(), nullptr, 0, nullptr) == 1;
  for (const auto part : message) good = good && EVP_MAC_update(used.get(), bytes_of(part), part.size()) == 1;
  std::size_t size = 0;
  good = good && EVP_MAC_final(used.get(), result.data(), &size, result.size()) == 1 && size == result.size();
  EVP_MAC_CTX* empty = nullptr;
  if (good && restarts_ && spare.compare_exchange_strong(empty, used.get())) static_cast<void>(used.release());
  return good;
}

/// Whether all are letters, digits, or one of `others`, which are "-_" in the url-safe alphabet.
inline bool is_base64(std::string_view digits, std::string_view others = "+/") {
  return std::all_of(digits.begin(), digits.end(), [others](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

inline bool sign(const hmac_sha256& key, std::string_view id, std::string_view timestamp, std::string_view body,
                 digest_base64& signature) {
  hmac_sha256::digest digest;
  std::array<char, 1024> joined;
  bool good = false;
  const auto size = id.size() + timestamp.size() + body.size() + 2;
  if (size < joined.size()) {
    char* end = joined.data();  // one call of OpenSSL takes less time than five
    for (const std::string_view part : {id, timestamp, body}) {
      end = std::copy(part.begin(), part.end(), end);
      *end++ = '.';  // the last one is not signed
    }
    good = key.sign({std::string_view(joined.data(), size)}, digest);
  } else {
    good = key.sign({id, ".", timestamp, ".", body}, digest);
  }
  if (good) EVP_EncodeBlock(signature.data(), digest.data(), static_cast<int>(digest.size()));
  return good;
}

/// Where the first separator of signatures is, or the end.
inline const char* first_separator(std::string_view list) {
  const char* at = list.data();
  const char* const end = at + list.size();
  // Eight bytes at a time, as in skip_plain(): subtracting 1 sets the high bit of a byte that is 0.
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = load_little_endian(at);
    const auto zero_where = [word](unsigned char c) { return ((word ^ (ones * c)) - ones) & ~word; };
    const std::uint64_t found = (zero_where(' ') | zero_where(',') | zero_where('\t')) & (ones * 0x80);
    if (found != 0) return at + lowest_marked_byte(found);
  }
  return std::find_if(at, end, [](char c) { return c == ' ' || c == ',' || c == '\t'; });
}

template <class F>
bool any_signature(std::string_view list, F f) {
  std::string_view version;
  while (!list.empty()) {
    const auto word = list.substr(0, static_cast<std::size_t>(first_separator(list) - list.data()));
    const bool before_comma = word.size() < list.size() && list[word.size()] == ',';
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

inline bool is_candidate(std::string_view version, std::string_view text) {
  return version == "v1" && text.size() == digest_base64::size;
}

inline bool matches(std::string_view candidate, const digest_base64& expected) {
  return CRYPTO_memcmp(candidate.data(), expected.view().data(), digest_base64::size) == 0;
}

inline signature_form form_of(std::string_view version, std::string_view text) {
  const auto is_hexadecimal = [](char c) { return hex_digit(c) < 16; };
  const auto tail = text.substr(text.size() - (std::min)(text.size(), std::size_t{64}));
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
