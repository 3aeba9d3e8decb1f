#pragma once
// Simulations in the test's own process, on the plain calendar, of plans built by hand or loaded
// from scenario text.
#include <unistd.h>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenario/resolve.hpp"
#include "sim/simulation.hpp"
#include "support/fair_fabric.hpp"
#include "support/heap_calendar.hpp"

namespace tokenyard::test {

// Requests given one by one.
class ListStream final : public workload::RequestStream {
 public:
  explicit ListStream(std::vector<workload::Request> requests, std::int64_t block_tokens = 512,
                      std::optional<std::int64_t> concurrency = std::nullopt)
      : requests_(std::move(requests)) {
    block_tokens_ = block_tokens;
    concurrency_ = concurrency;
  }
  bool next(workload::Request& out) override {
    if (given_ == requests_.size()) return false;
    out = requests_[given_++];
    return true;
  }
  void name_models(std::vector<std::string> models) { models_ = std::move(models); }
  void name_classes(std::vector<std::string> classes) { classes_ = std::move(classes); }
  [[nodiscard]] std::size_t given() const { return given_; }

 private:
  std::vector<workload::Request> requests_;
  std::size_t given_ = 0;
};

inline workload::Request request_at(std::int64_t id, double arrival_s, std::int64_t input_tokens,
                                    std::int64_t output_tokens) {
  workload::Request request;
  request.id = id;
  request.arrival_s = arrival_s;
  request.input_tokens = input_tokens;
  request.output_tokens = output_tokens;
  return request;
}

inline workload::Request request_after(std::int64_t id, std::vector<std::int64_t> after,
                                       double think_s, std::int64_t input_tokens = 16,
                                       std::int64_t output_tokens = 2) {
  workload::Request request = request_at(id, 0.0, input_tokens, output_tokens);
  request.after = std::move(after);
  request.think_s = think_s;
  return request;
}

// A network of one switch that draws nothing.
inline metrics::FabricInventory one_switch() {
  return {.switches = 1, .cables = 0, .diameter_hops = 1, .bisection_bytes_per_s = 0.0};
}

inline bool needs_network(const scenario::Plan& plan) {
  if (plan.scenario.faults.enabled || plan.scenario.autoscaling) return true;
  if (!plan.scenario.serving.kv_cache.offload.empty()) return true;
  for (const scenario::PoolPlan& pool : plan.pools) {
    for (const scenario::DeploymentPlan& d : pool.deployments) {
      if (d.spec.role != scenario::Role::both) return true;
    }
  }
  return false;
}

inline metrics::RunResult run_here(const scenario::Plan& plan, workload::RequestStream& stream,
                                   bool per_step = false,
                                   const metrics::FabricInventory& fabric = one_switch()) {
  HeapCalendar calendar;
  sim::SimulationOptions options;
  options.per_step = per_step;
  std::optional<topology::FleetGraph> fleet;
  std::optional<FairFabric> network;
  if (needs_network(plan)) {
    fleet.emplace(plan);
    network.emplace(*fleet, calendar);
    options.fleet = &*fleet;
  }
  sim::Simulation simulation(plan, stream, calendar, fabric, options,
                             network ? &*network : nullptr);
  return simulation.run();
}

inline metrics::RunResult run_here(const scenario::Plan& plan, bool per_step = false) {
  const auto stream = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
  return run_here(plan, *stream, per_step);
}

inline double metric_of(const metrics::RunResult& result, const std::string& name) {
  for (const metrics::MetricValue& m : result.metrics) {
    if (m.name == name) return m.value;
  }
  FAIL("the run has no metric ", name);
  return 0.0;
}

inline const metrics::RequestRow& row_of(const metrics::RunResult& result, std::int64_t id) {
  for (const metrics::RequestRow& row : result.requests) {
    if (row.id == id) return row;
  }
  FAIL("the run has no request ", id);
  return result.requests.front();
}

// The plan of a scenario written as text, with the catalog of this source tree.
inline scenario::Plan plan_of(const std::string& scenario_text) {
  static int written = 0;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      ("tokenyard-plan-" + std::to_string(getpid()) + "-" + std::to_string(written++) + ".yaml");
  std::ofstream(path) << scenario_text;
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  std::vector<scenario::Plan> plans;
  try {
    plans = scenario::load_plans(path.string(), {}, catalog);
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
  std::filesystem::remove(path);
  return plans.front();
}

// |a - b| relative to the larger of the two; 0 for equal values.
inline double relative_difference(double a, double b) {
  return a == b ? 0.0 : std::abs(a - b) / std::max(std::abs(a), std::abs(b));
}

}  // namespace tokenyard::test
