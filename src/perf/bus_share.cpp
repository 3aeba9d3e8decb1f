#include "perf/bus_share.hpp"

#include <algorithm>
#include <initializer_list>

namespace tokenyard::perf {
namespace {

constexpr std::initializer_list<Cause> kReads{Cause::weight_bw, Cause::kv_bw, Cause::act_bw};

Cause longest_read(const StepCost& cost) {
  return *std::max_element(kReads.begin(), kReads.end(),
                           [&](Cause a, Cause b) { return cost[a] < cost[b]; });
}

}  // namespace

BusShares bus_shares(double asked) {
  return {.prompts = 0.5, .decoding = std::max(0.5, 1.0 - asked)};
}

double memory_s(const StepCost& cost) {
  double sum_s = 0.0;
  for (const Cause c : kReads) sum_s += cost[c];
  return sum_s;
}

StepCost at_bus_share(StepCost cost, double share) {
  AffineCost step;
  step.first = cost;
  return at_bus_share(step, share).first;
}

AffineCost at_bus_share(AffineCost run, double share) {
  if (share >= 1.0) return run;
  const double added_s = memory_s(run.first) / share - run.first.total_s();
  const double growth_s = memory_s(run.slope) / share - run.slope.total_s();
  if (added_s <= 0.0) {
    run.valid_steps = std::min(run.valid_steps, steps_until(-added_s, growth_s));
    return run;
  }
  run.valid_steps = std::min(run.valid_steps, steps_until(added_s, -growth_s));
  const Cause longest = longest_read(run.first);
  for (const Cause c : kReads) {
    const double gap_s = run.first[longest] - run.first[c];
    const double closing_s = run.slope[c] - run.slope[longest];
    run.valid_steps = std::min(run.valid_steps, steps_until(gap_s, closing_s));
  }
  run.first[longest] += added_s;
  run.slope[longest] += growth_s;
  return run;
}

}  // namespace tokenyard::perf
