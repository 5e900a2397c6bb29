// SPDX-License-Identifier: MIT
// Qt comes first, to show that the library does not mind its macros.
#include <QCoreApplication>
#include <QHttpServer>
#include <QTcpServer>

#include <anthropic/webhooks/verify.hpp>

#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

int main(int argc, char** argv) {
  const QCoreApplication application(argc, argv);
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  QHttpServer server;
  server.route("/webhooks", QHttpServerRequest::Method::Post, [&](const QHttpServerRequest& request) {
    WebhookError error;
    const auto event = verifier.try_unwrap(
        request.body().toStdString(), [&](const char* name) { return request.value(name); }, error);
    return QHttpServerResponse(static_cast<QHttpServerResponse::StatusCode>(event ? 204 : error.http_status()));
  });
  QTcpServer socket;
  socket.listen(QHostAddress::LocalHost);
  server.bind(&socket);
  std::cout << socket.serverPort() << std::endl;
  return QCoreApplication::exec();
}
