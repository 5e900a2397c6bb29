// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event. It does NOT verify who
/// sent it.
///
/// Unknown keys are ignored, an unknown event type becomes
/// BetaWebhookUnknownEventData, and of duplicate keys the last one wins. The
/// body is not recursed into, however deep it nests. Safe to call from any
/// thread.
/// @throws WebhookParseError for anything but an event, with code() and path();
/// std::bad_alloc.
///
/// It is a template so that it costs nothing to compile where it is not called,
/// and so that files with different settings of nlohmann's do not share it.
template <class Json = nlohmann::json>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body);

/// Parses like unwrap(), and returns nothing and sets `error` where that throws
/// a WebhookParseError. When an event is returned, `error` holds no error.
/// @throws std::bad_alloc
template <class Json = nlohmann::json>
[[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// Reads an event in a single pass over a plain body: known keys with strings
/// of ASCII without escapes, and unknown keys with values that do not nest. It
/// gives up where anything else turns up, valid or not, and says nothing of
/// errors: what it does read, event_outline reads to the same result.
class plain_reader {
 public:
  explicit plain_reader(std::string_view body) : at_(body.data()), end_(body.data() + body.size()) {}

  template <class Event>
  bool read(Event& event) {
    strings envelope;
    strings data;
    if (!read_object(envelope, &data)) return false;
    skip_space();
    const auto created_at = try_parse_timestamp(envelope[created_at_key]);
    const auto id = envelope[id_key];
    if (at_ != end_ || envelope[type_key] != BetaWebhookEvent::type || !created_at || absent(id) ||
        !read_data(data, event.data)) {
      return false;
    }
    event.id = std::string(id);
    event.created_at = *created_at;
    return true;
  }

 private:
  static constexpr std::size_t id_key = key_index("id");
  static constexpr std::size_t type_key = key_index("type");
  static constexpr std::size_t created_at_key = key_index("created_at");
  static constexpr std::size_t data_key = key_index("data");

  /// The values of wire_keys in one object.
  using strings = std::array<std::string_view, wire_keys.size()>;

  static bool absent(std::string_view value) { return value.data() == nullptr; }

  bool read_object(strings& values, strings* data) {
    if (!take('{')) return false;
    do {
      std::size_t key = wire_keys.size();
      if (!read_key(key, std::make_index_sequence<wire_keys.size()>()) || !take(':')) return false;
      if (key == wire_keys.size()) {
        if (!skip_value()) return false;
      } else if (data != nullptr && key == data_key) {
        skip_space();
        const char* const begin = at_;
        if (!absent(data_text_) || !read_object(*data, nullptr)) return false;
        data_text_ = view(begin);
      } else if (!read_string(values[key])) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  template <class Data>
  bool read_data(const strings& values, Data& data) const {
    const auto type = values[type_key];
    if (absent(type)) return false;
    const members members = emplace_known(data, type);
    for (const auto& member : members) {
      if (absent(values[member.key])) return false;
      *member.value = std::string(values[member.key]);
    }
    if (members.size == 0) {
      const auto text = [&](std::string_view key) { return std::string(values[key_index(key)]); };
      data = BetaWebhookUnknownEventData{text("type"), text("id"), text("organization_id"), text("workspace_id"),
                                         std::string(data_text_)};
    }
    return true;
  }

  bool skip_value() {
    skip_space();
    std::string_view ignored;
    switch (at_ == end_ ? '\0' : *at_) {
      case '"':
        return read_string(ignored);
      case 't':
        return skip_literal("true");
      case 'f':
        return skip_literal("false");
      case 'n':
        return skip_literal("null");
      default:
        return skip_number();
    }
  }

  bool skip_literal(std::string_view literal) {
    if (rest().substr(0, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
  }

  /// Skips a number without an exponent that is short enough for any type of
  /// number to hold it.
  bool skip_number() {
    constexpr std::ptrdiff_t longest = 18;
    const char* const begin = at_;
    if (at_ != end_ && *at_ == '-') ++at_;
    const char* const digits = at_;
    if (!skip_digits() || (*digits == '0' && at_ - digits > 1)) return false;
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!skip_digits()) return false;
    }
    return at_ - begin <= longest;
  }

  bool skip_digits() {
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  void skip_space() {
    while (at_ != end_ && *at_ <= ' ' && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool take(char c) {
    if (at_ != end_ && *at_ != c) skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// Reads a key, and where it is one of wire_keys, its index.
  template <std::size_t... Is>
  bool read_key(std::size_t& index, std::index_sequence<Is...>) {
    if (!take('"')) return false;
    const bool known = ((skip_key<Is>() && (index = Is, true)) || ...);
    std::string_view unknown;
    return known || read_to_quote(unknown);
  }

  /// Skips one key and the quote that ends it: quicker than to find the end of the key first.
  template <std::size_t Index>
  bool skip_key() {
    constexpr std::string_view key = wire_keys[Index];
    if (rest().size() <= key.size() || std::memcmp(at_, key.data(), key.size()) != 0 || at_[key.size()] != '"')
      return false;
    at_ += key.size() + 1;
    return true;
  }

  bool read_string(std::string_view& value) { return take('"') && read_to_quote(value); }

  bool read_to_quote(std::string_view& value) {
    const char* const begin = at_;
    at_ = find_special(at_, end_);
    if (at_ == end_ || *at_ != '"') return false;
    value = view(begin);
    ++at_;
    return true;
  }

  /// Written so that compilers make it a single load.
  static std::uint64_t load_little_endian(const char* bytes) {
    const auto byte = [bytes](int i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i); };
    return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
  }

  /// Finds the first byte that is a quote, a backslash, a control character or
  /// not ASCII.
  static const char* find_special(const char* at, const char* end) {
    // Eight bytes at a time. A difference has the high bit set in the lowest
    // byte that is too small for it, in none below that, and above that also
    // where it does not belong; so the lowest high bit of all is right.
    constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;
    for (; end - at >= 8; at += 8) {
      const std::uint64_t word = load_little_endian(at);
      const std::uint64_t quote = (word ^ (ones * '"')) - ones;
      const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
      const std::uint64_t control = word - ones * ' ';
      const std::uint64_t special = (quote | backslash | control | word) & (ones * 0x80);
      if (special != 0) {
        const std::uint64_t bytes_below = (((special & (~special + 1)) >> 7) - 1) & ones;
        return at + ((bytes_below * ones) >> 56);
      }
    }
    const auto is_plain = [](unsigned char c) { return c >= ' ' && c < 0x80 && c != '"' && c != '\\'; };
    while (at != end && is_plain(static_cast<unsigned char>(*at))) ++at;
    return at;
  }

  std::string_view view(const char* begin) const { return {begin, static_cast<std::size_t>(at_ - begin)}; }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  const char* at_;
  const char* end_;
  std::string_view data_text_;
};

/// An iterator over a body that tells how far nlohmann's parser, which copies
/// it, has read.
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

/// Reads a body with nlohmann's SAX parser, which does not recurse, and keeps
/// only what read_event() looks at: the known members of the body and of its
/// "data", with an empty container in place of a deeper one. So it takes no
/// memory for what is unknown, however deep or long.
template <class Json>
class event_outline {
 public:
  /// @throws WebhookParseError where the body is not JSON.
  explicit event_outline(std::string_view body) : read_to_(body.data()) {
    const char* const end = body.data() + body.size();
    Json::sax_parse(tracked_iterator(body.data(), read_to_), tracked_iterator(end, read_to_), this);
    if (error_at_ == std::string_view::npos) error_at_ = body.find('\0');  // which nlohmann takes for the end
    if (error_at_ == std::string_view::npos) return;
    const bool too_short = error_at_ >= body.size();
    throw WebhookParseError(
        WebhookErrc::invalid_json, "",
        body.empty() ? "not JSON: the body is empty"
                     : (too_short ? "not JSON: the body ends too early, at byte " : "not JSON at byte ") +
                           std::to_string((std::min)(error_at_, body.size())));
  }

  [[nodiscard]] BetaWebhookEvent event() const { return read_event(root_, data_text_); }

  // What follows is nlohmann::json_sax.
  bool null() { return keep(nullptr); }
  bool boolean(bool value) { return keep(value); }
  bool number_integer(typename Json::number_integer_t value) { return keep(value); }
  bool number_unsigned(typename Json::number_unsigned_t value) { return keep(value); }
  bool number_float(typename Json::number_float_t value, const typename Json::string_t&) { return keep(value); }
  bool string(typename Json::string_t& value) { return keep(std::move(value)); }
  bool binary(typename Json::binary_t&) { return keep(nullptr); }

  bool start_object(std::size_t) {
    const bool open = opens_ && unknown_depth_ == 0;
    keep(Json::object());
    if (!open) return ++unknown_depth_;
    if (object_ != nullptr) data_begin_ = read_to_ - 1;
    object_ = slot_;
    opens_ = false;
    return true;
  }
  bool key(typename Json::string_t& key) {
    if (unknown_depth_ > 0) return true;
    slot_ = key_index(key) < wire_keys.size() ? &(*object_)[key] : nullptr;
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

  bool parse_error(std::size_t bytes_read, const std::string&, const typename Json::exception&) {
    error_at_ = bytes_read - 1;
    return false;
  }

 private:
  bool keep(Json value) {
    if (unknown_depth_ == 0 && slot_ != nullptr) *slot_ = std::move(value);
    return true;
  }

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

/// Reads a plain body fast, and returns false for any other. It then may have
/// changed `event`.
template <class Event>
bool try_plain(std::string_view body, Event& event) {
  return plain_reader(body).read(event);
}

}  // namespace detail

template <class Json>
UnwrapWebhookEvent unwrap(std::string_view body) {
  UnwrapWebhookEvent event;
  if (!detail::try_plain(body, event)) event = detail::event_outline<Json>(body).event();
  return event;
}

template <class Json>
std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error) {
  try {
    std::optional<UnwrapWebhookEvent> event = unwrap<Json>(body);
    error = {};
    return event;
  } catch (const WebhookParseError& e) {
    error = e;
    return std::nullopt;
  }
}

}  // namespace anthropic::webhooks
