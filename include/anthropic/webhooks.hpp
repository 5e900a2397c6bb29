// SPDX-License-Identifier: MIT
#pragma once

/// Everything but the signature verification, which needs OpenSSL: <anthropic/webhooks/verify.hpp>.
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/resource.hpp>
#include <anthropic/webhooks/timestamp.hpp>
#include <anthropic/webhooks/unwrap.hpp>
#ifndef ANTHROPIC_WEBHOOKS_NO_JSON  // which CMake defines where its option ANTHROPIC_WEBHOOKS_JSON is off
#include <anthropic/webhooks/json.hpp>
#endif
