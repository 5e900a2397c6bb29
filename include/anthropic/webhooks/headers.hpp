// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>
#include <anthropic/webhooks/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// The value of a header: a copy, without the whitespace around it. It converts to std::string_view, but a
/// temporary one does not, since the view would dangle.
class WebhookHeaderValue {
 public:
  /// An absent header.
  WebhookHeaderValue() = default;

  /// Takes a string, a view, a `const char*`, or anything else with data() and size() of characters; also an
  /// optional or a pointer of one of these. Null, or nothing in the optional, is an absent header.
  template <class Text, class = std::enable_if_t<detail::is_text<Text>::value>>
  WebhookHeaderValue(const Text& text);

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  operator std::string_view() const& noexcept { return text_; }
  operator std::string_view() const&& = delete;

 private:
  std::string text_;
};

/// The values of the headers webhook-id, webhook-timestamp and webhook-signature.
struct WebhookHeaders {
  WebhookHeaderValue id, timestamp, signature;
};

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// Finds the three headers in a range of name and value pairs, such as a map, by names in any letter case. Several
/// webhook-signature headers are one list.
/// @throws WebhookVerificationError for a header that is absent or empty, an id with a dot in it, and for an id or
///     timestamp that is duplicated with different values.
template <class Range>
[[nodiscard]] WebhookHeaders webhook_headers(Range&& name_value_pairs);
#endif

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
inline constexpr bool
    is_nullable<T, std::void_t<std::enable_if_t<!std::is_void_v<std::remove_pointer_t<T>> && !std::is_array_v<T>>,
                               decltype(*std::declval<const T&>())>> = std::is_constructible_v<bool, const T&>;

/// The characters of a name or a value. For what is not text it returns nothing.
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
    return [](std::string_view text) { return text; }(value);
  } else if constexpr (is_nullable<T>) {
    using pointee = decltype(*value);  // a text by value would not outlive the call, and a function is *itself
    if constexpr (std::is_lvalue_reference_v<pointee> && !std::is_function_v<std::remove_reference_t<pointee>>) {
      if constexpr (is_text<std::decay_t<pointee>>::value) return value ? text_of(*value) : std::string_view();
    }
  }
}

template <class T>
struct is_text : std::is_same<decltype(text_of(std::declval<const T&>())), std::string_view> {};

/// The text without the whitespace around it. A carriage return may be left over from the end of a line.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  const auto is_whitespace = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_whitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_whitespace(text.back())) text.remove_suffix(1);
  return text;
}

// What a request has for the three headers, and what is wrong with it.

inline constexpr std::size_t header_count = 3;
inline constexpr std::array<std::string_view, header_count> header_names{"webhook-id", "webhook-timestamp",
                                                                         "webhook-signature"};

/// Which of the three has this name, or header_count.
inline std::size_t find_header(std::string_view name) {
  for (std::size_t i = 0; i < header_count; ++i) {  // Most servers keep the case: this saves 2 % of a delivery.
    if (name == header_names[i]) return i;
  }
  for (std::size_t i = 0; i < header_count; ++i) {
    if (equal_ignoring_case(name, header_names[i])) return i;
  }
  return header_count;
}

/// The names that other senders, and gateways, give to the three headers; "" if they have none.
inline constexpr std::array<std::array<std::string_view, header_count>, 7> lookalikes{
    {{"svix-id", "svix-timestamp", "svix-signature"},
     {"x-svix-id", "x-svix-timestamp", "x-svix-signature"},
     {"x-webhook-id", "x-webhook-timestamp", "x-webhook-signature"},
     {"http_webhook_id", "http_webhook_timestamp", "http_webhook_signature"},
     {"webhook_id", "webhook_timestamp", "webhook_signature"},
     {"", "", "x-signature"},
     {"", "", "x-hub-signature-256"}}};

/// Whether a name is at least as long as the shortest name above, and starts like one. Comparing no other name of
/// a request saves 15 % of a delivery.
constexpr bool may_be_known(std::string_view name) noexcept {
  if (name.size() < 7) return false;
  const char initial = to_lower(name.front());
  return initial == 'h' || initial == 's' || initial == 'w' || initial == 'x';
}

