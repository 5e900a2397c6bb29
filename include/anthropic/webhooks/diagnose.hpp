// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/detail/secret.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

/// Why a request does not verify: for development and support.
namespace anthropic::webhooks {

enum class WebhookCause {
  verified,                   ///< None: the delivery verifies as it is.
  unknown,                    ///< Nothing below. Probably the secret is that of another endpoint or environment.
  body_empty,                 ///< The body has no bytes: something read it before.
  body_newline,               ///< Line ends were added or cut off at the end of the body.
  body_line_ends,             ///< LF became CRLF, or the other way.
  body_byte_order_mark,       ///< A UTF-8 byte-order mark was added or taken away.
  body_reserialized,          ///< The same JSON with other white space, key order or escapes.
  body_percent_encoded,       ///< Percent- or form-encoded, or form-decoded.
  body_compressed,            ///< The body starts as gzip, deflate (zlib) or zstd does.
  secret_malformed,           ///< The verifier refuses the secret, and nothing below makes it fit.
  secret_decorated,           ///< Right without quotes, white space, a byte-order mark or other secrets beside it.
  secret_used_as_text,        ///< The sender signed with the secret's text, and not with what that encodes.
  secret_url_safe,            ///< Right once - and _ in it are read as + and /.
  headers_missing,            ///< One of the three headers is absent or empty.
  other_header_names,         ///< There are similar headers of another scheme, such as svix-id.
  id_and_timestamp_swapped,   ///< Each of the two headers has the value of the other.
  timestamp_in_milliseconds,  ///< The timestamp is not in seconds.
  clock,                      ///< The signature is right, and the time is not.
  signature_hexadecimal,      ///< The signature is in hexadecimal digits.
  signature_url_safe,         ///< The signature is in the url-safe alphabet, or without its padding.
  signature_without_version,  ///< The signature has no "v1," before it.
};

struct WebhookFinding {
  WebhookCause cause = WebhookCause::unknown;
  bool proven = false;       ///< Whether a signature matches once the cause is undone.
  std::string what, remedy;  ///< For people: what happened, and what to do about it.
};

/// Finds out why a request does not verify: it undoes the usual mistakes, up to three at once, and verifies again.
///
/// It takes what WebhookVerifier and its unwrap() take. If a signature matches then, it returns only the causes
/// that were undone, as proven. Otherwise it returns all that looks wrong. The result is never empty: if there is
/// nothing else, it is `verified` or `unknown`. `other_header_names` needs a range of headers. The clock is
/// checked with the default tolerance.
///
/// No finding shows a part of a secret, a key, an expected signature, a header or the body. Nor does one help a
/// forger. Only a signature that was made with the secret can match, and all else is in the request that he wrote
/// himself. But what is wrong with your secret is for your log, not for an answer.
///
/// It is slow, but its work is bounded: it hashes the body some two hundred times at the most, or 512 MiB in all
/// if that is more. It does not read a body of more than 1 MiB as JSON. Safe to call from any thread.
/// @throws std::bad_alloc, and what the lookup function `headers` throws.
template <class Headers = WebhookHeaders>
[[nodiscard]] std::vector<WebhookFinding> diagnose(
    std::string_view secret, std::string_view body, const Headers& headers,
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

// ---------------------------------------------------------------------------------------------------

namespace detail {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// A request, as it came or with something undone.
struct diagnosed {
  std::string_view secret, body, id, timestamp, signature;
  std::string_view signed_timestamp;   // what the signature was made of
  std::int64_t now = 0;                // in seconds since 1970
  const hmac_sha256* key = nullptr;    // null where the secret is refused
  const header_list* names = nullptr;  // empty where they are not known
};

/// Takes a request with a cause undone, and a sentence about the cause.
using delivery_visitor = std::function<void(const diagnosed&, std::string_view what)>;

struct cause_entry {
  WebhookCause cause;
  const char* remedy;
  /// Calls the visitor with each request that this one may have been before.
  void (*undo)(const diagnosed&, const delivery_visitor&);
  /// A sentence if the request looks as if this was the cause, although no signature proves it; else "".
  std::string (*suspect)(const diagnosed&);
};

inline constexpr std::int64_t clock_tolerance = WebhookVerifier::default_tolerance.count();

// Keys and secrets.

inline void visit_secret(diagnosed changed, std::string_view secret, std::string_view what,
                         const delivery_visitor& visit) {
  const auto key = key_in(secret).key;
  changed.secret = secret;
  changed.key = key ? &*key : nullptr;
  visit(changed, what);
}

inline void undo_decoration(const diagnosed& before, const delivery_visitor& visit) {
  constexpr std::size_t least_size = 16, most_pieces = 8;
  constexpr std::string_view decoration = "\"'` \t\r\n\v\f,\xef\xbb\xbf";
  constexpr std::string_view what =
      "The secret is right once quotes, white space, a byte-order mark or other secrets are taken away from it.";
  const auto secret = before.secret;
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
  if (fault_of_secret(before.secret) != secret_fault::url_safe) return;
  wiped_bytes standard(digits.size());
  std::transform(digits.begin(), digits.end(), standard.bytes.begin(), [](char c) {
    return static_cast<unsigned char>(c == '-' ? '+' : c == '_' ? '/' : c);
  });
  visit_secret(before, standard.text(digits.size()), "The secret is right once - and _ are read as + and /.",
               visit);
}

inline void undo_use_as_text(const diagnosed& before, const delivery_visitor& visit) {
  wiped_bytes with_prefix(secret_prefix.size() + before.secret.size());
  std::copy(before.secret.begin(), before.secret.end(),
            std::copy(secret_prefix.begin(), secret_prefix.end(), with_prefix.bytes.begin()));
  for (const auto text :
       {before.secret, without_prefix(before.secret), with_prefix.text(with_prefix.bytes.size())}) {
    if (text.empty() || text == secret_prefix) continue;  // anyone could sign with that
    const auto key = hmac_sha256::make(text);
    auto changed = before;
    changed.key = key ? &*key : nullptr;
    visit(changed, "The sender signed with the secret's own characters, and not with the bytes that they encode.");
  }
}

/// What makes a secret fit that the verifier refuses.
enum class secret_fix { none_needed, decoration, url_safe, both, nothing };

inline secret_fix fix_of(const diagnosed& request) {
  if (request.key != nullptr) return secret_fix::none_needed;
  auto fix = secret_fix::nothing;
  const auto fits = [&fix](secret_fix this_one) {
    return [&fix, this_one](const diagnosed& changed, std::string_view) {
      if (changed.key != nullptr) fix = (std::min)(fix, this_one);
    };
  };
  undo_decoration(request, [&](const diagnosed& changed, std::string_view what) {
    fits(secret_fix::decoration)(changed, what);
    undo_url_safe_secret(changed, fits(secret_fix::both));
  });
  undo_url_safe_secret(request, fits(secret_fix::url_safe));
  return fix;
}

inline std::string suspect_malformed_secret(const diagnosed& request) {
  if (fix_of(request) != secret_fix::nothing) return {};
  return "The verifier refuses the secret: " + message_of(key_in(request.secret).verdict) + ".";
}

inline std::string suspect_decoration(const diagnosed& request) {
  const auto fix = fix_of(request);
  if (fix != secret_fix::decoration && fix != secret_fix::both) return {};
  return "There are quotes, white space, a byte-order mark or a comma in the secret.";
}

inline std::string suspect_url_safe_secret(const diagnosed& request) {
  const auto fix = fix_of(request);
  if (fix != secret_fix::url_safe && fix != secret_fix::both) return {};
  return "The secret is in the url-safe alphabet.";
}

// Headers.

inline bool lacks_a_header(const diagnosed& request) {
  return request.id.empty() || request.timestamp.empty() || request.signature.empty();
}

inline std::string suspect_missing(const diagnosed& request) {
  std::string missing;
  const std::array values{request.id, request.timestamp, request.signature};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) missing.append(missing.empty() ? "" : ", ").append(header_names[i]);
  }
  return missing.empty() ? missing : "Absent or empty: " + missing + ".";
}

/// What senders and gateways put in the place of "webhook-".
inline constexpr std::array header_prefixes{"svix-", "x-svix-", "x-webhook-", "http_webhook_", "webhook_"};

inline std::string_view value_of(const header_list& headers, const std::string& name) {
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.first, name)) return trimmed(header.second);
  }
  return {};
}

