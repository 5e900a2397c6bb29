// SPDX-License-Identifier: MIT
// QHttpServer does not limit bodies, and reads all of a body before it calls a handler. Put a proxy with a limit
// in front. Qt is included first, to show that its macros do no harm.
#include <QCoreApplication>
#include <QHttpServer>
#include <QTcpServer>

#include <anthropic/webhooks/verify.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace anthropic::webhooks;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const QHttpServerRequest& request) {
  if (!request.value("Content-Encoding").isEmpty()) return 415;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      request.body().toStdString(), [&](const char* name) { return request.value(name); }, error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

int main(int argc, char** argv) try {
  const QCoreApplication application(argc, argv);
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
  QHttpServer server;
  server.route("/webhooks", QHttpServerRequest::Method::Post, [&](const QHttpServerRequest& request) {
    return QHttpServerResponse(static_cast<QHttpServerResponse::StatusCode>(receive(verifier, request)));
  });
  QTcpServer socket;
  if (!socket.listen(QHostAddress::LocalHost, port)) throw std::runtime_error(socket.errorString().toStdString());
  server.bind(&socket);
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  return QCoreApplication::exec();
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
