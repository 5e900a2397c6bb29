// SPDX-License-Identifier: MIT
// What a request is answered with, and what the log says of it.
#pragma once

#include "log.hpp"

#include <utility>  // which Boost 1.74 forgets to include

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <sstream>

namespace beast = boost::beast;
namespace http = beast::http;

using Request = http::request<http::string_body>;
struct Answer {
  unsigned status = 0;
  std::string text{}, for_the_log{}, allow{};  // allow: the header of that name
  bool is_logged = true;
  std::string type{"text/plain"};
};

inline std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

inline Answer refusal(const beast::error_code& ec) {
  using http::error;
  if (ec == error::header_limit || ec == error::buffer_overflow) return {431, "the header is too large"};
  if (ec == error::body_limit) return {413, "the body is too large"};
  if (ec == error::partial_message) return {400, "the request is incomplete"};
  if (ec.category() == beast::error_code(error::bad_method).category()) return {400, ec.message()};
  return {0, ec == beast::error::timeout ? "the request was not complete within ten seconds" : ec.message()};
}

inline void log_answer(const Answer& answer, const Request& request) {
  std::ostringstream line;
  line << answer.status << ' ' << request.method_string() << ' ' << request.target().substr(0, 100);
  line << "  " << answer.text << answer.for_the_log;
  const bool is_delivery = answer.status == 200 || answer.status >= 500;  // to be seen among many strangers
  is_delivery ? the_log.line(line.str()) : the_log.refused(line.str());
}
