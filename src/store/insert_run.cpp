#include "store/insert_run.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/error.hpp"
#include "metrics/accumulator.hpp"
#include "metrics/metric_table.hpp"
#include "store/schema.hpp"

namespace tokenyard::store {
namespace {

// Binds values to the parameters of a statement one after the other, then runs it.  It speaks to
// SQLite directly: half a million rows a second leave two microseconds for each.
class RowInserter {
 public:
  RowInserter(SQLite::Database& db, const std::string& sql) : db_(db.getHandle()) {
    code_ = sqlite3_prepare_v3(db_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                               SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    throw_if_failed();
  }
  ~RowInserter() { sqlite3_finalize(statement_); }
  RowInserter(const RowInserter&) = delete;
  RowInserter& operator=(const RowInserter&) = delete;

  // Contract: the text lives until run().
  RowInserter& text(std::string_view value) {
    return note(sqlite3_bind_text(statement_, ++at_, value.data() == nullptr ? "" : value.data(),
                                  static_cast<int>(value.size()), SQLITE_STATIC));
  }
  RowInserter& integer(std::int64_t value) {
    return note(sqlite3_bind_int64(statement_, ++at_, value));
  }
  // SQLite stores not-a-number as NULL.
  RowInserter& number(double value) { return note(sqlite3_bind_double(statement_, ++at_, value)); }
  RowInserter& null() { return note(sqlite3_bind_null(statement_, ++at_)); }
  // Times that were never reached are -1 in memory and NULL in the database.
  RowInserter& time(double value_s) { return value_s < 0.0 ? null() : number(value_s); }
  RowInserter& index(std::int64_t value) { return value < 0 ? null() : integer(value); }

  void run() {
    throw_if_failed();
    sqlite3_step(statement_);
    code_ = sqlite3_reset(statement_);
    at_ = 0;
    throw_if_failed();
  }

 private:
  RowInserter& note(int code) {
    if (code != SQLITE_OK) code_ = code;
    return *this;
  }
  void throw_if_failed() const {
    if (code_ != SQLITE_OK) throw SQLite::Exception(db_, code_);
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
  int at_ = 0;
};

template <class Enum>
std::string_view name_of(Enum value) {
  return enum_names(value)[static_cast<std::size_t>(value)];
}

std::int64_t insert_head(SQLite::Database& db, std::int64_t run_id, const RunRecord& r) {
  RowInserter row(
      db,
      "INSERT INTO run (id, scenario, workload, variant, status, message, plan_hash, "
      "trace_hash, version, seed, started_at, wall_s, simulated_s, measured_s, requests_seen, "
      "requests_finished, requests_rejected, requests_cancelled, requests_abandoned, "
      "requests_unfinished, skipped_lines, events, request_digest, plan_json) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (run_id == 0) {
    row.null();
  } else {
    row.integer(run_id);
  }
  row.text(r.scenario).text(r.workload).text(r.variant).text(name_of(r.status)).text(r.message);
  row.text(r.key.plan_hash).text(r.key.trace_hash).text(r.key.version);
  row.integer(r.seed).text(r.started_at).number(r.wall_s);
  row.number(r.result.simulated_s).number(r.result.measured_s).integer(r.result.requests_seen);
  row.integer(r.result.requests_finished).integer(r.result.requests_rejected);
  row.integer(r.result.requests_cancelled).integer(r.result.requests_abandoned);
  row.integer(r.result.requests_unfinished)
      .integer(r.result.skipped_lines)
      .integer(r.result.events);
  row.text(r.result.request_digest).text(r.plan_json).run();
  return db.getLastInsertRowid();
}

void insert_inputs(SQLite::Database& db, std::int64_t run_id, const RunRecord& record) {
  RowInserter parameter(db, "INSERT INTO parameter VALUES (?, ?, ?)");
  for (const auto& [key, value] : record.parameters) {
    parameter.integer(run_id).text(key).text(value).run();
  }
  RowInserter assumption(db,
                         "INSERT INTO assumption (run_id, key, value, confidence, source, band) "
                         "VALUES (?, ?, ?, ?, ?, ?)");
  for (const AssumptionRow& a : record.assumptions) {
    assumption.integer(run_id).text(a.key).text(a.value).text(a.confidence).text(a.source);
    assumption.text(a.band).run();
  }
}

void insert_metrics(SQLite::Database& db, std::int64_t run_id, const RunRecord& record) {
  RowInserter row(db, "INSERT INTO metric (run_id, name, value, unit) VALUES (?, ?, ?, ?)");
  const auto insert = [&](const std::vector<metrics::MetricValue>& values) {
    for (const metrics::MetricValue& m : values) {
      const metrics::MetricInfo* info = metrics::find_metric(m.name);
      if (info == nullptr)
        throw InternalError("metric '" + m.name + "' is not in the metric table");
      row.integer(run_id).text(m.name).number(m.value).text(info->unit).run();
    }
  };
  insert(record.result.metrics);
  insert(record.extra_metrics);
  if (record.status == RunStatus::done) insert(metrics::inventory_metrics(record.result));

  RowInserter slo(
      db, "INSERT INTO slo (run_id, metric, limit_s, actual_s, met) VALUES (?, ?, ?, ?, ?)");
  for (const metrics::SloCheck& c : record.result.slo_checks) {
    slo.integer(run_id)
        .text(c.metric)
        .number(c.limit_s)
        .number(c.actual_s)
        .integer(c.met ? 1 : 0)
        .run();
  }
}

void insert_pools(SQLite::Database& db, std::int64_t run_id, const metrics::RunResult& result) {
  RowInserter pool_row(db,
                       "INSERT INTO pool (run_id, pool, nodes, devices, devices_used, replicas, "
                       "it_power_peak_w) VALUES (?, ?, ?, ?, ?, ?, ?)");
  RowInserter cause_row(db,
                        "INSERT INTO attribution (run_id, pool, cause, device_seconds, share) "
                        "VALUES (?, ?, ?, ?, ?)");
  RowInserter energy_row(
      db, "INSERT INTO energy (run_id, pool, component, joules) VALUES (?, ?, ?, ?)");
  for (const metrics::PoolResult& pool : result.pools) {
    pool_row.integer(run_id).text(pool.name).integer(pool.nodes).integer(pool.devices);
    pool_row.integer(pool.devices_used).integer(pool.replicas).number(pool.it_power_peak_w).run();
    const double total_s =
        std::accumulate(pool.device_seconds.begin(), pool.device_seconds.end(), 0.0);
    for (std::size_t c = 0; c < kCauses; ++c) {
      const double device_seconds = pool.device_seconds[c];
      cause_row.integer(run_id).text(pool.name).text(name_of(static_cast<Cause>(c)));
      cause_row.number(device_seconds).number(total_s > 0.0 ? device_seconds / total_s : 0.0).run();
    }
    for (std::size_t e = 0; e < metrics::kEnergyComponents; ++e) {
      energy_row.integer(run_id).text(pool.name);
      energy_row.text(name_of(static_cast<metrics::EnergyComponent>(e)))
          .number(pool.joules[e])
          .run();
    }
  }
}

void insert_kv_tiers(SQLite::Database& db, std::int64_t run_id, const metrics::RunResult& result) {
  RowInserter row(db,
                  "INSERT INTO kv_tier (run_id, tier, capacity_bytes, mean_bytes, hit_tokens, "
                  "bytes_read, bytes_written, joules) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const metrics::KvTierResult& tier : result.kv_tiers) {
    row.integer(run_id).text(tier.tier).number(tier.capacity_bytes).number(tier.mean_bytes);
    row.integer(tier.hit_tokens).number(tier.bytes_read).number(tier.bytes_written);
    row.number(tier.joules).run();
  }
}

void insert_costs_and_expectations(SQLite::Database& db, std::int64_t run_id,
                                   const RunRecord& record) {
  RowInserter cost(db,
                   "INSERT INTO cost (run_id, pool, category, item, usd) VALUES (?, ?, ?, ?, ?)");
  for (const CostRow& c : record.costs) {
    cost.integer(run_id).text(c.pool).text(c.category).text(c.item).number(c.usd).run();
  }
  RowInserter expectation(
      db,
      "INSERT INTO expectation (run_id, metric, expected, low, high, actual, ratio, "
      "verdict, claim, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const ExpectationRow& e : record.expectations) {
    expectation.integer(run_id).text(e.metric).number(e.expected).number(e.low).number(e.high);
    expectation.number(e.actual).number(e.ratio).text(e.verdict).text(e.claim).text(e.source).run();
  }
}

const std::string& at(const std::vector<std::string>& names, std::int32_t index) {
  check(index >= 0 && static_cast<std::size_t>(index) < names.size(),
        "a request names an existing class and tenant");
  return names[static_cast<std::size_t>(index)];
}

std::string insert_request_sql() {
  std::string sql =
      "INSERT INTO request (run_id, id, session, turn, class, model, pool, replica, arrival_s, "
      "admitted_s, first_token_s, finished_s, input_tokens, cached_tokens, output_tokens, "
      "preemptions, status, tenant, attempts, fetched_tokens, " +
      phase_columns() + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
  for (std::size_t p = 0; p < kPhases; ++p) sql += ", ?";
  return sql + ')';
}

// The reasons for a wait are known when it is over: of finished requests only.
void add_phases(RowInserter& row, const metrics::RequestRow& r) {
  const bool finished = r.status == metrics::RequestStatus::finished;
  for (const double s : r.phase_s) {
    if (finished) {
      row.number(s);
    } else {
      row.null();
    }
  }
}

void insert_requests(SQLite::Database& db, std::int64_t run_id, const metrics::RunResult& result) {
  RowInserter row(db, insert_request_sql());
  std::unordered_map<std::int64_t, const std::string*> session_names;
  for (const auto& [session, name] : result.session_names) session_names.emplace(session, &name);
  std::array<char, 24> number{};
  for (const metrics::RequestRow& r : result.requests) {
    row.integer(run_id).integer(r.id);
    if (r.session < 0) {
      row.null();
    } else if (const auto name = session_names.find(r.session); name != session_names.end()) {
      row.text(*name->second);
    } else {
      const auto end = std::to_chars(number.data(), number.data() + number.size(), r.session).ptr;
      row.text({number.data(), static_cast<std::size_t>(end - number.data())});
    }
    row.integer(r.turn).text(at(result.classes, r.class_id));
    if (r.deployment < 0) {
      row.null().null();
    } else {
      check(static_cast<std::size_t>(r.deployment) < result.deployments.size(),
            "a request names an existing deployment");
      const metrics::DeploymentNames& d =
          result.deployments[static_cast<std::size_t>(r.deployment)];
      row.text(d.model).text(d.pool);
    }
    row.index(r.replica).number(r.arrival_s).time(r.admitted_s).time(r.first_token_s);
    row.time(r.finished_s)
        .integer(r.input_tokens)
        .integer(r.cached_tokens)
        .integer(r.output_tokens);
    row.integer(r.preemptions).text(name_of(r.status));
    if (result.tenants.empty()) {
      row.null();
    } else {
      row.text(at(result.tenants, r.tenant));
    }
    row.integer(r.attempts).integer(r.fetched_tokens);
    add_phases(row, r);
    row.run();
  }
}

void insert_samples(SQLite::Database& db, std::int64_t run_id, const metrics::RunResult& result) {
  RowInserter row(db,
                  "INSERT INTO sample (run_id, pool, t_s, running, queued, kv_used, power_w, "
                  "output_tokens_per_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const metrics::Sample& s : result.samples) {
    check(s.pool >= 0 && static_cast<std::size_t>(s.pool) < result.pools.size(),
          "a sample names an existing pool");
    row.integer(run_id).text(result.pools[static_cast<std::size_t>(s.pool)].name).number(s.t_s);
    row.number(s.running).number(s.queued).number(s.kv_used).number(s.power_w);
    row.number(s.output_tokens_per_s).run();
  }
}

}  // namespace

std::int64_t run_with_key(SQLite::Database& db, const RunKey& key) {
  if (key.plan_hash.empty()) return 0;
  SQLite::Statement query(db,
                          "SELECT id FROM run WHERE plan_hash <> '' AND plan_hash = ? AND "
                          "trace_hash = ? AND version = ?");
  query.bind(1, key.plan_hash);
  query.bind(2, key.trace_hash);
  query.bind(3, key.version);
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

void delete_run(SQLite::Database& db, std::int64_t run_id) {
  for (const std::string_view table : tables_of_runs()) {
    SQLite::Statement statement(db, "DELETE FROM " + std::string(table) + " WHERE run_id = ?");
    statement.bind(1, run_id);
    statement.exec();
  }
  SQLite::Statement statement(db, "DELETE FROM run WHERE id = ?");
  statement.bind(1, run_id);
  statement.exec();
}

RequestLoad::RequestLoad(SQLite::Database& db, std::int64_t new_rows) : db_(db) {
  const std::int64_t present =
      db.execAndGet("SELECT coalesce(max(rowid), 0) FROM request").getInt64();
  index_dropped_ = new_rows > present;
  if (index_dropped_) db.exec("DROP INDEX IF EXISTS " + std::string(kRequestIndex));
}

void RequestLoad::finish() {
  if (index_dropped_) db_.exec(create_request_index_sql());
}

std::int64_t insert_run(SQLite::Database& db, std::int64_t run_id, const RunRecord& record) {
  run_id = insert_head(db, run_id, record);
  insert_inputs(db, run_id, record);
  insert_metrics(db, run_id, record);
  insert_pools(db, run_id, record.result);
  insert_kv_tiers(db, run_id, record.result);
  insert_costs_and_expectations(db, run_id, record);
  RequestLoad load(db, static_cast<std::int64_t>(record.result.requests.size()));
  insert_requests(db, run_id, record.result);
  load.finish();
  insert_samples(db, run_id, record.result);
  return run_id;
}

}  // namespace tokenyard::store
