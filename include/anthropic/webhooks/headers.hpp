// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anthropic::webhooks {

namespace detail {
template <class T>
struct is_text;
}

/// The value of a header, as a view. It keeps a copy of what would be gone otherwise, such as a string returned by
/// value, so it never dangles before the request itself.
class WebhookHeaderValue : public std::string_view {
 public:
  /// A header that is absent.
  WebhookHeaderValue() = default;

  /// Takes a string, a view, a `const char*`, or anything else with data() and size() of characters, and an
  /// optional or a pointer of one of these. Null, or an empty optional, is a header that is absent.
  template <class Text, class = std::enable_if_t<detail::is_text<std::decay_t<Text>>::value &&
                                                 !std::is_base_of_v<WebhookHeaderValue, std::decay_t<Text>>>>
  WebhookHeaderValue(Text&& text);  // NOLINT(google-explicit-constructor): it is what WebhookHeaders{…} is for

 private:
  std::shared_ptr<const std::string> kept_;
};

/// The values of the headers webhook-id, webhook-timestamp and webhook-signature.
struct WebhookHeaders {
  WebhookHeaderValue id, timestamp, signature;
};

/// Finds the three headers in a range of name and value pairs, such as a map, by names in any letter case. Blanks
/// around a value are dropped. What it returns are views into the range, or copies where the range is a temporary.
/// @throws WebhookVerificationError for a header that is absent, empty, or there twice with different values;
/// except
///     that several webhook-signature headers are one list.
template <class Range>
[[nodiscard]] WebhookHeaders webhook_headers(const Range& name_value_pairs);
template <class Range>
[[nodiscard]] WebhookHeaders webhook_headers(const Range&& name_value_pairs);

// ---------------------------------------------------------------------------------------------------

