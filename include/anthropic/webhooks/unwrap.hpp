// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event. It does NOT verify who sent it.
///
/// Unknown keys are ignored, an unknown event type becomes BetaWebhookUnknownEventData, and of duplicate keys the
/// last one wins. The body is not recursed into, however deep it nests. Safe to call from any thread.
/// @throws WebhookParseError for anything but an event, with code() and path(); std::bad_alloc.
///
/// It is a template so that it costs nothing to compile where it is not called, and so that files with different
/// settings of nlohmann's do not share it.
template <class Json = nlohmann::json>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body);

/// Parses like unwrap(), and returns nothing and sets `error` where that throws a WebhookParseError. When an event
/// is returned, `error` holds no error.
/// @throws std::bad_alloc
template <class Json = nlohmann::json>
[[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// What events are made of in a body.
struct body_outline {
  std::string_view body;
  object_outline envelope{""};
  object_outline data{"/data"};
  std::string_view data_text{};  // of "data", where it was noted down while reading
  std::size_t data_index = 0;    // else its place among the members of the body

  [[nodiscard]] std::string data_json() const {
    if (data_text.data() != nullptr) return std::string(data_text);
    // The body is known to be valid, and the member to be an object.
    std::size_t depth = 0;
    std::size_t index = 0;
    std::size_t begin = 0;
    for (std::size_t at = 0;; ++at) {
      const char c = body[at];
      if (c == '"') {
        while (body[++at] != '"') at += body[at] == '\\' ? 1 : 0;
      } else if (c == '{' || c == '[') {
        if (depth++ == 1) begin = at;
      } else if (c == '}' || c == ']') {
        if (--depth == 1 && index == data_index) return std::string(body.substr(begin, at + 1 - begin));
      } else if (c == ',' && depth == 1) {
        ++index;
      }
    }
  }
};

/// Reads a plain body in a single pass: known keys with strings of ASCII without escapes, and unknown keys with
/// values that do not nest. It gives up where anything else turns up, valid or not, and says nothing of errors:
/// what it does read, sax_reader reads to the same outline.
class plain_reader {
 public:
  explicit plain_reader(std::string_view body) : at_(body.data()), end_(body.data() + body.size()) {}

  bool read(body_outline& outline) {
    if (!read_object(outline.envelope, &outline)) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  /// `body` is null within "data".
  bool read_object(object_outline& outline, body_outline* body) {
    if (!take('{')) return false;
    do {
      std::size_t key = wire_keys.size();
      if (!read_key(key, std::make_index_sequence<wire_keys.size()>()) || !take(':')) return false;
      if (key == wire_keys.size()) {
        if (!skip_value()) return false;
      } else if (key == data_key && body != nullptr) {
        if (!read_data(*body)) return false;
      } else if (!read_string(outline.values[key].string)) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  bool read_data(body_outline& outline) {
    if (outline.data_text.data() != nullptr) return false;  // it is there twice
    skip_space();
    const char* const begin = at_;
    if (!read_object(outline.data, nullptr)) return false;
    outline.data_text = view(begin);
    outline.envelope.values[data_key].other_type = object_type;
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

  /// Skips a number without an exponent that is short enough for any type of number to hold it.
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

  /// Finds the first byte that is a quote, a backslash, a control character or not ASCII.
  static const char* find_special(const char* at, const char* end) {
    // Eight bytes at a time. A difference has the high bit set in the lowest byte that is too small for it, in
    // none below that, and above that also where it does not belong; so the lowest high bit of all is right.
    constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;
    for (; end - at >= 8; at += 8) {
      const std::uint64_t word = load_little_endian(at);
      const std::uint64_t quote = (word ^ (ones * '"')) - ones;
      const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
      const std::uint64_t control = word - ones * ' ';
      const std::uint64_t special = (quote | backslash | control) & (ones * 0x80);
      if (special != 0) {
        const std::uint64_t bytes_below = (((special & (~special + 1)) >> 7) - 1) & ones;
        return at + static_cast<std::ptrdiff_t>((bytes_below * ones) >> 56);
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
};

/// Reads any body with nlohmann's SAX parser, which does not recurse, and keeps only what the outline shows: of
/// what is unknown, the parser holds one token and a bit for each level.
template <class Json>
class sax_reader {
 public:
  /// The outline is valid as long as this reader is.
  /// @throws WebhookParseError where the body is not a JSON object.
  void read(body_outline& outline) {
    const std::string_view body = outline.body;
    outline_ = &outline;
    outline = body_outline{body};
    // This is what Json::sax_parse(body, this) does, which would have the compiler build the parsers of CBOR,
    // BSON, MessagePack and UBJSON too, and so take twice as long.
    const auto input = [body] { return nlohmann::detail::input_adapter(body.data(), body.data() + body.size()); };
    nlohmann::detail::parser<Json, decltype(input())>(input()).sax_parse(this);

    if (error_at_ == std::string_view::npos) error_at_ = body.find('\0');  // which nlohmann takes for the end
    if (error_at_ != std::string_view::npos) throw not_json(body);
    if (body_.other_type != object_type) throw wrong_type("", "an object", body_.other_type);
  }

  // What follows is nlohmann::json_sax.
  bool null() { return keep("null"); }
  bool boolean(bool) { return keep("boolean"); }
  bool number_integer(typename Json::number_integer_t) { return keep("number"); }
  bool number_unsigned(typename Json::number_unsigned_t) { return keep("number"); }
  bool number_float(typename Json::number_float_t, const typename Json::string_t&) { return keep("number"); }
  bool binary(typename Json::binary_t&) { return keep("binary"); }

  bool string(typename Json::string_t& value) {
    if (slot_ == nullptr || slot_ == &body_) return keep("string");
    const auto& kept = strings_.emplace_front(std::move(value));
    *slot_ = {{kept.data(), kept.size()}};
    return true;
  }

  bool start_object(std::size_t) {
    const bool is_body = slot_ == &body_;
    const bool is_data = slot_ == &outline_->envelope.values[data_key];
    keep(object_type);
    slot_ = nullptr;
    if (is_body) {
      object_ = &outline_->envelope;
    } else if (is_data) {
      object_ = &outline_->data;
      object_->values = {};
      outline_->data_index = members_ - 1;
    } else {
      ++unknown_depth_;
    }
    return true;
  }
  bool key(typename Json::string_t& key) {
    if (unknown_depth_ > 0) return true;
    const auto index = key_index({key.data(), key.size()});
    slot_ = index < wire_keys.size() ? &object_->values[index] : nullptr;
    if (object_ == &outline_->envelope) ++members_;
    return true;
  }
  bool end_object() {
    if (unknown_depth_ > 0) {
      --unknown_depth_;
    } else {
      object_ = &outline_->envelope;
    }
    return true;
  }
  bool start_array(std::size_t) {
    keep("array");
    slot_ = nullptr;
    ++unknown_depth_;
    return true;
  }
  bool end_array() {
    --unknown_depth_;
    return true;
  }

  bool parse_error(std::size_t bytes_read, const std::string&, const typename Json::exception&) {
    error_at_ = bytes_read - 1;
    return false;
  }

 private:
  bool keep(const char* type) {
    if (slot_ != nullptr) *slot_ = {{}, type};
    return true;
  }

  WebhookParseError not_json(std::string_view body) const {
    std::string message = "not JSON: the body is empty";
    if (!body.empty()) {
      message = error_at_ < body.size() ? "not JSON at byte " : "not JSON: the body ends too early, at byte ";
      message += std::to_string((std::min)(error_at_, body.size()));
    }
    return {WebhookErrc::invalid_json, "", message};
  }

  body_outline* outline_ = nullptr;
  member_value body_;
  member_value* slot_ = &body_;       // where the next value goes, if it is kept
  object_outline* object_ = nullptr;  // whose members are read
  std::size_t members_ = 0;           // of the body, so far
  std::size_t unknown_depth_ = 0;     // of containers whose members are not kept
  std::size_t error_at_ = std::string_view::npos;
  std::forward_list<typename Json::string_t> strings_;
};

/// Notes down a plain body fast, and returns false for any other. It then may have changed the outline.
inline bool read_plain(body_outline& outline) { return plain_reader(outline.body).read(outline); }

template <class Event>
Event event_of(const body_outline& outline) {
  Event event;
  read_event(event, outline.envelope, outline.data, [&outline] { return outline.data_json(); });
  return event;
}

}  // namespace detail

template <class Json>
UnwrapWebhookEvent unwrap(std::string_view body) {
  detail::body_outline outline{body};
  detail::sax_reader<Json> reader;
  if (!detail::read_plain(outline)) reader.read(outline);
  return detail::event_of<UnwrapWebhookEvent>(outline);
}

template <class Json>
std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error) {
  using Event = decltype(unwrap<Json>(body));  // which is instantiated only where this is called
  try {
    auto event = std::optional<Event>(unwrap<Json>(body));
    error = {};
    return event;
  } catch (const WebhookParseError& e) {
    error = e;
    return std::optional<Event>();
  }
}

}  // namespace anthropic::webhooks
