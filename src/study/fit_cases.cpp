#include "study/fit_cases.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "scenario/calibrate_plan.hpp"
#include "sim/plain_calendar.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::study {
namespace {

using scenario::DeploymentPlan;
using scenario::Plan;

const DeploymentPlan& deployment_of(const Plan& plan) {
  check(plan.pools.size() == 1 && plan.pools.front().deployments.size() == 1,
        "a measured case has one deployment");
  return plan.pools.front().deployments.front();
}

// Why its measurements say nothing about one device's numbers; empty when they do.
std::string objection(const MeasuredCase& c) {
  if (!c.problem.empty()) return c.problem;
  const auto second_engine = [](const Plan& plan) {
    const DeploymentPlan& d = deployment_of(plan);
    return d.engine != 0 || d.prefill_engine != 0;
  };
  if (std::any_of(c.plans.begin(), c.plans.end(), second_engine))
    return "it computes on another engine than the device's first";
  return c.measurements.empty() ? "it has no measurement" : "";
}

FitCase fit_case(MeasuredCase&& c) {
  FitCase f;
  f.id = c.id;
  f.measured = std::move(c.measurements);
  f.plans = std::move(c.plans);
  const scenario::PoolPlan& pool = f.plans.front().pools.front();
  const DeploymentPlan& first = deployment_of(f.plans.front());
  f.device = pool.devices[first.device].name;
  f.model = first.model.name;
  f.has_experts = first.model.ffn.kind == catalog::FfnKind::moe;
  if (first.devices_per_replica > 1) f.link = pool.node.link;
  for (const Plan& plan : f.plans) {
    const DeploymentPlan& d = deployment_of(plan);
    f.formats.insert({d.linear_math, d.prefill_linear_math});
    if (f.has_experts) f.formats.insert({d.expert_math, d.prefill_expert_math});
  }
  return f;
}

Plan calibrated(const Plan& base, const catalog::Calibration& numbers) {
  Plan plan = base;
  for (scenario::PoolPlan& pool : plan.pools) {
    for (catalog::Device& device : pool.devices) {
      const catalog::CalibratedDevice* d = numbers.find(device.name);
      if (d != nullptr) scenario::calibrate_device(device, *d, numbers.host);
    }
  }
  scenario::calibrate_host(plan.scenario.serving.host, numbers.host, nullptr);
  return plan;
}

metrics::RunResult run_here(const Plan& plan) {
  const auto stream = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
  sim::PlainCalendar calendar;
  // The network has no part in the latencies of one replica.
  sim::Simulation simulation(plan, *stream, calendar, metrics::FabricInventory{}, {});
  return simulation.run();
}

double metric_of(const metrics::RunResult& result, const std::string& name) {
  for (const metrics::MetricValue& m : result.metrics) {
    if (m.name == name) return m.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

FitCases fit_cases(std::vector<MeasuredCase> measured) {
  FitCases all;
  for (MeasuredCase& c : measured) {
    std::string why = objection(c);
    if (why.empty()) {
      all.cases.push_back(fit_case(std::move(c)));
    } else {
      all.left_out.push_back({c.id, std::move(why)});
    }
  }
  return all;
}

std::vector<double> predicted(const FitCase& c, const catalog::Calibration& numbers) {
  std::vector<double> values(c.measured.size(), 0.0);
  const auto runs = static_cast<double>(c.plans.size());
  for (const Plan& base : c.plans) {
    const metrics::RunResult result = run_here(calibrated(base, numbers));
    if (result.requests_rejected > 0) {
      throw InputError(std::to_string(result.requests_rejected) + " of " +
                       std::to_string(result.requests_seen) +
                       " requests were rejected: too long for the KV cache or the model");
    }
    for (std::size_t m = 0; m < values.size(); ++m)
      values[m] += metric_of(result, c.measured[m].metric) / runs;
  }
  return values;
}

}  // namespace tokenyard::study
