#include <anthropic/webhooks/verify.hpp>
#include <string>

std::string type_of(const char* body) {
  return std::string(anthropic::webhooks::event_type(anthropic::webhooks::unwrap(body).data));
}
