// SPDX-License-Identifier: MIT
// The files in examples/receiver/deploy, and what examples/receiver/README.md offers to copy. Only ports, paths
// and certificates in the files are replaced. Tests of programs that are not installed are skipped.
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"
#include "store.hpp"

#include <openssl/ssl.h>
#include <anthropic/webhooks.hpp>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

namespace {

#ifdef POSTGRES_BIN
using Database = Postgres;
#else
using Database = Sqlite;
#endif

/// Says that it is not installed, which is an error if all should be.
void skip(const std::string& name) {
  if (std::getenv("REQUIRE_SERVERS")) FAIL(name << " is not installed");
  WARN("skipped: " << name << " is not installed");
}

/// The path of an installed program, or "" if its test is skipped.
std::string program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders((path ? path : "/bin") + std::string(":/usr/sbin:/sbin"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + '/' + name).c_str(), X_OK) == 0) return folder + '/' + name;
  }
  skip(name);
  return "";
}

/// A port that stays free, since the system does not give it to clients. Tests that start at the same time have
/// consecutive process IDs, so each gets its own 32 ports.
int free_port() {
  static int next = getpid() * 32;
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = 20'000 + ++next % 10'000;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool is_free = bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(socket);
    if (is_free) return port;
  }
  throw std::runtime_error("no free port");
}

using Replacements = std::vector<std::pair<std::string, std::string>>;

