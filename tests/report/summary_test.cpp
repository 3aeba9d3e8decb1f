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
