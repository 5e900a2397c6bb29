// SPDX-License-Identifier: MIT
// A connection to a file of SQLite.
#pragma once

#include "store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

/// Another is writing, and may be done soon.
struct Busy : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Its functions throw std::runtime_error.
class SqliteConnection {
 public:
  void open(const std::string& path) {
    sqlite3* opened = nullptr;
    const mode_t mask = umask(077);  // the bodies are for the owner alone
    const int status = sqlite3_open(path.c_str(), &opened);
    umask(mask);
    db_.reset(opened);
    check(status);
    sqlite3_busy_timeout(opened, 3000);
  }
  void close() { db_.reset(); }
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }

  [[nodiscard]] bool in_transaction() const { return db_ && !sqlite3_get_autocommit(db_.get()); }
  void roll_back() {
    if (in_transaction()) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  /// Whether the file, or what belongs to it, was deleted or replaced: then others do not see what is committed.
  [[nodiscard]] bool is_lost() const {
    int moved = 0;
    check(sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved));
    const std::string file = sqlite3_db_filename(db_.get(), "main");
    return moved || access((file + "-wal").c_str(), F_OK) != 0 || access((file + "-shm").c_str(), F_OK) != 0;
  }

  /// Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, &rest));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    int n = 0, status = 0;
    for (const auto& value : values) {
      const int index = sqlite3_bind_parameter_index(prepared, ('$' + std::to_string(++n)).c_str());
      check(sqlite3_bind_text(prepared, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    }
    const bool more = std::string(rest, sql.data() + sql.size()).find_first_not_of(" \n;") != std::string::npos;
    const bool fits = !more && sqlite3_bind_parameter_count(prepared) == n;
    if (!fits) throw std::runtime_error("SQLite: it takes one statement, and a value for each parameter");
    Values rows;
    while ((status = sqlite3_step(prepared)) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
        const auto* text = static_cast<const char*>(sqlite3_column_blob(prepared, i));
        rows.emplace_back(text, text + sqlite3_column_bytes(prepared, i));
      }
    }
    check(status == SQLITE_DONE ? SQLITE_OK : status);
    return rows;
  }
  /// Runs any number of statements.
  void execute_all(const char* sql) { check(sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr)); }

 private:
  void check(int status) const {
    if (status == SQLITE_BUSY) throw Busy("SQLite: the database is locked");
    if (status != SQLITE_OK) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(db_.get()));
  }

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
};
