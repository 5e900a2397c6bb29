// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <Poco/Event.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/StreamCopier.h>

#include <cstdlib>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;
using namespace Poco::Net;

struct Handler : HTTPRequestHandler {
  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    static const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
    std::string body;
    Poco::StreamCopier::copyToString(request.stream(), body);
    WebhookError error;
    const auto event = verifier.try_unwrap(body, request, error);
    response.setStatusAndReason(static_cast<HTTPResponse::HTTPStatus>(event ? 204 : error.http_status()));
    response.setContentLength(0);
    response.send();
  }
};
struct Factory : HTTPRequestHandlerFactory {
  HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Handler; }
};

int main() {
  HTTPServer server(new Factory, ServerSocket(SocketAddress("127.0.0.1", 0)), new HTTPServerParams);
  std::cout << server.port() << std::endl;
  server.start();
  Poco::Event().wait();
}
