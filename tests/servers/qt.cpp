// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <QCoreApplication>
#include <QHttpServer>

#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

int main(int argc, char** argv) {
  const QCoreApplication application(argc, argv);
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  QHttpServer server;
  server.route("/webhooks", QHttpServerRequest::Method::Post, [&](const QHttpServerRequest& request) {
    WebhookError error;
    const auto event = verifier.try_unwrap(request.body().toStdString(), request.headers(), error);
    return QHttpServerResponse(static_cast<QHttpServerResponse::StatusCode>(event ? 204 : error.http_status()));
  });
  std::cout << server.listen(QHostAddress::LocalHost) << std::endl;
  return QCoreApplication::exec();
}
