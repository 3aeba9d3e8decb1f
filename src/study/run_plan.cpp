#include "study/run_plan.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>

#include "economics/prices.hpp"
#include "economics/tco.hpp"
#include "metrics/metric_table.hpp"
#include "perf/adapters.hpp"
#include "perf/constants.hpp"
#include "perf/kv_tier_places.hpp"
#include "perf/parking.hpp"
#include "sim/simulate.hpp"

namespace tokenyard::study {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

void add(std::vector<metrics::MetricValue>& to, const char* name, std::optional<double> value) {
  if (value) to.push_back({name, *value});
}

void add_costs(const scenario::Plan& plan, store::RunRecord& record) {
  const scenario::MarketSpec& market = plan.scenario.economics.market;
  const economics::CostResult cost = economics::compute_cost(
      plan, economics::usage_of(plan, record.result),
      {market.usd_per_device_hour, market.usd_per_mtok_input, market.usd_per_mtok_output});
  for (const economics::CostItem& item : cost.items)
    record.costs.push_back({item.pool, item.category, item.item, item.usd});
  auto& m = record.extra_metrics;
  add(m, "capex_usd", cost.capex_usd);
  add(m, "opex_usd_per_year", cost.opex_usd_per_year);
  add(m, "tco_usd", cost.tco_usd);
  add(m, "usd_per_device_hour", cost.usd_per_device_hour);
  add(m, "usd_per_mtok_input", cost.usd_per_mtok_input);
  add(m, "usd_per_mtok_output", cost.usd_per_mtok_output);
  add(m, "usd_per_mtok_output_allocated", cost.usd_per_mtok_output_allocated);
  add(m, "usd_per_mtok_blended", cost.usd_per_mtok_blended);
  add(m, "kgco2_per_mtok_output", cost.kgco2_per_mtok_output);
  add(m, "break_even_utilization", cost.break_even_utilization);
}

store::RunRecord base_record(const scenario::Plan& plan) {
  store::RunRecord record;
  record.scenario = plan.scenario.name;
  record.workload = plan.scenario.workload.spec.name;
  record.variant = plan.variant;
  record.key = {plan.hash, plan.trace_hash, TOKENYARD_VERSION};
  record.seed = plan.scenario.seed;
  record.started_at = utc_now();
  record.plan_json = plan.json;
  record.parameters = plan.parameters;
  for (const scenario::Assumption& a : plan.assumptions) {
    record.assumptions.push_back({a.key, a.value, a.confidence, a.source, a.band});
  }
  for (const perf::ModelConstant& c : perf::model_constants()) {
    record.assumptions.push_back({"performance model: " + c.name, c.value, c.confidence, c.source});
  }
  return record;
}

const double* find(const std::vector<metrics::MetricValue>& metrics, const std::string& name) {
  for (const metrics::MetricValue& m : metrics) {
    if (m.name == name) return &m.value;
  }
  return nullptr;
}

std::string verdict_of(const store::ExpectationRow& row, metrics::Better better) {
  if (std::isnan(row.actual)) return "unknown";
  if (row.actual >= row.low && row.actual <= row.high) return "holds";
  if (better == metrics::Better::neither) return "deviates";
  const bool claim_is_higher = row.expected > row.actual;
  return claim_is_higher == (better == metrics::Better::higher) ? "optimistic" : "pessimistic";
}

// The model is judged, not who measured; without a spread there is nothing to judge by.
std::string verdict_of_measured(const store::ExpectationRow& row) {
  if (std::isnan(row.actual)) return "unknown";
  if (row.low == row.high) return "compared";
  return row.actual >= row.low && row.actual <= row.high ? "holds" : "model is off";
}

}  // namespace

