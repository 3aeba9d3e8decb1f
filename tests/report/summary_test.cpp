#include "report/summary.hpp"

#include <doctest/doctest.h>

#include "report/render.hpp"
#include "store/read_run.hpp"
#include "store/sample_run.hpp"
#include "store/store.hpp"

using namespace tokenyard;
using report::Format;
using report::render;
using report::run_summary;

TEST_CASE("the summary of the sample run: 1200 of 1600 device seconds on weights are 75 %") {
  store::RunRecord run = test::sample_run(3);
  run.result.metrics.insert(run.result.metrics.begin(),
                            {{"ttft_mean_s", 0.5}, {"ttft_p50_s", 0.41234}});
  CHECK(render(run_summary(run), Format::terminal) ==
        "group        what                       value\n"
        "run          scenario                   chat (fleet.pools[main].count=2)\n"
        "             requests                   3 finished of 3\n"
        "             measured time              100 s of 110 s\n"
        "SLO          ttft_p99 <= 2.00 s         met: 1.00 s\n"
        "latency      time to first token        mean 500 ms, p50 412 ms, p99 1.00 s\n"
        "             time per output token      p99 250 ms\n"
        "throughput   output                     50.0 token/s\n"
        "             output per user            4.00 token/s\n"
        "utilisation  MFU                        12.5 %\n"
        "device time  weight_bw                  75.0 %\n"
        "             arrival_idle               25.0 %\n"
        "cost         TCO                        2.50 MUSD\n"
        "             per million output tokens  0.500 USD/Mtok\n");
}

TEST_CASE("a stored run has the summary of the run itself, with the sizes that storing adds") {
  const test::ScratchFolder folder;
  const std::string path = folder.file("results.db");
  const store::RunRecord run = test::sample_run(3);
  const std::int64_t id = store::Store(path).write_run(run);
  Table stored = run_summary(store::read_run(path, id));
  Table direct = run_summary(run);
  const std::vector<Cell> devices{"utilisation", "devices", "16"};
  REQUIRE(stored.rows.size() == direct.rows.size() + 1);
  for (std::size_t i = 0; i < direct.rows.size(); ++i) {
    if (stored.rows[i] == devices) {
      stored.rows.erase(stored.rows.begin() + static_cast<std::ptrdiff_t>(i));
      stored.rows[i][0] = "utilisation";
    }
    CHECK(stored.rows[i] == direct.rows[i]);
  }
}

TEST_CASE("a failed run shows why, and requests that were not served are counted") {
  store::RunRecord run;
  run.scenario = "chat";
  run.status = store::RunStatus::failed;
  run.message = "the worker died (signal 11) at 12.5 s";
  run.result.requests_seen = 5;
  run.result.requests_finished = 2;
  run.result.requests_rejected = 1;
  run.result.requests_unfinished = 2;
  CHECK(render(run_summary(run), Format::terminal) ==
        "group  what           value\n"
        "run    scenario       chat\n"
        "       failed         the worker died (signal 11) at 12.5 s\n"
        "       requests       2 finished, 1 rejected, 2 unfinished at the end of 5\n"
        "       measured time  0 s of 0 s\n");
}

TEST_CASE("of eight causes the six largest are shown, and the other two added up") {
  store::RunRecord run = test::sample_run(0);
  auto& device_seconds = run.result.pools[0].device_seconds;
  device_seconds = {};
  for (std::size_t c = 0; c < 8; ++c) device_seconds[c] = c < 6 ? 15.0 : 5.0;
  const Table summary = run_summary(run);
  std::vector<std::string> shown;
  bool inside = false;
  for (const auto& row : summary.rows) {
    const std::string group = std::get<std::string>(row[0]);
    if (!group.empty()) inside = group == "device time";
    if (inside)
      shown.push_back(std::get<std::string>(row[1]) + ' ' + std::get<std::string>(row[2]));
  }
  CHECK(shown == std::vector<std::string>{"compute 15.0 %", "weight_bw 15.0 %", "kv_bw 15.0 %",
                                          "act_bw 15.0 %", "net_bw 15.0 %", "net_lat 15.0 %",
                                          "the rest 10.0 %"});
}

namespace {

// "group: what: value" of the rows of one group.
std::vector<std::string> rows_of(const store::RunRecord& run, const std::string& group) {
  std::vector<std::string> rows;
  bool inside = false;
  for (const auto& row : run_summary(run).rows) {
    const std::string first = std::get<std::string>(row[0]);
    if (!first.empty()) inside = first == group;
    if (inside)
      rows.push_back(std::get<std::string>(row[1]) + ": " + std::get<std::string>(row[2]));
  }
  return rows;
}

}  // namespace

