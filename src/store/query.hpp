#pragma once
// Questions to a result database: SQL that can only read, and only this file, for a limited time.
//
// The database is opened read-only and defensively; an authorizer lets through SELECT, reading,
// functions (but printf and format, whose output nothing bounds), recursion and PRAGMA table_info.
// Beside SQLite's functions there is the aggregate percentile(x, p): the nearest-rank percentile, p
// from 0 to 100, of the values that are not NULL; it is the definition of the stored metrics.
#include <cstdint>
#include <string>
#include <vector>

#include "base/table.hpp"

namespace tokenyard::store {

struct QueryLimits {
  double timeout_s = 30.0;
  std::int64_t max_rows = 1'000'000;
  std::int64_t max_bytes = 1'000'000'000;  // of the result in memory
};

// The whole result.  Throws InputError: for a file that is not a result database, for SQL that is
// wrong, not allowed or takes too long, and for a result beyond the limits, which is never cut
// short.
Table query(const std::string& db_path, const std::string& sql, const QueryLimits& limits = {});

// A question shipped as SQL: reports/queries/NAME.sql below the catalog root.
struct SavedQuery {
  std::string name;
  std::string question;  // the file's leading comment
};
std::vector<SavedQuery> saved_queries(const std::string& catalog_root);

// What `tokenyard query` was given, as SQL: a text with a blank in it is SQL already, a single word
// is the name of a view, a table or a saved query.  Throws InputError naming the nearest name.
std::string resolve_query(const std::string& db_path, const std::string& name_or_sql,
                          const std::string& catalog_root);

}  // namespace tokenyard::store
