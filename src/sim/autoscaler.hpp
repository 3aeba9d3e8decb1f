#pragma once
// How many replicas of a deployment should run, decided at fixed intervals from what was seen since the
// last decision.
//
//   queue        requests of a replica, in line and in the batch, against target_queue
//   utilization  share of time in which running replicas ran steps, against target_utilization
//   slo          the 95th percentile of the time to first token, against target_ttft
//
// As the Horizontal Pod Autoscaler does it: wanted = ceil(running * seen / target), no change within 10 %
// of the target; replicas that are still loading count as running, so that one burst does not order them
// twice.  Growing takes effect at once, shrinking by one replica at a time and no more often than the
// cooldown allows: a replica that is switched off costs its loading time to have back.
//
// Worked example: 4 replicas with 12 requests each, target 8: ceil(4 * 12 / 8) = 6.
// Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details.
#include <cstdint>
#include <optional>
#include <vector>

#include "scenario/scenario_file.hpp"

namespace tokenyard::sim {

// What is seen of a deployment.
struct Seen {
  std::int64_t running = 0;      // replicas that run or load
  std::int64_t most = 0;         // replicas there are
  std::int64_t outstanding = 0;  // requests in line or in a batch
  double busy_s = 0.0;           // of all its replicas since the start
};

class Autoscaler {
 public:
  // Contract: the policy slo has its target_ttft.
  Autoscaler(const scenario::AutoscalingSpec& spec, std::size_t deployments);

  void on_finished(std::int32_t deployment, double ttft_s);
  // How many replicas should run from now on.
  std::int64_t wanted(std::size_t deployment, const Seen& seen, double now_s);

 private:
  struct State {
    std::vector<double> ttft_s;  // since the last decision
    double busy_s = 0.0;         // at the last decision
    double shrunk_s;
  };
  [[nodiscard]] double load(State& state, const Seen& seen) const;

  scenario::AutoscalingSpec spec_;
  std::vector<State> states_;
};

}  // namespace tokenyard::sim
