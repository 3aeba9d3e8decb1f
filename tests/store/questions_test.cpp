// The views and shipped questions about requests, sessions, tiers and replicas, by pencil.
#include <doctest/doctest.h>

#include "store/query.hpp"
#include "store/sample_run.hpp"
#include "store/store.hpp"

using namespace tokenyard;
using namespace tokenyard::test;
using store::query;
using store::resolve_query;
using store::Store;

namespace {

struct Scratch {
  ScratchFolder folder;
  std::string path = folder.file("results.db");
  Table ask(const std::string& question) const {
    return query(path, resolve_query(path, question, TOKENYARD_SOURCE_DIR));
  }
};

metrics::RequestRow in_session(std::int64_t id, std::int64_t session, std::int32_t turn) {
  metrics::RequestRow row = sample_request(id);
  row.session = session;
  row.turn = turn;
  return row;
}

}  // namespace

TEST_CASE_FIXTURE(Scratch, "request_breakdown: of 2 s half is decoding, of 7 s 5 are in line") {
  store::RunRecord run = sample_run(0);
  run.result.requests = {sample_request(1), sample_request(20), sample_request(30)};
  metrics::RequestRow& waits = run.result.requests[1];
  waits.phase_s[static_cast<std::size_t>(Phase::queue_capacity)] = 5.0;
  waits.first_token_s += 5.0;
  waits.finished_s += 5.0;
  run.result.requests[2].status = metrics::RequestStatus::abandoned;
  Store(path).write_run(run);
  const Table t = query(path,
                        "SELECT id, measured, ttft_s, e2el_s, dominant, dominant_share, decode_s, "
                        "queue_capacity_s FROM request_breakdown ORDER BY id");
  REQUIRE(t.rows.size() == 2);
  CHECK(t.rows[0] ==
        std::vector<Cell>{std::int64_t{1}, std::int64_t{0}, 1.0, 2.0, "decode", 0.5, 1.0, 0.0});
  CHECK(t.rows[1] == std::vector<Cell>{std::int64_t{20}, std::int64_t{1}, 6.0, 7.0,
                                       "queue_capacity", 5.0 / 7.0, 1.0, 5.0});
}

TEST_CASE_FIXTURE(Scratch, "request_time: 4 requests of 2 s and one of 10 s, by class and phase") {
  store::RunRecord run = sample_run(0);
  for (std::int64_t i = 0; i < 5; ++i) {
    metrics::RequestRow& row = run.result.requests.emplace_back(sample_request(20 + 2 * i));
    if (i > 0) continue;
    row.phase_s[static_cast<std::size_t>(Phase::queue_capacity)] = 8.0;
    row.first_token_s += 8.0;
    row.finished_s += 8.0;
  }
  run.result.requests.push_back(sample_request(0));  // in the warm-up
  Store(path).write_run(run);
  const Table t = ask("request_time");
  // Of 18 s in all: capacity 8, decode 5, prefill 2.5, arrival 2.5.
  REQUIRE(t.rows.size() == 4);
  CHECK(t.rows[0] == std::vector<Cell>{std::int64_t{1}, "chat", "fleet.pools[main].count=2",
                                       "interactive", "main", std::int64_t{5}, "queue_capacity",
                                       1.6, 8.0 / 18.0, 0.2});
  CHECK(text(t, 1, 6) == "decode");
  CHECK(number(t, 1, 7) == 1.0);
  CHECK(number(t, 1, 8) == 5.0 / 18.0);
  CHECK(number(t, 1, 9) == 0.8);
}

TEST_CASE_FIXTURE(Scratch, "session_summary: from 10 s to 16 s with 4 s served, whole ones only") {
  store::RunRecord run = sample_run(0);
  // Of session 3 the second request is unfinished; 2 s each otherwise.
  run.result.requests = {in_session(10, 0, 0), in_session(14, 0, 1), in_session(11, 3, 0),
                         in_session(13, 3, 1)};
  run.result.requests[3].status = metrics::RequestStatus::unfinished;
  run.result.requests_seen = 4;
  Store db(path);
  db.write_run(run);
  run.result.requests_seen = 5;  // one of them is not stored
  db.write_run(run);
  const Table t = query(path,
                        "SELECT run_id, session, requests, start_s, end_s, session_time_s, "
                        "serving_time_s, return_ttft_mean_s, output_tokens FROM session_summary");
  REQUIRE(t.rows.size() == 1);
  CHECK(t.rows[0] == std::vector<Cell>{std::int64_t{1}, "first session", std::int64_t{2}, 10.0,
                                       16.0, 6.0, 4.0, 1.0, std::int64_t{10}});
}