inline void undo_other_names(const diagnosed& before, const delivery_visitor& visit) {
  if (!lacks_a_header(before)) return;
  for (const std::string prefix : header_prefixes) {
    auto changed = before;
    if (changed.id.empty()) changed.id = value_of(*before.names, prefix + "id");
    if (changed.timestamp.empty()) changed.timestamp = value_of(*before.names, prefix + "timestamp");
    if (changed.signature.empty()) changed.signature = value_of(*before.names, prefix + "signature");
    changed.signed_timestamp = changed.timestamp;
    if (!lacks_a_header(changed))
      visit(changed, "The sender uses other names for the headers, such as " + prefix + "id.");
  }
}

inline std::string suspect_other_names(const diagnosed& request) {
  if (!lacks_a_header(request)) return {};
  std::string relative(copied_headers(*request.names).views().relative);
  for (const std::string prefix : header_prefixes) {
    for (const char* name : {"id", "timestamp", "signature"}) {
      if (relative.empty() && !value_of(*request.names, prefix + name).empty()) relative = prefix + name;
    }
  }
  return relative.empty() ? relative : "There is " + relative + ", which Standard Webhooks does not use.";
}

inline void undo_swap(const diagnosed& before, const delivery_visitor& visit) {
  std::int64_t seconds = 0;
  if (!read_seconds(before.id, seconds)) return;
  auto changed = before;
  std::swap(changed.id, changed.timestamp);
  changed.signed_timestamp = changed.timestamp;
  visit(changed, "Each of webhook-id and webhook-timestamp has the value of the other.");
}

