// Recorded workloads on real hardware: nothing is lost on the way.  Skipped where the data is
// absent.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "sim/simulate.hpp"
#include "support/in_child.hpp"
#include "support/in_process.hpp"

namespace {

using namespace tokenyard;

// The traces that are not part of the distribution: $TOKENYARD_DATA, else beside the source tree.
bool have_trace(const std::string& file) {
  namespace fs = std::filesystem;
  const char* given = std::getenv("TOKENYARD_DATA");
  const fs::path data =
      given != nullptr ? fs::path(given) : fs::path(TOKENYARD_SOURCE_DIR) / "../shared/data";
  if (!fs::exists(data / "traces" / file) && !fs::exists(data / file)) {
    MESSAGE("skipped: there is no ", file, " in ", data.string(), " (set TOKENYARD_DATA)");
    return false;
  }
  setenv("TOKENYARD_DATA", data.string().c_str(), 1);
  return true;
}

std::int64_t rows_with(const metrics::RunResult& result, metrics::RequestStatus status) {
  std::int64_t rows = 0;
  for (const auto& row : result.requests) rows += row.status == status ? 1 : 0;
  return rows;
}

}  // namespace

TEST_CASE(
    "real data: the Mooncake conversation trace on four DGX H100, all 12,031 requests accounted "
    "for") {
  if (!have_trace("mooncake-conversation.jsonl")) return;
  const auto plan = test::plan_of(
      "name: t\nworkload: workloads/mooncake-conversation.yaml\nserving: {router: "
      "prefix-affinity}\n"
      "fleet:\n  pools:\n    - {name: main, node: dgx-h100, count: 4, deploy: {model: "
      "llama-3.1-70b, "
      "weights: fp8, kv: fp8, tensor_parallel: 4}}\n");
  const auto result = test::run_here(plan);
  CHECK(result.requests_seen == 12'031);
  CHECK(result.requests_finished + result.requests_rejected == 12'031);
  CHECK(rows_with(result, metrics::RequestStatus::finished) == result.requests_finished);
  CHECK(rows_with(result, metrics::RequestStatus::rejected) == result.requests_rejected);
  CHECK(test::metric_of(result, "prefix_hit_rate") > 0.1);
  // The trace holds 59 minutes; no fleet that keeps up ends before its last arrival.
  CHECK(result.simulated_s > 3500.0);
  const std::string on_simgrid =
      test::in_child([&] { return sim::simulate(plan, {}).request_digest; });
  CHECK(on_simgrid == result.request_digest);
}

TEST_CASE(
    "real data: 200 recorded coding-agent sessions on two HGX H200 with DeepSeek V3, every round "
    "in its order") {
  if (!have_trace("coding-agent-sessions.csv")) return;
  const auto plan = test::plan_of(
      "name: t\nworkload:\n  name: w\n  trace: {file: coding-agent-sessions.csv, format: "
      "coding-agents, "
      "limit: 200, sessions_per_hour: 60}\nserving: {router: session-sticky}\n"
      "fleet:\n  pools:\n    - {name: main, node: hgx-h200, count: 2, deploy: {model: deepseek-v3, "
      "weights: fp8, kv: fp8, tensor_parallel: 8}}\n");
  const auto result = test::run_here(plan);
  CHECK(result.requests_unfinished == 0);
  CHECK(result.requests_finished + result.requests_rejected == result.requests_seen);
  CHECK(static_cast<std::int64_t>(result.requests.size()) == result.requests_seen);
  CHECK(test::metric_of(result, "prefix_hit_rate") > 0.5);
  for (const auto& row : result.requests) {
    if (row.status != metrics::RequestStatus::finished) continue;
    REQUIRE(row.arrival_s <= row.admitted_s);
    REQUIRE(row.admitted_s < row.first_token_s);
    REQUIRE(row.first_token_s <= row.finished_s);
    REQUIRE(row.cached_tokens < row.input_tokens);
  }
}
