#include "study/validation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/hash.hpp"
#include "metrics/metric_table.hpp"
#include "store/read_run.hpp"
#include "study/result_file.hpp"

namespace tokenyard::study {
namespace {

using scenario::Plan;

scenario::ExpectSpec expectation_of(const MeasuredCase& c, const Measurement& m) {
  const metrics::MetricInfo* info = metrics::find_metric(m.metric);
  check(info != nullptr, "a reader of measurements names a metric that does not exist");
  scenario::ExpectSpec e;
  e.claim = c.id;
  e.source = c.source;
  e.metric = m.metric;
  e.measured = true;
  e.value.ends.push_back({.number = m.value, .dim = info->dim});
  e.low = m.low;
  e.high = m.high;
  e.where = m.where;
  return e;
}

// What the database shall know of the case.  A key of its own: two sources may have measured under
// the same conditions.
Plan with_measurements(Plan plan, const MeasuredCase& c, std::size_t number) {
  plan.parameters.emplace_back("case", c.id);
  plan.parameters.insert(plan.parameters.end(), c.labels.begin(), c.labels.end());
  plan.parameters.insert(plan.parameters.end(), c.conditions.begin(), c.conditions.end());
  for (std::size_t i = 0; i < c.assumptions.size(); ++i) {
    plan.assumptions.push_back({"measured conditions " + std::to_string(i + 1), c.assumptions[i],
                                "assumed", "the source does not say"});
  }
  plan.scenario.expect.clear();
  for (const Measurement& m : c.measurements) plan.scenario.expect.push_back(expectation_of(c, m));
  plan.hash = sha256_text("validate " + c.id + ' ' + std::to_string(number) + ' ' + c.source + ' ' +
                          plan.json);
  return plan;
}

// Of the devices that serve.  The others of a node wait all the time, and whoever measured did not
// have them.
std::vector<CauseShare> largest_causes(const metrics::RunResult& result) {
  CauseSeconds seconds{};
  for (const metrics::PoolResult& pool : result.pools) {
    for (std::size_t c = 0; c < kCauses; ++c) seconds[c] += pool.device_seconds[c];
    double& waiting = seconds[static_cast<std::size_t>(Cause::policy_wait)];
    const auto unused = static_cast<double>(pool.devices - pool.devices_used);
    waiting = std::max(0.0, waiting - unused * result.measured_s);
  }
  constexpr double kNothing = 1e-9;  // what rounding leaves of a share
  const double total_s = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  std::vector<CauseShare> shares;
  for (std::size_t c = 0; c < kCauses; ++c) {
    if (seconds[c] > kNothing * total_s)
      shares.push_back({static_cast<Cause>(c), seconds[c] / total_s});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const CauseShare& a, const CauseShare& b) { return a.share > b.share; });
  if (shares.size() > kCausesShown) shares.resize(kCausesShown);
  return shares;
}

// What a case's runs have to say.
struct CaseEnd {
  std::string problem;
  std::vector<CauseShare> causes;  // of the first run
  std::vector<double> predicted;   // parallel to the measurements: means over the runs
};

// `runs`: how many the case has.
void read_end(CaseEnd& end, const std::string& db_path, const Outcome& outcome, double runs) {
  if (!end.problem.empty()) return;
  if (outcome.failure != FailureKind::none) {
    end.problem = "the run failed: " + outcome.message;
    return;
  }
  const store::RunRecord run = store::read_run(db_path, outcome.run_id);
  if (run.result.requests_rejected > 0) {
    end.problem = std::to_string(run.result.requests_rejected) + " of " +
                  std::to_string(run.result.requests_seen) +
                  " requests were rejected: too long for the KV cache or the model";
    return;
  }
  if (end.causes.empty()) end.causes = largest_causes(run.result);
  end.predicted.resize(run.expectations.size(), 0.0);
  for (std::size_t i = 0; i < run.expectations.size(); ++i)
    end.predicted[i] += run.expectations[i].actual / runs;
}

void add_points(Validation& v, std::size_t at, const CaseEnd& end) {
  const MeasuredCase& c = v.cases[at];
  check(!end.problem.empty() || end.predicted.size() == c.measurements.size(),
        "a run has one expectation for each measurement");
  for (std::size_t m = 0; m < c.measurements.size(); ++m) {
    ValidationPoint& p = v.points.emplace_back();
    p.at = at;
    p.measured = c.measurements[m];
    p.problem = end.problem;
    if (!end.problem.empty()) continue;
    p.causes = end.causes;
    if (std::isfinite(end.predicted[m])) {
      p.predicted = end.predicted[m];
    } else {
      p.problem = "the run has no " + p.measured.metric;
    }
  }
}

}  // namespace

Validation validate(std::vector<MeasuredCase> cases, const ValidationOptions& options) {
  Validation result;
  result.cases = std::move(cases);
  std::vector<CaseEnd> ends(result.cases.size());
  std::vector<Plan> plans;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < result.cases.size(); ++i) {
    MeasuredCase& c = result.cases[i];
    ends[i].problem = c.problem;
    check(c.plans.empty() != c.problem.empty(), "a case has plans or a problem");
    for (std::size_t k = 0; k < c.plans.size(); ++k) {
      plans.push_back(with_measurements(std::move(c.plans[k]), c, k));
      indices.push_back(i);
    }
    c.plans.clear();
  }
  std::vector<double> runs(result.cases.size(), 0.0);
  for (const std::size_t i : indices) runs[i] += 1.0;
  const ResultFile file(options.db_path);
  const std::vector<Outcome> outcomes = run_all(plans, {.db_path = file.path(),
                                                        .jobs = options.jobs,
                                                        .on_progress = options.on_progress,
                                                        .interrupted = options.interrupted});
  for (std::size_t r = 0; r < outcomes.size(); ++r) {
    if (outcomes[r].run_id < 0 && outcomes[r].failure == FailureKind::none) {
      result.interrupted = true;
      return result;
    }
    if (outcomes[r].failure != FailureKind::none) result.broken.push_back(outcomes[r].message);
    read_end(ends[indices[r]], file.path(), outcomes[r], runs[indices[r]]);
  }
  for (std::size_t i = 0; i < result.cases.size(); ++i) add_points(result, i, ends[i]);
  return result;
}

}  // namespace tokenyard::study