inline std::string suspect_swap(const diagnosed& request) {
  std::int64_t seconds = 0;
  const bool likely = request.id.size() == 10 && read_seconds(request.id, seconds) && !request.timestamp.empty() &&
                      !read_seconds(request.timestamp, seconds);
  return likely ? "The webhook-id looks like a time, and the webhook-timestamp does not." : "";
}

inline constexpr std::string_view in_milliseconds = "The webhook-timestamp is in milliseconds.";

inline bool is_in_milliseconds(const diagnosed& request) {
  std::int64_t seconds = 0, rest = 0;
  const auto timestamp = request.timestamp;
  return timestamp.size() == 13 && read_seconds(timestamp.substr(0, 10), seconds) &&
         read_seconds("1" + std::string(timestamp.substr(10)), rest);
}

inline void undo_milliseconds(const diagnosed& before, const delivery_visitor& visit) {
  if (!is_in_milliseconds(before)) return;
  auto changed = before;
  changed.timestamp.remove_suffix(3);
  visit(changed, in_milliseconds);  // signed as it is
  changed.signed_timestamp = changed.timestamp;
  visit(changed, in_milliseconds);
}

inline std::string suspect_milliseconds(const diagnosed& request) {
  return is_in_milliseconds(request) ? std::string(in_milliseconds) : "";
}

inline std::string in_words(std::int64_t seconds) {
  std::string larger;
  const auto add = [&larger](std::int64_t number, const char* unit) {
    if (number > 0) larger += (larger.empty() ? "" : " ") + std::to_string(number) + unit;
  };
  add(seconds / 86400, " d");
  add(seconds / 3600 % 24, " h");
  if (seconds < 86400) add(seconds / 60 % 60, " min");
  std::string words = std::to_string(seconds) + " s";
  if (seconds >= 120) words += " (" + larger + ")";
  return words;
}

inline void undo_clock(const diagnosed& before, const delivery_visitor& visit) {
  std::int64_t seconds = 0;
  if (!read_seconds(before.timestamp, seconds)) return;
  const auto age = before.now - seconds;
  const auto off = age < 0 ? -age : age;
  if (off <= clock_tolerance) return;
  std::string what = "The signature is right, and it was made " + in_words(off) +
                     (age > 0 ? " before" : " after") + " the time of the check; the tolerance is " +
                     std::to_string(clock_tolerance) + " s.";
  const auto hours = (off + 1800) / 3600;
  if (hours >= 1 && hours <= 14 && std::abs(off - 3600 * hours) <= clock_tolerance) {
    what += " That is " + std::to_string(hours) + (hours == 1 ? " hour" : " hours") +
            ", as a wrong time zone would have it.";
  }
  auto changed = before;
  changed.now = seconds;
  visit(changed, what);
}

// Signatures.

inline constexpr const char* hexadecimal_signature = "The signature is in hexadecimal digits.";
inline constexpr const char* url_safe_signature =
    "The signature is in the url-safe alphabet, or lacks its padding.";
inline constexpr const char* signature_without_version = "The signature has no \"v1,\" before it.";