/// A file of examples/receiver/deploy. It must contain each text to replace.
std::string deployed(const std::string& name, const Replacements& replacements) {
  std::string text = contents(fs::path(DEPLOY_DIR) / name);
  for (const auto& [from, to] : replacements) {
    CAPTURE(name, from);
    REQUIRE(text.find(from) != std::string::npos);
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

fs::path write(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

/// A certificate for localhost, and its key.
struct Certificate {
  explicit Certificate(const fs::path& folder)
      : certificate((folder / "cert.pem").string()), key((folder / "key.pem").string()) {
    Process openssl("",
                    {program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                     "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate},
                    folder / "openssl.log");
    if (openssl.wait() != 0) throw std::runtime_error("no certificate: " + openssl.log());
  }
  std::string certificate, key;
};

/// A reverse proxy. It exits cleanly with all its processes, even if this test is killed.
class Proxy : public Process {
 public:
  Proxy(std::vector<std::string> command, const fs::path& log, int port) : Process("", wrapped(command), log) {
    if (!eventually([&] { return Connection(port).connected || ended(); }) || ended()) {
      throw std::runtime_error(command[0] + " does not listen: " + this->log());
    }
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() {
    signal(SIGTERM);
    wait();
  }

 private:
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }
  static std::vector<std::string> wrapped(std::vector<std::string> command) {
    command.insert(command.begin(), {program("setpriv"), "--pdeathsig", "TERM"});
    return command;
  }
};

/// Three receivers that share a database, and the certificate of a proxy in front of them.
struct Site {
  explicit Site(std::string seconds = "1") : grace(std::move(seconds)) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL has no MSG_NOSIGNAL
    for (int i = 0; i < 3; ++i) {
      ports.push_back(free_port());
      start(receivers.emplace_back(), ports.back());
    }
  }

  void start(std::unique_ptr<Receiver>& receiver, int at) {
    Receiver::Options options;
    options.port = at;
    options.more = {"--grace", grace};
    receiver =
        std::make_unique<Receiver>(database.where(), folder.path / ("receiver." + std::to_string(at)), options);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder.path / name).string(); }
  [[nodiscard]] std::string at(std::size_t i) const { return "127.0.0.1:" + std::to_string(ports[i]); }

  [[nodiscard]] std::unique_ptr<httplib::SSLClient> client() const {
    auto made = std::make_unique<httplib::SSLClient>("localhost", port);
    made->set_ca_cert_path(certificate.certificate.c_str());
    made->enable_server_certificate_verification(true);
    made->set_keep_alive(true);
    made->set_tcp_nodelay(true);
    made->set_read_timeout(60);
    return made;
  }

  /// The status of the answer, or 0 if there is none.
  [[nodiscard]] int deliver(const std::string& body, const std::string& signed_body, const char* to = "/webhooks",
                            const httplib::Headers& more = {}) const {
    auto headers = signed_headers(signed_body, id_of(body));
    headers.insert(more.begin(), more.end());
    const auto result = client()->Post(to, headers, body, "application/json");
    return result ? result->status : 0;
  }
  [[nodiscard]] int deliver(const std::string& body) const { return deliver(body, body); }

  [[nodiscard]] std::string count(const std::string& what) const {
    const std::string text = database.query("SELECT count(" + what + ") FROM webhook_events");
    return text.substr(0, text.size() - 1);
  }

  const Database database;
  const Folder folder;
  const Certificate certificate{folder.path};
  const int port = free_port();
  std::string grace;
  std::vector<int> ports;
  std::vector<std::unique_ptr<Receiver>> receivers;
};

std::unique_ptr<Proxy> start_nginx(const Site& site) {
  const std::string here = site.folder.path.string() + '/';
  std::string paths = "http {";
  for (const std::string name : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    paths += '\n' + name + "_temp_path " + here + name + ';';
  }
  if (geteuid() == 0) fs::permissions(site.folder.path, fs::perms(0711));  // for the user of its workers
  const auto file =
      write(here + "nginx.conf",
            deployed("nginx.conf",
                     {{"10.0.0.11:8080", site.at(0)},
                      {"10.0.0.12:8080", site.at(1)},
                      {"10.0.0.13:8080", site.at(2)},
                      {"443", "127.0.0.1:" + std::to_string(site.port)},
                      {"/etc/letsencrypt/live/webhooks.example.com/fullchain.pem", site.certificate.certificate},
                      {"/etc/letsencrypt/live/webhooks.example.com/privkey.pem", site.certificate.key},
                      {"/run/nginx.pid", here + "nginx.pid"},
                      {"/var/log/nginx/error.log", "stderr"},
                      {"http {", paths}}));
  return std::make_unique<Proxy>(
      std::vector<std::string>{program("nginx"), "-e", "stderr", "-g", "daemon off;", "-c", file.string()},
      here + "nginx.log", site.port);
}

std::unique_ptr<Proxy> start_caddy(const Site& site) {
  // Without the global options it would also listen on port 80 and on its admin port.
  const std::string address = "{\nadmin off\nauto_https disable_redirects\n}\nhttps://localhost:";
  const auto file = write(site.path("Caddyfile"),
                          deployed("Caddyfile", {{"webhooks.example.com", address + std::to_string(site.port)},
                                                 {"127.0.0.1:8080", site.at(0)}}) +
                              "tls " + site.certificate.certificate + ' ' + site.certificate.key + '\n');
  return std::make_unique<Proxy>(
      std::vector<std::string>{program("env"), "HOME=" + site.folder.path.string(),
                               "XDG_DATA_HOME=" + site.path("data"), "XDG_CONFIG_HOME=" + site.path("config"),
                               program("caddy"), "run", "--adapter", "caddyfile", "--config", file.string()},
      site.path("caddy.log"), site.port);
}

std::unique_ptr<Proxy> start_haproxy(const Site& site) {
  const auto both =
      write(site.path("both.pem"), contents(site.certificate.certificate) + contents(site.certificate.key));
  const auto file =
      write(site.path("haproxy.cfg"),
            deployed("haproxy.cfg", {{"10.0.0.11:8080", site.at(0)},
                                     {"10.0.0.12:8080", site.at(1)},
                                     {"10.0.0.13:8080", site.at(2)},
                                     {"/etc/haproxy/webhooks.example.com.pem", both.string()},
                                     {"log /dev/log local0", "log stderr format raw local0"},
                                     {":443", "127.0.0.1:" + std::to_string(site.port)},
                                     {"  user haproxy\n  group haproxy\n", ""}}));  // or --pdeathsig has no effect
  return std::make_unique<Proxy>(std::vector<std::string>{program("haproxy"), "-db", "-f", file.string()},
                                 site.path("haproxy.log"), site.port);
}

/// A client over TLS that sends its request a few bytes at a time.
class Dripping {
 public:
  Dripping(SSL_CTX* context, int port, const std::string& start)
      : bio_(BIO_new_ssl_connect(context), BIO_free_all) {
    BIO_set_conn_hostname(bio_.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    drip("POST /webhooks HTTP/1.1\r\nHost: localhost\r\n" + start);
  }
  /// Whether the other side still accepts it.
  bool drip(const std::string& text = "x") {
    return BIO_write(bio_.get(), text.data(), static_cast<int>(text.size())) > 0;
  }

 private:
  std::unique_ptr<BIO, void (*)(BIO*)> bio_;
};

void check_deliveries(const Site& site) {
  const std::string body = event("whe_1");
  CHECK(site.deliver(body) == 200);
  CHECK(site.deliver(body) == 200);
  CHECK(site.deliver(event("whe_2"), body) == 401);
  CHECK(site.deliver(std::string(1'000'000, ' ')) == 200);
  CHECK(site.deliver(std::string(1'100'000, ' ')) == 413);
  for (const char* path : {"/healthz", "/metrics", "/", "/webhooks/metrics", "/webhooks/../metrics", "//metrics",
                           "/%6Detrics", "/metrics?/webhooks", "http://localhost/metrics"}) {
    CAPTURE(path);
    const auto result = site.client()->Get(path);
    REQUIRE(result);
    CHECK(result->status / 100 == 4);  // HAProxy: 400 for a whole URL
  }
  CHECK(site.deliver(body, body, "/webhooks", {{"Content-Encoding", "gzip"}}) == 415);
  const int too_large = site.deliver(body, body, "/webhooks", {{"X", std::string(30'000, 'x')}});
  CHECK((too_large == 0 || too_large >= 400));
  const auto client = site.client();  // chunked
  const auto result = client->Post(
      "/webhooks", signed_headers(event("whe_3")),
      [](std::size_t, httplib::DataSink& sink) {
        const std::string chunk = event("whe_3");
        for (const char c : chunk) sink.write(&c, 1);
        sink.done();
        return true;
      },
      "application/json");
  REQUIRE(result);
  CHECK(result->status == 200);
  CHECK(site.count("*") == "3");
  REQUIRE(eventually([&] { return site.count("handled_at") == "2"; }));  // the body of spaces does not parse
}

void check_drips(const Site& site, const Proxy& proxy, std::size_t n = 500, const std::string& start = "X: ") {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  std::vector<std::unique_ptr<Dripping>> clients;
  while (clients.size() < n) clients.push_back(std::make_unique<Dripping>(context.get(), site.port, start));
  const auto all_drip = [&] {
    std::size_t dripping = 0;
    for (auto& client : clients) dripping += client->drip() ? 1 : 0;
    return dripping;
  };
  const auto not_recorded = [&] {
    std::size_t lines = 0;
    for (const auto& receiver : site.receivers) {
      lines += count(receiver->log(), " POST /webhooks  ") - count(receiver->log(), " 200 POST /webhooks  ");
    }
    return lines;
  };
  const std::size_t before = not_recorded();
  CAPTURE(proxy.log());
  bool any_quick = false;
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 0) {
      const std::size_t dripping = all_drip();
      if (i == 0) CHECK(dripping >= n * 4 / 5);  // later, some have timed out
    }
    const auto begin = std::chrono::steady_clock::now();
    CHECK(site.deliver(event("whe_drip_" + std::to_string(i))) == 200);
    any_quick = any_quick || std::chrono::steady_clock::now() - begin < 8s;
  }
  CHECK(any_quick);  // no waiting for the slow clients, which have ten seconds
  clients.clear();
  std::this_thread::sleep_for(1s);  // a receiver that got part of their requests would log it now
  CHECK(not_recorded() == before);
}

/// Restarts each receiver with each of the signals while four clients deliver. No attempt may fail.
void check_restarts(Site& site, const Proxy& proxy, const std::vector<int>& signals,
                    const std::function<void(std::size_t i)>& wait_for_restarted) {
  std::atomic<bool> done{false};
  std::atomic<int> accepted{0};
  std::mutex mutex;
  std::string failed;
  auto load = std::async(std::launch::async, [&] {
    in_threads(4, [&](std::size_t thread) {
      const auto client = site.client();
      for (int i = 0; !done; ++i) {
        std::this_thread::sleep_for(1ms);
        const std::string body = event("whe_" + std::to_string(thread) + '_' + std::to_string(i));
        const auto result = client->Post("/webhooks", signed_headers(body), body, "application/json");
        if (result && result->status == 200) {
          ++accepted;
        } else {
          const std::lock_guard lock(mutex);
          failed +=
              id_of(body) + ": " + (result ? std::to_string(result->status) : to_string(result.error())) + '\n';
        }
      }
    });
  });
  const std::shared_ptr<void> end_of_load(nullptr, [&](void*) { done = true; });  // even if something throws
  // In this thread: a process dies with the thread that started it.
  for (const int signal : signals) {
    for (std::size_t i = 0; i < 3; ++i) {
      const int before = accepted;
      site.receivers[i]->signal(signal);
      CHECK(site.receivers[i]->wait() == (signal == SIGTERM ? 0 : -signal));
      site.start(site.receivers[i], site.ports[i]);
      wait_for_restarted(i);
      CHECK(eventually([&] { return accepted > before + 20; }));
    }
  }
  done = true;
  load.get();
  std::string logs = proxy.log();
  for (const auto& receiver : site.receivers) logs += receiver->log();
  CAPTURE(logs);
  CHECK(failed == "");
  CHECK(site.count("*") == std::to_string(accepted));
  REQUIRE(eventually([&] { return site.count("handled_at") == std::to_string(accepted); }));
  CHECK(site.database.query("SELECT count(*) FROM notes") == std::to_string(accepted) + '\n');
}

TEST_CASE("nginx: deliveries come over https, and 500 connections that drip header bytes do not hold them up",
          "[nginx]") {
  if (program("nginx").empty()) return;
  const Site site;
  const auto proxy = start_nginx(site);
  check_deliveries(site);
  check_drips(site, *proxy);
}

TEST_CASE("nginx: three receivers are restarted under load, one after the other, and no attempt fails",
          "[nginx]") {
  if (program("nginx").empty()) return;
  Site site;
  const auto proxy = start_nginx(site);
  check_restarts(site, *proxy, {SIGTERM, SIGKILL}, [](std::size_t) {});
}

const std::string endless_body = "Content-Length: 1000000\r\n\r\n";

TEST_CASE("nginx: 300 bodies that drip reach no receiver, and do not hold up deliveries", "[nginx]") {
  if (program("nginx").empty()) return;
  const Site site;
  check_drips(site, *start_nginx(site), 300, endless_body);
}

TEST_CASE("HAProxy: 300 bodies that drip reach no receiver, and do not hold up deliveries", "[haproxy]") {
  if (program("haproxy").empty()) return;
  const Site site;
  check_drips(site, *start_haproxy(site), 300, endless_body);
}

TEST_CASE("Caddy: deliveries come over https, and 500 connections that drip header bytes do not hold them up",
          "[caddy]") {
  if (program("caddy").empty()) return;
  const Site site;
  const auto proxy = start_caddy(site);
  check_deliveries(site);
  check_drips(site, *proxy);
}

TEST_CASE("HAProxy: deliveries come over https, and 500 connections that drip header bytes do not hold them up",
          "[haproxy]") {
  if (program("haproxy").empty()) return;
  const Site site;
  const auto proxy = start_haproxy(site);
  check_deliveries(site);
  check_drips(site, *proxy);
}

TEST_CASE("HAProxy: three receivers are restarted under load, one after the other, and no attempt fails",
          "[haproxy]") {
  if (program("haproxy").empty()) return;
  Site site("4");  // time for two of its checks
  const auto proxy = start_haproxy(site);
  check_restarts(site, *proxy, {SIGTERM}, [&](std::size_t i) {
    std::this_thread::sleep_for(1500ms);  // longer than the interval of its checks
    const std::string server = std::string("Server receivers/") + "abc"[i];
    const auto is_up = [&] {
      return count(proxy->log(), server + " is UP") == count(proxy->log(), server + " is DOWN");
    };
    CHECK(eventually(is_up));
  });
}

TEST_CASE("HAProxy uses a receiver once it is healthy, until it is told to stop", "[haproxy]") {
  if (program("haproxy").empty()) return;
  Site site;
  for (auto& receiver : site.receivers) {
    receiver->signal(SIGTERM);
    CHECK(receiver->wait() == 0);
  }
  const auto proxy = start_haproxy(site);
  REQUIRE(proxy->logs("Server receivers/c is DOWN"));
  CHECK(site.deliver(event("whe_1")) == 503);
  site.grace = "3600";
  site.start(site.receivers[0], site.ports[0]);
  site.start(site.receivers[1], site.ports[1]);
  REQUIRE(proxy->logs("Server receivers/a is UP"));
  REQUIRE(proxy->logs("Server receivers/b is UP"));
  const auto deliver_ten = [&](const std::string& ids) {
    for (int i = 0; i < 10; ++i) CHECK(site.deliver(event(ids + std::to_string(i))) == 200);
  };
  deliver_ten("whe_both_");
  for (const std::size_t i : {0U, 1U}) CHECK(site.receivers[i]->logs(" recorded whe_both_"));

  site.receivers[0]->signal(SIGTERM);
  REQUIRE(eventually([&] { return count(proxy->log(), "Server receivers/a is DOWN, reason: Layer7") > 0; }));
  deliver_ten("whe_b_");
  CHECK(site.receivers[1]->logs(" recorded whe_b_9"));
  CHECK(count(site.receivers[0]->log(), "whe_b_") == 0);
  CHECK(deliver(site.ports[0], event("whe_2")) == 200);  // deliveries may still be on their way
}

TEST_CASE("Prometheus accepts the alerts, and each fires when it should", "[prometheus]") {
  const std::string promtool = program("promtool");
  if (promtool.empty()) return;
  const Folder folder;
  const fs::path rules = fs::path(DEPLOY_DIR) / "prometheus-alerts.yml";
  const fs::path tests = fs::path(FIXTURES_DIR) / "../receiver/prometheus_alerts.yml";
  const auto succeeds = [&](const std::vector<std::string>& arguments, const fs::path& file) {
    std::vector<std::string> command{promtool};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back(file.string());
    Process process("", command, folder.path / "promtool.log");
    const int status = process.wait();
    CAPTURE(process.log());
    CHECK(status == 0);
  };
  succeeds({"check", "rules", "--lint-fatal"}, rules);
  succeeds({"test", "rules"}, tests);

  // The start of its first comment is a configuration.
  std::istringstream lines(contents(rules));
  std::string line, configuration;
  for (std::getline(lines, line); std::getline(lines, line) && line.compare(0, 3, "#  ") == 0;) {
    configuration += line.substr(4) + '\n';
  }
  CHECK(count(configuration, rules.filename().string()) == 1);
  fs::copy_file(rules, folder.path / rules.filename());
  succeeds({"check", "config"}, write(folder.path / "prometheus.yml", configuration));

  const Sqlite database;
  const Receiver receiver(database.where(), folder.path / "log");
  const auto metrics = httplib::Client("127.0.0.1", receiver.port).Get("/metrics");
  REQUIRE(metrics);
  const std::string text = contents(rules);
  const std::regex names("webhook_receiver_\\w+|alert: (\\w+)");
  int alerts = 0, used = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), names), end; match != end; ++match) {
    CAPTURE(match->str());
    if ((*match)[1].matched) {
      CHECK(count(contents(tests), "alertname=\"" + match->str(1) + '"') > 0);
      ++alerts;
    } else {
      CHECK(count(metrics->body, '\n' + match->str()) > 0);
      ++used;
    }
  }
  CHECK(alerts >= 10);
  CHECK(used >= 9);
}

/// Checks that the real receiver listens with these arguments, but on the test's own port and database.
void check_arguments(std::vector<std::string> arguments, const std::string& database_variable) {
  const Sqlite database;
  for (const auto& [from, to] : Replacements{{"8080", "0"}, {database_variable, database.where()}}) {
    CAPTURE(from);
    const auto at = std::find(arguments.begin(), arguments.end(), from);
    REQUIRE(at != arguments.end());
    *at = to;
  }
  arguments.insert(arguments.begin(), RECEIVER);
  const Process receiver(test_secret, arguments, database.folder.path / "log");
  CHECK(receiver.logs("listening on http://"));
}

/// The seconds after --grace.
int grace_of(const std::vector<std::string>& arguments) {
  const auto at = std::find(arguments.begin(), arguments.end(), "--grace");
  return at == arguments.end() ? 0 : std::stoi(*std::next(at));
}

TEST_CASE("systemd accepts the unit, and rates it as hardened", "[systemd]") {
  const std::string analyze = program("systemd-analyze");
  if (analyze.empty()) return;
  const Folder folder;
  const std::string binary = "/usr/local/bin/webhook-receiver";
  const std::string text = deployed("webhook-receiver.service", {{binary, RECEIVER}});
  const auto unit = write(folder.path / "webhook-receiver.service", text);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{analyze, "verify", "--man=no", "--recursive-errors=no", unit.string()},
        std::vector<std::string>{analyze, "security", "--no-pager", "--offline=true", "--threshold=15",
                                 unit.string()}}) {
    Process process("", command, folder.path / "log");
    const int status = process.wait();
    CAPTURE(process.log());
    CHECK(status == 0);
    if (command[1] == "verify") CHECK(process.log() == "");
  }
  std::istringstream start(text.substr(text.find("ExecStart=")));
  std::string line, argument;
  std::getline(start, line);
  std::istringstream words(line);
  words >> argument;  // the program
  std::vector<std::string> arguments;
  while (words >> argument) {
    if (argument != "$OPTIONS") arguments.push_back(argument);  // none by default
  }
  check_arguments(arguments, "${DATABASE}");
  CHECK(count(text, " OPTIONS=\n") == 1);
  CHECK(count(text, "\nRestart=always\n") == 1);  // after every exit status
  const std::string name = "TimeoutStopSec=";
  CHECK(std::stoi(text.substr(text.find(name) + name.size())) >= grace_of(arguments) + 30 + 31);
}

