// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>
#include <string_view>

/// A webhook-signature made without the library, for a timestamp that may be any text.
inline std::string signature(std::string_view with_key, std::string_view id, std::string_view timestamp,
                             std::string_view body) {
  const std::string text = std::string(id) + "." + std::string(timestamp) + "." + std::string(body);
  std::array<unsigned char, 32> digest{};
  HMAC(EVP_sha256(), with_key.data(), static_cast<int>(with_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr);
  std::array<unsigned char, 45> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return "v1," + std::string(base64.begin(), base64.end() - 1);
}
