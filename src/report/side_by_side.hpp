#pragma once
// Several runs as one table: what they differ in, and the metrics that matter.
#include <vector>

#include "base/table.hpp"
#include "store/records.hpp"

namespace tokenyard::report {

// A row a run.  Columns: the scenario when there are several; each parameter, called by the last
// part of its path, or as much of it as tells it from the others; the devices where the runs differ
// in them; each metric that a run has, with its unit and three significant digits; how many unknown
// numbers a run rests on and which devices pass a physical bound; why a run failed or could not be.
Table side_by_side(const std::vector<store::RunRecord>& runs);

}  // namespace tokenyard::report