TEST_CASE("Kubernetes: the manifest is YAML, and its probes and arguments work with the receiver",
          "[kubernetes]") {
  const Folder folder;
  const std::string python = fs::exists("/usr/bin/python3") ? "/usr/bin/python3" : program("python3");
  if (python.empty()) return;
  const auto script = write(folder.path / "to_json.py",
                            "import json, sys\n"
                            "try:\n  import yaml\nexcept ImportError:\n  sys.exit(3)\n"
                            "print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))\n");
  Process process("", {python, script.string(), (fs::path(DEPLOY_DIR) / "kubernetes.yaml").string()},
                  folder.path / "kubernetes.json");
  const int status = process.wait();
  if (status == 3) return skip("python3-yaml");
  CAPTURE(process.log());
  REQUIRE(status == 0);
  const auto all = nlohmann::json::parse(process.log());
  REQUIRE(all.size() == 4);
  const auto& spec = all[0].at("/spec/template/spec"_json_pointer);
  const auto& container = spec.at("/containers/0"_json_pointer);
  const auto arguments = container.at("args").get<std::vector<std::string>>();
  check_arguments(arguments, "postgresql://receiver@database.example.com/webhooks");
  CHECK(container.at("/env/1/name"_json_pointer) == "PGPASSWORD");
  CHECK(container.at("/readinessProbe/httpGet/path"_json_pointer) == "/healthz");
  CHECK(spec.at("terminationGracePeriodSeconds") >= grace_of(arguments) + 30 + 31);
  const auto mount = container.at("/volumeMounts/0/mountPath"_json_pointer).get<std::string>();
  const auto item = spec.at("/volumes/0/secret/items/0/path"_json_pointer).get<std::string>();
  CHECK(container.at("/env/0/name"_json_pointer) == "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE");
  CHECK(container.at("/env/0/value"_json_pointer) == mount + '/' + item);
  CHECK(spec.at("restartPolicy") == "Always");
  const auto& annotations = all[0].at("/spec/template/metadata/annotations"_json_pointer);
  CHECK(annotations.at("prometheus.io/scrape") == "true");
  CHECK(annotations.at("prometheus.io/path") == "/metrics");
  const auto port = std::to_string(container.at("/ports/0/containerPort"_json_pointer).get<int>());
  CHECK(annotations.at("prometheus.io/port") == port);
  CHECK(std::find(arguments.begin(), arguments.end(), port) != arguments.end());
  const auto& labels = all[0].at("/spec/template/metadata/labels"_json_pointer);
  CHECK(all[0].at("/spec/selector/matchLabels"_json_pointer) == labels);
  CHECK(all[1].at("/spec/selector/matchLabels"_json_pointer) == labels);
  CHECK(all[2].at("/spec/selector"_json_pointer) == labels);
  CHECK(all[2].at("/spec/ports/0/targetPort"_json_pointer) == container.at("/ports/0/name"_json_pointer));
  CHECK(all[3].at("/spec/rules/0/http/paths/0/path"_json_pointer) == "/webhooks");
}

