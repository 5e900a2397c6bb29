// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <pistache/endpoint.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>

using namespace anthropic::webhooks;
using namespace Pistache;

struct Handler : Http::Handler {
  HTTP_PROTOTYPE(Handler)

  void onRequest(const Http::Request& request, Http::ResponseWriter response) override {
    static const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
    WebhookError error;
    const auto event = verifier.try_unwrap(
        request.body(),
        [&](const char* name) {
          const auto h = request.headers().tryGetRaw(name);
          return h ? h->value() : "";
        },
        error);
    response.send(static_cast<Http::Code>(event ? 204 : error.http_status()));
  }
};

int main() {
  Http::Endpoint endpoint(Address(Ipv4::loopback(), 0));
  endpoint.init();
  endpoint.setHandler(std::make_shared<Handler>());
  endpoint.serveThreaded();
  std::cout << endpoint.getPort() << std::endl;
  pause();
}
