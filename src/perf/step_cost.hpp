#pragma once
// What a step (or a run of steps) costs one device of a replica: seconds by cause, and the work
// done.
//
// All of it is additive, so runs of steps add up, and the seconds by cause sum to the step's time.
// Worked example: a step with 2 ms compute, 6 ms weight_bw and 0.5 ms host takes 8.5 ms.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/cause.hpp"

namespace tokenyard::perf {

enum class Work {
  flops_linear,     // FLOP of matrix products with weights, this device; without the next
  flops_experts,    // ... with the weights of routed experts, which may have a format of their own
  flops_attention,  // FLOP of attention
  bytes_weights,    // read from memory
  bytes_kv,         // read and written
  bytes_activations,  // read and written
  bytes_link,         // sent to other devices
};
inline constexpr std::size_t kWorks = 7;

struct StepCost {
  std::array<double, kStepCauses> seconds{};
  std::array<double, kWorks> work{};

  // Not defaulted: compilers then clear both arrays as one block, by a call or a string instruction,
  // which takes longer than the eight vector stores of two small ones.
  StepCost() {}

  [[nodiscard]] double total_s() const {
    double sum = 0.0;
    for (const double s : seconds) sum += s;
    return sum;
  }
  double& operator[](Cause c) { return seconds[static_cast<std::size_t>(c)]; }
  double operator[](Cause c) const { return seconds[static_cast<std::size_t>(c)]; }
  double& operator[](Work w) { return work[static_cast<std::size_t>(w)]; }
  double operator[](Work w) const { return work[static_cast<std::size_t>(w)]; }

  // *this += factor * other
  void add(const StepCost& other, double factor = 1.0) {
    for (std::size_t i = 0; i < kStepCauses; ++i) seconds[i] += factor * other.seconds[i];
    for (std::size_t i = 0; i < kWorks; ++i) work[i] += factor * other.work[i];
  }

  // The same work on fewer devices: what goes by compute and by bytes takes longer, latencies do not.
  void stretch(double factor) {
    for (const Cause c : {Cause::compute, Cause::weight_bw, Cause::kv_bw, Cause::act_bw,
                          Cause::net_bw, Cause::imbalance})
      seconds[static_cast<std::size_t>(c)] *= factor;
  }

  void scale(double factor) {
    for (double& s : seconds) s *= factor;
    for (double& w : work) w *= factor;
  }
};

// The first step i at which slope * i has used up `gap`; at least 1.
inline std::int64_t steps_until(double gap, double slope) {
  if (slope <= 0.0) return std::numeric_limits<std::int64_t>::max();
  const double steps = std::ceil(gap / slope);
  if (steps >= 0x1p62) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps));
}

// Steps i = 0, 1, ... of a fixed batch: step i costs first + i * slope, term by term, for i below
// valid_steps (at least 1).  Beyond it another part of the step binds, and the form is another one.
struct AffineCost {
  StepCost first;
  StepCost slope;
  std::int64_t valid_steps = std::numeric_limits<std::int64_t>::max();

  // The first `steps` steps together: steps * first + steps (steps - 1) / 2 * slope.
  [[nodiscard]] StepCost sum(double steps) const {
    StepCost total;
    total.add(first, steps);
    total.add(slope, 0.5 * steps * (steps - 1.0));
    return total;
  }
  // Its seconds.
  [[nodiscard]] double sum_s(double steps) const {
    return steps * first.total_s() + 0.5 * steps * (steps - 1.0) * slope.total_s();
  }
};

}  // namespace tokenyard::perf
