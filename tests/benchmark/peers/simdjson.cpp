// SPDX-License-Identifier: MIT
#include <simdjson.h>

#include "fields.hpp"
#include "peers.hpp"

#include <stdexcept>
#include <string>

namespace peers {
namespace {

namespace ondemand = simdjson::ondemand;

ondemand::parser parser;
std::string buffer;

}  // namespace

/// The body is copied, since simdjson reads beyond the end of its input, which here belongs to the caller.
UnwrapWebhookEvent simdjson_on_demand(std::string_view body) {
  buffer.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  buffer = body;
  ondemand::document document = parser.iterate(buffer.data(), buffer.size(), buffer.capacity());

  // Keys are compared as they are in the body, escapes included, like in simdjson's own lookup.
  fields<std::string_view> fields;
  for (ondemand::field member : document.get_object()) {
    if (auto* slot = fields.of_envelope(member.key())) {
      *slot = member.value().get_string();
    } else if (member.key() == "data") {
      for (ondemand::field data_member : member.value().get_object()) {
        if (auto* data_slot = fields.of_data(data_member.key())) *data_slot = data_member.value().get_string();
      }
    }
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
    throw std::runtime_error("more than one value");
  return fields.event();
}

}  // namespace peers
