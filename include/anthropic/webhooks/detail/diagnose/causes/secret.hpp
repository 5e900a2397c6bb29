// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/secret.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// Causes in the secret.
namespace anthropic::webhooks::detail {

inline bool has_key(const candidate& request) { return request.key != nullptr; }

inline void visit_secret(candidate changed, std::string_view secret, std::string_view what,
                         const candidate_visitor& visit) {
  if (!changed.budget->spend(secret.size())) return;
  const auto key = key_in(secret).key;
  changed.secret = secret;
  changed.key = key ? &*key : nullptr;
  visit(changed, what);
}

inline void undo_decoration(const candidate& before, const candidate_visitor& visit) {
  constexpr std::size_t min_size = 16, max_pieces = 8;
  const auto decoration = std::string("\"'` \t\r\n\v\f,").append(byte_order_mark);
  constexpr std::string_view what =
      "There are quotes, whitespace, a byte-order mark or other secrets around the secret, or in it.";
  const auto secret = before.secret;
  if (!before.budget->spend(secret.size())) return;
  wiped_bytes joined(secret.size());
  std::size_t size = 0, pieces = 0;
  for (std::size_t begin = 0; (begin = secret.find_first_not_of(decoration, begin)) != std::string_view::npos;) {
    const auto piece = secret.substr(begin, secret.find_first_of(decoration, begin) - begin);
    if (piece.size() == secret.size()) return;
    if (piece.size() >= min_size && pieces++ < max_pieces) visit_secret(before, piece, what, visit);
    std::copy(piece.begin(), piece.end(), joined.bytes.data() + size);
    size += piece.size();
    begin += piece.size();
  }
  if (size >= min_size) visit_secret(before, joined.text(size), what, visit);
}

inline void undo_url_safe_secret(const candidate& before, const candidate_visitor& visit) {
  const auto digits = without_prefix(before.secret);
  if (problem_of(before.secret) != secret_problem::url_safe || !before.budget->spend(digits.size())) return;
  wiped_bytes standard(digits.size());
  std::transform(digits.begin(), digits.end(), standard.bytes.begin(), [](char c) {
    return static_cast<unsigned char>(c == '-' ? '+' : c == '_' ? '/' : c);
  });
  visit_secret(before, standard.text(digits.size()), "The secret is in the url-safe alphabet.", visit);
}

inline void undo_second_encoding(const candidate& before, const candidate_visitor& visit) {
  const auto digits = base64_digits(before.secret);
  if (digits.empty() || !is_base64(digits) || digits.size() % 4 == 1) return;
  if (!before.budget->spend(2 * digits.size())) return;
  const decoded_base64 decoded(digits);
  const auto secret = decoded.text();
  const bool is_text = std::all_of(secret.begin(), secret.end(), [](char c) { return c > 0 && c < 0x7F; });
  if (is_text) visit_secret(before, secret, "The secret is base64 of the secret.", visit);
}

inline void undo_use_as_text(const candidate& before, const candidate_visitor& visit) {
  if (!before.budget->spend(2 * before.secret.size())) return;
  wiped_bytes with_prefix(secret_prefix.size() + before.secret.size());
  std::copy(before.secret.begin(), before.secret.end(),
            std::copy(secret_prefix.begin(), secret_prefix.end(), with_prefix.bytes.begin()));
  for (const auto text :
       {before.secret, without_prefix(before.secret), with_prefix.text(with_prefix.bytes.size())}) {
    if (text.empty() || text == secret_prefix) continue;  // anyone could sign with that
    const auto key = key_of_bytes(text).key;
    auto changed = before;
    changed.key = key ? &*key : nullptr;
    visit(changed,
          "The sender signed with the characters of the secret, and not with the bytes that they encode.");
  }
}

}  // namespace anthropic::webhooks::detail
