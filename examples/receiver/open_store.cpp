// SPDX-License-Identifier: MIT
// Which store a database needs.
#include "store.hpp"

#include <regex>
#include <stdexcept>

namespace {

bool begins(const std::string& text, const char* expression) {
  return std::regex_search(text, std::regex(expression), std::regex_constants::match_continuous);
}

}  // namespace

bool is_postgres(const std::string& database) { return begins(database, R"(postgres(ql)?://|\s*\w+\s*=)"); }

std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose, std::chrono::seconds limit) {
  if (is_postgres(database)) {
#ifdef WITH_POSTGRES
    return open_postgres(database, purpose, limit);
#else
    throw std::runtime_error("built without PostgreSQL");
#endif
  }
  // SQLite takes "" and ":memory:" for databases that end with the process. "./x:y" is the name of a file.
  if (!begins(database, R"(\s*$|[\w.+-]*:)")) return open_sqlite(database, purpose);
  throw std::runtime_error("the database is neither a postgresql:// URL nor the path of a file");
}
