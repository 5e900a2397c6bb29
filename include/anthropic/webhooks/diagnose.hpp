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
  secret_decorated,           ///< Right without quotes, whitespace, a byte-order mark or other secrets beside it.
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
  body_base64,                ///< The body is base64 of the body, as some API gateways have it.
  body_json_string,           ///< The body is a JSON string that holds the body.
  body_nul,                   ///< NUL bytes were added at the end.
  body_length,                ///< The body is shorter or longer than its Content-Length says. Never proven.
  secret_encoded_twice,       ///< The secret is base64 of the secret, as a Kubernetes manifest has it.
  timestamp_malformed,        ///< The timestamp is neither of the above, nor whole seconds. Never proven.
  signature_form_decoded,     ///< Each + of the signature became a space, or it is percent-encoded.
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
/// It takes what WebhookVerifier and its unwrap() take. If a signature matches then, it returns only the causes
/// that were undone, as proven. Otherwise it returns all that looks wrong. The result is never empty: if there is
/// nothing else, it is `verified` or `unknown`. `other_header_names` and `body_length` need a range of headers.
/// The clock is checked with the default tolerance.
///
/// No finding shows a part of a secret, a key, an expected signature or the body, nor of a header but the number
/// in Content-Length. Nor does one help a forger. Only a signature that was made with the secret can match, and
/// everything else is in the request, which the forger wrote. But what is wrong with your secret is for your log,
/// not for an answer.
///
/// It is slow, but its work is bounded: after it has verified the request as it is, it writes and hashes at most
/// 512 MiB in all, which takes a few seconds at most. It does not write JSON of more than 1 MiB in other ways.
/// Safe to call from any thread.
/// @throws std::bad_alloc, and what the lookup function `headers` throws.
template <class Headers = WebhookHeaders>
[[nodiscard]] std::vector<WebhookFinding> diagnose(
    std::string_view secret, std::string_view body, const Headers& headers,
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

// ---------------------------------------------------------------------------------------------------

namespace detail {

struct cause_entry {
  WebhookCause cause;
  std::string_view name;
  undo_function undo;  // null where no signature proves the cause
  /// A sentence if the request looks as if this was the cause, although no signature proves it; else "".
  std::string (*suspect)(const diagnosed&);
  const char* remedy;
  /// If set, the search goes on at the entry with this function: what was wrapped may have an earlier cause.
  undo_function first_inside = nullptr;
};

/// The causes in the order in which they are undone. To add one, append it to WebhookCause, write its functions in
/// detail/diagnose/causes/ and an entry here, and name it in each_cause_has_an_entry() as the last.
inline constexpr cause_entry cause_entries[] = {
    {WebhookCause::verified, "verified", nullptr, nullptr, "Nothing is to be done."},
    {WebhookCause::unknown, "unknown", nullptr, nullptr,
     "Compare the secret with that of the endpoint, to its end: the service's have 50 characters. Log the length "
     "of the body, and compare it with the Content-Length."},
    {WebhookCause::headers_missing, "headers_missing", nullptr, suspect_missing,
     "Log the names of the headers that arrive: a proxy may drop some. The service signs all that it sends."},
    {WebhookCause::other_header_names, "other_header_names", undo_other_names, suspect_other_names,
     "Send the request as Standard Webhooks names its headers, or map the names before you verify."},
    {WebhookCause::id_and_timestamp_swapped, "id_and_timestamp_swapped", undo_swap, suspect_swap,
     "Swap the two values where WebhookHeaders is filled."},
    {WebhookCause::timestamp_in_milliseconds, "timestamp_in_milliseconds", undo_milliseconds, suspect_milliseconds,
     "Sign and send whole seconds since 1970."},
    {WebhookCause::timestamp_malformed, "timestamp_malformed", nullptr, suspect_malformed_timestamp,
     "Sign and send whole seconds since 1970, such as 1773568800. Let nothing parse the header before."},
    {WebhookCause::clock, "clock", undo_clock, nullptr,
     "Set the receiver's clock by NTP, and take its time in UTC. For a saved request, give the time at which it "
     "came."},
    {WebhookCause::signature_form_decoded, "signature_form_decoded", undo_form_decoding, suspect_form_decoding,
     "Take the header as it came. Let nothing decode or encode it as a form or URL."},
    {WebhookCause::signature_hexadecimal, "signature_hexadecimal", undo_hexadecimal, suspect_hexadecimal,
     "Send base64 after \"v1,\", and not hexadecimal digits."},
    {WebhookCause::signature_url_safe, "signature_url_safe", undo_url_safe_signature, suspect_url_safe_signature,
     "Send standard base64, with + and / and the = at the end."},
    {WebhookCause::signature_without_version, "signature_without_version", undo_lack_of_version,
     suspect_lack_of_version, "Send \"v1,\" before the base64."},
    {WebhookCause::secret_malformed, "secret_malformed", nullptr, suspect_malformed_secret,
     "Copy the signing secret of this endpoint again, whsec_ and base64."},
    {WebhookCause::secret_decorated, "secret_decorated", undo_decoration, suspect_decoration,
     "Take out what does not belong to the secret, and pass several secrets as a list."},
    {WebhookCause::secret_url_safe, "secret_url_safe", undo_url_safe_secret, suspect_url_safe_secret,
     "Write + for - and / for _ in the secret."},
    {WebhookCause::secret_encoded_twice, "secret_encoded_twice", undo_second_encoding, suspect_second_encoding,
     "Decode it once. Kubernetes decodes the data of a Secret when a container reads it, but not what you copy.",
     undo_decoration},
    {WebhookCause::secret_used_as_text, "secret_used_as_text", undo_use_as_text, nullptr,
     "Let the sender decode the secret. If that cannot be, make the verifier with from_raw_key()."},
    {WebhookCause::body_empty, "body_empty", nullptr, suspect_empty,
     "Take the raw body before a framework or middleware reads it."},
    {WebhookCause::body_length, "body_length", nullptr, suspect_length,
     "Read the body to its end, and once. Something may also have decoded it, or cut it off."},
    {WebhookCause::body_compressed, "body_compressed", nullptr, suspect_compressed,
     "Verify the bytes that were signed. Let nothing between compress the body."},
    {WebhookCause::body_byte_order_mark, "body_byte_order_mark", undo_byte_order_mark, nullptr,
     "Verify the raw body, byte for byte. Let nothing add or drop a mark."},
    {WebhookCause::body_newline, "body_newline", undo_newline, nullptr,
     "Verify the raw body, byte for byte. Text tools add a trailing newline, and readers of lines drop one."},
    {WebhookCause::body_line_endings, "body_line_endings", undo_line_endings, nullptr,
     "Verify the raw body, and open files in binary mode."},
    {WebhookCause::body_nul, "body_nul", undo_nul, suspect_nul,
     "Pass the body with its length, not that of the buffer which it is in.", undo_byte_order_mark},
    {WebhookCause::body_percent_encoded, "body_percent_encoded", undo_percent, suspect_percent,
     "Verify the raw body. Take it before anything reads it as a form, and save it as it is.",
     undo_byte_order_mark},
    {WebhookCause::body_base64, "body_base64", undo_base64, suspect_base64,
     "Decode it before you verify. API gateways mark such a body, as with isBase64Encoded.", undo_byte_order_mark},
    {WebhookCause::body_json_string, "body_json_string", undo_json_string, suspect_json_string,
     "Verify the raw body. Let nothing make a JSON string of it.", undo_byte_order_mark},
    {WebhookCause::body_reserialized, "body_reserialized", undo_serialization, nullptr,
     "Verify the raw body that came, before anything parses it. JSON that is written again has other bytes."},
};

// An index, since g++ -fsanitize=undefined cannot compare addresses in a constant expression.
constexpr std::size_t index_of_entry(WebhookCause cause) noexcept {
  std::size_t index = 0;
  while (index < std::size(cause_entries) && cause_entries[index].cause != cause) ++index;
  return index;
}

constexpr bool each_cause_has_an_entry() noexcept {
  constexpr auto count = static_cast<std::size_t>(WebhookCause::signature_form_decoded) + 1;
  bool result = std::size(cause_entries) == count;
  for (std::size_t i = 0; i < count; ++i) result = result && index_of_entry(static_cast<WebhookCause>(i)) < count;
  return result;
}
static_assert(each_cause_has_an_entry(), "cause_entries lacks a cause, or it is not named as the last");

inline WebhookFinding finding_of(WebhookCause cause, bool proven, std::string_view what) {
  return {cause, proven, std::string(what), cause_entries[index_of_entry(cause)].remedy};
}

/// Undoes `most` causes at once, and keeps those that made the request right.
class cause_search {
 public:
  cause_search(const diagnosed& request, std::size_t most) : work_(*request.work), most_(most) {
    from(request, std::begin(cause_entries));
  }

  [[nodiscard]] std::vector<WebhookFinding>& findings() { return findings_; }

 private:
  struct undone {
    WebhookCause cause;
    std::string_view what;
  };

  /// Goes on from a request in which something is undone.
  void from(const diagnosed& request, const cause_entry* next) {
    for (; next != std::end(cause_entries) && !work_.is_over(); ++next) {
      const auto following = static_cast<std::size_t>(std::end(cause_entries) - next);
      const bool goes_back = next->first_inside != nullptr;
      const bool too_few_follow = undone_.size() + following < most_ && !goes_back;
      if (next->undo == nullptr || too_few_follow || is_undone(next->cause)) continue;
      next->undo(request, [&](const diagnosed& changed, std::string_view what) {
        if (work_.is_over()) return;
        undone_.push_back({next->cause, what});
        if (undone_.size() < most_) {
          from(changed, goes_back ? entry_that_undoes(next->first_inside) : next + 1);
        } else if (is_accepted(changed)) {
          for (const auto& [cause, its] : undone_) findings_.push_back(finding_of(cause, true, its));
          work_.stop();
        }
        undone_.pop_back();
      });
    }
  }

  static const cause_entry* entry_that_undoes(undo_function undo) {
    return std::find_if(std::begin(cause_entries), std::end(cause_entries),
                        [undo](const cause_entry& entry) { return entry.undo == undo; });
  }

  [[nodiscard]] bool is_undone(WebhookCause cause) const {
    return std::any_of(undone_.begin(), undone_.end(), [cause](const undone& one) { return one.cause == cause; });
  }

  diagnosis_work& work_;
  std::size_t most_;
  std::vector<undone> undone_;
  std::vector<WebhookFinding> findings_;
};

inline std::vector<WebhookFinding> proven_causes(const diagnosed& request) {
  std::vector<WebhookFinding> proven;
  for (std::size_t most = 1; most <= 3 && proven.empty(); ++most)
    proven = std::move(cause_search(request, most).findings());
  return proven;
}

inline std::vector<WebhookFinding> suspected_causes(const diagnosed& request) {
  std::vector<WebhookFinding> suspected;
  for (const auto& entry : cause_entries) {
    const std::string what = entry.suspect == nullptr ? "" : entry.suspect(request);
    if (!what.empty()) suspected.push_back(finding_of(entry.cause, false, what));
  }
  if (suspected.empty() && check_id(request.id) && is_signed(request)) {
    suspected.push_back(
        {WebhookCause::unknown, false,
         "The signature is right, but the verifier refuses the " + message_of(check_id(request.id)) + ".",
         "Send another id: in what is signed, the id ends at the first dot."});
  }
  return suspected;
}

inline WebhookFinding unknown_cause(bool gave_up) {
  return finding_of(
      WebhookCause::unknown, false,
      gave_up ? "No signature matches, of what was tried until it was too much work for a request so large."
              : "No signature matches, whatever was tried. Probably the secret is that of another "
                "endpoint or environment, or the body was changed.");
}

inline std::vector<WebhookFinding> diagnose_parts(std::string_view secret, std::string_view body,
                                                  const received_headers& headers, const header_list& names,
                                                  std::chrono::system_clock::time_point now,
                                                  diagnosis_work& work) {
  if (headers.contradicted < header_count) {
    return {{WebhookCause::unknown, false,
             "The verifier refuses the headers: " + message_of(check_headers(headers)) + ".",
             "Find out what sends a header twice, or puts two requests together."}};
  }
  const auto made = key_in(secret);
  if (made.fault.problem == secret_problem::no_hmac) {
    return {{WebhookCause::unknown, false, "OpenSSL has no HMAC-SHA256, or no memory.",
             "Look at OpenSSL's configuration and its providers."}};
  }
  const auto& key = made.key;
  const diagnosed request{secret,
                          body,
                          headers.id,
                          headers.timestamp,
                          headers.signature,
                          headers.timestamp,
                          seconds_since_1970(now),
                          key ? &*key : nullptr,
                          &names,
                          &work};
  if (key && !check_headers_and_time(headers, WebhookVerifier::default_tolerance, request.now) &&
      !check_signature(headers, body, *key))
    return {finding_of(WebhookCause::verified, true, "The request verifies.")};
  // These come first: they take little of the work that may be done, and the search may take all of it.
  auto suspected = suspected_causes(request);
  auto proven = proven_causes(request);
  if (proven.empty() && suspected.empty()) suspected.push_back(unknown_cause(work.is_over()));
  return proven.empty() ? std::move(suspected) : std::move(proven);
}

}  // namespace detail

constexpr std::string_view to_string(WebhookCause cause) noexcept {
  const std::size_t index = detail::index_of_entry(cause);
  return index < std::size(detail::cause_entries) ? detail::cause_entries[index].name : "unknown";
}

template <class Headers>
std::vector<WebhookFinding> diagnose(std::string_view secret, std::string_view body, const Headers& headers,
                                     std::chrono::system_clock::time_point now) {
  detail::header_list names;
  detail::diagnosis_work work;
  const auto diagnose_received = [&](const detail::received_headers& received) {
    return detail::diagnose_parts(secret, body, received, names, now, work);
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