std::string readme() { return contents(fs::path(DEPLOY_DIR) / ".." / "README.md"); }

/// The line of the README that starts like this and, if it is for one database, ends with its name.
std::string statement(const std::string& start, const std::string& database) {
  std::istringstream lines(readme());
  for (std::string line; std::getline(lines, line);) {
    const auto comment = line.find("--");
    if (line.compare(0, start.size(), start) != 0) continue;
    if (comment == std::string::npos || line.substr(comment) == "-- " + database) return line;
  }
  FAIL("the README has no " << start);
  return "";
}

/// `from_now` is SQL for the time in that many minutes, `change` runs the README's statement that starts with
/// `start`.
template <class T>
void check_statements(const T& database, const std::string& name,
                      const std::function<std::string(int minutes)>& from_now,
                      const std::function<void(const std::string& start)>& change) {
  const auto store = open_store(database.where(), Purpose::record);
  for (int i = 0; i < 25'000;) {  // more than two steps
    std::map<std::string, std::string> many;
    for (const int end = i + 250; i < end; ++i) many.emplace("old" + std::to_string(i), "{}");
    store->record(many);
  }
  store->record({{"new", "{}"}, {"waits", "{}"}, {"failed", "{}"}, {"late", "{}"}});
  database.query("UPDATE webhook_events SET handled_at = CURRENT_TIMESTAMP WHERE id = 'new'");
  database.query("UPDATE webhook_events SET handled_at = " + from_now(-25 * 60) + " WHERE id LIKE 'old%'");
  database.query("UPDATE webhook_events SET attempts = 5, try_at = " + from_now(30) + " WHERE id = 'failed'");
  database.query("UPDATE webhook_events SET attempts = 1, try_at = " + from_now(30) +
                 ", received_at = " + from_now(-11) + " WHERE id = 'late'");
  database.query("INSERT INTO webhook_events(id, body, try_at, attempts) VALUES('unparsable', '', NULL, 1)");
  change("DELETE");
  CHECK(database.query("SELECT id FROM webhook_events ORDER BY id") == "failed\nlate\nnew\nunparsable\nwaits\n");
  const std::string unparsable = statement("SELECT id, reason", "bodies that do not parse");
  CHECK(database.query("SELECT id FROM (" + unparsable.substr(0, unparsable.find(';')) + ") AS listed") ==
        "unparsable\n");
  const std::string listed = statement("SELECT id, attempts", name);
  CHECK(database.query("SELECT id FROM (" + listed.substr(0, listed.find(';')) + ") AS listed ORDER BY id") ==
        "failed\nlate\n");
  const auto handler = open_store(database.where(), Purpose::handle);
  const auto handle = [&] {
    std::set<std::string> ids;
    const Handler add = [&](auto&, const std::string& id, const auto&) { ids.insert(id); };
    while (handler->handle_next(add)) continue;
    return ids;
  };
  CHECK(handle() == std::set<std::string>{"waits"});
  change("UPDATE");
  CHECK(handle() == std::set<std::string>{"failed", "late", "unparsable"});
}

