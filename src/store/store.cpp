#include "store/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <stdexcept>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "store/failure.hpp"
#include "store/insert_run.hpp"
#include "store/schema.hpp"

namespace tokenyard::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// Pages of a transaction that are not yet written: enough that a run of half a million requests
// does not lock readers out before its commit.
constexpr const char* kCacheSize = "PRAGMA cache_size = -65536";

// Rows cost about this much each in the file (measured, index included).
std::string size_needed(const RunRecord& record) {
  constexpr double kBytesPerRequest = 150.0;
  constexpr double kBytesPerSample = 80.0;
  const double needed = kBytesPerRequest * static_cast<double>(record.result.requests.size()) +
                        kBytesPerSample * static_cast<double>(record.result.samples.size()) +
                        static_cast<double>(record.plan_json.size()) + 64.0 * 1024.0;
  return to_text(bytes(needed));
}

bool is_empty(SQLite::Database& db) {
  return db.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0 &&
         db.execAndGet("PRAGMA application_id").getInt64() == 0;
}

// Column names of a table but run_id, separated by commas.
std::string other_columns(SQLite::Database& db, const std::string& table,
                          const std::string& left_out) {
  std::string columns;
  SQLite::Statement query(db, "SELECT name FROM pragma_table_info(?) WHERE name <> ?");
  query.bind(1, table);
  query.bind(2, left_out);
  while (query.executeStep()) {
    if (!columns.empty()) columns += ", ";
    columns += query.getColumn(0).getString();
  }
  return columns;
}

void copy_rows(SQLite::Database& db, const std::string& table, std::int64_t from, std::int64_t to) {
  const std::string id = table == "run" ? "id" : "run_id";
  const std::string columns = other_columns(db, table, id);
  SQLite::Statement copy(db, "INSERT INTO main." + table + " (" + id + ", " + columns +
                                 ") SELECT ?, " + columns + " FROM shard." + table + " WHERE " +
                                 id + " = ?");
  copy.bind(1, to);
  copy.bind(2, from);
  copy.exec();
}

bool is_done(SQLite::Database& db, std::int64_t run_id) {
  SQLite::Statement query(db, "SELECT 1 FROM run WHERE id = ? AND status = 'done'");
  query.bind(1, run_id);
  return query.executeStep();
}

struct Place {
  std::int64_t number = 0;
  bool keep = false;  // what is stored under this number stays
};

// Where a run of this key goes: under the number of the run it replaces, or under a new one.
Place make_place(SQLite::Database& db, const RunKey& key, bool done) {
  const std::int64_t stored = run_with_key(db, key);
  if (stored == 0) {
    return {db.execAndGet("SELECT coalesce(max(id), 0) + 1 FROM main.run").getInt64(), false};
  }
  if (!done && is_done(db, stored)) return {stored, true};
  delete_run(db, stored);
  return {stored, false};
}

struct ShardRun {
  std::int64_t id = 0;
  RunKey key;
  bool done = false;
};

std::vector<ShardRun> runs_of_shard(SQLite::Database& db) {
  std::vector<ShardRun> runs;
  SQLite::Statement query(
      db, "SELECT id, plan_hash, trace_hash, version, status = 'done' FROM shard.run ORDER BY id");
  while (query.executeStep()) {
    runs.push_back({query.getColumn(0).getInt64(),
                    {query.getColumn(1).getString(), query.getColumn(2).getString(),
                     query.getColumn(3).getString()},
                    query.getColumn(4).getInt() != 0});
  }
  return runs;
}

