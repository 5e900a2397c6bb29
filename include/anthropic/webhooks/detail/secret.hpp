// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/headers.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// The signing secret of an endpoint, and the key that is in it.
namespace anthropic::webhooks::detail {

inline constexpr std::string_view secret_prefix = "whsec_";
inline constexpr std::string_view encoded_secret_prefix = "d2hzZWNf";  // in base64

/// In the order in which they are looked for.
enum class secret_problem {
  none,
  no_secret,
  null,
  has_byte_order_mark,
  quotes,
  whitespace,
  listed_secret,
  listed_signature,
  comma,
  api_key,
  asymmetric_key,
  prefix_twice,
  prefix_inside,
  prefix_in_capitals,
  encoded_twice,
  empty,
  not_base64,
  url_safe,
  short_key
};

/// A secret, as it is passed in. It may be null, as std::getenv() returns it if the variable is not set.
struct secret_text {
  template <class Text, class = std::enable_if_t<is_text<Text>::value>>
  secret_text(const Text& secret) : text(text_of(secret)) {}

  std::string_view text;
};

template <class T, class = void>
inline constexpr bool is_range_of_secrets = false;
template <class T>
inline constexpr bool is_range_of_secrets<T, std::void_t<decltype(*std::begin(std::declval<T&>()))>> =
    std::is_convertible_v<decltype(*std::begin(std::declval<T&>())), secret_text>;

/// What is wrong with a secret, if anything.
struct secret_fault {
  explicit operator bool() const { return problem != secret_problem::none || openssl; }

  secret_problem problem = secret_problem::none;
  std::size_t key_size = 0;  // of a short key
  openssl_fault openssl = {};
};

/// A key, unless there is a fault.
struct secret_key {
  secret_fault fault;
  std::optional<hmac_sha256> key;
};

/// The key that is in a secret: "whsec_" and base64, or the base64 alone.
secret_key key_in(const secret_text& secret);

/// The key that has these bytes.
secret_key key_of_bytes(std::string_view bytes);

/// Shows no part of the secret.
std::string message_of(const secret_fault& fault);

// ---------------------------------------------------------------------------------------------------

/// A buffer for key material, which is wiped when it is destroyed.
struct wiped_bytes {
  explicit wiped_bytes(std::size_t size) : bytes(size) {}
  wiped_bytes(const wiped_bytes&) = delete;
  wiped_bytes& operator=(const wiped_bytes&) = delete;
  ~wiped_bytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  [[nodiscard]] std::string_view text(std::size_t size) const {
    return {reinterpret_cast<const char*>(bytes.data()), size};
  }

  std::vector<unsigned char> bytes;
};

inline std::string_view without_prefix(std::string_view secret) {
  return starts_with(secret, secret_prefix) ? secret.substr(secret_prefix.size()) : secret;
}

/// The base64 digits of a secret, without prefix and padding.
inline std::string_view base64_digits(std::string_view secret) {
  auto encoded = without_prefix(secret);
  while (!encoded.empty() && encoded.back() == '=') encoded.remove_suffix(1);
  return encoded;
}

/// What is wrong with a secret before it is decoded. It is strict where EVP_DecodeBlock() is not.
inline secret_problem problem_of(std::string_view secret) {
  const auto has = [&secret](std::string_view text) { return secret.find(text) != std::string_view::npos; };
  const auto has_any_of = [&secret](std::string_view set) {
    return secret.find_first_of(set) != std::string_view::npos;
  };
  if (has(byte_order_mark)) return secret_problem::has_byte_order_mark;
  if (has_any_of("\"'`")) return secret_problem::quotes;
  if (has_any_of(" \t\r\n\v\f")) return secret_problem::whitespace;
  if (starts_with(secret, "v1,")) {
    return starts_with(secret.substr(3), secret_prefix) ? secret_problem::listed_secret
                                                        : secret_problem::listed_signature;
  }
  if (has(",")) return secret_problem::comma;
  if (starts_with(secret, "sk-ant-")) return secret_problem::api_key;
  if (starts_with(secret, "whpk_") || starts_with(secret, "whsk_")) return secret_problem::asymmetric_key;

  secret = without_prefix(secret);
  if (starts_with(secret, secret_prefix)) return secret_problem::prefix_twice;
  if (has(secret_prefix)) return secret_problem::prefix_inside;
  const auto start = secret.substr(0, secret_prefix.size());
  if (equal_ignoring_case(start, secret_prefix)) return secret_problem::prefix_in_capitals;
  if (starts_with(secret, encoded_secret_prefix)) return secret_problem::encoded_twice;

  if (secret.empty()) return secret_problem::empty;
  const auto digits = base64_digits(secret);
  const auto padding = secret.size() - digits.size();
  if (!is_base64(digits, "+/-_") || digits.size() % 4 == 1 || padding > 2 ||
      (padding > 0 && secret.size() % 4 != 0)) {
    return secret_problem::not_base64;
  }
  return has_any_of("-_") ? secret_problem::url_safe : secret_problem::none;
}

/// What base64 digits without padding stand for, in a buffer that is wiped.
class decoded_base64 {
 public:
  explicit decoded_base64(std::string_view digits)
      : size_(digits.size() * 3 / 4), bytes_((digits.size() + 3) / 4 * 3) {
    wiped_bytes padded((digits.size() + 3) / 4 * 4);
    std::fill(std::copy(digits.begin(), digits.end(), padded.bytes.begin()), padded.bytes.end(),
              'A');  // zero bits
    EVP_DecodeBlock(bytes_.bytes.data(), padded.bytes.data(), static_cast<int>(padded.bytes.size()));
  }

