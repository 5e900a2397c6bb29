// SPDX-License-Identifier: MIT
// What the receiver needs from a database, and a handler may rely on.
//
// What a handler writes through its Transaction is committed together with the mark "handled", or not at all: it
// is there exactly once, even after a crash, and with any number of receivers. The commit does not wait for the
// disk. When the database crashes, or a standby takes over, the last marks may be lost, with what their handlers
// wrote, and these events are handled again. With PostgreSQL, db.run("SET LOCAL synchronous_commit = on") prevents
// that. What a handler does elsewhere, such as a request to another server, may happen twice. Give the other side
// the event's id, so that it can tell.
//
// An attempt is counted in a commit before the handler runs. If the handler throws or ends the process, the event
// stays, with the reason if one is known. The next attempts follow after 1, 2, 4... seconds, and in the end every
// hour. New events and retries take turns. Order is not kept: the service does not keep it either.
//
// With PostgreSQL several handlers run at the same time, and two may be about one object: see Transaction::lock().
// With SQLite one handler runs at a time, and deliveries wait from its first run() to its end; after three seconds
// they are refused. So let it do slow work, such as a request, before its first run(). Let only one receiver
// use a file: a second may call the handler for the same event, and only one of them commits.
#pragma once

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using Values = std::vector<std::string>;

/// The transaction that marks an event as handled.
class Transaction {
 public:
  /// Runs one statement, with $1, $2... in it for `values`, and returns the values of its rows, one after the
  /// other. Throws std::runtime_error. Let it propagate: then all the handler wrote is undone.
  virtual Values run(const std::string& sql, const Values& values = {}) = 0;

  /// Makes handlers that lock the same name take turns, each until its event is handled. Lock an object's id
  /// before you fetch the object. Otherwise a handler that fetched earlier may write later, and the old state
  /// stays. Throws std::runtime_error, after half a minute if the turn does not come.
  virtual void lock(const std::string& name) = 0;

 protected:
  ~Transaction() = default;
};

/// May throw anything: then the event is tried again.
using Handler = std::function<void(Transaction&, const std::string& id, const std::string& body)>;

/// What a handler throws for a body that does not parse: it is tried again when a receiver starts.
struct Unparsable : std::runtime_error {
  using runtime_error::runtime_error;
};

/// What a Store throws.
struct DatabaseError : std::runtime_error {
  enum Kind {
    temporary,  ///< All may be well later.
    refused,    ///< The database does not take these values, but may take others.
    permanent   ///< Rights or tables are missing, for example.
  } kind;
  DatabaseError(Kind k, const std::string& what) : runtime_error(what), kind(k) {}
};

/// What came of an event that was due.
struct Attempt {
  std::string id;
  bool is_handled = false;
  std::string reason{};  ///< If it was not.
};

/// What is not handled. Counting stops at 100,000 each: new events, tried ones, and those that do not parse.
struct Backlog {
  long waiting = 0;     ///< Events, without those of `unparsable`.
  long age = 0;         ///< For how many seconds the oldest of them has waited.
  long failing = 0;     ///< Those that were tried five times or more.
  long unparsable = 0;  ///< Bodies that do not parse, which are not tried again until a receiver starts.
};

/// One connection, for one thread at a time. If the database fails, a call throws DatabaseError: record() and
/// check() within a few seconds, the others within half a minute. The next call connects again.
class Store {
 public:
  virtual ~Store() = default;

  /// Records all of the deliveries, body by printable id, or none. There is at least one. It returns the new ids
  /// once all are on disk, the repeated ones too. With PostgreSQL the disk is that of the server and of
  /// its synchronous standbys. One that is not synchronous may lack the last deliveries when it takes over.
  virtual std::set<std::string> record(const std::map<std::string, std::string>& deliveries) = 0;

  /// Records a delivery and takes it back.
  virtual void check() = 0;

  /// Calls the handler for the next event that is due, and marks it as handled if the handler does not throw.
  virtual std::optional<Attempt> handle_next(const Handler& handler) = 0;

  /// For the end of the process: undoes what the handler of this event wrote, since it hangs, and has the event
  /// wait for its pause. Any thread may call this.
  virtual void give_up(const std::string& id) = 0;

  /// Makes unparsable bodies due again.
  virtual void retry_unparsable() = 0;

  /// With a million events it takes a fraction of a second.
  virtual Backlog backlog() = 0;
};

enum class Purpose { record, handle };

/// Whether open_store() takes it for PostgreSQL, which any number may use at the same time.
bool is_postgres(const std::string& database);

/// A postgresql:// URL, another connection string of libpq ("host=... dbname=..."), or the path of a file for
/// SQLite. PostgreSQL ends a transaction in which a handler does nothing for longer than `limit`. Throws
/// std::runtime_error if the database can never work. One that is merely down is no error.
std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose,
                                  std::chrono::seconds limit = std::chrono::minutes(5));

std::unique_ptr<Store> open_sqlite(const std::string& path, Purpose purpose);
std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose, std::chrono::seconds limit);

/// What is known of the exception that is being handled.
inline std::string current_reason() try { throw; } catch (const std::exception& e) {
  return e.what();
} catch (...) {
  return "an exception of an unknown type";
}

/// The text in printable ASCII: each other byte becomes %XX.
inline std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    char escaped[4] = {c};
    if (c < ' ' || c > '~') std::snprintf(escaped, sizeof escaped, "%%%02X", c & 0xFF);
    result += escaped;
  }
  return result;
}
