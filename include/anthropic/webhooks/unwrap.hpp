// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/fields.hpp>
#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event. It does NOT verify who sent it.
///
/// The body must be JSON (RFC 8259) in UTF-8; it may start with a byte-order mark. Unknown keys are ignored, an
/// unknown event type becomes BetaWebhookUnknownEventData, and of duplicate keys the last one wins. Nothing
/// recurses, however deep the body nests. Safe to call from any thread.
/// @throws WebhookParseError for anything but an event, with code() and path(); std::bad_alloc.
[[nodiscard]] inline UnwrapWebhookEvent unwrap(std::string_view body);

/// Like unwrap(), but where that throws a WebhookParseError, it returns std::nullopt and sets `error`. If it
/// returns an event, `error` holds no error.
/// @throws std::bad_alloc, and nothing else.
[[nodiscard]] inline std::optional<UnwrapWebhookEvent> try_unwrap(std::string_view body, WebhookError& error);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// The key with this name. It is recursive so that each comparison is with a constant, which is fast.
template <std::size_t Index = 0>
constexpr key::index key_named(std::string_view name) {
  if constexpr (Index < key::unknown) {
    return name == key::names[Index] ? key::index{Index} : key_named<Index + 1>(name);
  } else {
    return key::unknown;
  }
}

/// Notes down, in one pass over a body, what an event is made of.
class body_reader {
 public:
  /// @throws WebhookParseError where the body is not a JSON object.
  explicit body_reader(std::string_view body) : json_(body) {
    const char* at = json_.skip_space(json_.skip_byte_order_mark());
    json_type type = json_type::object;
    at = json_.skip_space(json_.has("{", at) ? skip_envelope(at) : json_.skip_value(at, type));
    if (at != json_.end()) json_.fail(at);
    if (json_.failed()) throw not_json(body.size());
    if (type != json_type::object) throw wrong_type("", "an object", name_of(type));
  }

  [[nodiscard]] const fields& envelope() const { return envelope_; }
  [[nodiscard]] const fields& data() const { return data_; }
  [[nodiscard]] std::string data_text() const { return std::string(data_text_); }

 private:
  // The usual members are tried first, in either of the two usual orders and without white space.

  const char* skip_envelope(const char* at) {
    const char* const begin = at;
    if (!skip_usual(R"({"id":")", key::id, envelope_, at) &&
        skip_usual(R"({"type":")", key::type, envelope_, at)) {
      skip_usual(R"(,"id":")", key::id, envelope_, at);
    }
    skip_usual(R"(,"created_at":")", key::created_at, envelope_, at);
    if (json_.has(R"(,"data":{)", at)) at = skip_data(at + sizeof R"(,"data":)" - 1);
    if (json_.has(R"(,"type":"event"})", at)) {  // which does not change
      envelope_.set(key::type, json_type::string, {at + sizeof R"(,"type":)", sizeof "event" - 1});
      return at + sizeof R"(,"type":"event")";
    }
    return skip_other_members(begin, at, envelope_);
  }

  const char* skip_data(const char* at) {
    const char* const begin = at;
    data_.clear();
    if (!skip_usual(R"({"id":")", key::id, data_, at) && skip_usual(R"({"type":")", key::type, data_, at)) {
      skip_usual(R"(,"id":")", key::id, data_, at);
    }
    skip_usual(R"(,"enforcement_action_id":")", key::enforcement_action_id, data_, at);
    skip_usual(R"(,"organization_id":")", key::organization_id, data_, at);
    skip_usual(R"(,"session_thread_id":")", key::session_thread_id, data_, at);
    skip_usual(R"(,"type":")", key::type, data_, at);
    skip_usual(R"(,"vault_id":")", key::vault_id, data_, at);
    skip_usual(R"(,"workspace_id":")", key::workspace_id, data_, at);
    at = skip_other_members(begin, at, data_);
    data_text_ = {begin, static_cast<std::size_t>(at - begin)};
    envelope_.set(key::data, json_type::object);
    return at;
  }

  /// If `literal` is there, skips it and the string behind it, whose opening quote is the end of `literal`.
  template <std::size_t Size>
  bool skip_usual(const char (&literal)[Size], key::index key, fields& object, const char*& at) {
    if (!json_.has(literal, at)) return false;
    at = skip_string(at + Size - 1, key, object);
    return true;
  }

  /// Skips what is left of an object from `begin`, and the brace that ends it.
  const char* skip_other_members(const char* begin, const char* at, fields& object) {
    if (at == begin) {
      at = json_.skip_space(at + 1);
      if (json_.has("}", at)) return at + 1;
      at = skip_member(at, object);
    }
    while (!json_.has("}", at = json_.skip_space(at))) {
      at = skip_member(json_.skip_space(json_.skip(",", at)), object);
      if (json_.failed()) return at;
    }
    return at + 1;
  }

  const char* skip_member(const char* at, fields& object) {
    json_type type{};
    const char* const name = json_.skip("\"", at);
    at = json_.skip_string(name, type);
    if (json_.failed()) return at;
    const key::index key = key_named(unescaped_text({name, static_cast<std::size_t>(at - 1 - name)}, type).view());
    at = json_.skip_space(json_.skip(":", json_.skip_space(at)));
    if (json_.has("\"", at)) return skip_string(at + 1, key, object);
    if (key == key::data && &object == &envelope_ && json_.has("{", at)) return skip_data(at);
    at = json_.skip_value(at, type);
    object.set(key, type);
    return at;
  }

  /// Skips a string whose opening quote is before `at`.
  const char* skip_string(const char* at, key::index key, fields& object) {
    json_type type{};
    const char* const begin = at;
    at = json_.skip_string(at, type);
    if (!json_.failed()) object.set(key, type, {begin, static_cast<std::size_t>(at - begin) - 1});
    return at;
  }

  [[nodiscard]] WebhookParseError not_json(std::size_t size) const {
    std::string message = "not JSON: the body is empty";
    if (size > 0) {
      message = json_.failed_at() < size ? "not JSON at byte " : "not JSON: the body ends too early, at byte ";
      message += std::to_string(json_.failed_at());
    }
    return {WebhookErrc::invalid_json, "", message};
  }

  json_reader json_;
  fields envelope_{""};
  fields data_{"/data"};
  std::string_view data_text_;
};

}  // namespace detail

/// Not part of the interface. Callers see plain functions. They are defined as friends of a class template because
/// a compiler then compiles them only where they are called.
template <class Event>
struct unwrap_functions {
  friend Event unwrap(std::string_view body) {
    const detail::body_reader read(body);
    return detail::make_event<Event>(read.envelope(), read.data(), [&read] { return read.data_text(); });
  }

  friend std::optional<Event> try_unwrap(std::string_view body, WebhookError& error) {
    try {
      std::optional<Event> event(unwrap(body));
      error = {};
      return event;
    } catch (const WebhookParseError& e) {
      error = e;
      return std::nullopt;
    }
  }
};
static_assert(std::is_empty_v<unwrap_functions<UnwrapWebhookEvent>>, "this defines the functions above");

}  // namespace anthropic::webhooks