  [[nodiscard]] std::string_view text() const { return bytes_.text(size_); }

 private:
  std::size_t size_;
  wiped_bytes bytes_;
};

inline secret_key key_of_bytes(std::string_view bytes) {
  if (bytes.empty()) return {{secret_problem::empty}, std::nullopt};
  openssl_fault fault;
  auto key = hmac_sha256::make(bytes, fault);
  return {{secret_problem::none, 0, fault}, std::move(key)};
}

inline secret_key key_in(const secret_text& secret) {
  constexpr std::size_t min_size = 16;
  const auto problem = secret.text.data() == nullptr ? secret_problem::null : problem_of(secret.text);
  if (problem != secret_problem::none) return {{problem}, std::nullopt};
  const auto digits = base64_digits(secret.text);
  const auto size = digits.size() * 3 / 4;
  if (size < min_size) return {{secret_problem::short_key, size}, std::nullopt};
  return key_of_bytes(decoded_base64(digits).text());
}

inline const char* description_of(secret_problem problem) {
  switch (problem) {
    case secret_problem::none: return "nothing is wrong";
    case secret_problem::no_secret: return "there is none";
    case secret_problem::null: return "it is null: is the environment variable set?";
    case secret_problem::has_byte_order_mark: return "there is a byte-order mark in it";
    case secret_problem::quotes: return "there are quotes in it";
    case secret_problem::whitespace: return "there is whitespace in it";
    case secret_problem::listed_secret: return "it starts with \"v1,\"; the secret is what follows that";
    case secret_problem::listed_signature: return "it starts with \"v1,\", as a signature does";
    case secret_problem::comma: return "there is a comma in it; pass several secrets as a list";
    case secret_problem::api_key: return "it is an API key; the endpoint has its own signing secret";
    case secret_problem::asymmetric_key: return "it is a key of the asymmetric scheme, v1a";
    case secret_problem::prefix_twice: return "its prefix is duplicated";
    case secret_problem::prefix_inside: return "its prefix is not at the start";
    case secret_problem::prefix_in_capitals: return "its prefix is in capital letters";
    case secret_problem::encoded_twice:
      return "it is base64 of the secret, as a Kubernetes manifest has it; decode it once";
    case secret_problem::empty: return "it is empty";
    case secret_problem::not_base64: return "it is not base64";
    case secret_problem::url_safe: return "it is in the url-safe alphabet; it must be in standard base64";
    case secret_problem::short_key: return "its key is too short: ";
  }
  return "";
}

inline std::string message_of(const secret_fault& fault) {
  if (fault.openssl) return message_of(fault.openssl);
  std::string message = std::string("webhook secret: ").append(description_of(fault.problem));
  if (fault.problem == secret_problem::short_key) {
    message += std::to_string(fault.key_size) + " of the usual 32 bytes; at least 16 are needed";
  }
  return message;
}

inline WebhookError error_of(const secret_fault& fault) {
  return {fault.openssl ? WebhookErrc::crypto_failure : WebhookErrc::invalid_secret, "", message_of(fault)};
}

}  // namespace anthropic::webhooks::detail