void check_plan(const scenario::Plan& plan) {
  Diagnostics diagnostics;
  if (!plan.scenario.simulated) {
    diagnostics.add(plan.where, "workload",
                    "is missing; the claims of this file are checked by 'tokenyard audit'");
    diagnostics.throw_if_any();
  }
  if (!plan.unfit.empty()) return;
  perf::check_fit(plan, diagnostics);
  perf::check_kv_tiers(plan, diagnostics);
  if (diagnostics.empty()) perf::check_parking(plan, diagnostics);
  perf::check_adapters(plan, diagnostics);
  economics::check_prices(plan, diagnostics);
  for (std::size_t i = 0; i < plan.scenario.expect.size(); ++i) {
    if (!plan.scenario.expect[i].metric) continue;  // a formula: audit checks it
    const std::string& metric = *plan.scenario.expect[i].metric;
    if (metrics::find_metric(metric) != nullptr) continue;
    diagnostics.add(plan.scenario.expect[i].where, "expect[" + std::to_string(i) + "].metric",
                    "'" + metric + "' is no metric" + metrics::metric_suggestion(metric));
  }
  diagnostics.throw_if_any();
  // Throws for fleets that cannot be wired.
  sim::fabric_inventory(plan);
}

void mark_unfit(scenario::Plan& plan) {
  if (plan.scenario.unfit != scenario::Unfit::report || !plan.unfit.empty()) return;
  for (const scenario::PoolPlan& pool : plan.pools) {
    for (const scenario::DeploymentPlan& d : pool.deployments) {
      if (plan.unfit.empty()) plan.unfit = perf::place(pool, d, plan.scenario.serving).problem;
    }
    if (plan.unfit.empty()) plan.unfit = economics::rack_problem(plan, pool);
  }
  if (!plan.unfit.empty()) return;
  try {
    sim::fabric_inventory(plan);
  } catch (const InputError& error) {
    plan.unfit = error.diagnostics().front().message;
  }
}

std::vector<store::ExpectationRow> check_expectations(
    const scenario::Plan& plan, const std::vector<metrics::MetricValue>& metrics) {
  std::vector<store::ExpectationRow> rows;
  for (const scenario::ExpectSpec& expect : plan.scenario.expect) {
    if (!expect.metric) continue;
    store::ExpectationRow row;
    row.metric = *expect.metric;
    row.expected = expect.value.ends.front().number;
    const double margin = std::abs(row.expected) * expect.tolerance;
    row.low = expect.low.value_or(row.expected - margin);
    row.high = expect.high.value_or(row.expected + margin);
    const double* actual = find(metrics, row.metric);
    row.actual = actual != nullptr ? *actual : std::numeric_limits<double>::quiet_NaN();
    row.ratio = row.actual / row.expected;
    const metrics::MetricInfo* info = metrics::find_metric(row.metric);
    check(info != nullptr, "an expectation of an unknown metric came past the checks");
    row.verdict = expect.measured ? verdict_of_measured(row) : verdict_of(row, info->better);
    row.claim = expect.claim;
    row.source = expect.source.empty() ? plan.scenario.source : expect.source;
    rows.push_back(std::move(row));
  }
  return rows;
}

store::RunRecord run_plan(const scenario::Plan& plan, const sim::SimulationOptions& options) {
  store::RunRecord record = base_record(plan);
  const auto start = std::chrono::steady_clock::now();
  record.result = sim::simulate(plan, options);
  record.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  add_costs(plan, record);
  std::vector<metrics::MetricValue> all =
      metrics::inventory_metrics(record.result);  // stored by the store itself
  all.insert(all.end(), record.result.metrics.begin(), record.result.metrics.end());
  all.insert(all.end(), record.extra_metrics.begin(), record.extra_metrics.end());
  record.expectations = check_expectations(plan, all);
  return record;
}

store::RunRecord failed_record(const scenario::Plan& plan, const std::string& message) {
  store::RunRecord record = base_record(plan);
  record.status = plan.unfit.empty() ? store::RunStatus::failed : store::RunStatus::unfit;
  record.message = message;
  return record;
}

}  // namespace tokenyard::study
