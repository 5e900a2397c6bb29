// SPDX-License-Identifier: MIT
// expect: needs nlohmann/json 3.11 or newer
#ifdef FAIL
#include <nlohmann/json_fwd.hpp>
#undef NLOHMANN_JSON_NAMESPACE_BEGIN
#endif
#include <anthropic/webhooks/json.hpp>
