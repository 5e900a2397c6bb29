// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/fields.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <nlohmann/json_fwd.hpp>
#ifndef NLOHMANN_JSON_NAMESPACE_BEGIN
#error "anthropic-webhooks needs nlohmann/json 3.11 or newer"
#elif !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "<anthropic/webhooks/json.hpp> needs exceptions; <anthropic/webhooks/unwrap.hpp> works without them"
#else

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace anthropic::webhooks::detail {
template <class Json, class T>
void read_json(const Json& source, T& value);
template <class Json, class T>
Json json_of(const T& value, const char* path = "");
}  // namespace anthropic::webhooks::detail

/// nlohmann/json for the events, with any basic_json: `j.get<BetaWebhookEvent>()` reads, `json(event)` writes.
///
/// Reading ignores unknown keys. It throws WebhookParseError, never an exception of nlohmann's, and then leaves
/// the object that it reads into as it was. `ordered_json` is written in the wire's own key order.
NLOHMANN_JSON_NAMESPACE_BEGIN

/// The envelope. Writing throws WebhookParseError if `created_at` is outside the years 0000 to 9999, or `data`
/// is valueless by an exception.
template <>
struct adl_serializer<anthropic::webhooks::BetaWebhookEvent> {
  template <class Json>
  static void from_json(const Json& source, anthropic::webhooks::BetaWebhookEvent& event) {
    anthropic::webhooks::detail::read_json(source, event);
  }
  template <class Json>
  static void to_json(Json& target, const anthropic::webhooks::BetaWebhookEvent& event) {
    target = anthropic::webhooks::detail::json_of<Json>(event);
  }
};

/// The data of any event: reading makes the alternative that `source["type"]` names, or an unknown event if a
/// member is of another JSON type than that expects.
template <>
struct adl_serializer<anthropic::webhooks::BetaWebhookEventData> {
  template <class Json>
  static void from_json(const Json& source, anthropic::webhooks::BetaWebhookEventData& data) {
    anthropic::webhooks::detail::read_json(source, data);
  }
  template <class Json>
  static void to_json(Json& target, const anthropic::webhooks::BetaWebhookEventData& data) {
    target = anthropic::webhooks::detail::json_of<Json>(data);
  }
};

/// The data of one event type: reading checks the tag, and that each member is a string, null or absent.
///
/// BetaWebhookUnknownEventData takes any tag. Reading makes its member `json` the dump of the value, which
/// recurses as deep as the value nests. unwrap() does not: give it what was received. Writing takes `json` alone,
/// which must be a JSON object that nlohmann/json can hold (else WebhookParseError). If `json` is "", writing
/// takes the other members.
template <class T>
struct adl_serializer<T, std::enable_if_t<anthropic::webhooks::detail::is_event_data<T> > > {
  template <class Json>
  static void from_json(const Json& source, T& data) {
    anthropic::webhooks::detail::read_json(source, data);
  }
  template <class Json>
  static void to_json(Json& target, const T& data) {
    target = anthropic::webhooks::detail::json_of<Json>(data);
  }
};

NLOHMANN_JSON_NAMESPACE_END

// ---------------------------------------------------------------------------------------------------