/// Visits the request with the signatures for which `write(list, version, text)` is true as that wrote them.
template <class Write>
void visit_signatures(const diagnosed& before, const delivery_visitor& visit, std::string_view what, Write write) {
  std::string list;
  bool changes = false;
  any_signature(before.signature, [&](std::string_view version, std::string_view text) {
    list += ' ';
    if (write(list, version, text)) {
      changes = true;
    } else {
      list.append(version).append(version.empty() ? "" : ",").append(text);
    }
    return false;
  });
  auto changed = before;
  changed.signature = list;
  if (changes) visit(changed, what);
}

inline void undo_hexadecimal(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(before, visit, hexadecimal_signature,
                   [](std::string& list, std::string_view version, std::string_view text) {
                     if (form_of(version, text) != signature_form::hexadecimal) return false;
                     text = text.substr(text.size() - 64);
                     hmac_sha256::digest bytes{};
                     for (std::size_t i = 0; i < bytes.size(); ++i) {
                       bytes[i] =
                           static_cast<unsigned char>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
                     }
                     digest_base64 base64;
                     EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
                     list.append("v1,").append(base64.view());
                     return true;
                   });
}

inline void undo_url_safe_signature(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(before, visit, url_safe_signature,
                   [](std::string& list, std::string_view version, std::string_view text) {
                     if (form_of(version, text) != signature_form::url_safe) return false;
                     list.append(version).append(version.empty() ? "" : ",");
                     for (const char c : text.substr(0, 43)) list += c == '-' ? '+' : c == '_' ? '/' : c;
                     list += '=';
                     return true;
                   });
}

inline void undo_lack_of_version(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(before, visit, signature_without_version,
                   [](std::string& list, std::string_view version, std::string_view text) {
                     constexpr std::size_t size = digest_base64::size;
                     // There may be something else before it, such as "v1=".
                     if (text.size() > size) text.remove_prefix(text.size() - size);
                     if (form_of(version, text) != signature_form::without_version) return false;
                     list.append("v1,").append(text);
                     return true;
                   });
}

/// `what` if there is a signature of this form, and none of the right one.
inline std::string suspect_form(const diagnosed& request, signature_form form, const char* what) {
  bool good = false, found = false;
  any_signature(request.signature, [&](std::string_view version, std::string_view text) {
    const auto its_form = form_of(version, text);
    good = good || its_form == signature_form::good;
    found = found || its_form == form;
    return false;
  });
  return found && !good ? what : "";
}

inline std::string suspect_hexadecimal(const diagnosed& request) {
  return suspect_form(request, signature_form::hexadecimal, hexadecimal_signature);
}

inline std::string suspect_url_safe_signature(const diagnosed& request) {
  return suspect_form(request, signature_form::url_safe, url_safe_signature);
}

inline std::string suspect_lack_of_version(const diagnosed& request) {
  return suspect_form(request, signature_form::without_version, signature_without_version);
}

// Bodies.

inline void visit_body(diagnosed changed, std::string_view body, std::string_view what,
                       const delivery_visitor& visit) {
  changed.body = body;
  visit(changed, what);
}

inline void undo_byte_order_mark(const diagnosed& before, const delivery_visitor& visit) {
  if (starts_with(before.body, byte_order_mark)) {
    visit_body(before, before.body.substr(byte_order_mark.size()),
               "A byte-order mark was put at the start of the body.", visit);
  } else {
    visit_body(before, std::string(byte_order_mark).append(before.body),
               "The byte-order mark at the start of the body was taken away.", visit);
  }
}

inline void undo_newline(const diagnosed& before, const delivery_visitor& visit) {
  auto body = before.body;
  for (int most = 8; most > 0 && !body.empty() && (body.back() == '\n' || body.back() == '\r'); --most) {
    body.remove_suffix(1);
    visit_body(before, body, "A line end was added at the end of the body.", visit);
  }
  for (const char* line_ends : {"\n", "\r\n", "\n\n", "\r\n\r\n"}) {
    visit_body(before, std::string(before.body).append(line_ends),
               "The line end at the end of the body was cut off.", visit);
  }
}

