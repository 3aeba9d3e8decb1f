#include "sim/autoscaler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tokenyard::sim {
namespace {

constexpr double kTolerance = 0.1;
constexpr double kTail = 0.95;

}  // namespace

Autoscaler::Autoscaler(const scenario::AutoscalingSpec& spec, std::size_t deployments)
    : spec_(spec) {
  State fresh;
  fresh.shrunk_s = -std::numeric_limits<double>::infinity();
  states_.assign(deployments, fresh);
}

void Autoscaler::on_finished(std::int32_t deployment, double ttft_s) {
  if (spec_.policy != scenario::ScalePolicy::slo) return;
  states_[static_cast<std::size_t>(deployment)].ttft_s.push_back(ttft_s);
}

// What is seen over its target; 1: as it should be.
double Autoscaler::load(State& state, const Seen& seen) const {
  const auto running = static_cast<double>(std::max<std::int64_t>(1, seen.running));
  switch (spec_.policy) {
    case scenario::ScalePolicy::queue:
      return static_cast<double>(seen.outstanding) / running / spec_.target_queue;
    case scenario::ScalePolicy::utilization: {
      const double busy_s = seen.busy_s - std::exchange(state.busy_s, seen.busy_s);
      return busy_s / (running * spec_.interval.base()) / spec_.target_utilization;
    }
    case scenario::ScalePolicy::slo: {
      std::vector<double> ttft_s = std::exchange(state.ttft_s, {});
      if (ttft_s.empty()) return seen.outstanding > 0 ? 1.0 + 2.0 * kTolerance : 0.0;
      const auto at = static_cast<std::ptrdiff_t>(kTail * static_cast<double>(ttft_s.size() - 1));
      std::nth_element(ttft_s.begin(), ttft_s.begin() + at, ttft_s.end());
      return ttft_s[static_cast<std::size_t>(at)] / spec_.target_ttft->base();
    }
  }
  return 1.0;
}

std::int64_t Autoscaler::wanted(std::size_t deployment, const Seen& seen, double now_s) {
  State& state = states_[deployment];
  const double over = load(state, seen);
  if (std::abs(over - 1.0) <= kTolerance) return seen.running;
  const auto running = static_cast<double>(std::max<std::int64_t>(1, seen.running));
  const double target = std::min(std::ceil(running * over), static_cast<double>(seen.most));
  const std::int64_t wanted =
      std::max(std::min(spec_.min, seen.most), static_cast<std::int64_t>(target));
  if (wanted >= seen.running) return wanted;
  if (now_s < state.shrunk_s + spec_.cooldown.base()) return seen.running;
  state.shrunk_s = now_s;
  return seen.running - 1;
}

}  // namespace tokenyard::sim
