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

/// The envelope. Writing throws WebhookParseError where `created_at` is outside the years 0000 to 9999, or `data`
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

/// The data of any event: reading makes the alternative that `source["type"]` names.
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

/// The data of one event type: reading checks the tag.
///
/// BetaWebhookUnknownEventData takes any tag. Reading makes its member `json` the dump of the value, which
/// recurses as deep as the value nests. unwrap() does not: give it what was received. Writing takes `json` alone,
/// which must be a JSON object (else WebhookParseError). If `json` is "", writing takes the other members.
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
fields fields_of(const Json& source, const char* path) {
  fields result(path);
  if (!source.is_object()) {
    body_fault fault = result.fault_of(WebhookErrc::wrong_type, field::unknown);
    fault.expected = "an object";
    fault.found = source.type_name();
    throw WebhookParseError(error_of(fault));
  }
  for (std::size_t i = 0; i < field_names.size(); ++i) {
    const auto found = source.find(field_names[i].data());
    if (found == source.end()) continue;
    const auto* const string = found->template get_ptr<const typename Json::string_t*>();
    result.set(static_cast<field>(i), type_of(*found),
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
  const fields in = fields_of(source, "");
  checked_fields checked;
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    const fields data = in.is_object(field::data) ? fields_of(source["data"], "/data") : fields("/data");
    check_event<T>(in, data, checked);
    require_no(checked.fault);
    T event;
    fill_event(in, data, checked, checked.is_unknown() ? dump(source["data"], "/data") : "", event);
    value = std::move(event);
  } else if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
    check_data<T>(in, checked);
    require_no(checked.fault);
    T data;
    fill_data(in, checked, checked.is_unknown() ? dump(source, "") : "", data);
    value = std::move(data);
  } else if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>) {
    in.expect_string(field::type, checked.fault);
    require_no(checked.fault);
    value = make_unknown(in, dump(source, ""));
  } else {
    if (in.expect_tag(T::type, checked.fault)) in.expect_strings(keys_of<T>(), checked.fault);
    require_no(checked.fault);
    T data;
    in.copy(keys_of<T>(), members_of(data));
    value = std::move(data);
  }
}

/// A known event's data, in the order of the wire.
template <class Json, class T>
Json json_of_known(const T& data) {
  constexpr key_list keys = keys_of<T>();
  const auto strings = strings_of(data);
  Json result = Json::object();
  for (std::size_t name = 0; name < field_names.size(); ++name) {
    if (name == index_of(field::type)) result[field_names[name].data()] = std::string(T::type);
    for (std::size_t i = 0; i < strings.size(); ++i) {
      if (index_of(keys[i]) == name) result[field_names[name].data()] = *strings[i];
    }
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
    result = std::visit([path](const auto& data) { return json_of<Json>(data, path); }, value);
  } else if constexpr (is_known_event_data<T>) {
    result = json_of_known<Json>(value);
  } else if (!value.json.empty()) {
    result = Json::parse(value.json, nullptr, false);
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
