// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event. It does NOT verify who sent it.
///
/// Unknown keys are ignored, an unknown event type becomes BetaWebhookUnknownEventData, and of duplicate keys the
/// last one wins. The body is not recursed into, however deep it nests. Safe to call from any thread.
/// @throws WebhookParseError for anything but an event, with code() and path(); std::bad_alloc.
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body);

/// Parses like unwrap(), and returns nothing and sets `error` where that throws a WebhookParseError.
/// When an event is returned, `error` holds no error.
/// @throws std::bad_alloc
[[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// An iterator over a body that tells how far nlohmann's parser, which copies it, has read.
class tracked_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  tracked_iterator(const char* at, const char*& read_to) : at_(at), read_to_(&read_to) {}

  reference operator*() const { return *at_; }
  tracked_iterator& operator++() {
    *read_to_ = ++at_;
    return *this;
  }
  tracked_iterator operator++(int) {
    const auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const tracked_iterator& a, const tracked_iterator& b) { return a.at_ == b.at_; }
  friend bool operator!=(const tracked_iterator& a, const tracked_iterator& b) { return a.at_ != b.at_; }

 private:
  const char* at_;
  const char** read_to_;
};

/// Reads a body with nlohmann's SAX parser, which does not recurse, and keeps only what read_event() looks at: the
/// known members of the body and of its "data", with an empty container in place of a deeper one. So it takes no
/// memory for what is unknown, however deep or long.
class event_outline {
 public:
  using Json = nlohmann::json;

  /// @throws WebhookParseError where the body is not JSON.
  explicit event_outline(std::string_view body) : body_(body), read_to_(body.data()) {
    const char* const end = body.data() + body.size();
    Json::sax_parse(tracked_iterator(body.data(), read_to_), tracked_iterator(end, read_to_), this);
    if (error_at_ == std::string_view::npos) error_at_ = body.find('\0');  // which nlohmann takes for the end
    if (error_at_ == std::string_view::npos) return;
    const bool too_short = error_at_ >= body.size();
    throw WebhookParseError(
        WebhookErrc::invalid_json, "",
        body.empty() ? "not JSON: the body is empty"
                     : (too_short ? "not JSON: the body ends too early, at byte " : "not JSON at byte ") +
                           std::to_string(std::min(error_at_, body.size())));
  }

  [[nodiscard]] BetaWebhookEvent event() const { return read_event(root_, data_text_); }

  // What follows is nlohmann::json_sax.
  bool null() { return keep(nullptr); }
  bool boolean(bool value) { return keep(value); }
  bool number_integer(Json::number_integer_t value) { return keep(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return keep(value); }
  bool number_float(Json::number_float_t value, const Json::string_t&) { return keep(value); }
  bool string(Json::string_t& value) { return keep(std::move(value)); }
  bool binary(Json::binary_t&) { return keep(nullptr); }

  bool start_object(std::size_t) {
    const bool open = opens_ && unknown_depth_ == 0;
    keep(Json::object());
    if (!open) return ++unknown_depth_;
    if (object_ != nullptr) data_begin_ = read_to_ - 1;
    object_ = slot_;
    opens_ = false;
    return true;
  }
  bool key(Json::string_t& key) {
    if (unknown_depth_ > 0) return true;
    slot_ = is_known(key) ? &(*object_)[key] : nullptr;
    opens_ = object_ == &root_ && key == "data";
    return true;
  }
  bool end_object() {
    if (unknown_depth_ > 0) return unknown_depth_--;
    if (object_ != &root_) data_text_ = {data_begin_, static_cast<std::size_t>(read_to_ - data_begin_)};
    object_ = &root_;
    return true;
  }
  bool start_array(std::size_t) {
    keep(Json::array());
    return ++unknown_depth_;
  }
  bool end_array() { return unknown_depth_--; }

  bool parse_error(std::size_t bytes_read, const std::string&, const Json::exception&) {
    error_at_ = bytes_read - 1;
    return false;
  }

 private:
  static bool is_known(std::string_view key) {
    constexpr std::array known{"id",           "created_at",        "data",    "type", "organization_id",
                               "workspace_id", "session_thread_id", "vault_id"};
    return std::find(known.begin(), known.end(), key) != known.end();
  }

  bool keep(Json value) {
    if (unknown_depth_ == 0 && slot_ != nullptr) *slot_ = std::move(value);
    return true;
  }

  std::string_view body_;
  const char* read_to_;
  std::size_t error_at_ = std::string_view::npos;

  Json root_;
  Json* slot_ = &root_;     // where the next value goes, if it is kept
  Json* object_ = nullptr;  // whose members are read: the root or its "data"
  bool opens_ = true;       // whether an object in slot_ is one whose members are kept
  std::size_t unknown_depth_ = 0;
  const char* data_begin_ = nullptr;
  std::string_view data_text_;
};

}  // namespace detail

inline UnwrapWebhookEvent unwrap(std::string_view body) { return detail::event_outline(body).event(); }

inline std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error) {
  try {
    std::optional<UnwrapWebhookEvent> event = unwrap(body);
    error = {};
    return event;
  } catch (const WebhookParseError& e) {
    error = e;
    return std::nullopt;
  }
}

}  // namespace anthropic::webhooks
