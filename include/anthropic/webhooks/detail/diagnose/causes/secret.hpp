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
#include <vector>

/// What diagnose() knows of secrets.
namespace anthropic::webhooks::detail {

inline void visit_secret(diagnosed changed, std::string_view secret, std::string_view what,
                         const delivery_visitor& visit) {
  if (!changed.work->spend(secret.size())) return;
  const auto key = key_in(secret).key;
  changed.secret = secret;
  changed.key = key ? &*key : nullptr;
  visit(changed, what);
}

inline void undo_decoration(const diagnosed& before, const delivery_visitor& visit) {
  constexpr std::size_t least_size = 16, most_pieces = 8;
  const auto decoration = std::string("\"'` \t\r\n\v\f,").append(byte_order_mark);
  constexpr std::string_view what =
      "The secret is right once quotes, whitespace, a byte-order mark or other secrets are taken away from it.";
  const auto secret = before.secret;
  if (!before.work->spend(secret.size())) return;
  wiped_bytes joined(secret.size());
  std::size_t size = 0, pieces = 0;
  for (std::size_t begin = 0; (begin = secret.find_first_not_of(decoration, begin)) != std::string_view::npos;) {
    const auto piece = secret.substr(begin, secret.find_first_of(decoration, begin) - begin);
    if (piece.size() == secret.size()) return;
    if (piece.size() >= least_size && pieces++ < most_pieces) visit_secret(before, piece, what, visit);
    std::copy(piece.begin(), piece.end(), joined.bytes.data() + size);
    size += piece.size();
    begin += piece.size();
  }
  if (size >= least_size) visit_secret(before, joined.text(size), what, visit);
}

inline void undo_url_safe_secret(const diagnosed& before, const delivery_visitor& visit) {
  const auto digits = without_prefix(before.secret);
  if (problem_of(before.secret) != secret_problem::url_safe || !before.work->spend(digits.size())) return;
  wiped_bytes standard(digits.size());
  std::transform(digits.begin(), digits.end(), standard.bytes.begin(), [](char c) {
    return static_cast<unsigned char>(c == '-' ? '+' : c == '_' ? '/' : c);
  });
  visit_secret(before, standard.text(digits.size()), "The secret is right once - and _ are read as + and /.",
               visit);
}

inline constexpr const char* second_encoding_message = "The secret is base64 of the secret.";

inline void undo_second_encoding(const diagnosed& before, const delivery_visitor& visit) {
  const auto digits = base64_digits(before.secret);
  if (digits.empty() || !is_base64(digits) || digits.size() % 4 == 1) return;
  if (!before.work->spend(2 * digits.size())) return;
  const decoded_base64 decoded(digits);
  const auto secret = decoded.text();
  const bool is_text = std::all_of(secret.begin(), secret.end(), [](char c) { return c > 0 && c < 0x7F; });
  if (is_text) visit_secret(before, secret, second_encoding_message, visit);
}

inline void undo_use_as_text(const diagnosed& before, const delivery_visitor& visit) {
  if (!before.work->spend(2 * before.secret.size())) return;
  wiped_bytes with_prefix(secret_prefix.size() + before.secret.size());
  std::copy(before.secret.begin(), before.secret.end(),
            std::copy(secret_prefix.begin(), secret_prefix.end(), with_prefix.bytes.begin()));
  for (const auto text :
       {before.secret, without_prefix(before.secret), with_prefix.text(with_prefix.bytes.size())}) {
    if (text.empty() || text == secret_prefix) continue;  // anyone could sign with that
    const auto key = key_of_bytes(text).key;
    auto changed = before;
    changed.key = key ? &*key : nullptr;
    visit(changed, "The sender signed with the secret's own characters, and not with the bytes that they encode.");
  }
}

/// Whether a secret fits once `most` causes are undone, which are added to `undone`.
inline bool fits_without(const diagnosed& request, std::size_t most, std::vector<undo_function>& undone) {
  bool fits = most == 0 && request.key != nullptr;
  for (const undo_function undo : {undo_decoration, undo_url_safe_secret, undo_second_encoding}) {
    if (most == 0 || fits || std::find(undone.begin(), undone.end(), undo) != undone.end()) continue;
    undone.push_back(undo);
    undo(request, [&](const diagnosed& changed, std::string_view) {
      fits = fits || fits_without(changed, most - 1, undone);
    });
    if (!fits) undone.pop_back();
  }
  return fits;
}

/// What makes a secret fit that the verifier refuses: as few causes as possible.
inline std::vector<undo_function> fixes_of(const diagnosed& request) {
  std::vector<undo_function> fixes;
  for (std::size_t most = 0; most <= 3 && !fits_without(request, most, fixes);) ++most;
  return fixes;
}

inline bool is_fix_of(const diagnosed& request, undo_function undo) {
  const auto fixes = fixes_of(request);
  return std::find(fixes.begin(), fixes.end(), undo) != fixes.end();
}

inline std::string suspect_malformed_secret(const diagnosed& request) {
  std::string what;
  if (request.key == nullptr && fixes_of(request).empty())
    what = "The verifier refuses the secret: " + message_of(key_in(request.secret).fault) + ".";
  return what;
}

inline std::string suspect_decoration(const diagnosed& request) {
  return is_fix_of(request, undo_decoration)
             ? "There are quotes, whitespace, a byte-order mark or a comma in the secret."
             : "";
}

inline std::string suspect_url_safe_secret(const diagnosed& request) {
  return is_fix_of(request, undo_url_safe_secret) ? "The secret is in the url-safe alphabet." : "";
}

inline std::string suspect_second_encoding(const diagnosed& request) {
  return is_fix_of(request, undo_second_encoding) ? second_encoding_message : "";
}

}  // namespace anthropic::webhooks::detail
