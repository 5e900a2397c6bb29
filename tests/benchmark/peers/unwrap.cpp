// SPDX-License-Identifier: MIT
#include "peers.hpp"

#include <anthropic/webhooks/unwrap.hpp>

namespace peers {

UnwrapWebhookEvent unwrap(std::string_view body) { return anthropic::webhooks::unwrap(body); }

}  // namespace peers