inline void undo_line_ends(const diagnosed& before, const delivery_visitor& visit) {
  if (before.body.find('\n') == std::string_view::npos) return;
  std::string lf, crlf;
  for (std::size_t i = 0; i < before.body.size(); ++i) {
    const char c = before.body[i];
    if (c == '\r' && before.body.substr(i + 1, 1) == "\n") continue;
    lf += c;
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  if (lf != before.body) visit_body(before, lf, "Each LF in the body became CRLF.", visit);
  if (crlf != before.body) visit_body(before, crlf, "Each CRLF in the body became LF.", visit);
}

inline std::string decode_percent(std::string_view text, bool form) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr((std::min)(i + 1, text.size()), 2);
    if (text[i] == '%' && digits.size() == 2 && hex_digit(digits[0]) < 16 && hex_digit(digits[1]) < 16) {
      decoded += static_cast<char>(hex_digit(digits[0]) << 4 | hex_digit(digits[1]));
      i += 2;
    } else {
      decoded += form && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

inline void undo_percent(const diagnosed& before, const delivery_visitor& visit) {
  const auto body = before.body;
  if (body.find_first_of("%+") != std::string_view::npos) {
    // A form has the body as the value of a field, or as a name without a value.
    const auto value = body.substr((std::min)(body.find('='), body.size() - 1) + 1);
    const auto name = body.substr(0, body.size() - (body.back() == '=' ? 1 : 0));
    for (const auto text : {body, name, value}) {
      for (const bool form : {false, true}) {
        const std::string decoded = decode_percent(text, form);
        if (decoded != body) visit_body(before, decoded, "The body is percent-encoded or form-encoded.", visit);
      }
    }
  }
  if (body.find(' ') != std::string_view::npos) {
    std::string encoded(body);
    std::replace(encoded.begin(), encoded.end(), ' ', '+');
    visit_body(before, encoded, "The body was form-decoded, which made a blank of each +.", visit);
  }
}

inline std::string suspect_percent(const diagnosed& request) {
  const auto body = request.body.substr(0, 64);
  const bool likely = body.find("%7B") != std::string_view::npos || body.find("%7b") != std::string_view::npos;
  return likely ? "The body looks percent-encoded or form-encoded." : "";
}

inline std::string suspect_empty(const diagnosed& request) {
  return request.body.empty() ? "The body is empty: something may have read it before." : "";
}

inline std::string suspect_compressed(const diagnosed& request) {
  const auto starts_with = [&request](std::string_view magic) {
    return request.body.substr(0, magic.size()) == magic;
  };
  if (starts_with("\x1f\x8b")) return "The body is compressed with gzip.";
  if (starts_with("\x28\xb5\x2f\xfd")) return "The body is compressed with zstd.";
  if (starts_with("x") && request.body.find_first_of("\x01\x5e\x9c\xda", 1) == 1) {
    return "The body is compressed with deflate.";
  }
  return {};
}

// JSON.

struct json_node {
  std::string_view key;   // between its quotes
  std::string_view text;  // of an object or array only the bracket
  std::vector<json_node> members;
};

/// How serialisers differ.
struct json_layout {
  std::string_view comma, colon;
  std::size_t indent;  // 0 for all in one line
};
struct json_escapes {
  bool as_received, ascii, upper, slash, html;
};
inline constexpr std::array json_layouts{json_layout{",", ":", 0}, json_layout{", ", ": ", 0},
                                         json_layout{",", ": ", 2}, json_layout{",", ": ", 4}};
inline constexpr std::array json_escape_rules{
    json_escapes{true, false, false, false, false},   // such as the sender has
    json_escapes{false, false, false, false, false},  // only what must be
    json_escapes{false, false, false, true, false},   // PHP, with Unicode as it is
    json_escapes{false, true, false, false, false},   // Python
    json_escapes{false, true, false, true, false},    // PHP
    json_escapes{false, true, true, false, false},    // RapidJSON, .NET
    json_escapes{false, false, false, false, true}};  // Go
/// The keys that come first where keys are sorted. The last two are how the service and its SDKs write an event.
inline constexpr std::array<std::array<std::string_view, 2>, 3> json_key_orders{
    {{"", ""}, {"id", ""}, {"type", "id"}}};

inline constexpr std::size_t most_json = std::size_t{1} << 20, most_written = 4 * most_json, most_levels = 64;

/// Reads the value at `at` of a valid text, and returns the position behind it. What nests deeper than `levels` is
/// taken as it is.
inline const char* read_node(json_reader& json, const char* at, std::size_t levels, json_node& node) {
  json_type type{};
  const bool is_object = *at == '{';
  if (levels == 0 || (!is_object && *at != '[')) {
    const char* const begin = at;
    at = json.skip_value(at, type);
    node.text = {begin, static_cast<std::size_t>(at - begin)};
    return at;
  }
  node.text = {at, 1};
  const char end = is_object ? '}' : ']';
  at = json.skip_space(at + 1);
  while (*at != end) {
    auto& member = node.members.emplace_back();
    if (is_object) {
      const char* const key = at + 1;
      at = json.skip_string(key, type);
      member.key = {key, static_cast<std::size_t>(at - 1 - key)};
      at = json.skip_space(json.skip(":", json.skip_space(at)));
    }
    at = json.skip_space(read_node(json, at, levels - 1, member));
    if (*at == ',') at = json.skip_space(at + 1);
  }
  return at + 1;
}

inline void sort_keys(json_node& node, const std::array<std::string_view, 2>& first) {
  const auto rank = [&first](std::string_view key) { return std::find(first.begin(), first.end(), key); };
  if (node.text == "{") {
    std::stable_sort(node.members.begin(), node.members.end(), [rank](const json_node& a, const json_node& b) {
      return std::pair(rank(a.key), a.key) < std::pair(rank(b.key), b.key);
    });
  }
  for (auto& member : node.members) sort_keys(member, first);
}

inline void write_unit(std::uint32_t unit, bool upper, std::string& out) {
  const char* const digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 15];
}

/// Writes the string that has `text` between its quotes.
inline void write_string(std::string_view text, const json_escapes& escapes, std::string& out) {
  out += '"';
  std::string plain(text);
  if (!escapes.as_received) {
    plain.resize(static_cast<std::size_t>(unescape(text, plain.data()) - plain.data()));
    text = plain;
  }
  for (std::size_t i = 0; i < text.size();) {
    if (escapes.as_received) {
      out += text[i++];
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t code_point = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t j = 1; j < size; ++j)
      code_point = code_point << 6 | (static_cast<unsigned char>(text[i + j]) & 0x3F);

    constexpr std::string_view named = "\"\\\b\f\n\r\t", names = "\"\\bfnrt";
    const auto name = size == 1 ? named.find(text[i]) : std::string_view::npos;
    const bool is_html = lead == '<' || lead == '>' || lead == '&' || code_point == 0x2028 || code_point == 0x2029;
    if (name != std::string_view::npos) {
      (out += '\\') += names[name];
    } else if (lead == '/' && escapes.slash) {
      out += "\\/";
    } else if (code_point >= 0x10000 && escapes.ascii) {
      write_unit(0xD800 + ((code_point - 0x10000) >> 10), escapes.upper, out);
      write_unit(0xDC00 + (code_point & 0x3FF), escapes.upper, out);
    } else if (lead < ' ' || (size > 1 && escapes.ascii) || (is_html && escapes.html)) {
      write_unit(code_point, escapes.upper, out);
    } else {
      out += text.substr(i, size);
    }
    i += size;
  }
  out += '"';
}

inline void write_node(const json_node& node, const json_layout& layout, const json_escapes& escapes,
                       std::size_t margin, std::string& out) {
  if (node.text[0] == '"') {
    write_string(node.text.substr(1, node.text.size() - 2), escapes, out);
    return;
  }
  out += node.text;
  if (node.text != "{" && node.text != "[") return;
  const auto new_line = [&](std::size_t spaces) {
    if (layout.indent > 0) out.append("\n").append(spaces, ' ');
  };
  std::string_view comma;
  for (const auto& member : node.members) {
    if (out.size() > most_written) return;
    out += std::exchange(comma, layout.comma);
    new_line(margin + layout.indent);
    if (node.text == "{") {
      write_string(member.key, escapes, out);
      out += layout.colon;
    }
    write_node(member, layout, escapes, margin + layout.indent, out);
  }
  if (!node.members.empty()) new_line(margin);
  out += node.text == "{" ? '}' : ']';
}

inline void undo_serialization(const diagnosed& before, const delivery_visitor& visit) {
  if (before.body.empty() || before.body.size() > most_json) return;
  json_reader json(before.body);
  json_type type{};
  const char* const begin = json.skip_space(before.body.data());
  const char* const end = json.skip_value(begin, type);
  if (json.skip_space(end) != json.end() || json.failed()) return;
  const std::string_view line_ends(end, static_cast<std::size_t>(json.end() - end));
  json_node root;
  read_node(json, begin, most_levels, root);

  const bool has_escapes = std::any_of(before.body.begin(), before.body.end(),
                                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; }) ||
                           before.body.find_first_of("\\/<>&") != std::string_view::npos;
  std::unordered_set<std::size_t> seen{std::hash<std::string_view>()(before.body)};
  const auto visit_all = [&] {
    for (const auto& escapes : json_escape_rules) {
      if (!escapes.as_received && !has_escapes) break;
      for (const auto& layout : json_layouts) {
        std::string text;
        write_node(root, layout, escapes, 0, text);
        text += line_ends;
        if (text.size() > most_written || !seen.insert(std::hash<std::string_view>()(text)).second) continue;
        visit_body(before, text,
                   "The body was parsed and written again, in other white space, key order or escapes.", visit);
      }
    }
  };
  visit_all();
  for (const auto& first : json_key_orders) {
    sort_keys(root, first);
    visit_all();
  }
}

