#include "store/failure.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <stdexcept>

#include "base/error.hpp"

namespace tokenyard::store {

void throw_failure(const std::string& path, const SQLite::Exception& error,
                   const std::string& consequence) {
  const std::string what = "'" + path + "': " + error.what();
  switch (error.getErrorCode() & 0xff) {  // the rest says where it happened
    case SQLITE_NOTADB:
      throw InputError("'" + path + "' is not an SQLite database; it was left as it is");
    case SQLITE_CANTOPEN:
      throw InputError("'" + path + "' cannot be opened; is its folder there and writable?");
    case SQLITE_CORRUPT:
      throw std::runtime_error("'" + path + "' is damaged (" + error.what() + "); " + consequence);
    case SQLITE_BUSY:
      throw std::runtime_error("'" + path + "' was in use by another program for ten seconds; " +
                               consequence);
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      throw std::runtime_error(what + "; " + consequence);
    default:
      throw InternalError("store: " + what);
  }
}

}  // namespace tokenyard::store
