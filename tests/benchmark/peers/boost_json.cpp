// SPDX-License-Identifier: MIT
#include <boost/json/basic_parser_impl.hpp>

#include "peers.hpp"
#include "sax_handler.hpp"

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace peers {
namespace {

namespace json = boost::json;

/// The parser reports a string with escapes in parts, or in its own buffer, so they must be copied.
struct handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  using error = json::error_code;
  std::string_view body;
  sax_handler<std::string_view> sax;
  std::string parts;
  std::forward_list<std::string> kept;

  bool part(json::string_view text) { return parts.append(text.data(), text.size()), true; }
  std::string_view whole(json::string_view text) {
    const std::less<const char*> before;
    if (parts.empty() && !before(text.data(), body.data()) && before(text.data(), body.data() + body.size())) {
      return {text.data(), text.size()};
    }
    part(text);
    return kept.emplace_front(std::exchange(parts, {}));
  }

  bool on_document_begin(error&) { return true; }
  bool on_document_end(error&) { return true; }
  bool on_object_begin(error&) { return sax.begin_object(), true; }
  bool on_object_end(std::size_t, error&) { return sax.end(), true; }
  bool on_array_begin(error&) { return sax.begin_array(), true; }
  bool on_array_end(std::size_t, error&) { return sax.end(), true; }
  bool on_key_part(json::string_view text, std::size_t, error&) { return part(text); }
  bool on_key(json::string_view text, std::size_t, error&) { return sax.key(whole(text)), true; }
  bool on_string_part(json::string_view text, std::size_t, error&) { return part(text); }
  bool on_string(json::string_view text, std::size_t, error&) { return sax.string(whole(text)), true; }
  bool on_number_part(json::string_view, error&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error&) { return sax.other(), true; }
  bool on_uint64(std::uint64_t, json::string_view, error&) { return sax.other(), true; }
  bool on_double(double, json::string_view, error&) { return sax.other(), true; }
  bool on_bool(bool, error&) { return sax.other(), true; }
  bool on_null(error&) { return sax.other(), true; }
  bool on_comment_part(json::string_view, error&) { return true; }
  bool on_comment(json::string_view, error&) { return true; }
};

json::basic_parser<handler> parser{json::parse_options()};

}  // namespace

UnwrapWebhookEvent boost_json_sax(std::string_view body) {
  parser.reset();
  parser.handler() = {};
  parser.handler().body = body;
  json::error_code error;
  if (parser.write_some(false, body.data(), body.size(), error) != body.size() || error) {
    throw std::runtime_error("not JSON");
  }
  return parser.handler().sax.event();
}

}  // namespace peers