TEST_CASE("the README's statements work in SQLite, in steps", "[readme]") {
  if (program("sqlite3").empty()) return;
  const Sqlite database;
  const auto from_now = [](int minutes) { return "datetime('now', '" + std::to_string(minutes) + " minutes')"; };
  check_statements(database, "SQLite", from_now, [&](const std::string& start) {
    const std::string text = readme(), end = "\n}\n";
    const auto begin = text.find("in_steps() {");
    REQUIRE(begin != std::string::npos);
    std::string commands = text.substr(begin, text.find(end, begin) + end.size() - begin);
    commands += statement("in_steps \"" + start, "SQLite");
    for (std::size_t at = 0; (at = commands.find("webhooks.db", at)) != std::string::npos;) {
      commands.replace(at, 11, database.where());
    }
    Process shell("", {"/bin/sh", "-eu", "-c", commands}, database.folder.path / "log");
    const int status = shell.wait();
    CAPTURE(shell.log());
    CHECK(status == 0);
    CHECK(shell.log() == "");
  });
}

#ifdef POSTGRES_BIN
TEST_CASE("the README's statements work in PostgreSQL", "[readme]") {
  const Postgres database;
  const auto from_now = [](int minutes) { return "now() + interval '" + std::to_string(minutes) + " minutes'"; };
  check_statements(database, "PostgreSQL", from_now,
                   [&](const std::string& start) { database.query(statement(start, "PostgreSQL")); });
}
#endif

