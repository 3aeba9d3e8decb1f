#include "study/audit_record.hpp"

#include <cmath>
#include <limits>

#include "base/hash.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {

store::RunRecord audit_record(const scenario::Plan& plan, const std::vector<AuditRow>& rows) {
  store::RunRecord record = failed_record(plan, "");
  record.status = store::RunStatus::done;
  record.variant += record.variant.empty() ? "audit" : ", audit";
  if (record.plan_json.empty()) {
    JsonWriter json;
    input::Codec<scenario::ScenarioFile>::write(json, plan.scenario);
    record.plan_json = json.text();
  }
  // Of its own, so that it does not replace the simulated run of the same plan.
  record.key.plan_hash = sha256_text("audit " + record.plan_json);
  for (const AuditRow& row : rows) {
    store::ExpectationRow e;
    const double low = row.claimed.front();
    const double high = row.claimed.back();
    e.metric = row.id;
    e.expected = low + (high - low) / 2.0;
    e.low = low - std::abs(low) * row.tolerance;
    e.high = high + std::abs(high) * row.tolerance;
    e.actual =
        row.compared.size() == 1 ? row.compared.front() : std::numeric_limits<double>::quiet_NaN();
    e.ratio = row.ratio.value_or(std::numeric_limits<double>::quiet_NaN());
    e.verdict = text_of(row.verdict);
    e.claim = row.claim;
    e.source = row.source;
    record.expectations.push_back(std::move(e));
  }
  return record;
}

}  // namespace tokenyard::study
