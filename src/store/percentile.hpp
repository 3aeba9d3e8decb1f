#pragma once
// The SQL aggregate percentile(x, p).

struct sqlite3;

namespace tokenyard::store {

// Adds the function to a connection.
void add_percentile(sqlite3* db);

}  // namespace tokenyard::store
