#include <doctest/doctest.h>

#include "report/side_by_side.hpp"

namespace tokenyard::report {
namespace {

store::RunRecord run_with(std::vector<std::pair<std::string, std::string>> parameters,
                          std::vector<metrics::MetricValue> metrics) {
  store::RunRecord run;
  run.scenario = "chat";
  run.parameters = std::move(parameters);
  run.result.metrics = std::move(metrics);
  return run;
}

using Names = std::vector<std::string>;
using Row = std::vector<Cell>;

}  // namespace

TEST_CASE("runs stand side by side with their parameters and the metrics that one of them has") {
  const Table table = side_by_side(
      {run_with({{"fleet.pools[main].count", "1"}}, {{"ttft_p99_s", 0.25}, {"mfu", 0.5}}),
       run_with({{"fleet.pools[main].count", "2"}}, {{"ttft_p99_s", 0.125}})});
  CHECK(table.columns == Names{"count", "ttft_p99_s"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0] == Row{std::string("1"), std::string("250 ms")});
  CHECK(table.rows[1] == Row{std::string("2"), std::string("125 ms")});
}

TEST_CASE("a parameter is called by as much of its path as tells it from the others") {
  const Table table = side_by_side({run_with({{"seed", "1"},
                                              {"fleet.pools[a].count", "1"},
                                              {"fleet.pools[b].count", "2"},
                                              {"serving.scheduler.max_batch", "8"}},
                                             {})});
  CHECK(table.columns == Names{"seed", "pools[a].count", "pools[b].count", "max_batch"});
}

TEST_CASE("a path that ends another keeps its whole name, and the longer one tells itself apart") {
  const Table table = side_by_side({run_with({{"scale", "1"}, {"workload.scale", "2"}}, {})});
  CHECK(table.columns == Names{"scale", "workload.scale"});
}

TEST_CASE("scenarios are named when there are several, and what failed says why") {
  store::RunRecord other = run_with({{"seed", "2"}}, {});
  other.scenario = "agents";
  other.status = store::RunStatus::failed;
  other.message = "ended by signal 9";
  const Table table = side_by_side({run_with({}, {{"requests_per_s", 2.0}}), other});
  CHECK(table.columns == Names{"scenario", "seed", "requests_per_s", "failed"});
  CHECK(table.rows[0] == Row{std::string("chat"), Cell(), std::string("2.00 /s"), Cell()});
  CHECK(table.rows[1] ==
        Row{std::string("agents"), std::string("2"), Cell(), std::string("ended by signal 9")});
}

}  // namespace tokenyard::report
