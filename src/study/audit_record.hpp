#pragma once
// The claims of a scenario as a record of the result database.
#include "store/records.hpp"
#include "study/audit.hpp"

namespace tokenyard::study {

// A run that is done without having been simulated: variant "audit", its expectations the rows,
// each with the claim's id in place of the metric.  `expected` is the claimed number, of a range
// its middle; `low` and `high` are what the tolerance accepts; `actual` is the computed number, not
// one for a range.
store::RunRecord audit_record(const scenario::Plan& plan, const std::vector<AuditRow>& rows);

}  // namespace tokenyard::study
