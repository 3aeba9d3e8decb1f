#include "serving/pace.hpp"

#include <algorithm>

#include "perf/speculation.hpp"

namespace tokenyard::serving {

PaceSampler::PaceSampler(const scenario::SpeculationSpec& spec, std::uint64_t seed)
    : streams_(seed, "acceptance"),
      most_(spec.tokens + 1),
      acceptance_(spec.acceptance),
      spread_(spec.acceptance_spread),
      accepted_up_to_(perf::accepted_up_to(spec)) {}

std::int64_t PaceSampler::steps(std::int64_t request, std::int64_t tokens) const {
  KeyedStream stream = streams_.of(request);
  std::vector<double> own;
  if (spread_) own = perf::accepted_up_to(stream.beta(*acceptance_, *spread_), most_ - 1);
  const std::vector<double>& accepted = spread_ ? own : accepted_up_to_;
  std::int64_t steps = 0;
  for (std::int64_t left = tokens; left > 0; --left, ++steps) {
    const double u = stream.uniform();
    for (auto share = accepted.begin(); share != accepted.end() && u < *share; ++share) --left;
  }
  return steps;
}

// Rounded down, since of the tokens of steps done a part may be missing by rounding: with i of N steps
// done and T - floor(i T / N) tokens left, exactly N - i steps are left.
std::int64_t steps_left(std::int64_t left, std::int64_t tokens, std::int64_t steps,
                        std::int64_t most_per_step) {
  const std::int64_t fewest = (left + most_per_step - 1) / most_per_step;
  return std::clamp(left * steps / tokens, fewest, left);
}

}  // namespace tokenyard::serving