// All of them.

/// The cause of each finding but verified and unknown, in the order in which they are undone. To add a cause, add
/// an entry here.
inline constexpr cause_entry cause_entries[] = {
    {WebhookCause::headers_missing,
     "Log the names of the headers that arrive: a proxy may drop some. What has no signature is not from the "
     "service.",
     nullptr, suspect_missing},
    {WebhookCause::other_header_names,
     "Send the request as Standard Webhooks names its headers, or map the names before you verify.",
     undo_other_names, suspect_other_names},
    {WebhookCause::id_and_timestamp_swapped, "Swap the two values where WebhookHeaders is filled.", undo_swap,
     suspect_swap},
    {WebhookCause::timestamp_in_milliseconds, "Sign and send whole seconds since 1970.", undo_milliseconds,
     suspect_milliseconds},
    {WebhookCause::clock,
     "Set the receiver's clock by NTP, and take its time in UTC. For a saved request, give the time at which it "
     "came.",
     undo_clock, nullptr},
    {WebhookCause::signature_hexadecimal, "Send base64 after \"v1,\", and not hexadecimal digits.",
     undo_hexadecimal, suspect_hexadecimal},
    {WebhookCause::signature_url_safe, "Send standard base64, with + and / and the = at the end.",
     undo_url_safe_signature, suspect_url_safe_signature},
    {WebhookCause::signature_without_version, "Send \"v1,\" before the base64.", undo_lack_of_version,
     suspect_lack_of_version},
    {WebhookCause::secret_malformed, "Copy the signing secret of this endpoint again, whsec_ and base64.", nullptr,
     suspect_malformed_secret},
    {WebhookCause::secret_decorated,
     "Take out what does not belong to the secret, and pass several secrets as a list.", undo_decoration,
     suspect_decoration},
    {WebhookCause::secret_url_safe, "Write + for - and / for _ in the secret.", undo_url_safe_secret,
     suspect_url_safe_secret},
    {WebhookCause::secret_used_as_text,
     "Let the sender decode the secret. If that cannot be, make the verifier with from_raw_key().",
     undo_use_as_text, nullptr},
    {WebhookCause::body_empty, "Take the raw body before a framework or middleware reads it.", nullptr,
     suspect_empty},
    {WebhookCause::body_compressed, "Verify the bytes that were signed. Let nothing between compress the body.",
     nullptr, suspect_compressed},
    {WebhookCause::body_byte_order_mark, "Verify the raw body, byte for byte. Let nothing add or drop a mark.",
     undo_byte_order_mark, nullptr},
    {WebhookCause::body_newline,
     "Verify the raw body, byte for byte. Text tools add a line end, and readers of lines drop one.", undo_newline,
     nullptr},
    {WebhookCause::body_line_ends, "Verify the raw body, and open files in binary mode.", undo_line_ends, nullptr},
    {WebhookCause::body_percent_encoded,
     "Verify the raw body. Take it before anything reads it as a form, and save it as it is.", undo_percent,
     suspect_percent},
    {WebhookCause::body_reserialized,
     "Verify the raw body that came, before anything parses it. JSON that is written again has other bytes.",
     undo_serialization, nullptr},
};

