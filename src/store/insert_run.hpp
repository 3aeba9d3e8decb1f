#pragma once
// The rows of one run, into an open database.
#include <cstdint>

#include "store/records.hpp"

namespace SQLite {
class Database;
}

namespace tokenyard::store {

// The run of that key, of any status, or 0.
std::int64_t run_with_key(SQLite::Database& db, const RunKey& key);

// Removes a run and all its rows.
void delete_run(SQLite::Database& db, std::int64_t run_id);

// Adds the run under the number `run_id`, or the next free one when that is 0.  Returns the number.
// Contract: inside a transaction; no run of that number exists.
std::int64_t insert_run(SQLite::Database& db, std::int64_t run_id, const RunRecord& record);

// While it lives, rows can be added to `request` fast: when `new_rows` would outnumber those that
// are there, the index is left out and made again by finish().  Contract: inside a transaction.
class RequestLoad {
 public:
  RequestLoad(SQLite::Database& db, std::int64_t new_rows);
  void finish();

 private:
  SQLite::Database& db_;
  bool index_dropped_ = false;
};

}  // namespace tokenyard::store
