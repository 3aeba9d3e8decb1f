#pragma once
// A result database opened for reading.
#include <memory>
#include <string>

namespace SQLite {
class Database;
}

namespace tokenyard::store {

// Throws InputError when the file is missing, not ours or of another schema.  A transaction that a
// killed program left behind is rolled back first, which reading alone may not.
std::unique_ptr<SQLite::Database> open_read_only(const std::string& path);

}  // namespace tokenyard::store
