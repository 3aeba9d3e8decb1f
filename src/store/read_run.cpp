#include "store/read_run.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.hpp"
#include "store/failure.hpp"
#include "store/open_read_only.hpp"

namespace tokenyard::store {
namespace {

// Reads the columns of a row one after the other.
class RowReader {
 public:
  RowReader(SQLite::Database& db, const std::string& sql, std::int64_t run_id)
      : statement_(db, sql) {
    statement_.bind(1, run_id);
  }
  bool next() {
    at_ = 0;
    return statement_.executeStep();
  }
  std::string text() { return statement_.getColumn(at_++).getString(); }
  std::int64_t integer() { return statement_.getColumn(at_++).getInt64(); }
  // Not-a-number is stored as NULL.
  double number() {
    const SQLite::Column column = statement_.getColumn(at_++);
    return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
  }

 private:
  SQLite::Statement statement_;
  int at_ = 0;
};

// A name that this program does not know (a later one wrote it) has no place in the array.
template <class Names>
std::size_t index_of(const Names& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

RunRecord read_head(SQLite::Database& db, std::int64_t run_id) {
  RowReader row(
      db,
      "SELECT scenario, workload, variant, status, message, plan_hash, trace_hash, version, "
      "seed, started_at, wall_s, simulated_s, measured_s, requests_seen, requests_finished, "
      "requests_rejected, requests_cancelled, requests_abandoned, requests_unfinished, "
      "skipped_lines, events, request_digest, plan_json FROM run WHERE id = ?",
      run_id);
  if (!row.next())
    throw InputError("there is no run " + std::to_string(run_id) + " in the database");
  RunRecord r;
  r.scenario = row.text();
  r.workload = row.text();
  r.variant = row.text();
  const std::string status = row.text();
  r.status = status == "done"    ? RunStatus::done
             : status == "unfit" ? RunStatus::unfit
                                 : RunStatus::failed;
  r.message = row.text();
  r.key.plan_hash = row.text();
  r.key.trace_hash = row.text();
  r.key.version = row.text();
  r.seed = row.integer();
  r.started_at = row.text();
  r.wall_s = row.number();
  r.result.simulated_s = row.number();
  r.result.measured_s = row.number();
  r.result.requests_seen = row.integer();
  r.result.requests_finished = row.integer();
  r.result.requests_rejected = row.integer();
  r.result.requests_cancelled = row.integer();
  r.result.requests_abandoned = row.integer();
  r.result.requests_unfinished = row.integer();
  r.result.skipped_lines = row.integer();
  r.result.events = row.integer();
  r.result.request_digest = row.text();
  r.plan_json = row.text();
  return r;
}

void read_lists(SQLite::Database& db, std::int64_t run_id, RunRecord& r) {
  RowReader parameter(db, "SELECT key, value FROM parameter WHERE run_id = ?", run_id);
  while (parameter.next()) {
    const std::string key = parameter.text();
    r.parameters.emplace_back(key, parameter.text());
  }
  RowReader assumption(
      db, "SELECT key, value, confidence, source, band FROM assumption WHERE run_id = ?", run_id);
  while (assumption.next()) {
    AssumptionRow& a = r.assumptions.emplace_back();
    a.key = assumption.text();
    a.value = assumption.text();
    a.confidence = assumption.text();
    a.source = assumption.text();
    a.band = assumption.text();
  }
  RowReader cost(db, "SELECT pool, category, item, usd FROM cost WHERE run_id = ? ORDER BY rowid",
                 run_id);
  while (cost.next()) {
    CostRow& c = r.costs.emplace_back();
    c.pool = cost.text();
    c.category = cost.text();
    c.item = cost.text();
    c.usd = cost.number();
  }
  RowReader expectation(db,
                        "SELECT metric, expected, low, high, actual, ratio, verdict, claim, source "
                        "FROM expectation WHERE run_id = ? ORDER BY rowid",
                        run_id);
  while (expectation.next()) {
    ExpectationRow& e = r.expectations.emplace_back();
    e.metric = expectation.text();
    e.expected = expectation.number();
    e.low = expectation.number();
    e.high = expectation.number();
    e.actual = expectation.number();
    e.ratio = expectation.number();
    e.verdict = expectation.text();
    e.claim = expectation.text();
    e.source = expectation.text();
  }
}

void read_metrics(SQLite::Database& db, std::int64_t run_id, metrics::RunResult& result) {
  RowReader metric(db, "SELECT name, value FROM metric WHERE run_id = ?", run_id);
  while (metric.next()) {
    metrics::MetricValue& m = result.metrics.emplace_back();
    m.name = metric.text();
    m.value = metric.number();
  }
  RowReader slo(db, "SELECT metric, limit_s, actual_s, met FROM slo WHERE run_id = ?", run_id);
  while (slo.next()) {
    metrics::SloCheck& c = result.slo_checks.emplace_back();
    c.metric = slo.text();
    c.limit_s = slo.number();
    c.actual_s = slo.number();
    c.met = slo.integer() != 0;
  }
}

void read_pools(SQLite::Database& db, std::int64_t run_id, metrics::RunResult& result) {
  RowReader row(db,
                "SELECT pool, nodes, devices, devices_used, replicas, it_power_peak_w FROM pool "
                "WHERE run_id = ?",
                run_id);
  while (row.next()) {
    metrics::PoolResult& pool = result.pools.emplace_back();
    pool.name = row.text();
    pool.nodes = row.integer();
    pool.devices = row.integer();
    pool.devices_used = row.integer();
    pool.replicas = row.integer();
    pool.it_power_peak_w = row.number();
  }
  const auto pool_of = [&](const std::string& name) -> metrics::PoolResult* {
    for (metrics::PoolResult& pool : result.pools) {
      if (pool.name == name) return &pool;
    }
    return nullptr;
  };
  RowReader cause(db, "SELECT pool, cause, device_seconds FROM attribution WHERE run_id = ?",
                  run_id);
  while (cause.next()) {
    metrics::PoolResult* pool = pool_of(cause.text());
    const std::size_t index = index_of(enum_names(Cause{}), cause.text());
    if (pool != nullptr && index < kCauses) pool->device_seconds[index] = cause.number();
  }
  RowReader energy(db, "SELECT pool, component, joules FROM energy WHERE run_id = ?", run_id);
  while (energy.next()) {
    metrics::PoolResult* pool = pool_of(energy.text());
    const std::size_t index = index_of(enum_names(metrics::EnergyComponent{}), energy.text());
    if (pool != nullptr && index < metrics::kEnergyComponents)
      pool->joules[index] = energy.number();
  }
}

void read_kv_tiers(SQLite::Database& db, std::int64_t run_id, metrics::RunResult& result) {
  RowReader row(db,
                "SELECT tier, capacity_bytes, mean_bytes, hit_tokens, bytes_read, bytes_written, "
                "joules FROM kv_tier WHERE run_id = ?",
                run_id);
  while (row.next()) {
    metrics::KvTierResult& tier = result.kv_tiers.emplace_back();
    tier.tier = row.text();
    tier.capacity_bytes = row.number();
    tier.mean_bytes = row.number();
    tier.hit_tokens = row.integer();
    tier.bytes_read = row.number();
    tier.bytes_written = row.number();
    tier.joules = row.number();
  }
}

}  // namespace

RunRecord read_run(const std::string& db_path, std::int64_t run_id) {
  const auto db = open_read_only(db_path);
  try {
    RunRecord record = read_head(*db, run_id);
    read_lists(*db, run_id, record);
    read_metrics(*db, run_id, record.result);
    read_pools(*db, run_id, record.result);
    read_kv_tiers(*db, run_id, record.result);
    return record;
  } catch (const SQLite::Exception& error) {
    throw_failure(db_path, error, "it cannot be read");
  }
}

}  // namespace tokenyard::store
