#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "store/failure.hpp"
#include "store/insert_run.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"

namespace tokenyard::store {
namespace {

void write_database(const std::string& path, const RunRecord& record) {
  SQLite::Database db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec("PRAGMA journal_mode = OFF");
  db.exec("PRAGMA synchronous = OFF");
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  create_schema(db);
  insert_run(db, 0, record);
  transaction.commit();
}

// Waits until the file is on the disk, so that its final name never stands for less.
void synchronise(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!done) throw std::runtime_error("'" + path + "': " + std::strerror(error));
}

}  // namespace

void write_shard(const std::string& path, const RunRecord& record) {
  const std::string partial = path + ".partial";
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  try {
    write_database(partial, record);
    synchronise(partial);
    std::filesystem::rename(partial, path);
  } catch (const SQLite::Exception& error) {
    std::filesystem::remove(partial, ignored);
    throw_failure(path, error, "the shard was not written");
  } catch (...) {
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

}  // namespace tokenyard::store
