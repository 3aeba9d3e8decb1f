#pragma once
// A stored run, read back for reports.
#include <cstdint>
#include <string>

#include "store/records.hpp"

namespace tokenyard::store {

// Everything of a run but its requests, samples, classes and sessions, which are many and better
// asked for with SQL.  Metrics that were stored beside the result's come back among the result's.
// Throws InputError when there is no such run.
RunRecord read_run(const std::string& db_path, std::int64_t run_id);

}  // namespace tokenyard::store
