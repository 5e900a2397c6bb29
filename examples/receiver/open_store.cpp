// SPDX-License-Identifier: MIT
// Which store a database needs.
#include "store.hpp"

#include <regex>
#include <stdexcept>

std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose) {
  const auto begins = [&](const char* expression) {
    return std::regex_search(database, std::regex(expression), std::regex_constants::match_continuous);
  };
  if (begins(R"(postgres(ql)?://|\s*\w+\s*=)")) {
#ifdef WITH_POSTGRES
    return open_postgres(database, purpose);
#else
    throw std::runtime_error("built without PostgreSQL");
#endif
  }
  // SQLite takes "" and ":memory:" for databases that end with the process. "./x:y" is the name of a file.
  if (!begins(R"(\s*$|[\w.+-]*:)")) return open_sqlite(database, purpose);
  throw std::runtime_error("the database is neither a postgresql:// URL nor the path of a file");
}
