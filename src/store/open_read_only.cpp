#include "store/open_read_only.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

#include "base/error.hpp"
#include "store/failure.hpp"
#include "store/schema.hpp"

namespace tokenyard::store {

std::unique_ptr<SQLite::Database> open_read_only(const std::string& path) {
  constexpr int kBusyTimeoutMs = 10'000;
  if (!std::filesystem::is_regular_file(path)) {
    throw InputError("'" + path + "': there is no such result database; `tokenyard run` makes one");
  }
  try {
    if (std::filesystem::exists(path + "-journal")) {
      SQLite::Database writer(path, SQLite::OPEN_READWRITE, kBusyTimeoutMs);
      require_our_schema(writer, path);
    }
    auto db = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, kBusyTimeoutMs);
    require_our_schema(*db, path);
    return db;
  } catch (const SQLite::Exception& error) {
    throw_failure(path, error, "it cannot be read");
  }
}

}  // namespace tokenyard::store