/// Whether WebhookVerifier accepts it.
inline bool is_accepted(const diagnosed& request) {
  if (request.key == nullptr) return false;
  const received_headers headers{request.id, request.timestamp, request.signature};
  const receiver receiver{request.key, 1, WebhookVerifier::default_tolerance, request.now};
  return decide({headers, request.signed_timestamp, request.body}, receiver).accepted();
}

/// Whether the signature is right, whatever the id and the timestamp are.
inline bool is_signed(const diagnosed& request) {
  if (request.key == nullptr) return false;
  const received_headers headers{request.id, request.timestamp, request.signature};
  return find_signature(*request.key, {headers, request.timestamp, request.body}) == WebhookErrc::none;
}

/// Undoes up to `most` causes at once, and remembers which made the request right.
class cause_search {
 public:
  explicit cause_search(std::size_t most) : most_(most) {}

  /// Goes on from a request in which some of the causes before `next` are undone.
  void from(const diagnosed& request, std::size_t next = 0) {
    for (; next < std::size(cause_entries) && !found_; ++next) {
      const bool too_few_follow = findings_.size() + (std::size(cause_entries) - next) < most_;
      if (cause_entries[next].undo == nullptr || too_few_follow || is_over()) continue;
      work_ += size_of(request) / 8;
      cause_entries[next].undo(request, [&](const diagnosed& changed, std::string_view what) {
        if (found_ || is_over()) return;
        findings_.push_back({cause_entries[next].cause, true, std::string(what), cause_entries[next].remedy});
        work_ += size_of(changed);
        if (findings_.size() == most_) {
          found_ = is_accepted(changed);
        } else {
          from(changed, next + 1);
        }
        if (!found_) findings_.pop_back();
      });
    }
  }