// Another database beside the main one, under the name `shard`, while the object lives.
class Attached {
 public:
  Attached(SQLite::Database& db, const std::string& path) : db_(db) {
    SQLite::Statement attach(db, "ATTACH ? AS shard");
    attach.bind(1, path);
    attach.exec();
  }
  ~Attached() { db_.tryExec("DETACH shard"); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  SQLite::Database& db_;
};

std::vector<std::int64_t> copy_shard(SQLite::Database& db) {
  std::vector<std::int64_t> numbers;
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  for (const ShardRun& run : runs_of_shard(db)) {
    const Place place = make_place(db, run.key, run.done);
    numbers.push_back(place.number);
    if (place.keep) continue;
    copy_rows(db, "run", run.id, place.number);
    const std::int64_t requests = db.execAndGet("SELECT count(*) FROM shard.request").getInt64();
    RequestLoad load(db, requests);
    for (const std::string_view table : tables_of_runs()) {
      copy_rows(db, std::string(table), run.id, place.number);
    }
    load.finish();
  }
  transaction.commit();
  return numbers;
}

// A shard that was cut off on its way here must not be taken for the result database's own damage.
void require_whole_shard(const std::string& path) {
  try {
    SQLite::Database shard(path, SQLite::OPEN_READONLY);
    require_our_schema(shard, path);
    const std::string finding = shard.execAndGet("PRAGMA quick_check(1)").getString();
    if (finding != "ok") {
      throw std::runtime_error("'" + path + "' is damaged (" + finding + "); it was not merged");
    }
  } catch (const SQLite::Exception& error) {
    throw_failure(path, error, "it was not merged");
  }
}

}  // namespace

struct Store::State {
  explicit State(const std::string& path)
      : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs) {}
  SQLite::Database db;
};

Store::Store(const std::string& path) : path_(path) {
  if (std::filesystem::is_directory(path))
    throw InputError("'" + path + "' is a folder; expected a file");
  try {
    state_ = std::make_unique<State>(path);
    SQLite::Database& db = state_->db;
    db.exec(kCacheSize);
    if (is_empty(db)) {
      SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
      // Another program may have made the tables since.
      if (is_empty(db)) create_schema(db);
      transaction.commit();
    }
    require_our_schema(db, path);
  } catch (const SQLite::Exception& error) {
    throw_failure(path, error, "no result can be stored there");
  }
}

Store::~Store() = default;

std::int64_t Store::write_run(const RunRecord& record) {
  try {
    SQLite::Transaction transaction(state_->db, SQLite::TransactionBehavior::IMMEDIATE);
    const Place place = make_place(state_->db, record.key, record.status == RunStatus::done);
    if (place.keep) return place.number;
    insert_run(state_->db, place.number, record);
    transaction.commit();
    return place.number;
  } catch (const SQLite::Exception& error) {
    throw_failure(path_, error,
                  "nothing of this run (about " + size_needed(record) +
                      ") was stored; earlier runs are as before");
  }
}

std::vector<std::int64_t> Store::merge_shard(const std::string& shard_path) {
  if (!std::filesystem::is_regular_file(shard_path)) {
    throw InputError("'" + shard_path + "': there is no such shard");
  }
  if (std::filesystem::equivalent(shard_path, path_)) {
    throw InputError("'" + shard_path + "' is the result database itself; a shard is another file");
  }
  require_whole_shard(shard_path);
  try {
    const Attached attached(state_->db, shard_path);
    return copy_shard(state_->db);
  } catch (const SQLite::Exception& error) {
    throw_failure(path_, error, "'" + shard_path + "' was not merged; earlier runs are as before");
  }
}

void Store::check_writable() const {
  try {
    state_->db.exec("BEGIN IMMEDIATE");
    // SQLite opens a file that it may not write for reading and says so only when it must write.
    state_->db.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
    state_->db.exec("ROLLBACK");
  } catch (const SQLite::Exception& error) {
    throw_failure(path_, error, "nothing can be stored in it");
  }
}

std::optional<std::int64_t> Store::find_run(const RunKey& key) const {
  try {
    const std::int64_t id = run_with_key(state_->db, key);
    return id != 0 && is_done(state_->db, id) ? std::optional(id) : std::nullopt;
  } catch (const SQLite::Exception& error) {
    throw_failure(path_, error, "its runs cannot be read");
  }
}

}  // namespace tokenyard::store