struct header_views {
  std::string_view id, timestamp, signature;
  std::size_t contradicted = header_count;  // which header is duplicated, with different values
  std::string_view lookalike = {};          // the first of the lookalike names that there is
};

/// What is wrong with a header, if anything.
struct header_fault {
  explicit operator bool() const { return code != WebhookErrc::none; }

  WebhookErrc code = WebhookErrc::none;
  std::size_t header = 0;    // its index in header_names
  const char* problem = "";  // unless it is the age
  std::int64_t age = 0;      // in seconds
  std::string_view lookalike = {};
};

inline header_fault check_id(std::string_view id) {
  header_fault fault;
  if (id.empty()) {
    fault = {WebhookErrc::missing_header, 0, "missing"};
  } else if (id.find('.') != std::string_view::npos) {
    // The signed text is id.timestamp.body. With a dot in the id, an attacker could split it at another dot, and
    // so change the timestamp.
    fault = {WebhookErrc::invalid_header, 0, "there is a dot in it"};
  }
  return fault;
}

/// Checks that the three headers are there, and the id.
inline header_fault check_headers(const header_views& headers) {
  const std::array values{headers.id, headers.timestamp, headers.signature};
  if (headers.contradicted < header_count)
    return {WebhookErrc::invalid_header, headers.contradicted, "duplicated, with different values"};
  for (std::size_t i = 0; i < header_count; ++i) {
    if (values[i].empty()) return {WebhookErrc::missing_header, i, "missing", 0, headers.lookalike};
  }
  return check_id(headers.id);
}

inline std::string message_of(const header_fault& fault) {
  std::string message(header_names[fault.header]);
  message.append(" header: ").append(fault.problem);
  if (!fault.lookalike.empty()) {
    message.append("; there is ").append(fault.lookalike).append(", which Standard Webhooks does not use");
  }
  return message;
}

// A range of name and value pairs.

template <class T, class = void>
inline constexpr std::size_t tuple_size = 0;
template <class T>
inline constexpr std::size_t tuple_size<T, std::void_t<decltype(std::tuple_size<T>::value)>> =
    std::tuple_size<T>::value;

template <class T, class = void>
inline constexpr bool has_three_members = false;
template <class T>
inline constexpr bool has_three_members<T, std::void_t<decltype(T{{}, {}, {}})>> = true;

/// Whether a name and a value can be bound to an element. The members of an aggregate cannot be counted, so
/// only one with three or more is told apart.
template <class T>
inline constexpr bool is_pair = tuple_size<T> == 2 ||
                                (tuple_size<T> == 0 && std::is_aggregate_v<T> && !has_three_members<T>);

template <class Range>
using element_of = std::decay_t<decltype(*std::begin(std::declval<Range&>()))>;

template <class Range, class = void>
inline constexpr bool is_range_of_pairs = false;
template <class Range>
inline constexpr bool is_range_of_pairs<Range, std::void_t<element_of<Range>>> = is_pair<element_of<Range>>;

/// Room for a text of a known size. Only a long one takes an allocation, which saves 5 % of a delivery.
class text_buffer {
 public:
  text_buffer() {}  // NOLINT(modernize-use-equals-default): by default, text_buffer{} would be zeroed
  text_buffer(const text_buffer&) = delete;
  text_buffer& operator=(const text_buffer&) = delete;

  char* resize(std::size_t size) {
    if (size <= small_.size()) return small_.data();
    large_.resize(size);
    return large_.data();
  }

 private:
  std::array<char, 128> small_;
  std::string large_;
};

/// Copies of the three headers, since a range may make its elements as they are asked for, and only once.
class header_copies {
 public:
  template <class Range>
  explicit header_copies(Range& pairs) {
    static_assert(is_range_of_pairs<Range>, "headers: pass a range of name and value pairs, such as a map");
    for (const auto& [name, value] : pairs) {
      static_assert(is_text<std::decay_t<decltype(name)>>::value && is_text<std::decay_t<decltype(value)>>::value,
                    "headers: the names and values in the range must be strings, or views of characters");
      const std::string_view text = text_of(name);
      if (may_be_known(text) && !add(text, text_of(value))) notice_lookalike(text);
    }
    if (!signatures_.empty()) values_[2] = trimmed(signatures_);
  }