TEST_CASE("of six phases the four largest are shown, what rounding leaves is not") {
  store::RunRecord run = test::sample_run(0);
  run.result.metrics = {{"phase_front_end_mean_s", 0.01},
                        {"phase_queue_capacity_mean_s", 0.02},
                        {"phase_queue_priority_mean_s", 1e-17},
                        {"phase_queue_arrival_mean_s", 0.07},
                        {"phase_prefill_mean_s", 0.1},
                        {"phase_transfer_mean_s", 0.3},
                        {"phase_decode_mean_s", 0.5}};
  CHECK(rows_of(run, "by phase") ==
        std::vector<std::string>{"decode: 50.0 %, mean 500 ms", "transfer: 30.0 %, mean 300 ms",
                                 "prefill: 10.0 %, mean 100 ms",
                                 "queue_arrival: 7.00 %, mean 70.0 ms", "the rest: 3.00 %"});
}

TEST_CASE("requests that were cancelled, abandoned and turned away are counted, waste is shown") {
  store::RunRecord run = test::sample_run(0);
  run.result.requests_seen = 20;
  run.result.requests_finished = 5;
  run.result.requests_rejected = 6;
  run.result.requests_cancelled = 4;
  run.result.requests_abandoned = 3;
  run.result.requests_unfinished = 2;
  run.result.metrics = {{"requests_rejected_context", 1.0},
                        {"requests_rejected_overload", 5.0},
                        {"requests_rejected_follower", 0.0},
                        {"attempts_mean", 1.25},
                        {"output_tokens_wasted", 700.0}};
  const auto rows = rows_of(run, "run");
  CHECK(
      rows[1] ==
      "requests: 5 finished, 6 rejected, 4 cancelled, 3 abandoned, 2 unfinished at the end of 20");
  CHECK(rows[2] == "rejected: too long: 1");
  CHECK(rows[3] == "rejected: would be too late: 5");
  CHECK(rows[5] == "attempts a request: 1.25");
  CHECK(rows[6] == "output tokens wasted: 700");
  run.result.requests_rejected = 0;
  run.result.metrics = {{"attempts_mean", 1.0}, {"output_tokens_wasted", 0.0}};
  CHECK(rows_of(run, "run")[2] == "measured time: 100 s of 110 s");
}

TEST_CASE("sessions are shown where they have several requests or were lost") {
  store::RunRecord run = test::sample_run(0);
  run.result.metrics = {{"sessions_finished", 3.0},
                        {"sessions_lost", 0.0},
                        {"requests_per_session", 1.0},
                        {"session_time_mean_s", 90.0},
                        {"session_time_p99_s", 240.0}};
  CHECK(rows_of(run, "sessions").empty());
  run.result.metrics[2].value = 4.5;
  CHECK(rows_of(run, "sessions") ==
        std::vector<std::string>{"finished: 3", "requests each, mean: 4.50",
                                 "session time: mean 90.0 s, p99 4.00 min"});
  run.result.metrics[1].value = 2.0;
  CHECK(rows_of(run, "sessions")[1] == "lost: 2");
}

TEST_CASE("a fleet that fails shows its availability, KV tiers show hits, room and traffic") {
  store::RunRecord run = test::sample_run(0);
  CHECK(rows_of(run, "fleet").empty());
  CHECK(rows_of(run, "KV tiers").empty());
  run.result.metrics = {{"availability", 0.95},
                        {"failures", 2.0},
                        {"replicas_on_mean", 3.8},
                        {"kv_hit_rate_hbm", 0.5},
                        {"kv_hit_rate_dram", 0.25}};
  run.result.kv_tiers = {{.tier = "dram",
                          .capacity_bytes = 2e12,
                          .mean_bytes = 5e11,
                          .bytes_read = 3e9,
                          .bytes_written = 7e9}};
  CHECK(rows_of(run, "fleet") == std::vector<std::string>{"availability: 95.0 %",
                                                          "failures of replicas: 2",
                                                          "replicas on, mean: 3.80"});
  CHECK(rows_of(run, "KV tiers") ==
        std::vector<std::string>{
            "hbm: prompt tokens found: 50.0 %", "dram: prompt tokens found: 25.0 %",
            "dram: kept, mean: 500 GB of 2.00 TB", "dram: read, written: 30.0 MB/s, 70.0 MB/s"});
}

TEST_CASE("expectations are shown with units: 40 expected, 50 simulated, ratio 1.25") {
  CHECK(render(report::expectation_table(test::sample_run(0)), Format::terminal) ==
        "metric               expected      simulated     ratio  verdict      claim\n"
        "output_tokens_per_s  40.0 token/s  50.0 token/s   1.25  pessimistic  a claim\n");
}

TEST_CASE("a summary says of each device which calibration it has, or what having none may mean") {
  store::RunRecord run = test::sample_run(0);
  run.assumptions = {
      {"device b: uncalibrated", "as others were", "uncalibrated", "nobody"},
      {"device a: calibration", "fit of 2026-11-23: TPOT 6 %", "measured", "a maker"},
      {"fit: calibration", "of no device", "measured", "a maker"}};
  std::vector<std::string> shown;
  for (const auto& row : run_summary(run).rows) {
    if (row.at(1) == Cell("calibration")) shown.push_back(std::get<std::string>(row.at(2)));
  }
  CHECK(shown ==
        std::vector<std::string>{"b: none (as others were)", "a: fit of 2026-11-23: TPOT 6 %"});
}