TEST_CASE("the README's command diagnoses a saved request, whatever separates the secrets", "[readme]") {
  const Folder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder.path / name, std::ios::binary) << text;
  };
  std::string request;
  for (const auto& [name, value] : signed_headers(event("whe_1"))) request.append(name + ": " + value + "\n");
  write("FILE.signed.1", request + "\n" + event("whe_1"));
  const std::string text = readme(), other = "whsec_C2VsBQIhrscChlQIMV+b5sSYspob7oD+";
  const auto begin = text.find("ANTHROPIC_WEBHOOK_SIGNING_KEY=$(tr");
  std::string command = text.substr(begin, text.find('\n', begin) - begin);
  const std::string program = "build/examples/diagnose";
  command.replace(command.find(program), program.size(), DIAGNOSE);
  for (const std::string& secrets :
       {test_secret + "\n", other + "\n" + test_secret + "\n", other + ", " + test_secret}) {
    CAPTURE(secrets);
    write("secrets", secrets);
    const std::string run = "cd " + folder.path.string() + " && " + command + " >output";
    CHECK(std::system(run.c_str()) == 0);
    CHECK(contents(folder.path / "output").find("verified: ") == 0);
  }
}

TEST_CASE("the README shows the Caddyfile, and links to files that exist", "[readme]") {
  const std::string text = readme(), begin = "](";
  CHECK(text.find("```\n" + deployed("Caddyfile", {}) + "```\n") != std::string::npos);
  std::set<std::string> anchors;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, 3, "## ") != 0) continue;
    std::string anchor = "#";
    for (const char c : line.substr(3)) anchor += c == ' ' ? '-' : static_cast<char>(std::tolower(c));
    anchors.insert(anchor);
  }
  int links = 0;
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos; ++links) {
    at += begin.size();
    const std::string link = text.substr(at, text.find(')', at) - at);
    CAPTURE(link);
    CHECK((link.compare(0, 8, "https://") == 0 || anchors.count(link) == 1 ||
           fs::exists(fs::path(DEPLOY_DIR) / ".." / link)));
  }
  CHECK(links >= 8);
}