  [[nodiscard]] header_views views() const {
    return {values_[0], values_[1], values_[2], contradicted_, lookalike_};
  }

 private:
  /// Returns whether it is one of the three.
  bool add(std::string_view name, std::string_view value) {
    const auto i = find_header(name);
    if (i == header_count) return false;
    value = trimmed(value);
    if (!std::exchange(found_[i], true)) {
      char* const copy = buffers_[i].resize(value.size());
      std::copy(value.begin(), value.end(), copy);
      values_[i] = {copy, value.size()};
    } else if (header_names[i] == "webhook-signature") {
      if (signatures_.empty()) signatures_ = values_[i];
      signatures_.append(" ").append(value);
    } else if (values_[i] != value && contradicted_ == header_count) {
      contradicted_ = i;
    }
    return true;
  }

  void notice_lookalike(std::string_view name) {
    for (const auto& names : lookalikes) {
      for (const std::string_view lookalike : names) {
        if (lookalike_.empty() && equal_ignoring_case(name, lookalike)) lookalike_ = lookalike;
      }
    }
  }

  std::array<text_buffer, header_count> buffers_;
  std::array<std::string_view, header_count> values_;
  std::array<bool, header_count> found_{};
  std::string signatures_;  // if there are several
  std::size_t contradicted_ = header_count;
  std::string_view lookalike_;
};

// Any form of headers.

/// Whether T is a function from a name to its value.
template <class T, class = void>
inline constexpr bool is_lookup = false;
template <class T>
inline constexpr bool is_lookup<T, std::enable_if_t<std::is_invocable_v<T&, const char*>>> =
    is_text<std::decay_t<std::invoke_result_t<T&, const char*>>>::value;

/// Returns f(header_views) for headers in any of the forms that WebhookVerifier takes. The views are valid
/// in f.
template <class Headers, class F>
decltype(auto) with_headers(Headers&& headers, F f) {
  constexpr bool is_by_hand = std::is_base_of_v<WebhookHeaders, std::remove_reference_t<Headers>>;
  static_assert(
      is_by_hand || is_lookup<Headers> || is_range_of_pairs<Headers>,
      "headers: pass a range of name and value pairs, a function from a name (const char*) to its value, "
      "or WebhookHeaders");
  if constexpr (is_by_hand) {
    const WebhookHeaders& values = headers;
    return f(header_views{values.id, values.timestamp, values.signature});
  } else if constexpr (is_lookup<Headers>) {
    const auto& id = headers(header_names[0].data());
    const auto& timestamp = headers(header_names[1].data());
    const auto& signature = headers(header_names[2].data());
    return f(header_views{trimmed(text_of(id)), trimmed(text_of(timestamp)), trimmed(text_of(signature))});
  } else if constexpr (is_range_of_pairs<Headers>) {
    const header_copies copies(headers);
    return f(copies.views());
  } else {
    return f(header_views());
  }
}

template <class A, class B>
inline constexpr bool compares_header =
    (std::is_same_v<A, WebhookHeaderValue> ||
     std::is_same_v<B, WebhookHeaderValue>)&&is_text<A>::value&& is_text<B>::value;

}  // namespace detail

template <class Text, class>
WebhookHeaderValue::WebhookHeaderValue(const Text& text) : text_(detail::trimmed(detail::text_of(text))) {}

template <class A, class B>
std::enable_if_t<detail::compares_header<A, B>, bool> operator==(const A& a, const B& b) {
  return detail::text_of(a) == detail::text_of(b);
}
template <class A, class B>
std::enable_if_t<detail::compares_header<A, B>, bool> operator!=(const A& a, const B& b) {
  return !(a == b);
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
template <class Range>
WebhookHeaders webhook_headers(Range&& name_value_pairs) {
  const detail::header_copies copies(name_value_pairs);
  const auto found = copies.views();
  if (const auto fault = detail::check_headers(found))
    throw WebhookVerificationError(fault.code, "", detail::message_of(fault));
  return {found.id, found.timestamp, found.signature};
}
#endif

}  // namespace anthropic::webhooks
