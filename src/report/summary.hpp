#pragma once
// A run on one page: what it served, how fast, what bound it, what it used and what it cost.
#include "base/table.hpp"
#include "store/records.hpp"

namespace tokenyard::report {

// Columns: group, what, value; the group stands in its first row only.  Metrics that the run does
// not have are left out.  Values are shown with units and three significant digits.
Table run_summary(const store::RunRecord& run);

// The run's expectations as a table: metric, expected, simulated, ratio, verdict, claim.
Table expectation_table(const store::RunRecord& run);

}  // namespace tokenyard::report
