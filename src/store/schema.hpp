#pragma once
// The tables and views of a result database, and the marks by which a file is known to be one.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace SQLite {
class Database;
}

namespace tokenyard::store {

inline constexpr int kSchemaVersion = 3;                    // PRAGMA user_version
inline constexpr std::int64_t kApplicationId = 0x746b7964;  // PRAGMA application_id, "tkyd"

// The tables whose rows belong to a run and name it in their column run_id.
std::span<const std::string_view> tables_of_runs();

// The columns of `request` with the seconds of its phases: "front_end_s, queue_capacity_s, ...".
std::string phase_columns();

// An index that loading many rows is faster without.
inline constexpr std::string_view kRequestIndex = "request_by_run";
std::string create_request_index_sql();

// Makes the tables and views in an empty database.  Contract: inside a transaction.
void create_schema(SQLite::Database& db);

// Throws InputError unless the database is one of ours, of this schema version.  `path` is for the
// message.
void require_our_schema(SQLite::Database& db, const std::string& path);

}  // namespace tokenyard::store
