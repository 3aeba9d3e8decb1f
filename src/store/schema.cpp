#include "store/schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>

#include "base/error.hpp"
#include "base/phase.hpp"

namespace tokenyard::store {
namespace {

constexpr std::array<std::string_view, 12> kTablesOfRuns{
    "parameter",   "metric", "slo",  "pool",        "request",    "sample",
    "attribution", "energy", "cost", "expectation", "assumption", "kv_tier"};

constexpr const char* kRunTables = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  scenario TEXT NOT NULL,
  workload TEXT NOT NULL,
  variant TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('done', 'failed', 'unfit')),
  message TEXT NOT NULL,
  plan_hash TEXT NOT NULL,
  trace_hash TEXT NOT NULL,
  version TEXT NOT NULL,
  seed INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  wall_s REAL NOT NULL,
  simulated_s REAL NOT NULL,
  measured_s REAL NOT NULL,
  requests_seen INTEGER NOT NULL,
  requests_finished INTEGER NOT NULL,
  requests_rejected INTEGER NOT NULL,
  requests_cancelled INTEGER NOT NULL,
  requests_abandoned INTEGER NOT NULL,
  requests_unfinished INTEGER NOT NULL,
  skipped_lines INTEGER NOT NULL,
  events INTEGER NOT NULL,
  request_digest TEXT NOT NULL,
  plan_json TEXT NOT NULL
);
CREATE UNIQUE INDEX run_by_key ON run (plan_hash, trace_hash, version) WHERE plan_hash <> '';

CREATE TABLE parameter (
  run_id INTEGER NOT NULL REFERENCES run (id), key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

CREATE TABLE assumption (
  run_id INTEGER NOT NULL REFERENCES run (id), key TEXT NOT NULL, value TEXT NOT NULL,
  confidence TEXT NOT NULL, source TEXT NOT NULL, band TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) WITHOUT ROWID;
)sql";

constexpr const char* kResultTables = R"sql(
CREATE TABLE metric (
  run_id INTEGER NOT NULL REFERENCES run (id), name TEXT NOT NULL, value REAL, unit TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) WITHOUT ROWID;

CREATE TABLE slo (
  run_id INTEGER NOT NULL REFERENCES run (id), metric TEXT NOT NULL, limit_s REAL NOT NULL,
  actual_s REAL, met INTEGER NOT NULL,
  PRIMARY KEY (run_id, metric)
) WITHOUT ROWID;

CREATE TABLE pool (
  run_id INTEGER NOT NULL REFERENCES run (id), pool TEXT NOT NULL, nodes INTEGER NOT NULL,
  devices INTEGER NOT NULL, devices_used INTEGER NOT NULL, replicas INTEGER NOT NULL,
  it_power_peak_w REAL NOT NULL,
  PRIMARY KEY (run_id, pool)
) WITHOUT ROWID;

CREATE TABLE sample (
  run_id INTEGER NOT NULL REFERENCES run (id), pool TEXT NOT NULL, t_s REAL NOT NULL,
  running REAL NOT NULL, queued REAL NOT NULL, kv_used REAL NOT NULL, power_w REAL NOT NULL,
  output_tokens_per_s REAL NOT NULL,
  PRIMARY KEY (run_id, pool, t_s)
) WITHOUT ROWID;

CREATE TABLE attribution (
  run_id INTEGER NOT NULL REFERENCES run (id), pool TEXT NOT NULL, cause TEXT NOT NULL,
  device_seconds REAL NOT NULL, share REAL NOT NULL,
  PRIMARY KEY (run_id, pool, cause)
) WITHOUT ROWID;

CREATE TABLE kv_tier (
  run_id INTEGER NOT NULL REFERENCES run (id), tier TEXT NOT NULL, capacity_bytes REAL NOT NULL,
  mean_bytes REAL NOT NULL, hit_tokens INTEGER NOT NULL, bytes_read REAL NOT NULL,
  bytes_written REAL NOT NULL, joules REAL NOT NULL,
  PRIMARY KEY (run_id, tier)
) WITHOUT ROWID;

CREATE TABLE energy (
  run_id INTEGER NOT NULL REFERENCES run (id), pool TEXT NOT NULL, component TEXT NOT NULL,
  joules REAL NOT NULL,
  PRIMARY KEY (run_id, pool, component)
) WITHOUT ROWID;

CREATE TABLE cost (
  run_id INTEGER NOT NULL REFERENCES run (id), pool TEXT NOT NULL, category TEXT NOT NULL,
  item TEXT NOT NULL, usd REAL NOT NULL
);
CREATE INDEX cost_by_run ON cost (run_id);

