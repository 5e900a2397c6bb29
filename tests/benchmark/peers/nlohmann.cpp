// SPDX-License-Identifier: MIT
#include "peers.hpp"
#include "sax_handler.hpp"

#include <anthropic/webhooks/json.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace peers {

UnwrapWebhookEvent nlohmann_dom(std::string_view body) {
  return nlohmann::json::parse(body).get<UnwrapWebhookEvent>();
}

namespace {

using nlohmann::json;

struct handler : sax_handler<std::string> {
  bool null() { return other(), true; }
  bool boolean(bool) { return other(), true; }
  bool number_integer(json::number_integer_t) { return other(), true; }
  bool number_unsigned(json::number_unsigned_t) { return other(), true; }
  bool number_float(json::number_float_t, const json::string_t&) { return other(), true; }
  bool binary(json::binary_t&) { return other(), true; }
  // Copied: moving is no faster, since the lexer must then grow a new buffer for the next string.
  bool string(const json::string_t& value) { return sax_handler::string(value), true; }
  bool key(const json::string_t& value) { return sax_handler::key(value), true; }
  bool start_object(std::size_t) { return begin_object(), true; }
  bool end_object() { return end(), true; }
  bool start_array(std::size_t) { return begin_array(), true; }
  bool end_array() { return end(), true; }
  bool parse_error(std::size_t, const std::string&, const json::exception&) {
    throw std::runtime_error("not JSON");
  }
};

}  // namespace

UnwrapWebhookEvent nlohmann_sax(std::string_view body) {
  handler handler;
  json::sax_parse(body, &handler);
  return handler.event();
}

}  // namespace peers
