#pragma once
// One run as it is stored: what was asked, what came out, and what the result rests on.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "metrics/run_result.hpp"

namespace tokenyard::store {

// unfit: the machine cannot hold or run the model; nothing was simulated, and `message` says why.
enum class RunStatus { done, failed, unfit };
constexpr auto enum_names(RunStatus) {
  return std::array<std::string_view, 3>{"done", "failed", "unfit"};
}

// What decides a run's result.  Two runs with the same key are the same run: writing the second
// replaces the first.  A run without a plan hash is never the same as another.
struct RunKey {
  std::string plan_hash;
  std::string trace_hash;  // empty for a generated workload
  std::string version;     // of the program
};

struct CostRow {
  std::string pool;  // empty: of the whole fleet
  std::string category;
  std::string item;
  double usd = 0.0;
};

struct AssumptionRow {
  std::string key;
  std::string value;
  // "unknown": nobody has said; "marked": it passes a physical bound; "uncalibrated": a device of
  // which nothing is fitted to measurements.
  std::string confidence;
  std::string source;
  std::string band = {};
};

struct ExpectationRow {
  std::string metric;
  double expected = 0.0;
  double low = 0.0;
  double high = 0.0;
  double actual = 0.0;  // not a number when the run has no such metric
  double ratio = 0.0;   // actual / expected
  std::string verdict;
  std::string claim;
  std::string source;
};

struct RunRecord {
  std::string scenario;
  std::string workload;  // runs are compared with runs of the same workload
  std::string variant;
  RunStatus status = RunStatus::done;
  std::string message;  // of a run that is not done: what went wrong
  RunKey key;
  std::int64_t seed = 0;
  std::string started_at;  // UTC, "2026-01-31T12:00:00Z"
  double wall_s = 0.0;
  std::string plan_json;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<AssumptionRow> assumptions;
  metrics::RunResult result;
  std::vector<metrics::MetricValue>
      extra_metrics;  // beside the result's: of cost, energy price, carbon
  std::vector<CostRow> costs;
  std::vector<ExpectationRow> expectations;
};

}  // namespace tokenyard::store
