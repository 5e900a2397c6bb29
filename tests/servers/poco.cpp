// SPDX-License-Identifier: MIT
// POCO does not limit bodies, so receive() does.
#include <anthropic/webhooks/verify.hpp>

#include <Poco/Event.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;
using namespace Poco::Net;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, HTTPServerRequest& request) {
  if (request.has("Content-Encoding")) return 415;
  constexpr std::size_t limit = 1 << 20;
  std::string body(limit + 1, '\0');
  request.stream().read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(request.stream().gcount()));
  if (body.size() > limit) return 413;
  WebhookError error;
  const auto event = verifier.try_unwrap(body, request, error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

struct Handler : HTTPRequestHandler {
  explicit Handler(const WebhookVerifier& with) : verifier(with) {}
  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    response.setStatusAndReason(static_cast<HTTPResponse::HTTPStatus>(receive(verifier, request)));
    response.setContentLength(0);
    response.send();
  }
  const WebhookVerifier& verifier;
};
struct Factory : HTTPRequestHandlerFactory {
  explicit Factory(const WebhookVerifier& with) : verifier(with) {}
  HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Handler(verifier); }
  const WebhookVerifier& verifier;
};

int main(int argc, char** argv) try {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
  auto* const parameters = new HTTPServerParams;
  parameters->setKeepAlive(false);  // the body of a refused request is not read
  HTTPServer server(new Factory(verifier), ServerSocket(SocketAddress("127.0.0.1", port)), parameters);
  server.start();
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  Poco::Event().wait();
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
