// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <pistache/endpoint.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

using namespace anthropic::webhooks;
using namespace Pistache;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const Http::Request& request) {
  if (request.headers().tryGetRaw("Content-Encoding")) return 415;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      request.body(),
      [&](const char* name) {
        const auto h = request.headers().tryGetRaw(name);
        return h ? h->value() : "";
      },
      error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

struct Handler : Http::Handler {
  HTTP_PROTOTYPE(Handler)

  explicit Handler(const WebhookVerifier& with) : verifier(with) {}
  void onRequest(const Http::Request& request, Http::ResponseWriter response) override {
    response.send(static_cast<Http::Code>(receive(verifier, request)));
  }
  WebhookVerifier verifier;
};

int main(int argc, char** argv) try {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
  Http::Endpoint endpoint(Address(Ipv4::loopback(), port));
  endpoint.init(Http::Endpoint::options().maxRequestSize(1 << 20));  // the default is 4 KiB, with the headers
  endpoint.setHandler(std::make_shared<Handler>(verifier));
  endpoint.serveThreaded();
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  pause();
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
