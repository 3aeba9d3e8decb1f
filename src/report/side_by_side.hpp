#pragma once
// Several runs as one table: what they differ in, and the metrics that matter.
#include <vector>

#include "base/table.hpp"
#include "store/records.hpp"

namespace tokenyard::report {

// A row a run.  Columns: the scenario when there are several; each parameter, called by the last
// part of its path, or as much of it as tells it from the others; why a run failed when one did;
// each metric that a run has, with its unit and three significant digits.
Table side_by_side(const std::vector<store::RunRecord>& runs);

}  // namespace tokenyard::report