CREATE TABLE expectation (
  run_id INTEGER NOT NULL REFERENCES run (id), metric TEXT NOT NULL, expected REAL NOT NULL,
  low REAL NOT NULL, high REAL NOT NULL, actual REAL, ratio REAL, verdict TEXT NOT NULL,
  claim TEXT NOT NULL, source TEXT NOT NULL
);
CREATE INDEX expectation_by_run ON expectation (run_id);
)sql";

std::string request_table_sql() {
  std::string sql = R"sql(
CREATE TABLE request (
  run_id INTEGER NOT NULL, id INTEGER NOT NULL, session TEXT, turn INTEGER NOT NULL,
  class TEXT, model TEXT, pool TEXT, replica INTEGER,
  arrival_s REAL NOT NULL, admitted_s REAL, first_token_s REAL, finished_s REAL,
  input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  preemptions INTEGER NOT NULL, status TEXT NOT NULL,
  tenant TEXT, attempts INTEGER NOT NULL, fetched_tokens INTEGER NOT NULL)sql";
  for (const std::string_view phase : enum_names(Phase{})) {
    sql += ", ";
    sql += phase;
    sql += "_s REAL";
  }
  return sql + ");";
}

// The metrics that matter, in the order of the columns of run_summary.
constexpr std::array<std::string_view, 34> kSummaryMetrics{"nodes",
                                                           "devices",
                                                           "requests_per_s",
                                                           "input_tokens_per_s",
                                                           "output_tokens_per_s",
                                                           "output_tokens_per_s_per_device",
                                                           "output_tokens_per_s_per_user",
                                                           "goodput_requests_per_s",
                                                           "slo_attainment",
                                                           "slo_met",
                                                           "ttft_mean_s",
                                                           "ttft_p50_s",
                                                           "ttft_p99_s",
                                                           "tpot_mean_s",
                                                           "tpot_p50_s",
                                                           "tpot_p99_s",
                                                           "itl_p99_s",
                                                           "e2el_p50_s",
                                                           "e2el_p99_s",
                                                           "queue_p50_s",
                                                           "queue_p99_s",
                                                           "mfu",
                                                           "mbu",
                                                           "kv_utilization",
                                                           "prefix_hit_rate",
                                                           "batch_mean",
                                                           "energy_per_output_token_j",
                                                           "it_power_mean_w",
                                                           "it_power_peak_w",
                                                           "capex_usd",
                                                           "tco_usd",
                                                           "usd_per_mtok_output",
                                                           "usd_per_mtok_blended",
                                                           "kgco2_per_mtok_output"};

std::string run_summary_sql() {
  std::string sql =
      "CREATE VIEW run_summary AS SELECT run.id AS run_id, scenario, workload, variant, status, "
      "measured_s, requests_finished";
  for (const std::string_view name : kSummaryMetrics) {
    sql += ", max(CASE metric.name WHEN '";
    sql += name;
    sql += "' THEN metric.value END) AS ";
    sql += name;
  }
  return sql + " FROM run LEFT JOIN metric ON metric.run_id = run.id GROUP BY run.id;";
}

// One row a finished request: the seconds of each phase, and which is the largest.
std::string request_breakdown_sql() {
  const std::string phases = phase_columns();
  std::string dominant = "CASE max(" + phases + ")";
  for (const std::string_view phase : enum_names(Phase{})) {
    const std::string name(phase);
    dominant += " WHEN " + name + "_s THEN '" + name + "'";
  }
  dominant += " END";
  return "CREATE VIEW request_breakdown AS "
         "SELECT run_id, request.id, session, turn, class, tenant, model, pool, arrival_s, "
         "arrival_s >= simulated_s - measured_s AS measured, attempts, preemptions, "
         "first_token_s - arrival_s AS ttft_s, finished_s - arrival_s AS e2el_s, " +
         phases + ", " + dominant + " AS dominant, max(" + phases +
         ") / nullif(finished_s - arrival_s, 0) AS dominant_share "
         "FROM request JOIN run ON run.id = request.run_id WHERE request.status = 'finished';";
}

constexpr const char* kViews = R"sql(
CREATE VIEW request_latency AS
SELECT run_id, request.id, session, turn, class, model, pool, replica, arrival_s,
       arrival_s >= simulated_s - measured_s AS measured,
       input_tokens, cached_tokens, output_tokens, preemptions,
       admitted_s - arrival_s AS queue_s,
       first_token_s - arrival_s AS ttft_s,
       CASE WHEN output_tokens >= 2
            THEN (finished_s - first_token_s) / (output_tokens - 1) END AS tpot_s,
       finished_s - arrival_s AS e2el_s
FROM request JOIN run ON run.id = request.run_id WHERE request.status = 'finished';