TEST_CASE_FIXTURE(Scratch,
                  "sessions: 3 s of 12 s served are a quarter; runs without are left out") {
  Store db(path);
  db.write_run(sample_run(1));
  store::RunRecord run = sample_run(0);
  run.result.metrics = {{"sessions_finished", 5.0},
                        {"session_time_mean_s", 12.0},
                        {"session_serving_time_mean_s", 3.0}};
  db.write_run(run);
  const Table t = ask("sessions");
  REQUIRE(t.rows.size() == 1);
  CHECK(integer(t, 0, 0) == 2);
  CHECK(number(t, 0, 3) == 5.0);
  CHECK(number(t, 0, 9) == 0.25);
}

TEST_CASE_FIXTURE(Scratch,
                  "kv_tiers: 500 GB of 2 TB kept, 3 GB read in 100 s, the best tier first") {
  store::RunRecord run = sample_run(0);
  run.result.kv_tiers = {{.tier = "ssd", .capacity_bytes = 1e13},
                         {.tier = "dram",
                          .capacity_bytes = 2e12,
                          .mean_bytes = 5e11,
                          .hit_tokens = 100,
                          .bytes_read = 3e9,
                          .bytes_written = 7e9,
                          .joules = 12.5}};
  run.result.metrics = {
      {"kv_hit_rate_hbm", 0.5}, {"kv_hit_rate_dram", 0.25}, {"kv_hit_rate_ssd", 0.125}};
  Store(path).write_run(run);
  const Table t = ask("kv_tiers");
  REQUIRE(t.rows.size() == 2);
  const Cell null = std::monostate{};
  CHECK(t.rows[0] == std::vector<Cell>{std::int64_t{1}, "chat", "fleet.pools[main].count=2", "dram",
                                       0.25, 0.5, 5e11, 0.25, 3e7, 7e7, 12.5, null});
  CHECK(text(t, 1, 3) == "ssd");
}

TEST_CASE_FIXTURE(Scratch,
                  "availability: 80 + 40 of the 800 seconds of 8 devices in use are 15 %") {
  store::RunRecord run = sample_run(0);
  auto& device_seconds = run.result.pools[0].device_seconds;
  device_seconds = {};
  device_seconds[static_cast<std::size_t>(Cause::down)] = 80.0;
  device_seconds[static_cast<std::size_t>(Cause::loading)] = 40.0;
  device_seconds[static_cast<std::size_t>(Cause::policy_wait)] = 1480.0;
  run.result.metrics = {{"failures", 2.0}, {"phase_redo_share", 0.125}};
  run.result.requests_abandoned = 3;
  Store(path).write_run(run);
  const Table t = ask("availability");
  REQUIRE(t.rows.size() == 1);
  const Cell null = std::monostate{};
  CHECK(t.rows[0] == std::vector<Cell>{std::int64_t{1}, "chat", "fleet.pools[main].count=2", "main",
                                       std::int64_t{4}, 0.85, 0.1, 0.05, 0.0, 2.0, null, null, null,
                                       0.125, std::int64_t{3}});
}

TEST_CASE_FIXTURE(Scratch,
                  "attribution_summary puts pools together: 1,200 + 400 of 3,200 s are half") {
  store::RunRecord run = sample_run(0);
  metrics::PoolResult second = run.result.pools[0];
  second.name = "second";
  second.device_seconds = {};
  second.device_seconds[static_cast<std::size_t>(Cause::weight_bw)] = 400.0;
  second.device_seconds[static_cast<std::size_t>(Cause::arrival_idle)] = 1200.0;
  run.result.pools.push_back(second);
  Store(path).write_run(run);
  const Table t = query(
      path, "SELECT device_seconds, share FROM attribution_summary WHERE cause = 'weight_bw'");
  REQUIRE(t.rows.size() == 1);
  CHECK(t.rows[0] == std::vector<Cell>{1600.0, 0.5});
}
