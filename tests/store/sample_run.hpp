#pragma once
// A small synthetic run and a folder to store it in, for the tests of the store and the reports.
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/table.hpp"
#include "store/records.hpp"

namespace tokenyard::test {

// A new folder, removed with all its files at the end of the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tokenyard_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Request i arrives at i seconds, waits 0.5 s, answers after 1 s and then gives a token every 0.25
// s until it has five: ttft 1 s, tpot 0.25 s, e2el 2 s, half of it decoding.
inline metrics::RequestRow sample_request(std::int64_t i) {
  metrics::RequestRow row;
  const auto t = static_cast<double>(i);
  row.id = i;
  row.session = i / 2;
  row.turn = static_cast<std::int32_t>(i % 2);
  row.class_id = static_cast<std::int32_t>(i % 2);
  row.deployment = 0;
  row.replica = static_cast<std::int32_t>(i % 4);
  row.arrival_s = t;
  row.admitted_s = t + 0.5;
  row.first_token_s = t + 1.0;
  row.finished_s = t + 2.0;
  row.input_tokens = 100;
  row.cached_tokens = 40;
  row.output_tokens = 5;
  row.phase_s[static_cast<std::size_t>(Phase::queue_arrival)] = 0.5;
  row.phase_s[static_cast<std::size_t>(Phase::prefill)] = 0.5;
  row.phase_s[static_cast<std::size_t>(Phase::decode)] = 1.0;
  row.status = metrics::RequestStatus::finished;
  return row;
}

inline store::RunRecord sample_run(std::int64_t requests, const std::string& plan_hash = "") {
  store::RunRecord run;
  run.scenario = "chat";
  run.workload = "chat-workload";
  run.variant = "fleet.pools[main].count=2";
  run.key = {plan_hash, "trace", "0.1.0"};
  run.seed = 7;
  run.started_at = "2026-01-31T12:00:00Z";
  run.wall_s = 1.5;
  run.plan_json = R"({"name":"chat"})";
  run.parameters = {{"fleet.pools[main].count", "2"}};
  run.assumptions = {{"device toy: price", "1 kUSD", "assumed", "nobody"}};
  metrics::RunResult& result = run.result;
  result.simulated_s = 110.0;
  result.measured_s = 100.0;
  result.requests_seen = requests;
  result.requests_finished = requests;
  result.events = 12345;
  result.request_digest = "digest";
  result.metrics = {{"ttft_p99_s", 1.0},
                    {"tpot_p99_s", 0.25},
                    {"output_tokens_per_s", 50.0},
                    {"output_tokens_per_s_per_user", 4.0},
                    {"mfu", 0.125}};
  result.slo_checks = {{"ttft_p99_s", 2.0, 1.0, true}};
  for (std::int64_t i = 0; i < requests; ++i) result.requests.push_back(sample_request(i));
  result.samples = {{0.0, 0, 1.0, 2.0, 0.5, 800.0, 10.0}, {10.0, 0, 3.0, 4.0, 0.75, 900.0, 20.0}};
  metrics::PoolResult pool;
  pool.name = "main";
  pool.nodes = 2;
  pool.devices = 16;
  pool.devices_used = 8;
  pool.replicas = 4;
  pool.device_seconds[static_cast<std::size_t>(Cause::weight_bw)] = 1200.0;
  pool.device_seconds[static_cast<std::size_t>(Cause::arrival_idle)] = 400.0;
  pool.joules[static_cast<std::size_t>(metrics::EnergyComponent::memory)] = 5000.0;
  pool.it_power_peak_w = 950.0;
  result.pools = {pool};
  result.deployments = {{"main", "toy-model"}};
  result.classes = {"interactive", "batch"};
  result.tenants = {"default"};
  result.session_names = {{0, "first session"}};
  result.fabric = {.switches = 3, .cables = 24, .diameter_hops = 3, .bisection_bytes_per_s = 4e11};
  run.extra_metrics = {{"usd_per_mtok_output", 0.5}, {"tco_usd", 2.5e6}};
  run.costs = {{"main", "capex", "devices", 300'000.0}, {"", "opex", "energy", 100'000.0}};
  run.expectations = {
      {"output_tokens_per_s", 40.0, 34.0, 46.0, 50.0, 1.25, "pessimistic", "a claim", "a paper"}};
  return run;
}

inline std::int64_t integer(const Table& table, std::size_t row = 0, std::size_t column = 0) {
  return std::get<std::int64_t>(table.rows.at(row).at(column));
}
inline double number(const Table& table, std::size_t row = 0, std::size_t column = 0) {
  return std::get<double>(table.rows.at(row).at(column));
}
inline std::string text(const Table& table, std::size_t row = 0, std::size_t column = 0) {
  return std::get<std::string>(table.rows.at(row).at(column));
}

}  // namespace tokenyard::test