CREATE VIEW session_summary AS
WITH stored_whole AS MATERIALIZED (
  SELECT run_id FROM request JOIN run ON run.id = request.run_id
  GROUP BY run_id HAVING count(*) = requests_seen
)
SELECT run_id, session, min(class) AS class, sum(request.status = 'finished') AS requests,
       min(arrival_s) AS start_s, max(finished_s) AS end_s,
       min(arrival_s) >= simulated_s - measured_s AS measured,
       max(finished_s) - min(arrival_s) AS session_time_s,
       sum(finished_s - arrival_s) AS serving_time_s,
       avg(CASE WHEN turn > 0 THEN first_token_s - arrival_s END) AS return_ttft_mean_s,
       sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,
       sum(output_tokens) AS output_tokens
FROM request JOIN run ON run.id = request.run_id
WHERE session IS NOT NULL AND run_id IN stored_whole
GROUP BY run_id, session
HAVING sum(request.status NOT IN ('finished', 'cancelled')) = 0;

CREATE VIEW attribution_summary AS
SELECT run_id, scenario, variant, cause, sum(device_seconds) AS device_seconds,
       sum(device_seconds) / nullif(sum(sum(device_seconds)) OVER (PARTITION BY run_id), 0) AS share
FROM attribution JOIN run ON run.id = attribution.run_id GROUP BY run_id, cause;

CREATE VIEW cost_summary AS
SELECT run_id, scenario, variant, category, sum(usd) AS usd,
       sum(usd) / nullif(sum(sum(usd)) OVER (PARTITION BY run_id), 0) AS share
FROM cost JOIN run ON run.id = cost.run_id GROUP BY run_id, category;

CREATE VIEW pareto AS
WITH point AS MATERIALIZED (
  SELECT run_id, scenario, workload, variant, devices, usd_per_mtok_output,
         output_tokens_per_s_per_user, ttft_p99_s, tpot_p99_s, slo_met
  FROM run_summary WHERE status = 'done' AND usd_per_mtok_output IS NOT NULL
), front AS (
  SELECT 'cost and speed per user' AS front, a.* FROM point a
  WHERE a.output_tokens_per_s_per_user IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM point b WHERE b.workload = a.workload
      AND b.usd_per_mtok_output <= a.usd_per_mtok_output
      AND b.output_tokens_per_s_per_user >= a.output_tokens_per_s_per_user
      AND (b.usd_per_mtok_output < a.usd_per_mtok_output
           OR b.output_tokens_per_s_per_user > a.output_tokens_per_s_per_user))
  UNION ALL
  SELECT 'cost and ttft_p99' AS front, a.* FROM point a
  WHERE a.ttft_p99_s IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM point b WHERE b.workload = a.workload
      AND b.usd_per_mtok_output <= a.usd_per_mtok_output AND b.ttft_p99_s <= a.ttft_p99_s
      AND (b.usd_per_mtok_output < a.usd_per_mtok_output OR b.ttft_p99_s < a.ttft_p99_s))
  UNION ALL
  SELECT 'cost and tpot_p99' AS front, a.* FROM point a
  WHERE a.tpot_p99_s IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM point b WHERE b.workload = a.workload
      AND b.usd_per_mtok_output <= a.usd_per_mtok_output AND b.tpot_p99_s <= a.tpot_p99_s
      AND (b.usd_per_mtok_output < a.usd_per_mtok_output OR b.tpot_p99_s < a.tpot_p99_s))
)
SELECT * FROM front ORDER BY workload, front, usd_per_mtok_output;
)sql";

}  // namespace

std::span<const std::string_view> tables_of_runs() {
  return kTablesOfRuns;
}

std::string phase_columns() {
  std::string columns;
  for (const std::string_view phase : enum_names(Phase{})) {
    if (!columns.empty()) columns += ", ";
    columns += phase;
    columns += "_s";
  }
  return columns;
}

std::string create_request_index_sql() {
  return "CREATE INDEX IF NOT EXISTS " + std::string(kRequestIndex) + " ON request (run_id)";
}

void create_schema(SQLite::Database& db) {
  db.exec(kRunTables);
  db.exec(kResultTables);
  db.exec(request_table_sql());
  db.exec(run_summary_sql());
  db.exec(request_breakdown_sql());
  db.exec(kViews);
  db.exec(create_request_index_sql());
  db.exec("INSERT INTO meta VALUES ('application', 'tokenyard'), ('schema_version', '" +
          std::to_string(kSchemaVersion) + "')");
  db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
  db.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
}

void require_our_schema(SQLite::Database& db, const std::string& path) {
  if (db.execAndGet("PRAGMA application_id").getInt64() != kApplicationId) {
    throw InputError("'" + path + "' is not a tokenyard result database; it was left as it is");
  }
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version != kSchemaVersion) {
    throw InputError("'" + path + "' was written by " +
                     (version > kSchemaVersion ? "a newer" : "an older") + " tokenyard (schema " +
                     std::to_string(version) + "); this program reads and writes schema " +
                     std::to_string(kSchemaVersion));
  }
}

}  // namespace tokenyard::store
