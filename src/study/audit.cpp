#include "study/audit.hpp"

#include <map>
#include <set>

#include "store/read_run.hpp"
#include "store/store.hpp"
#include "study/audit_claim.hpp"
#include "study/audit_record.hpp"
#include "study/claim_use.hpp"
#include "study/result_file.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {
namespace {

using scenario::Plan;

struct Checked {
  std::vector<AuditRow> rows;
  bool needs_simulation = false;
};

Checked check_claims(const Plan& plan, const PoolModels& pools, catalog::Catalog& catalog,
                     Diagnostics& diagnostics, const std::vector<metrics::MetricValue>* metrics) {
  ClaimChecker checker(pools, catalog, diagnostics, metrics);
  checker.check_givens();
  Checked checked;
  for (const scenario::ExpectSpec& claim : plan.scenario.expect) {
    if (std::optional<AuditRow> row = checker.check(claim)) checked.rows.push_back(std::move(*row));
  }
  checked.needs_simulation = checker.needs_simulation();
  return checked;
}

// An id names one claim in all files; the variants of a sweep have theirs in common.
void refuse_twins(const std::vector<Plan>& plans, Diagnostics& diagnostics) {
  std::map<std::string, Place> first;
  for (const Plan& plan : plans) {
    for (const scenario::ExpectSpec& claim : plan.scenario.expect) {
      if (claim.id.empty()) continue;
      const auto [at, is_new] = first.emplace(claim.id, claim.where);
      const Place& earlier = at->second;
      if (is_new || (earlier.file == claim.where.file && earlier.line == claim.where.line))
        continue;
      diagnostics.add(claim.where, claim.path + ".id",
                      "two claims have the id '" + claim.id + "'; the other is at " + earlier.file +
                          ':' + std::to_string(earlier.line));
    }
  }
}

// Once for all variants of a scenario.
void refuse_unused_names(const std::vector<Plan>& plans, Diagnostics& diagnostics) {
  std::set<std::string> files;
  for (const Plan& plan : plans) {
    if (files.insert(plan.where.file).second) refuse_unused(plan.scenario, diagnostics);
  }
}

void add_all(Diagnostics& to, const std::vector<Diagnostic>& problems) {
  for (const Diagnostic& d : problems) to.add(d.place, d.path, d.message, d.note);
}

}  // namespace

Audit audit(const std::vector<Plan>& plans, catalog::Catalog& catalog,
            const AuditOptions& options) {
  Diagnostics diagnostics;
  refuse_twins(plans, diagnostics);
  refuse_unused_names(plans, diagnostics);
  std::vector<PoolModels> pools;
  std::vector<Checked> checked;
  std::vector<Plan> simulated;
  std::vector<std::size_t> indices;
  for (const Plan& plan : plans) {
    pools.emplace_back(plan);
    checked.push_back(check_claims(plan, pools.back(), catalog, diagnostics, nullptr));
    if (!checked.back().needs_simulation) continue;
    indices.push_back(checked.size() - 1);
    simulated.push_back(plan);
    try {
      check_plan(plan);
    } catch (const InputError& error) {
      add_all(diagnostics, error.diagnostics());
    }
  }
  diagnostics.throw_if_any();
  Audit result;
  if (!simulated.empty()) {
    const ResultFile file(options.db_path);
    const std::vector<Outcome> outcomes = run_all(simulated, {.db_path = file.path(),
                                                              .jobs = options.jobs,
                                                              .on_progress = options.on_progress,
                                                              .interrupted = options.interrupted});
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].failure != FailureKind::none) {
        result.broken.push_back(outcomes[i].message);
        continue;
      }
      if (outcomes[i].run_id < 0) {
        result.interrupted = true;
        return result;
      }
      const store::RunRecord run = store::read_run(file.path(), outcomes[i].run_id);
      const std::size_t p = indices[i];
      checked[p] = check_claims(plans[p], pools[p], catalog, diagnostics, &run.result.metrics);
    }
  }
  diagnostics.throw_if_any();
  for (std::size_t p = 0; p < plans.size(); ++p) {
    if (!options.db_path.empty() && !checked[p].rows.empty())
      store::Store(options.db_path).write_run(audit_record(plans[p], checked[p].rows));
    result.rows.insert(result.rows.end(), checked[p].rows.begin(), checked[p].rows.end());
  }
  return result;
}

}  // namespace tokenyard::study
