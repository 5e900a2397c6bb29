// SPDX-License-Identifier: MIT
#pragma once

/// Everything but the signature verification, which needs OpenSSL: <anthropic/webhooks/verify.hpp>. Without
/// json.hpp if exceptions are off, or CMake's option ANTHROPIC_WEBHOOKS_JSON is.
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/resource.hpp>
#include <anthropic/webhooks/timestamp.hpp>
#include <anthropic/webhooks/unwrap.hpp>
#if (defined(__cpp_exceptions) || defined(_CPPUNWIND)) && !defined(ANTHROPIC_WEBHOOKS_NO_JSON)
#include <anthropic/webhooks/json.hpp>
#endif