namespace anthropic::webhooks::detail {

template <class Json>
json_type type_of(const Json& value) {
  if (value.is_null()) return json_type::null;
  if (value.is_boolean()) return json_type::boolean;
  if (value.is_number()) return json_type::number;
  if (value.is_array()) return json_type::array;
  if (value.is_object()) return json_type::object;
  return value.is_string() ? json_type::string : json_type::other;
}

/// Throws what is wrong, if anything is.
inline void require_no(const body_fault& fault) {
  if (fault) throw WebhookParseError(error_of(fault));
}

/// The views are into `source`.
template <class Json>
fields fields_of(const Json& source) {
  if (!source.is_object()) {
    throw WebhookParseError(error_of({WebhookErrc::wrong_type, "", key_count, "an object", source.type_name()}));
  }
  fields result;
  for (std::size_t key = 0; key < key_count; ++key) {
    const auto found = source.find(key_names[key].data());
    if (found == source.end()) continue;
    const auto* const string = found->template get_ptr<const typename Json::string_t*>();
    result.set(key, type_of(*found),
               string != nullptr ? std::string_view(string->data(), string->size()) : std::string_view());
  }
  return result;
}

template <class Json>
std::string dump(const Json& source, const char* path) {
  try {
    const auto text = source.dump();
    return {text.data(), text.size()};
  } catch (const typename Json::exception&) {
    throw WebhookParseError(WebhookErrc::invalid_json, path, "a string in it is not UTF-8");
  }
}

template <class Json, class T>
void read_json(const Json& source, T& value) {
  const fields in = fields_of(source);
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    const fields data = in.type(data_key) == json_type::object ? fields_of(source["data"]) : fields();
    const auto checked = check_event<BetaWebhookEventData>(in, data);
    require_no(checked.fault);
    T event{std::string(in.text(id_key)), checked.created_at, {}};
    fill_data(event.data, data, checked, checked.type ? "" : dump(source["data"], "/data"));
    value = std::move(event);
  } else if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
    const auto checked = check_data<T>(in, "");
    require_no(checked.fault);
    T data;
    fill_data(data, in, checked, checked.type ? "" : dump(source, ""));
    value = std::move(data);
  } else if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>) {
    require_no(check_type(json_type::string, in, "", type_key));
    value = make_unknown(in, dump(source, ""));
  } else {
    require_no(check_tag(T::type, in));
    if (const auto wrong = find_wrong_member<T>(in); wrong != key_count)
      require_no(check_type(json_type::string, in, "", wrong));
    value = T(data_maker{in});
  }
}

/// A known event's data, in the order of the wire.
template <class Json>
Json json_of_known(std::string_view tag, const member_strings& strings) {
  Json result = Json::object();
  for (const auto key : wire_order) {
    if (key == type_key) {
      result["type"] = std::string(tag);
    } else if (strings[key] != nullptr) {
      result[key_names[key].data()] = *strings[key];
    }
  }
  return result;
}

/// The text with U+FFFD for each lone surrogate, which is JSON, but not to nlohmann/json.
inline std::string without_lone_surrogates(std::string_view json) {
  std::string result;
  while (!json.empty()) {
    const auto [code_point, size] = unicode_escape_at(json);
    const std::size_t next = size > 0 ? size : json[0] == '\\' && json.size() > 1 ? 2 : 1;
    result += is_surrogate(code_point) ? R"(\ufffd)" : json.substr(0, next);
    json.remove_prefix(next);
  }
  return result;
}

template <class Json, class T>
Json json_of(const T& value, [[maybe_unused]] const char* path) {
  Json result = Json::object();
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    const auto created_at = try_format_timestamp(value.created_at);
    if (!created_at) {
      throw WebhookParseError(WebhookErrc::invalid_timestamp, "/created_at", unformattable_timestamp);
    }
    result["id"] = value.id;
    result["created_at"] = *created_at;
    result["data"] = json_of<Json>(value.data, "/data");
    result["type"] = std::string(T::type);
  } else if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
    if (value.valueless_by_exception()) {
      throw WebhookParseError(WebhookErrc::invalid_value, path, "the variant is valueless by an exception");
    }
    const auto* const unknown = std::get_if<BetaWebhookUnknownEventData>(&value);
    result = unknown ? json_of<Json>(*unknown, path) : json_of_known<Json>(event_type(value), strings_of(value));
  } else if constexpr (is_known_event_data<T>) {
    result = json_of_known<Json>(T::type, strings_of(value));
  } else if (!value.json.empty()) {
    result = Json::parse(without_lone_surrogates(value.json), nullptr, false);
    // To nlohmann, a NUL is the end of the text.
    if (!result.is_object() || value.json.find('\0') != std::string::npos) {
      throw WebhookParseError(
          WebhookErrc::invalid_json, path,
          "BetaWebhookUnknownEventData::json is not a JSON object that nlohmann/json can hold");
    }
  } else {
    if (!value.id.empty()) result["id"] = value.id;
    if (!value.organization_id.empty()) result["organization_id"] = value.organization_id;
    result["type"] = value.type;
    if (!value.workspace_id.empty()) result["workspace_id"] = value.workspace_id;
  }
  return result;
}

}  // namespace anthropic::webhooks::detail

#endif  // nlohmann/json and exceptions
