// Metrics of replicas that come and go and of KV tiers, and the order of all of them.
#include <doctest/doctest.h>

#include "metrics/accumulator.hpp"
#include "metrics/metric_table.hpp"
#include "metrics/metric_values.hpp"

using namespace tokenyard;
using namespace tokenyard::metrics;
using namespace tokenyard::test;

namespace {

double& seconds_of(PoolResult& pool, Cause cause) {
  return pool.device_seconds[static_cast<std::size_t>(cause)];
}

}  // namespace

TEST_CASE("120 of 800 device seconds away are 85 % there and 1.7 of 2 replicas on") {
  PoolResult pool;
  pool.devices = pool.devices_used = 8;
  pool.replicas = 2;
  seconds_of(pool, Cause::down) = 80.0;
  seconds_of(pool, Cause::loading) = 40.0;
  const Presence presence = presence_of({pool}, 100.0);
  CHECK(presence.device_s == 800.0);
  CHECK(presence.away_device_s == 120.0);
  CHECK(presence.replicas_on == doctest::Approx(1.7));
  RunTotals totals{.measured_s = 100.0};
  totals.presence = presence;
  CHECK_FALSE(value(RunAccumulator(0.0).metrics(totals, Slo()), "availability"));
  totals.changes.failures = 1;
  const auto metrics = RunAccumulator(0.0).metrics(totals, Slo());
  CHECK(value(metrics, "failures") == 1.0);
  CHECK(value(metrics, "availability") == 0.85);
  CHECK_FALSE(value(metrics, "scale_ups"));
}

TEST_CASE("what is switched off is not on but available; what no replica uses counts for nothing") {
  PoolResult pool;
  pool.devices = 10;
  pool.devices_used = 8;
  pool.replicas = 4;
  seconds_of(pool, Cause::powered_off) = 200.0;
  seconds_of(pool, Cause::policy_wait) = 200.0 + 100.0;  // two devices unused, 100 s switched off
  PoolResult unused;
  unused.devices = 5;
  seconds_of(unused, Cause::policy_wait) = 500.0;
  const Presence presence = presence_of({pool, unused}, 100.0);
  CHECK(presence.device_s == 800.0);
  CHECK(presence.away_device_s == 0.0);
  CHECK(presence.replicas_on == 2.5);  // 4 * (800 - 300) / 800
}

TEST_CASE("KV tiers: of 1,000 prompt tokens 300 in HBM and 200 fetched, 100 read over 10 s") {
  RunAccumulator run(0.0);
  RequestRow row = finished_request(0, 1, 2, 3, 11);
  row.input_tokens = 1000;
  row.cached_tokens = 500;
  row.fetched_tokens = 200;
  run.on_finished(row, Slo());
  RunTotals totals{.measured_s = 10.0};
  CHECK_FALSE(value(run.metrics(totals, Slo()), "kv_hit_rate_hbm"));
  totals.kv_tiers = {{.tier = "dram", .hit_tokens = 150, .bytes_read = 600, .bytes_written = 1000},
                     {.tier = "ssd", .hit_tokens = 50, .bytes_read = 400, .bytes_written = 2000}};
  totals.recomputed_tokens = 100;
  const auto metrics = run.metrics(totals, Slo());
  CHECK(value(metrics, "prefix_hit_rate") == 0.5);
  CHECK(value(metrics, "kv_hit_rate_hbm") == 0.3);
  CHECK(value(metrics, "kv_hit_rate_dram") == 0.15);
  CHECK(value(metrics, "kv_hit_rate_ssd") == 0.05);
  CHECK_FALSE(value(metrics, "kv_hit_rate_remote"));
  CHECK(value(metrics, "kv_tier_read_bytes_per_s") == 100.0);
  CHECK(value(metrics, "kv_tier_written_bytes_per_s") == 300.0);
  CHECK(value(metrics, "recomputed_tokens_share") == 0.2);  // of the 500 computed
}

TEST_CASE(
    "every metric that an accumulator or an inventory produces is in the table, in its order") {
  const Slo slo({{"ttft_p99", seconds(1)}});
  RunAccumulator run(0.0);
  RequestRow row = finished_request(0, 0, 1, 2, 50);
  row.session = 1;
  row.turn = 1;
  row.phase_s.fill(0.1);
  run.on_finished(row, slo);
  run.on_rejected(request_with_status(0, RequestStatus::rejected));
  run.on_session({.start_s = 0, .end_s = 2, .serving_s = 1, .requests = 2});
  run.on_gap_run({.start_s = 0, .first_gap_s = 0.1, .last_gap_s = 0.1, .steps = 1, .sequences = 1});
  run.on_steps({.start_s = 0, .end_s = 1, .sequences = 1, .flops = 1, .bytes = 1});
  const RunTotals totals{.measured_s = 1,
                         .devices = 1,
                         .replicas = 1,
                         .peak_flops_per_s = 1,
                         .peak_bytes_per_s = 1,
                         .kv_blocks = 1,
                         .transfers = {.count = 1, .bytes = 1, .seconds = 1, .wait_seconds = 1},
                         .kv_tiers = {{.tier = "dram"}, {.tier = "ssd"}, {.tier = "remote"}},
                         .recomputed_tokens = 1,
                         .changes = {.failures = 1, .scale_ups = 1, .scale_downs = 1},
                         .presence = {.device_s = 1, .away_device_s = 0.1, .replicas_on = 0.9},
                         .it_energy_j = 1,
                         .facility_energy_j = 1,
                         .it_power_peak_w = 1};
  std::ptrdiff_t last = -1;
  for (const MetricValue& m : run.metrics(totals, slo)) {
    const MetricInfo* info = find_metric(m.name);
    CAPTURE(m.name);
    REQUIRE(info != nullptr);
    const std::ptrdiff_t at = info - metric_table().data();
    CHECK(at > last);
    last = at;
  }
  for (const MetricValue& m : inventory_metrics({})) CHECK(find_metric(m.name) != nullptr);
}