  /// What was found, which is nothing where that does not make the request right.
  [[nodiscard]] std::vector<WebhookFinding>& findings() { return findings_; }

 private:
  static std::size_t size_of(const diagnosed& request) {
    return request.body.size() + request.signature.size() + request.secret.size();
  }

  /// One cause alone is always tried.
  [[nodiscard]] bool is_over() const { return most_ > 1 && work_ > std::size_t{256} << 20; }

  std::size_t most_;
  std::size_t work_ = 0;
  bool found_ = false;
  std::vector<WebhookFinding> findings_;
};

/// Why no undoing helped.
inline WebhookFinding unknown_cause(const diagnosed& request) {
  if (is_signed(request)) {
    return {WebhookCause::unknown, false,
            "The signature is right, but the webhook-id or the webhook-timestamp is malformed.",
            "An id has no dot, and a timestamp is in whole seconds since 1970."};
  }
  return {WebhookCause::unknown, false,
          "No signature matches, whatever was tried. Probably the secret is that of another endpoint or "
          "environment, or the body was changed.",
          "Compare the secret with that of the endpoint, to its end: the service's have 50 characters. Compare "
          "the length of the body with its Content-Length."};
}

inline std::vector<WebhookFinding> diagnose_parts(std::string_view secret, std::string_view body,
                                                  const received_headers& headers, const header_list& names,
                                                  std::chrono::system_clock::time_point now) {
  if (headers.contradicted < header_count) {
    return {{WebhookCause::unknown, false,
             "The verifier refuses the headers: " + message_of_header(verdict_on(headers)) + ".",
             "Find out what sends a header twice, or puts two requests together."}};
  }
  const auto key = key_in(secret).key;
  diagnosed request;
  request.secret = secret;
  request.body = body;
  request.id = headers.id;
  request.timestamp = request.signed_timestamp = headers.timestamp;
  request.signature = headers.signature;
  request.now = seconds_since_1970(now);
  request.key = key ? &*key : nullptr;
  request.names = &names;
  if (is_accepted(request)) {
    return {{WebhookCause::verified, true, "The request verifies.", "Nothing is to be done."}};
  }
  for (std::size_t most = 1; most <= 3; ++most) {
    cause_search search(most);
    search.from(request);
    if (!search.findings().empty()) return std::move(search.findings());
  }
  std::vector<WebhookFinding> findings;
  for (const auto& entry : cause_entries) {
    if (entry.suspect == nullptr) continue;
    std::string what = entry.suspect(request);
    if (!what.empty()) findings.push_back({entry.cause, false, std::move(what), entry.remedy});
  }
  if (findings.empty()) findings.push_back(unknown_cause(request));
  return findings;
}

}  // namespace detail

template <class Headers>
std::vector<WebhookFinding> diagnose(std::string_view secret, std::string_view body, const Headers& headers,
                                     std::chrono::system_clock::time_point now) {
  detail::header_list names;
  const auto diagnose_received = [&](const detail::received_headers& received) {
    return detail::diagnose_parts(secret, body, received, names, now);
  };
  if constexpr (detail::is_range_of_pairs<Headers> && !std::is_base_of_v<WebhookHeaders, Headers> &&
                !detail::is_lookup<Headers>) {
    for (const auto& [name, value] : headers) names.emplace_back(detail::text_of(name), detail::text_of(value));
    return detail::with_headers(names, diagnose_received);
  } else {
    return detail::with_headers(headers, diagnose_received);
  }
}

}  // namespace anthropic::webhooks
