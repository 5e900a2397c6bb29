// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anthropic::webhooks {

namespace detail {
template <class T>
struct is_text;
}  // namespace detail

/// The value of a header, as a view. If it was made from a temporary string, it keeps a copy, so that the view
/// does not dangle.
class WebhookHeaderValue : public std::string_view {
 public:
  /// An absent header.
  WebhookHeaderValue() = default;

  /// Takes a string, a view, a `const char*`, or anything else with data() and size() of characters; also an
  /// optional or a pointer of one of these. Null, or nothing in the optional, is an absent header.
  template <class Text, class = std::enable_if_t<detail::is_text<std::decay_t<Text>>::value &&
                                                 !std::is_base_of_v<WebhookHeaderValue, std::decay_t<Text>>>>
  WebhookHeaderValue(Text&& text);

 private:
  std::shared_ptr<const std::string> kept_;
};

/// The values of the headers webhook-id, webhook-timestamp and webhook-signature.
struct WebhookHeaders {
  WebhookHeaderValue id, timestamp, signature;
};

/// Finds the three headers in a range of name and value pairs, such as a map, by names in any letter case. Blanks
/// around a value are dropped. Several webhook-signature headers are one list. The values are views into the
/// range. They are copies if the range is a temporary, or makes its elements as they are asked for.
/// @throws WebhookVerificationError for a header that is absent or empty, an id with a dot in it, and for an id or
///     timestamp that is there twice with different values.
template <class Range>
[[nodiscard]] WebhookHeaders webhook_headers(const Range& name_value_pairs);
template <class Range>
[[nodiscard]] WebhookHeaders webhook_headers(const Range&& name_value_pairs);

// ---------------------------------------------------------------------------------------------------