using namespace anthropic::webhooks;

// The README's handler, with the parts of examples/fetch.cpp that it uses.
struct Api {
  Api(const std::string& base_url, const std::string&) { CHECK(base_url == "https://api.anthropic.com"); }
  static inline std::function<std::optional<nlohmann::json>(const WebhookResource&)> answer;
  static std::optional<nlohmann::json> get(const WebhookResource& resource) { return answer(resource); }
};
#include "readme_handler.hpp"

TEST_CASE("the README's handler does not lock the database while it fetches", "[readme]") {
  const Sqlite database;
  const auto recorder = open_store(database.where(), Purpose::record);
  const auto handler = open_store(database.where(), Purpose::handle);
  recorder->record({{"1", event("1")}});
  database.query("UPDATE webhook_events SET attempts = 8");  // so that the pause is long
  std::string reasons;
  int fetched = 0;
  Api::answer = [&](const WebhookResource& resource) -> std::optional<nlohmann::json> {
    CHECK(resource.path == "/v1/sessions/sesn_1");
    if (++fetched == 1) throw std::runtime_error("status 529");
    database.query("INSERT INTO notes VALUES('another', 'writes')");
    if (fetched == 2) return std::nullopt;
    return nlohmann::json{{"status", "idle"}};
  };
  const auto handle_next = [&] {
    const auto attempt =
        handler->handle_next([](auto& db, const auto&, const auto& body) { handle(db, unwrap(body)); });
    REQUIRE(attempt);
    if (!attempt->is_handled) reasons += attempt->id + ": " + attempt->reason + '\n';
  };
  handle_next();
  recorder->record({{"2", event("2")}, {"3", event("3", "session.deleted")}});
  handle_next();
  handle_next();
  database.query("UPDATE webhook_events SET try_at = CURRENT_TIMESTAMP WHERE handled_at IS NULL");
  handle_next();
  CHECK(reasons == "1: status 529\n");
  CHECK(database.query("SELECT event_id || ': ' || note FROM notes ORDER BY rowid") ==
        "another: writes\n2: gone\n3: gone\nanother: writes\n1: idle\n");
}

#ifdef POSTGRES_BIN
TEST_CASE("the README's handler leaves no stale state when events are handled concurrently", "[readme]") {
  const Postgres database;
  constexpr int events = 100;
  std::map<std::string, std::string> bodies;
  for (int i = 0; i < events; ++i) bodies[std::to_string(i)] = event(std::to_string(i));
  open_store(database.where(), Purpose::record)->record(bodies);
  database.query("ALTER TABLE notes ADD COLUMN place bigserial");
  std::atomic<int> state{100};
  Api::answer = [&](const WebhookResource&) {
    const auto fetched = std::to_string(++state);
    std::this_thread::sleep_for(std::chrono::milliseconds(state % 7));  // latency
    return nlohmann::json{{"status", fetched}};
  };
  in_threads(4, [&](std::size_t) {
    const auto store = open_store(database.where(), Purpose::handle);
    while (store->handle_next([](auto& db, const auto&, const auto& body) { handle(db, unwrap(body)); })) continue;
  });
  CHECK(database.query("SELECT count(*) FROM notes") == "100\n");
  CHECK(database.query("SELECT count(*) FROM notes a, notes b WHERE a.place < b.place AND a.note > b.note") ==
        "0\n");
}
#endif

}  // namespace
