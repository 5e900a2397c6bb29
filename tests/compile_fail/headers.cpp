// SPDX-License-Identifier: MIT
// expect: headers: pass a range of name and value pairs, such as a map
#include <anthropic/webhooks/headers.hpp>

#include <string>
#include <utility>
#include <vector>

#ifdef FAIL
struct Line {
  std::string name, value, comment;
};
using Lines = std::vector<Line>;
#else
using Lines = std::vector<std::pair<std::string, std::string> >;
#endif

anthropic::webhooks::WebhookHeaders find(const Lines& lines) {
  return anthropic::webhooks::webhook_headers(lines);
}
