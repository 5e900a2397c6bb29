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
#include <utility>

namespace anthropic::webhooks {

/// Parses the body of a webhook request into an event, or sets `error`. It does NOT verify who sent it.
///
/// The body must be JSON (RFC 8259) in UTF-8; it may start with a byte-order mark. Unknown keys are ignored, an
/// unknown event type becomes BetaWebhookUnknownEventData, and of duplicate keys the last one wins. Nothing
/// recurses, however deep the body nests. Safe to call from any thread. If it returns an event, `error` holds no
/// error.
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

/// The key with this name.
constexpr field field_named(std::string_view name) {
  for (std::size_t i = 0; i < field_names.size(); ++i) {
    if (name == field_names[i]) return static_cast<field>(i);
  }
  return field::unknown;
}

/// Notes down, in one pass over a body, what an event is made of.
class body_reader {
 public:
  /// `fault` becomes what is wrong with the body where that is not a JSON object.
  body_reader(std::string_view body, body_fault& fault) : json_(body) {
    const char* at = json_.skip_space(json_.skip_byte_order_mark());
    json_type type = json_type::object;
    at = json_.skip_space(json_.is_at('{', at) ? read_envelope(at) : json_.skip_value(at, type));
    if (at != json_.end()) json_.fail(at);
    if (json_.failed()) {
      fault.code = WebhookErrc::invalid_json;
      fault.position = json_.failed_at();
      fault.size = body.size();
    } else if (type != json_type::object) {
      fault.code = WebhookErrc::wrong_type;
      fault.expected = "an object";
      fault.found = name_of(type);
    }
  }

  [[nodiscard]] const fields& envelope() const { return envelope_; }
  [[nodiscard]] const fields& data() const { return data_; }
  [[nodiscard]] std::string_view data_text() const { return data_text_; }

 private:
  // The usual members are tried first, in either of the two usual orders and without whitespace.

  const char* read_envelope(const char* at) {
    constexpr std::string_view usual_data = R"(,"data":)", usual_end = R"(,"type":"event"})";
    const char* const begin = at;
    if (!read_usual(R"({"id":")", field::id, envelope_, at) &&
        read_usual(R"({"type":")", field::type, envelope_, at)) {
      read_usual(R"(,"id":")", field::id, envelope_, at);
    }
    read_usual(R"(,"created_at":")", field::created_at, envelope_, at);
    if (json_.starts_with_at(R"(,"data":{)", at)) at = read_data(at + usual_data.size());
    if (json_.starts_with_at(usual_end, at)) {
      envelope_.set(field::type, json_type::string, "event");
      return at + usual_end.size();
    }
    return read_other_members(begin, at, envelope_);
  }

  const char* read_data(const char* at) {
    const char* const begin = at;
    data_.clear();
    if (!read_usual(R"({"id":")", field::id, data_, at) && read_usual(R"({"type":")", field::type, data_, at)) {
      read_usual(R"(,"id":")", field::id, data_, at);
    }
    read_usual(R"(,"enforcement_action_id":")", field::enforcement_action_id, data_, at);
    read_usual(R"(,"organization_id":")", field::organization_id, data_, at);
    read_usual(R"(,"session_thread_id":")", field::session_thread_id, data_, at);
    read_usual(R"(,"type":")", field::type, data_, at);
    read_usual(R"(,"vault_id":")", field::vault_id, data_, at);
    read_usual(R"(,"workspace_id":")", field::workspace_id, data_, at);
    at = read_other_members(begin, at, data_);
    data_text_ = {begin, static_cast<std::size_t>(at - begin)};
    envelope_.set(field::data, json_type::object);
    return at;
  }

  /// If `start` is at `at`, reads the string whose opening quote is the end of `start`.
  bool read_usual(std::string_view start, field name, fields& object, const char*& at) {
    if (!json_.starts_with_at(start, at)) return false;
    at = read_string(at + start.size(), name, object);
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
    json_type type{};
    const char* const key = json_.skip("\"", at);
    at = json_.skip_string(key, type);
    if (json_.failed()) return at;
    const std::string_view text(key, static_cast<std::size_t>(at - 1 - key));
    const field name = field_named(unescaped_text(text, type == json_type::escaped_string).view());
    at = json_.skip_space(json_.skip(":", json_.skip_space(at)));
    if (json_.is_at('"', at)) return read_string(at + 1, name, object);
    if (name == field::data && &object == &envelope_ && json_.is_at('{', at)) return read_data(at);
    at = json_.skip_value(at, type);
    object.set(name, type);
    return at;
  }

  /// Reads a string whose opening quote is before `at`.
  const char* read_string(const char* at, field name, fields& object) {
    json_type type{};
    const char* const begin = at;
    at = json_.skip_string(at, type);
    if (!json_.failed()) object.set(name, type, {begin, static_cast<std::size_t>(at - begin) - 1});
    return at;
  }

  json_reader json_;
  fields envelope_{""};
  fields data_{"/data"};
  std::string_view data_text_;
};

/// Fills an event from a body, and returns with what is wrong with that.
template <class Event>
checked_fields read_event(std::string_view body, Event& event) {
  checked_fields checked;
  const body_reader read(body, checked.fault);
  if (!checked.fault) check_event<Event>(read.envelope(), read.data(), checked);
  if (!checked.fault) {
    std::string json(checked.is_unknown() ? read.data_text() : "");
    fill_event(read.envelope(), read.data(), checked, std::move(json), event);
  }
  return checked;
}

}  // namespace detail

template <class Event>
std::optional<Event> try_unwrap(std::string_view body, WebhookError& error) {
  std::optional<Event> event(std::in_place, detail::default_initialized());
  if (const auto checked = detail::read_event(body, *event); checked.fault) {
    error = detail::error_of(checked.fault);
    event.reset();
  } else if (error.code() != WebhookErrc::none) {
    error = {};
  }
  return event;
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
template <class Event>
Event unwrap(std::string_view body) {
  Event event;  // not over try_unwrap(): moving a variant of 52 alternatives takes long to compile
  const auto checked = detail::read_event(body, event);
  if (checked.fault) throw WebhookParseError(detail::error_of(checked.fault));
  return event;
}
#endif

}  // namespace anthropic::webhooks
