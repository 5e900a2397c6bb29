// SPDX-License-Identifier: MIT
// What the receiver needs of a database, and what a handler may rely on.
//
// Recorded: when record() returns, the deliveries are on disk, the repeated ones too. They outlive a crash and a
// power cut. With PostgreSQL the receiver sets synchronous_commit = on: the disk is that of the server and of its
// synchronous standbys. A standby that is not synchronous may lack the last deliveries when it takes over.
//
// Handled once: what a handler writes through its Transaction is committed together with the mark "handled", or
// not at all. So it is there exactly once, even after a crash, and with any number of receivers.
//
// What a handler does elsewhere, such as a request to another server, can happen twice: if a crash, a lost
// connection or, with SQLite, a power cut comes before the commit is on disk, the handler runs again. No database
// can prevent it. Give the other side the event's id, so that it can tell a repetition. Or only write here what is
// to be done, and let a job do it.
//
// Tried again: an attempt is counted, and the next one set, in a commit before the handler runs. If the handler
// throws or ends the process, the event stays, with the reason if one is known, and the others go on. A body that
// does not parse stays too, for a later version of the receiver. The next attempts follow after 1, 2, 4...
// seconds, and in the end every hour. To have all of them at once:
//   UPDATE webhook_events SET try_at = CURRENT_TIMESTAMP WHERE handled_at IS NULL
//
// With PostgreSQL, up to 32 new events share a transaction while their handlers are fast. What one of them wrote
// stays locked until the last is done, and each runs again, alone, if the commit fails.
//
// With SQLite only one connection can write: from a handler's first run() to its end, deliveries wait, and after
// three seconds they are refused. So let a handler do what takes long, such as a request, before its first run().
// A receiver handles one event at a time. Let only one receiver use a file: nothing keeps a second from calling
// the handler for the same event, where the first takes longer than the pause before the next attempt. Only one of
// them commits.
//
// Order is not kept: the service does not keep it either. Handled events stay, so that a repetition is known as
// one. You may delete them after a day, with PostgreSQL and with SQLite:
//   DELETE FROM webhook_events WHERE handled_at < now() - interval '1 day'
//   DELETE FROM webhook_events WHERE handled_at < datetime('now', '-1 day')
//
// Do not delete, replace or copy a file of SQLite while a receiver runs; to copy it there is .backup of the
// sqlite3 shell. A receiver whose file is gone answers 503 once, and goes on with a new one.
#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using Values = std::vector<std::string>;

/// The transaction that marks an event as handled.
class Transaction {
 public:
  /// Runs one statement, with $1, $2... in it for `values`, and returns the values of its rows, one after the
  /// other. Throws std::runtime_error. Do not catch it: then all that the handler wrote is undone.
  virtual Values run(const std::string& sql, const Values& values = {}) = 0;

 protected:
  ~Transaction() = default;
};

/// May throw anything: then the event is tried again.
using Handler = std::function<void(Transaction&, const std::string& id, const std::string& body)>;

/// Told of an event that was not handled, with the first error.
using Failed = std::function<void(const std::string& id, const std::string& reason)>;

/// What is not handled. Counting stops at 100,000 new events, and at 100,000 that were tried.
struct Backlog {
  long waiting = 0;     ///< Events, without those of `unparsable`.
  long age = 0;         ///< For how many seconds the oldest of them has waited.
  long failing = 0;     ///< Those that were tried five times or more.
  long unparsable = 0;  ///< Bodies that do not parse, which are not tried again until a receiver starts.
};

/// One connection, for one thread at a time. If the database fails, a call throws an exception derived from
/// std::exception: record() within a few seconds, handle_next() within half a minute. The next call connects
/// again.
class Store {
 public:
  virtual ~Store() = default;

  /// Records all of the deliveries, body by printable id, or none. Returns the ids that are new. Without
  /// deliveries it throws unless some could be recorded now.
  virtual std::set<std::string> record(const std::map<std::string, std::string>& deliveries) = 0;

  /// Calls the handler for the next event that is due, or for some, and marks them. Returns whether there was one.
  virtual bool handle_next(const Handler& handler, const Failed& failed) = 0;

  /// With a million events it takes a fraction of a second.
  virtual Backlog backlog() = 0;
};

enum class Purpose { record, handle };

/// Whether open_store() takes it for PostgreSQL, which any number may use at the same time.
bool is_postgres(const std::string& database);

/// A postgresql:// URL, another connection string of libpq ("host=... dbname=..."), or the path of a file for
/// SQLite. Throws std::runtime_error if the database can never work. One that is merely down is no error.
std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose);

std::unique_ptr<Store> open_sqlite(const std::string& path, Purpose purpose);
std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose);

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
