// SPDX-License-Identifier: MIT
// expect: (use of deleted function|conversion function from .* invokes a deleted function)
#include <anthropic/webhooks/headers.hpp>

#include <map>
#include <string>
#include <string_view>

bool is_empty(const std::map<std::string, std::string>& map) {
#ifdef FAIL
  const std::string_view id = anthropic::webhooks::webhook_headers(map).id;
#else
  const auto headers = anthropic::webhooks::webhook_headers(map);
  const std::string_view id = headers.id;
#endif
  return id.empty();
}
