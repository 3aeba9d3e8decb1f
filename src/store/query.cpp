#include "store/query.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "base/error.hpp"
#include "base/json_writer.hpp"
#include "base/quantity_text.hpp"
#include "store/failure.hpp"
#include "store/open_read_only.hpp"
#include "store/percentile.hpp"

namespace tokenyard::store {
namespace {

using Clock = std::chrono::steady_clock;

int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  const auto among = [](const char* name, std::initializer_list<std::string_view> names) {
    return name != nullptr && std::find(names.begin(), names.end(), name) != names.end();
  };
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return among(second, {"printf", "format", "load_extension", "fts3_tokenizer"}) ? SQLITE_DENY
                                                                                     : SQLITE_OK;
    case SQLITE_PRAGMA:
      return among(first, {"table_info", "table_xinfo"}) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int stop_when_late(void* deadline) {
  return Clock::now() > *static_cast<const Clock::time_point*>(deadline) ? 1 : 0;
}

void confine(sqlite3* db) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  // A misspelt column in double quotes is an error and not a text.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  static constexpr std::array<std::pair<int, int>, 8> kLimits{
      {{SQLITE_LIMIT_LENGTH, 1'000'000},
       {SQLITE_LIMIT_SQL_LENGTH, 100'000},
       {SQLITE_LIMIT_ATTACHED, 0},
       {SQLITE_LIMIT_EXPR_DEPTH, 200},
       {SQLITE_LIMIT_COMPOUND_SELECT, 50},
       {SQLITE_LIMIT_VDBE_OP, 200'000},
       {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200},
       {SQLITE_LIMIT_WORKER_THREADS, 0}}};
  for (const auto& [limit, value] : kLimits) sqlite3_limit(db, limit, value);
  // Table-valued functions declare their columns on first use, which looks like creating a table.
  sqlite3_exec(db, "SELECT 1 FROM json_each('[]'), json_tree('[]'), pragma_table_info('run')",
               nullptr, nullptr, nullptr);
  sqlite3_set_authorizer(db, authorize, nullptr);
}

// SQLite's memory is bounded for the whole process while a query runs.
class HeapLimit {
 public:
  HeapLimit() : before_(sqlite3_hard_heap_limit64(-1)) {
    constexpr sqlite3_int64 kMost = 512LL * 1024 * 1024;
    if (before_ == 0 || before_ > kMost) sqlite3_hard_heap_limit64(kMost);
  }
  ~HeapLimit() { sqlite3_hard_heap_limit64(before_); }
  HeapLimit(const HeapLimit&) = delete;
  HeapLimit& operator=(const HeapLimit&) = delete;

 private:
  sqlite3_int64 before_;
};

using StatementPtr = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

[[noreturn]] void throw_query_error(sqlite3* db, int code, const QueryLimits& limits) {
  switch (code & 0xff) {
    case SQLITE_AUTH:
      throw InputError(std::string("query: ") + sqlite3_errmsg(db) +
                       "; a query may only select from the result database");
    case SQLITE_INTERRUPT:
      throw InputError("query: stopped after " + to_text(seconds(limits.timeout_s)) +
                       "; narrow it or give it more time");
    default:
      throw InputError(std::string("query: ") + sqlite3_errmsg(db));
  }
}

StatementPtr prepare_one(sqlite3* db, const std::string& sql, const QueryLimits& limits) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()) + 1, &statement, &rest);
  StatementPtr prepared(statement, sqlite3_finalize);
  if (code != SQLITE_OK) throw_query_error(db, code, limits);
  if (prepared == nullptr) throw InputError("query: there is no statement in it");
  sqlite3_stmt* second = nullptr;
  const int second_code = sqlite3_prepare_v2(db, rest, -1, &second, nullptr);
  const StatementPtr after(second, sqlite3_finalize);
  if (second_code != SQLITE_OK || after != nullptr) {
    throw InputError("query: more than one statement; ask one question at a time");
  }
  // The authorizer and the read-only file say the same; this is the statement's own word.
  if (sqlite3_stmt_readonly(prepared.get()) == 0) {
    throw InputError("query: a query may only select from the result database");
  }
  return prepared;
}

std::string hexadecimal(const unsigned char* data, int size) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x'";
  for (int i = 0; i < size; ++i) {
    text += kDigits[data[i] >> 4U];
    text += kDigits[data[i] & 15U];
  }
  return text + "'";
}

Cell read_cell(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
      return hexadecimal(data, sqlite3_column_bytes(row, column));
    }
    default:
      return std::monostate{};
  }
}

std::int64_t size_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return static_cast<std::int64_t>(sizeof(Cell) + (text == nullptr ? 0 : text->size()));
}

Table read_rows(sqlite3* db, sqlite3_stmt* statement, const QueryLimits& limits,
                Clock::time_point deadline) {
  Table table;
  const int columns = sqlite3_column_count(statement);
  for (int c = 0; c < columns; ++c) table.columns.emplace_back(sqlite3_column_name(statement, c));
  std::int64_t total_bytes = 0;
  while (true) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return table;
    if (code != SQLITE_ROW) throw_query_error(db, code, limits);
    // Large rows take their time between two of SQLite's own looks at the clock.
    if (Clock::now() > deadline) throw_query_error(db, SQLITE_INTERRUPT, limits);
    if (static_cast<std::int64_t>(table.rows.size()) == limits.max_rows) {
      throw InputError("query: the result has more than " + std::to_string(limits.max_rows) +
                       " rows; aggregate it or add a LIMIT");
    }
    std::vector<Cell>& row = table.rows.emplace_back();
    row.reserve(static_cast<std::size_t>(columns));
    for (int c = 0; c < columns; ++c) {
      row.push_back(read_cell(statement, c));
      total_bytes += size_of(row.back());
    }
    if (total_bytes > limits.max_bytes) {
      throw InputError("query: the result takes more than " +
                       to_text(bytes(static_cast<double>(limits.max_bytes))) +
                       " of memory; aggregate it or add a LIMIT");
    }
  }
}

}  // namespace

Table query(const std::string& db_path, const std::string& sql, const QueryLimits& limits) {
  if (sql.find('\0') != std::string::npos) throw InputError("query: it holds a zero byte");
  const auto db = open_read_only(db_path);
  sqlite3* handle = db->getHandle();
  add_percentile(handle);
  confine(handle);
  Clock::time_point deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                  std::chrono::duration<double>(limits.timeout_s));
  sqlite3_progress_handler(handle, 1000, stop_when_late, &deadline);
  const HeapLimit heap_limit;
  const StatementPtr statement = prepare_one(handle, sql, limits);
  return read_rows(handle, statement.get(), limits, deadline);
}

}  // namespace tokenyard::store
