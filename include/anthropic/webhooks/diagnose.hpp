// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/body.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/headers.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/secret.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/signature.hpp>
#include <anthropic/webhooks/detail/secret.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Why a request does not verify: for development and support.
namespace anthropic::webhooks {

enum class WebhookCause {
  verified,                   ///< None: the delivery verifies as it is.
  unknown,                    ///< Nothing below. Probably the secret is that of another endpoint or environment.
  body_empty,                 ///< The body has no bytes: something read it before.
  body_newline,               ///< A trailing newline was added or cut off.
  body_line_endings,          ///< LF became CRLF, or the other way.
  body_byte_order_mark,       ///< A UTF-8 byte-order mark was added or taken away.
  body_reserialized,          ///< The same JSON with other whitespace, key order or escapes.
  body_percent_encoded,       ///< Percent- or form-encoded, or form-decoded.
  body_compressed,            ///< The body starts as gzip, deflate (zlib) or zstd does.
  secret_malformed,           ///< The verifier refuses the secret, and nothing below makes it fit.
  secret_decorated,           ///< There are quotes, whitespace, a byte-order mark or other secrets around it.
  secret_used_as_text,        ///< The sender signed with the text of the secret, not with the bytes it encodes.
  secret_url_safe,            ///< The secret is in the url-safe alphabet.
  headers_missing,            ///< One of the three headers is absent or empty.
  other_header_names,         ///< There are similar headers of another scheme, such as svix-id.
  id_and_timestamp_swapped,   ///< Each of the two headers has the value of the other.
  timestamp_in_milliseconds,  ///< The timestamp is not in seconds.
  clock,                      ///< The signature is right, and the time is not.
  signature_hexadecimal,      ///< The signature is in hexadecimal digits.
  signature_url_safe,         ///< The signature is in the url-safe alphabet, or without its padding.
  signature_without_version,  ///< The signature has no "v1," before it.
  body_base64,                ///< The body is base64 of the body, as some API gateways have it.
  body_json_string,           ///< The body is a JSON string that holds the body.
  body_nul,                   ///< NUL bytes were added at the end.
  body_length,                ///< The body is shorter or longer than its Content-Length says. Never proven.
  secret_encoded_twice,       ///< The secret is base64 of the secret, as a Kubernetes manifest has it.
  timestamp_malformed,        ///< The timestamp is malformed in some other way. Never proven.
  signature_form_decoded,     ///< Each + of the signature became a space, or it is percent-encoded.
  body_charset,               ///< The body was decoded or encoded in the wrong character set.
};

/// The name of the enumerator, such as "body_newline".
[[nodiscard]] constexpr std::string_view to_string(WebhookCause cause) noexcept;

struct WebhookFinding {
  WebhookCause cause = WebhookCause::unknown;
  bool proven = false;       ///< Whether a signature matches once the cause is undone.
  std::string what, remedy;  ///< For people: what happened, and what to do about it.
};

/// Finds out why a request does not verify: it undoes the usual mistakes, up to three at once, and verifies again.
///
/// It takes what WebhookVerifier and its unwrap() take. If a signature then matches, it returns only the causes
/// that were undone, as proven. Otherwise it returns everything that looks wrong. The result is never empty: if
/// there is nothing else to report, it is `verified` or `unknown`. `other_header_names` and `body_length` need a
/// range of headers. The clock is checked with the default tolerance.
///
/// No finding shows any part of a secret, a key, an expected signature or the body, and of the headers none but
/// the number in Content-Length. Nor does one help a forger: only a signature made with the secret can match, and
/// the rest is in the request, which the forger wrote. But what is wrong with your secret belongs in your log, not
/// in the response.
///
/// It is slow, but its work is bounded: after it has verified the request as it is, it writes and hashes at most
/// 512 MiB in all, which takes a few seconds at most. It does not rewrite JSON of more than 1 MiB. Safe to call
/// from any thread.
/// @throws std::bad_alloc, and what the lookup function `headers` throws.
template <class Headers = WebhookHeaders>
[[nodiscard]] std::vector<WebhookFinding> diagnose(
    std::string_view secret, std::string_view body, Headers&& headers,
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

// ---------------------------------------------------------------------------------------------------

constexpr std::string_view to_string(WebhookCause cause) noexcept {
  switch (cause) {
    case WebhookCause::verified: return "verified";
    case WebhookCause::unknown: return "unknown";
    case WebhookCause::body_empty: return "body_empty";
    case WebhookCause::body_newline: return "body_newline";
    case WebhookCause::body_line_endings: return "body_line_endings";
    case WebhookCause::body_byte_order_mark: return "body_byte_order_mark";
    case WebhookCause::body_reserialized: return "body_reserialized";
    case WebhookCause::body_percent_encoded: return "body_percent_encoded";
    case WebhookCause::body_compressed: return "body_compressed";
    case WebhookCause::secret_malformed: return "secret_malformed";
    case WebhookCause::secret_decorated: return "secret_decorated";
    case WebhookCause::secret_used_as_text: return "secret_used_as_text";
    case WebhookCause::secret_url_safe: return "secret_url_safe";
    case WebhookCause::headers_missing: return "headers_missing";
    case WebhookCause::other_header_names: return "other_header_names";
    case WebhookCause::id_and_timestamp_swapped: return "id_and_timestamp_swapped";
    case WebhookCause::timestamp_in_milliseconds: return "timestamp_in_milliseconds";
    case WebhookCause::clock: return "clock";
    case WebhookCause::signature_hexadecimal: return "signature_hexadecimal";
    case WebhookCause::signature_url_safe: return "signature_url_safe";
    case WebhookCause::signature_without_version: return "signature_without_version";
    case WebhookCause::body_base64: return "body_base64";
    case WebhookCause::body_json_string: return "body_json_string";
    case WebhookCause::body_nul: return "body_nul";
    case WebhookCause::body_length: return "body_length";
    case WebhookCause::secret_encoded_twice: return "secret_encoded_twice";
    case WebhookCause::timestamp_malformed: return "timestamp_malformed";
    case WebhookCause::signature_form_decoded: return "signature_form_decoded";
    case WebhookCause::body_charset: return "body_charset";
  }
  return "unknown";
}

namespace detail {

struct cause_entry {
  WebhookCause cause;
  undo_function undo;        // null if no signature can prove it
  suspect_function suspect;  // null if only a signature can show it, or suspected_causes() looks for it
  const char* remedy;
  bool wraps = false;  // whether any other cause may have come before it
};
inline constexpr bool wraps = true;

/// The causes in the order in which they are undone. body_reserialized takes the most work, so it comes late. Only
/// body_charset follows it: a serializer may have escaped the wrong characters. To add a cause, append it to
/// WebhookCause, and write its name in to_string(), its functions in detail/diagnose/causes/ and an entry here.
inline constexpr cause_entry cause_entries[] = {
    {WebhookCause::verified, nullptr, nullptr, "There is nothing to do."},
    {WebhookCause::unknown, nullptr, nullptr,
     "Compare the secret with that of the endpoint, to its end: the service's have 50 characters. Log the length "
     "of the body, and compare it with the Content-Length."},
    {WebhookCause::headers_missing, nullptr, suspect_missing,
     "Log the names of the headers that arrive: a proxy may drop some. The service signs all that it sends."},
    {WebhookCause::other_header_names, undo_other_names, suspect_other_names,
     "Send the request as Standard Webhooks names its headers, or map the names before you verify."},
    {WebhookCause::id_and_timestamp_swapped, undo_swap, suspect_swap,
     "Swap the two values where WebhookHeaders is filled."},
    {WebhookCause::timestamp_in_milliseconds, undo_milliseconds, suspect_milliseconds,
     "Sign and send whole seconds since 1970."},
    {WebhookCause::timestamp_malformed, nullptr, suspect_malformed_timestamp,
     "Sign and send whole seconds since 1970, such as 1773568800. Let nothing parse the header first."},
    {WebhookCause::clock, undo_clock, nullptr,
     "Set the receiver's clock by NTP, and take its time in UTC. For a saved request, give the time at which it "
     "came."},
    {WebhookCause::signature_form_decoded, undo_form_decoding, nullptr,
     "Take the header as it came. Let nothing decode or encode it as a form or URL."},
    {WebhookCause::signature_hexadecimal, undo_hexadecimal, nullptr,
     "Send base64 after \"v1,\", and not hexadecimal digits."},
    {WebhookCause::signature_url_safe, undo_url_safe_signature, nullptr,
     "Send standard base64, with + and / and the = at the end."},
    {WebhookCause::signature_without_version, undo_lack_of_version, nullptr, "Send \"v1,\" before the base64."},
    {WebhookCause::secret_malformed, nullptr, nullptr,
     "Copy the signing secret of this endpoint again, whsec_ and base64."},
    {WebhookCause::secret_decorated, undo_decoration, nullptr,
     "Take out what does not belong to the secret, and pass several secrets as a list."},
    {WebhookCause::secret_url_safe, undo_url_safe_secret, nullptr, "Write + for - and / for _ in the secret."},
    {WebhookCause::secret_encoded_twice, undo_second_encoding, nullptr,
     "Decode it once. Kubernetes decodes the data of a Secret when a container reads it, but not what you copy.",
     wraps},
    {WebhookCause::secret_used_as_text, undo_use_as_text, nullptr,
     "Let the sender decode the secret. If it cannot, make the verifier with from_raw_key()."},
    {WebhookCause::body_empty, nullptr, suspect_empty,
     "Take the raw body before a framework or middleware reads it."},
    {WebhookCause::body_length, nullptr, suspect_length,
     "Read the body to its end, and once. Something may also have decoded it, or cut it off."},
    {WebhookCause::body_compressed, nullptr, suspect_compressed,
     "Verify the bytes that were signed. Let no proxy compress the body."},
    {WebhookCause::body_byte_order_mark, undo_byte_order_mark, nullptr,
     "Verify the raw body, byte for byte. Let nothing add or drop a mark."},
    {WebhookCause::body_newline, undo_newline, nullptr,
     "Verify the raw body, byte for byte. Text tools add a trailing newline, and readers of lines drop one."},
    {WebhookCause::body_line_endings, undo_line_endings, nullptr,
     "Verify the raw body, and open files in binary mode."},
    {WebhookCause::body_nul, undo_nul, suspect_nul, "Pass the body with its length, not that of its buffer.",
     wraps},
    {WebhookCause::body_percent_encoded, undo_percent, suspect_percent,
     "Verify the raw body. Take it before anything reads it as a form, and save it as it is.", wraps},
    {WebhookCause::body_base64, undo_base64, suspect_base64,
     "Decode it before you verify. API gateways mark such a body, as with isBase64Encoded.", wraps},
    {WebhookCause::body_json_string, undo_json_string, suspect_json_string,
     "Verify the raw body. Let nothing make a JSON string of it.", wraps},
    {WebhookCause::body_reserialized, undo_serialization, nullptr,
     "Verify the raw body that came, before anything parses it. JSON that is written again has other bytes."},
    {WebhookCause::body_charset, undo_charset, suspect_charset,
     "Verify the raw bytes, before anything decodes them. If something must, let it read and write UTF-8.", wraps},
};

// An index, since g++ -fsanitize=undefined cannot compare addresses in a constant expression.
constexpr std::size_t index_of_entry(WebhookCause cause) noexcept {
  std::size_t index = 0;
  while (index < std::size(cause_entries) && cause_entries[index].cause != cause) ++index;
  return index;
}

constexpr bool each_cause_has_an_entry() noexcept {
  for (int value = 0;; ++value) {
    const auto cause = static_cast<WebhookCause>(value);
    if (cause != WebhookCause::unknown && to_string(cause) == "unknown") return true;  // none has this value
    if (index_of_entry(cause) == std::size(cause_entries)) return false;
  }
}
static_assert(each_cause_has_an_entry(), "cause_entries lacks a WebhookCause");

inline WebhookFinding finding_of(WebhookCause cause, bool proven, std::string_view what) {
  return {cause, proven, std::string(what), cause_entries[index_of_entry(cause)].remedy};
}

/// A search for causes that make a request right once they are undone.
struct cause_search {
  bool (*is_right)(const candidate&);
  std::vector<WebhookCause> among = {};  // empty for all

  /// The fewest such causes, at most three. Empty if there are none.
  [[nodiscard]] std::vector<WebhookFinding> fewest_causes(const candidate& request) const {
    std::vector<WebhookFinding> found;
    for (int count = 1; count <= 3 && found.empty(); ++count) found = undo(request, count, 0, {});
    return found;
  }

 private:
  static bool contains(const std::vector<WebhookCause>& causes, WebhookCause cause) {
    return std::find(causes.begin(), causes.end(), cause) != causes.end();
  }

  /// Undoes `count` more causes, from the entry `next` on.
  std::vector<WebhookFinding> undo(const candidate& request, int count, std::size_t next,
                                   const std::vector<WebhookCause>& undone) const {
    std::vector<WebhookFinding> found;
    for (; next < std::size(cause_entries) && found.empty(); ++next) {
      const auto& entry = cause_entries[next];
      const bool is_searched = among.empty() || contains(among, entry.cause);
      if (entry.undo == nullptr || !is_searched || contains(undone, entry.cause)) continue;
      auto undone_now = undone;
      undone_now.push_back(entry.cause);
      entry.undo(request, [&](const candidate& changed, std::string_view what) {
        if (!found.empty() || changed.budget->is_exceeded()) return;
        if (count > 1) found = undo(changed, count - 1, entry.wraps ? 0 : next + 1, undone_now);
        if (count > 1 ? !found.empty() : is_right(changed))
          found.insert(found.begin(), finding_of(entry.cause, is_right == is_accepted, what));
      });
    }
    return found;
  }
};

inline std::vector<WebhookFinding> suspected_causes(const candidate& request) {
  std::vector<WebhookFinding> suspected;
  const auto add = [&suspected](const std::vector<WebhookFinding>& findings) {
    suspected.insert(suspected.end(), findings.begin(), findings.end());
  };
  for (const auto& entry : cause_entries) {
    const std::string what = entry.suspect == nullptr ? "" : entry.suspect(request);
    if (!what.empty()) add({finding_of(entry.cause, false, what)});
  }
  const cause_search of_signature{has_good_signature,
                                  {WebhookCause::signature_form_decoded, WebhookCause::signature_hexadecimal,
                                   WebhookCause::signature_url_safe, WebhookCause::signature_without_version}};
  if (!has_good_signature(request)) add(of_signature.fewest_causes(request));
  const cause_search of_secret{
      has_key,
      {WebhookCause::secret_decorated, WebhookCause::secret_url_safe, WebhookCause::secret_encoded_twice}};
  if (!has_key(request)) {
    const auto found = of_secret.fewest_causes(request);
    add(found);
    if (found.empty()) {
      add({finding_of(WebhookCause::secret_malformed, false,
                      "The verifier refuses the secret: " + message_of(key_in(request.secret).fault) + ".")});
    }
  }
  if (suspected.empty() && check_id(request.headers.id) && is_signed(request)) {
    add({{WebhookCause::unknown, false,
          "The signature is right, but the verifier refuses the " + message_of(check_id(request.headers.id)) + ".",
          "Send another id: in what is signed, the id ends at the first dot."}});
  }
  return suspected;
}

inline std::vector<WebhookFinding> diagnose_received(std::string_view secret, std::string_view body,
                                                     const header_views& headers, const header_list& all_headers,
                                                     std::chrono::system_clock::time_point now,
                                                     work_budget& budget) {
  if (headers.contradicted < header_count) {
    return {{WebhookCause::unknown, false,
             "The verifier refuses the headers: " + message_of(check_headers(headers)) + ".",
             "Find out what sends a header twice, or puts two requests together."}};
  }
  const auto made = key_in(secret);
  if (made.fault.openssl) {
    return {{WebhookCause::unknown, false, message_of(made.fault) + ".",
             "Look at OpenSSL's configuration and its providers."}};
  }
  const hmac_sha256* const key = made.key ? &*made.key : nullptr;
  const candidate request{secret, body,         headers, headers.timestamp, seconds_since_1970(now),
                          key,    &all_headers, &budget};
  // Not is_accepted(): a large body may exceed its budget.
  if (key != nullptr && !check_headers_and_time(headers, WebhookVerifier::default_tolerance, request.now) &&
      !check_signature(headers, body, *key)) {
    return {finding_of(WebhookCause::verified, true, "The request verifies.")};
  }
  // These come first: they take little of the budget, and the search may exceed it.
  auto findings = suspected_causes(request);
  if (auto proven = cause_search{is_accepted}.fewest_causes(request); !proven.empty())
    findings = std::move(proven);
  if (findings.empty()) {
    findings.push_back(finding_of(
        WebhookCause::unknown, false,
        budget.is_exceeded() ? "No signature matched before the search had to stop, since the request is so large."
                             : "No signature matches, whatever was tried. Probably the secret is that of another "
                               "endpoint or environment, or the body was changed."));
  }
  return findings;
}

}  // namespace detail

template <class Headers>
std::vector<WebhookFinding> diagnose(std::string_view secret, std::string_view body, Headers&& headers,
                                     std::chrono::system_clock::time_point now) {
  detail::header_list all_headers;
  detail::work_budget budget;
  const auto diagnose_with = [&](const detail::header_views& received) {
    return detail::diagnose_received(secret, body, received, all_headers, now, budget);
  };
  if constexpr (detail::is_range_of_pairs<Headers> &&
                !std::is_base_of_v<WebhookHeaders, std::remove_reference_t<Headers>> &&
                !detail::is_lookup<Headers>) {
    for (const auto& [name, value] : headers)
      all_headers.emplace_back(detail::text_of(name), detail::text_of(value));
    return detail::with_headers(all_headers, diagnose_with);
  } else {
    return detail::with_headers(headers, diagnose_with);
  }
}

}  // namespace anthropic::webhooks
