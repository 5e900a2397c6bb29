// SPDX-License-Identifier: MIT
#pragma once

/// Everything but the signature verification, which needs OpenSSL: <anthropic/webhooks/verify.hpp>. Without
/// exceptions, also without json.hpp, which needs them.
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#include <anthropic/webhooks/json.hpp>
#endif
#include <anthropic/webhooks/timestamp.hpp>
#include <anthropic/webhooks/unwrap.hpp>