namespace detail {

// Text.

template <class T, class = void>
inline constexpr bool has_characters = false;
template <class T>
inline constexpr bool has_characters<
    T, std::void_t<decltype(std::declval<const T&>().data()), decltype(std::declval<const T&>().size())>> =
    std::is_convertible_v<decltype(std::declval<const T&>().data()), const char*>;

template <class T, class = void>
inline constexpr bool is_nullable = false;
template <class T>
inline constexpr bool is_nullable<T, std::void_t<std::enable_if_t<!std::is_void_v<std::remove_pointer_t<T>>>,
                                                 decltype(*std::declval<const T&>())>> =
    std::is_constructible_v<bool, const T&>;

/// The characters of a name or a value. For what is no text it returns nothing.
template <class T>
auto text_of([[maybe_unused]] const T& value) {
  if constexpr (std::is_null_pointer_v<T>) {
    return std::string_view();
  } else if constexpr (has_characters<T>) {
    return std::string_view(value.data(), static_cast<std::size_t>(value.size()));
  } else if constexpr (std::is_convertible_v<const T&, const char*>) {
    const char* const text = value;
    return text == nullptr ? std::string_view() : std::string_view(text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    const std::string_view text = value;
    return text;
  } else if constexpr (is_nullable<T>) {
    if constexpr (is_text<std::decay_t<decltype(*value)>>::value) {
      return value ? text_of(*value) : std::string_view();
    }
  }
}

template <class T>
struct is_text : std::is_same<decltype(text_of(std::declval<const T&>())), std::string_view> {};

inline void trim(std::string_view& text) noexcept {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix((std::min)(text.find_first_not_of(blanks), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(blanks) + 1));
}

inline bool equal_ignoring_case(std::string_view name, std::string_view lower) noexcept {
  const auto to_lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [&](char a, char b) { return to_lower(a) == b; });
}

// A function from a name to its value.

template <class T, class = void>
inline constexpr bool is_look_up = false;
template <class T>
inline constexpr bool is_look_up<T, std::enable_if_t<std::is_invocable_v<const T&, const char*>>> =
    is_text<std::decay_t<std::invoke_result_t<const T&, const char*>>>::value;

template <class LookUp>
WebhookHeaderValue look_up(const LookUp& headers, std::string_view name) {
  WebhookHeaderValue value(headers(name.data()));
  trim(value);
  return value;
}

// A range of name and value pairs.

template <class T, class = void>
inline constexpr std::size_t tuple_size = 0;
template <class T>
inline constexpr std::size_t tuple_size<T, std::void_t<decltype(std::tuple_size<T>::value)>> =
    std::tuple_size<T>::value;

template <class T>
inline constexpr bool is_pair = false;
template <class Name, class Value>
inline constexpr bool is_pair<std::pair<Name, Value>> = true;

template <class Range>
using iterator_of = decltype(std::begin(std::declval<const Range&>()));
template <class Range>
using reference_of = decltype(*std::declval<iterator_of<Range>&>());
template <class Range>
using element_of = std::decay_t<reference_of<Range>>;

/// Whether each element can be bound to a name and a value.
template <class Range, class = void>
inline constexpr bool is_range_of_pairs = false;
template <class Range>
inline constexpr bool is_range_of_pairs<Range, std::void_t<reference_of<Range>>> =
    tuple_size<element_of<Range>> == 2 ||
    (tuple_size<element_of<Range>> == 0 && std::is_aggregate_v<element_of<Range>>);

/// Whether names and values are there for as long as the range is, and not only while an iterator is at them.
template <class Range, class = void>
inline constexpr bool has_lasting_elements = false;
template <class Range>
inline constexpr bool has_lasting_elements<
    Range, std::void_t<typename std::iterator_traits<iterator_of<Range>>::iterator_category>> =
    std::is_base_of_v<std::forward_iterator_tag,
                      typename std::iterator_traits<iterator_of<Range>>::iterator_category>&&
        std::is_lvalue_reference_v<reference_of<Range>> &&
    (is_pair<element_of<Range>> || tuple_size<element_of<Range>> == 0);

[[noreturn]] inline void fail_verification(WebhookErrc code, const std::string& message) {
  throw WebhookVerificationError(code, "", message);
}

inline constexpr std::array<std::string_view, 3> header_names{"webhook-id", "webhook-timestamp",
                                                              "webhook-signature"};

/// Views into the range where that is `lasting`, else copies.
template <class Range>
WebhookHeaders find_headers(const Range& pairs, bool lasting) {
  static_assert(is_range_of_pairs<Range>, "headers: pass a range of name and value pairs, such as a map");
  WebhookHeaders headers;
  const std::array values{&headers.id, &headers.timestamp, &headers.signature};
  std::array<bool, header_names.size()> found{};
  std::string signatures;  // where there are several
  for (const auto& [name, value] : pairs) {
    static_assert(is_text<std::decay_t<decltype(name)>>::value && is_text<std::decay_t<decltype(value)>>::value,
                  "headers: the names and values in the range must be strings, or views of characters");
    for (std::size_t i = 0; i < header_names.size(); ++i) {
      if (!equal_ignoring_case(text_of(name), header_names[i])) continue;
      std::string_view text = text_of(value);
      trim(text);
      if (!std::exchange(found[i], true)) {
        *values[i] = lasting ? WebhookHeaderValue(text) : WebhookHeaderValue(std::string(text));
      } else if (values[i] == &headers.signature) {
        if (signatures.empty()) signatures = headers.signature;
        signatures.append(" ").append(text);
      } else if (*values[i] != text) {
        fail_verification(WebhookErrc::invalid_header,
                          std::string(header_names[i]) + " header: there twice, with different values");
      }
    }
  }
  if (!signatures.empty()) headers.signature = std::move(signatures);
  trim(headers.signature);
  return headers;
}

/// A header that tells that the sender uses other names, or "" where there is none.
template <class Headers>
std::string_view find_relative(const Headers& headers) {
  if constexpr (is_range_of_pairs<Headers> && has_lasting_elements<Headers>) {
    for (const auto& [name, value] : headers) {
      for (const std::string_view relative :
           {"svix-id", "svix-timestamp", "svix-signature", "x-webhook-id", "x-webhook-timestamp",
            "x-webhook-signature", "x-signature", "x-hub-signature-256"}) {
        if (equal_ignoring_case(text_of(name), relative)) return relative;
      }
    }
  }
  return {};
}

/// The three headers, in any of the forms that the functions of WebhookVerifier take.
template <class Headers>
decltype(auto) headers_of(const Headers& headers) {
  constexpr bool is_by_hand = std::is_base_of_v<WebhookHeaders, Headers>;
  static_assert(
      is_by_hand || is_look_up<Headers> || is_range_of_pairs<Headers>,
      "headers: pass a range of name and value pairs, a function from a name (const char*) to its value, "
      "or WebhookHeaders");
  if constexpr (is_by_hand) {
    return static_cast<const WebhookHeaders&>(headers);
  } else if constexpr (is_look_up<Headers>) {
    return WebhookHeaders{look_up(headers, header_names[0]), look_up(headers, header_names[1]),
                          look_up(headers, header_names[2])};
  } else if constexpr (is_range_of_pairs<Headers>) {
    return find_headers(headers, has_lasting_elements<Headers>);
  } else {
    return WebhookHeaders();
  }
}

/// Throws unless each of the three headers is there. `all` is what they were found in.
template <class Headers>
void require_headers(const WebhookHeaders& found, const Headers& all) {
  const std::array<std::string_view, header_names.size()> values{found.id, found.timestamp, found.signature};
  for (std::size_t i = 0; i < header_names.size(); ++i) {
    if (!values[i].empty()) continue;
    const std::string relative(find_relative(all));
    fail_verification(
        WebhookErrc::missing_header,
        std::string(header_names[i]) + " header: missing" +
            (relative.empty() ? "" : "; there is " + relative + ", which Standard Webhooks does not use"));
  }
  // What is signed is id.timestamp.body. With a dot in the id, an attacker could split it at another dot, and so
  // change the timestamp.
  if (found.id.find('.') != std::string_view::npos) {
    fail_verification(WebhookErrc::invalid_header, "webhook-id header: there is a dot in it");
  }
}

}  // namespace detail

template <class Text, class>
WebhookHeaderValue::WebhookHeaderValue(Text&& text) : std::string_view(detail::text_of(text)) {
  // A pointer or a view needs no destructor, and has no room for the characters of a signature.
  constexpr bool is_view = std::is_trivially_destructible_v<Text> && sizeof(Text) <= 4 * sizeof(void*);
  if constexpr (!std::is_reference_v<Text> && !is_view) {
    kept_ = std::make_shared<const std::string>(*this);
    std::string_view::operator=(*kept_);
  }
}

template <class Range>
WebhookHeaders webhook_headers(const Range& name_value_pairs) {
  auto headers = detail::find_headers(name_value_pairs, detail::has_lasting_elements<Range>);
  detail::require_headers(headers, name_value_pairs);
  return headers;
}

template <class Range>
WebhookHeaders webhook_headers(const Range&& name_value_pairs) {
  auto headers = detail::find_headers(name_value_pairs, false);
  detail::require_headers(headers, name_value_pairs);
  return headers;
}

}  // namespace anthropic::webhooks
