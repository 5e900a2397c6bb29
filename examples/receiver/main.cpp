// SPDX-License-Identifier: MIT
// A receiver that loses no event that it has accepted. It verifies and records each POST to /webhooks, answers,
// and handles the event after that. It belongs behind a reverse proxy, which does TLS.
#include "webhooks.hpp"

#include <getopt.h>
#include <sys/stat.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

constexpr auto usage =
    "usage: ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE=... receiver [--grace SECONDS] [--handler-limit SECONDS]"
    " [--save-refused FILE] [port [database [address]]]\n";
constexpr auto help = R"(
The file has the signing secret, or several with whitespace or commas between them. It is read again on SIGHUP, and
when a delivery does not verify. ANTHROPIC_WEBHOOK_SIGNING_KEY may have the secrets instead.

  port                     default 8080; 0 is any free port
  database                 a file for SQLite, default webhooks.db, or a postgresql:// URL
  address                  to listen on, default 127.0.0.1
  --grace SECONDS          on SIGTERM, accept deliveries for this long, while /healthz answers 503
  --handler-limit SECONDS  exit with status 3 if a handler runs for longer than this, default 300
  --save-refused FILE      save some of the requests that got a 401, in FILE.signed.1 and so on

POST /webhooks takes deliveries. GET /healthz answers 200 while they can be recorded. GET /metrics is for Prometheus.
)";

// Replace this with your own work. store.hpp says what it can rely on.
void handle(Transaction& db, const UnwrapWebhookEvent& event) {
  const auto idle = [](const BetaWebhookSessionStatusIdledEventData& e) { return "session " + e.id + " is idle"; };
  const auto other = [](const auto& e) { return std::string(e.type) + ' ' + e.id; };
  const std::string note = std::visit(overloaded{idle, other}, event.data);
  db.run("INSERT INTO notes VALUES($1, $2)", {event.id, note});
}

struct Options {
  std::string save_refused, database = "webhooks.db", address = "127.0.0.1";
  int port = 8080, grace = 0, handler_limit = 300;
};

// No message repeats an argument: it may be a URL with a password in the wrong place.
Options parse(int argc, char** argv) {
  const auto number = [](std::string_view text, int least, int most, const std::string& what) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error == std::errc() && end == text.end() && value >= least && value <= most) return value;
    throw std::runtime_error("the " + what + " is not a number from " + std::to_string(least) + " to " +
                             std::to_string(most));
  };
  Options options;
  const option names[] = {{"grace", required_argument, nullptr, 'g'},
                          {"handler-limit", required_argument, nullptr, 'h'},
                          {"save-refused", required_argument, nullptr, 's'},
                          {}};
  opterr = 0;
  for (int name = 0; (name = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
    if (name == '?') throw std::runtime_error("an option is unknown, or has no value");
    if (name == 'g') options.grace = number(optarg, 0, 3600, "grace period");
    if (name == 'h') options.handler_limit = number(optarg, 1, 86'400, "handler limit");
    if (name == 's') options.save_refused = optarg;
  }
  if (argc - optind > 3) throw std::runtime_error("there are more than three arguments");
  if (optind < argc) options.port = number(argv[optind++], 0, 65535, "port");
  if (optind < argc) options.database = argv[optind++];
  if (optind < argc) {
    beast::error_code ec;
    options.address = asio::ip::make_address(argv[optind], ec).to_string();
    if (ec) throw std::runtime_error("the third argument is not an IP address");
  }
  return options;
}

asio::awaitable<void> stop_on(asio::signal_set& signals, int grace, Webhooks& server) {
  co_await signals.async_wait(asio::use_awaitable);
  the_log.line("told to stop");
  server.is_ending = true;
  server.handlers.stop();  // they may take as long as the grace period. Other receivers handle what still comes.
  const auto timer =
      std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, std::chrono::seconds(grace));
  signals.async_wait([timer](const beast::error_code& canceled, int) {
    if (!canceled) timer->cancel();  // a second signal
  });
  beast::error_code ec;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ec));
  signals.cancel();
  co_await server.stop();
}

asio::awaitable<void> reload_on(asio::signal_set& signal, Secrets& secrets) {
  for (;; secrets.reload(true))
    co_await signal.async_wait(asio::use_awaitable);  // which throws when it is canceled
}

int main(int argc, char** argv) try {
  if (argc == 2 && argv[1] == std::string_view("--help")) {
    std::cout << usage << help;
    return 0;
  }
  asio::io_context io(1);
  asio::signal_set stop(io, SIGINT, SIGTERM), hangup(io, SIGHUP);              // they wait for run()
  for (const int ignored : {SIGPIPE, SIGXFSZ}) std::signal(ignored, SIG_IGN);  // write() fails instead
  const std::unique_ptr<Log, void (*)(Log*)> log(&the_log, [](Log* it) { it->end(); });
  umask(077);  // what it writes is for its owner alone
  const Options options = parse(argc, argv);
  const auto handler = [](Transaction& db, const std::string&, const std::string& body) {
    WebhookError error;
    const auto event = try_unwrap(body, error);
    if (!event) throw Unparsable(error.what());
    handle(db, *event);
  };
  Webhooks server(io, options.database, handler, std::chrono::seconds(options.handler_limit),
                  std::chrono::seconds(options.grace + 30), options.save_refused);
  asio::co_spawn(io, reload_on(hangup, server.secrets), asio::detached);
  asio::co_spawn(io, stop_on(stop, options.grace, server), [&](std::exception_ptr e) {
    hangup.cancel();
    if (e) std::rethrow_exception(e);
  });
  the_log.print("listening on " + server.listen(options.address, options.port) + "/webhooks\n");
  server.handlers.start();  // only now: one that crashes does not keep the port closed
  try {
    io.run();  // until requests in flight have been answered. The next start handles the events that are left.
  } catch (const std::exception& e) {
    std::cerr << "receiver: " << e.what() << '\n';
    the_log.end();
    std::_Exit(2);  // the destructors would wait for a handler that hangs
  }
  server.handlers.exit_if_hung();
  return 0;
} catch (const std::exception& e) {
  std::cerr << "receiver: " << e.what() << '\n' << usage;
  return 2;
}
