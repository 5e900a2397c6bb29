// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/fields.hpp>
#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event, or sets `error`. It does NOT verify who sent it.
///
/// The body must be JSON (RFC 8259) in UTF-8; it may start with a byte-order mark. Of duplicate keys the last one
/// wins. The escape of a lone surrogate is read as U+FFFD. Nothing recurses, however deep the body nests.
/// Safe to call from any thread. If it returns an event, `error` holds no error.
/// @throws std::bad_alloc, and nothing else.
template <class Event = BetaWebhookEvent>  // A template is compiled only where it is called.
[[nodiscard]] std::optional<Event> try_unwrap(std::string_view body, WebhookError& error);

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// Like try_unwrap(), but throws the error.
/// @throws WebhookParseError for anything but an event, with code() and path(); std::bad_alloc.
template <class Event = BetaWebhookEvent>
[[nodiscard]] Event unwrap(std::string_view body);
#endif

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// How a member usually starts: `,"id":"`.
template <char Separator, std::size_t Key, char Value = '"'>
inline constexpr auto usual_start = []() -> std::array<char, key_names[Key].size() + 5> {
  std::array<char, key_names[Key].size() + 5> text{Separator, '"'};
  std::size_t size = 2;
  for (const char c : key_names[Key]) text[size++] = c;
  for (const char c : {'"', ':', Value}) text[size++] = c;
  return text;
}
();

/// Finds the fields of an event in one pass over a body. They are valid as long as the reader and the body.
class body_reader {
 public:
  explicit body_reader(std::string_view body) : json_(body) {
    const char* at = json_.skip_space(json_.skip_byte_order_mark());
    json_type type = json_type::object;
    at = json_.skip_space(json_.is_at('{', at) ? read_envelope(at) : json_.skip_value(at, type));
    if (at != json_.end()) json_.fail(at);
    if (json_.failed()) {
      fault = {WebhookErrc::invalid_json, "", key_count, "", "", json_.failed_at(), body.size()};
    } else if (type != json_type::object) {
      fault = {WebhookErrc::wrong_type, "", key_count, "an object", name_of(type)};
    }
  }
  body_reader(const body_reader&) = delete;
  body_reader& operator=(const body_reader&) = delete;

  body_fault fault;  // if the body is not a JSON object
  fields envelope, data;
  std::string_view data_text;

 private:
  // The usual members are tried first, in the two orders of the wire and without whitespace. It takes 12 % off a
  // delivery.

  const char* read_envelope(const char* at) {
    const char* const begin = at;
    read_usual_ids(envelope, at);
    read_usual<',', created_at_key>(envelope, at);
    constexpr const auto& start_of_data = usual_start<',', data_key, '{'>;
    if (json_.is_at(start_of_data, at)) at = read_data(at + start_of_data.size() - 1);
    read_usual<',', type_key>(envelope, at);
    return read_other_members(begin, at, envelope);
  }

  const char* read_data(const char* at) {
    const char* const begin = at;
    if (envelope.type(data_key) != json_type::absent) data = fields();  // of duplicate keys the last one wins
    read_usual_ids(data, at);
    read_usual_members(at, std::make_index_sequence<wire_order.size()>());
    at = read_other_members(begin, at, data);
    data_text = {begin, static_cast<std::size_t>(at - begin)};
    envelope.set(data_key, json_type::object);
    return at;
  }

  void read_usual_ids(fields& object, const char*& at) {
    if (!read_usual<'{', id_key>(object, at) && read_usual<'{', type_key>(object, at))
      read_usual<',', id_key>(object, at);
  }

  template <std::size_t... Is>
  void read_usual_members(const char*& at, std::index_sequence<Is...> /*of wire_order*/) {
    (read_usual<',', wire_order[Is]>(data, at), ...);
  }

  template <char Separator, std::size_t Key>
  bool read_usual(fields& object, const char*& at) {
    constexpr const auto& start = usual_start<Separator, Key>;
    if (!json_.is_at(start, at)) return false;
    at = read_string(at + start.size(), object, Key);
    return true;
  }

  /// Reads what is left of an object from `begin`, and the brace that ends it.
  const char* read_other_members(const char* begin, const char* at, fields& object) {
    if (at == begin) {
      at = json_.skip_space(at + 1);
      if (json_.is_at('}', at)) return at + 1;
      at = read_member(at, object);
    }
    while (!json_.is_at('}', at = json_.skip_space(at))) {
      at = read_member(json_.skip_space(json_.skip(",", at)), object);
      if (json_.failed()) return at;
    }
    return at + 1;
  }

  const char* read_member(const char* at, fields& object) {
    at = read_string(json_.skip("\"", at), object, key_count);
    at = json_.skip_space(json_.skip(":", json_.skip_space(at)));
    const std::size_t key = key_of(object.text(key_count));
    if (key == data_key && &object == &envelope && json_.is_at('{', at)) return read_data(at);
    if (json_.is_at('"', at)) return read_string(at + 1, object, key);
    json_type type{};
    at = json_.skip_value(at, type);
    object.set(key, type);
    return at;
  }

  /// Reads a string whose opening quote is before `at`.
  const char* read_string(const char* at, fields& object, std::size_t key) {
    bool has_escapes = false;
    const char* const end = json_.skip_string(at, has_escapes);
    if (json_.failed()) return end;
    std::string_view text(at, static_cast<std::size_t>(end - at) - 1);
    if (has_escapes) {
      // Room for what may follow, so that it never moves, and views of it stay valid.
      if (unescaped_.empty()) unescaped_.reserve(static_cast<std::size_t>(json_.end() - at));
      const auto begin = unescaped_.size();
      append_unescaped(text, unescaped_);
      text = std::string_view(unescaped_).substr(begin);
    }
    object.set(key, json_type::string, text);
    return end;
  }

  json_reader json_;
  std::string unescaped_;
};

/// Fills an event from a body, or calls `refuse` with the error.
template <class Event, class Refuse>
void read_event(std::string_view body, Event& event, Refuse refuse) {
  const body_reader read(body);
  if (read.fault) return refuse(error_of(read.fault));
  const auto checked = check_event<decltype(event.data)>(read.envelope, read.data);
  if (checked.fault) return refuse(error_of(checked.fault));
  event.id = std::string(read.envelope.text(id_key));
  event.created_at = checked.created_at;
  fill_data(event.data, read.data, checked, std::string(checked.type ? "" : read.data_text));
}

}  // namespace detail

template <class Event>
std::optional<Event> try_unwrap(std::string_view body, WebhookError& error) {
  std::optional<Event> event(std::in_place);
  detail::read_event(body, *event, [&](WebhookError&& reason) {
    error = std::move(reason);
    event.reset();
  });
  if (event && error.code() != WebhookErrc::none) error = {};
  return event;
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
template <class Event>
Event unwrap(std::string_view body) {
  Event event;  // not from try_unwrap(): to move a variant of 52 alternatives takes long to compile
  detail::read_event(body, event, [](WebhookError&& reason) { throw WebhookParseError(reason); });
  return event;
}
#endif

}  // namespace anthropic::webhooks