namespace detail {

[[noreturn]] inline void fail_verification(WebhookErrc code, const std::string& message) {
  throw WebhookVerificationError(code, "", message);
}

template <class T, class = void>
struct has_data : std::false_type {};
template <class T>
struct has_data<T,
                std::void_t<decltype(std::declval<const T&>().data()), decltype(std::declval<const T&>().size())>>
    : std::is_convertible<decltype(std::declval<const T&>().data()), const char*> {};

template <class T, class = void>
struct is_nullable : std::false_type {};
template <class T>
struct is_nullable<T, std::void_t<decltype(*std::declval<const T&>())>> : std::is_constructible<bool, const T&> {};

/// The characters of a header's name or value. It returns nothing for a type that is no text.
template <class T>
auto text_of([[maybe_unused]] const T& value) {
  if constexpr (std::is_null_pointer_v<T>) {
    return std::string_view();
  } else if constexpr (has_data<T>::value) {
    return std::string_view(value.data(), static_cast<std::size_t>(value.size()));
  } else if constexpr (std::is_convertible_v<const T&, const char*>) {
    const char* const text = value;
    return text == nullptr ? std::string_view() : std::string_view(text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (is_nullable<T>::value) {
    using result = decltype(text_of(*value));
    if constexpr (!std::is_void_v<result>) return value ? text_of(*value) : std::string_view();
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

template <class T, class = void>
struct is_tuple_like : std::false_type {};
template <class T>
struct is_tuple_like<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {};

template <class T>
struct is_std_pair : std::false_type {};
template <class A, class B>
struct is_std_pair<std::pair<A, B>> : std::true_type {};

template <class T>
constexpr bool binds_two_names() {
  if constexpr (is_tuple_like<T>::value) {
    return std::tuple_size<T>::value == 2;
  } else {
    return std::is_aggregate_v<T>;
  }
}

template <class T, class = void>
struct is_range_of_pairs : std::false_type {};
template <class T>
struct is_range_of_pairs<
    T, std::void_t<decltype(*std::begin(std::declval<const T&>())), decltype(std::end(std::declval<const T&>()))>>
    : std::bool_constant<binds_two_names<std::decay_t<decltype(*std::begin(std::declval<const T&>()))>>()> {};

/// Whether the elements are there as long as the range is, and not only while they are looked at.
template <class Iterator, class = void>
struct has_lasting_elements : std::false_type {};
template <class Iterator>
struct has_lasting_elements<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>> {
  using reference = decltype(*std::declval<Iterator&>());
  using element = std::decay_t<reference>;
  static constexpr bool value =
      std::is_lvalue_reference_v<reference> &&
      std::is_base_of_v<std::forward_iterator_tag, typename std::iterator_traits<Iterator>::iterator_category> &&
      (is_std_pair<element>::value || !is_tuple_like<element>::value);
};

constexpr std::array<const char*, 3> header_names{"webhook-id", "webhook-timestamp", "webhook-signature"};

/// The three headers in a range of pairs. `lasting` is false where views into the range would dangle.
template <class Range>
WebhookHeaders find_headers(const Range& pairs, bool lasting) {
  WebhookHeaders headers;
  const std::array<WebhookHeaderValue*, 3> values{&headers.id, &headers.timestamp, &headers.signature};
  std::array<bool, 3> found{};
  std::string signatures;  // where there are several lines
  lasting = lasting && has_lasting_elements<decltype(std::begin(pairs))>::value;

  for (const auto& [name, value] : pairs) {
    static_assert(is_text<std::decay_t<decltype(name)>>::value && is_text<std::decay_t<decltype(value)>>::value,
                  "headers: the names and the values of the pairs must be text");
    const std::string_view name_text = text_of(name);
    for (std::size_t i = 0; i < header_names.size(); ++i) {
      if (!equal_ignoring_case(name_text, header_names[i])) continue;
      std::string_view text = text_of(value);
      trim(text);
      if (!std::exchange(found[i], true)) {
        *values[i] = lasting ? WebhookHeaderValue(text) : WebhookHeaderValue(std::string(text));
      } else if (values[i] == &headers.signature) {
        if (signatures.empty()) signatures = headers.signature;
        signatures.append(",").append(text);
      } else if (*values[i] != text) {
        fail_verification(WebhookErrc::invalid_header,
                          std::string(header_names[i]) + " header: there twice, with different values");
      }
    }
  }
  if (!signatures.empty()) headers.signature = std::move(signatures);
  return headers;
}

inline void require_header(const char* name, std::string_view value) {
  if (value.empty()) fail_verification(WebhookErrc::missing_header, std::string(name) + " header: missing");
}

inline void require_headers(const WebhookHeaders& headers) {
  require_header("webhook-id", headers.id);
  require_header("webhook-timestamp", headers.timestamp);
  require_header("webhook-signature", headers.signature);
  // Else what is signed, id.timestamp.body, could be split at another dot, and pass as signed at another time.
  if (headers.id.find('.') != std::string_view::npos) {
    fail_verification(WebhookErrc::invalid_header, "webhook-id header: there is a dot in it");
  }
}

template <class LookUp>
WebhookHeaderValue look_up(const LookUp& headers, const char* name) {
  WebhookHeaderValue value(headers(name));
  trim(value);
  return value;
}

template <class T, class = void>
struct is_look_up : std::false_type {};
template <class T>
struct is_look_up<T, std::void_t<decltype(std::declval<const T&>()(std::declval<const char*>()))>>
    : is_text<std::decay_t<decltype(std::declval<const T&>()(std::declval<const char*>()))>> {};

/// The three headers, in any of the forms that the functions of WebhookVerifier take.
template <class Headers>
decltype(auto) headers_of(const Headers& headers) {
  constexpr bool by_hand = std::is_base_of_v<WebhookHeaders, Headers>;
  static_assert(
      by_hand || is_look_up<Headers>::value || is_range_of_pairs<Headers>::value,
      "headers: pass a range of name and value pairs, a function from a name (const char*) to its value, "
      "or WebhookHeaders");
  if constexpr (by_hand) {
    return static_cast<const WebhookHeaders&>(headers);
  } else if constexpr (is_look_up<Headers>::value) {
    return WebhookHeaders{look_up(headers, "webhook-id"), look_up(headers, "webhook-timestamp"),
                          look_up(headers, "webhook-signature")};
  } else if constexpr (is_range_of_pairs<Headers>::value) {
    return find_headers(headers, true);
  } else {
    return WebhookHeaders();
  }
}

}  // namespace detail

template <class Text, class>
WebhookHeaderValue::WebhookHeaderValue(Text&& text) : std::string_view(detail::text_of(text)) {
  // Only a view, or a pointer, is without a destructor.
  if constexpr (!std::is_reference_v<Text> && !std::is_trivially_destructible_v<Text>) {
    kept_ = std::make_shared<const std::string>(*this);
    std::string_view::operator=(*kept_);
  }
}

template <class Range>
WebhookHeaders webhook_headers(const Range& name_value_pairs) {
  auto headers = detail::find_headers(name_value_pairs, true);
  detail::require_headers(headers);
  return headers;
}

template <class Range>
WebhookHeaders webhook_headers(const Range&& name_value_pairs) {
  auto headers = detail::find_headers(name_value_pairs, false);
  detail::require_headers(headers);
  return headers;
}

}  // namespace anthropic::webhooks
