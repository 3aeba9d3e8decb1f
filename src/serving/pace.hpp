#pragma once
// How many verifying steps an answer takes under speculative decoding: its pace, drawn once for each
// request.
//
// T tokens are to come after the first.  The steps of a request give Y_1, Y_2, ... tokens of it,
// independent and distributed as perf/speculation.hpp says, and it takes the first N steps whose sum
// reaches T; what the last one gives beyond T is thrown away.  With `acceptance_spread` the request
// has an acceptance of its own, of a Beta distribution with the given mean and deviation: texts differ
// in how well they are guessed.
//
// All of it comes from a random stream that the scenario's seed and the request's id name, so that N
// depends neither on the replica nor on the order of events.  A request that is preempted, or driven
// out by a failure, keeps its pace: of its N steps those remain that the tokens it still lacks take at
// that pace.  So does one that is decoded without guesses for a time, in a batch too large for them.
//
// E[N] = (T + E[what the last step gives beyond]) / A, and for long answers var(N) = T var(Y) / A^3.
// Worked example: one guess, accepted with 0.8, T = 3.  Two steps are enough unless each of them gives
// one token only: N = 3 with 0.2^2 = 4 %, else 2; mean 2.04, variance 0.04 * 0.96 = 0.0384.
//
// With a spread the mean of tokens in a step is the mean of A over acceptances, which is more than A
// of the mean acceptance; and slow requests take longer, so that a batch holds more of them than its
// share: throughput may fall all the same.
#include <cstdint>
#include <optional>
#include <vector>

#include "base/keyed_stream.hpp"
#include "scenario/scenario_file.hpp"

namespace tokenyard::serving {

class PaceSampler {
 public:
  PaceSampler(const scenario::SpeculationSpec& spec, std::uint64_t seed);

  // N for T = `tokens` > 0 tokens of that request.
  [[nodiscard]] std::int64_t steps(std::int64_t request, std::int64_t tokens) const;
  // Tokens that a step gives at most.
  [[nodiscard]] std::int64_t most() const { return most_; }

 private:
  KeyedStreams streams_;
  std::int64_t most_;
  std::optional<double> acceptance_, spread_;  // of requests with one of their own
  std::vector<double> accepted_up_to_;         // else
};

// What is left of `steps` steps for `tokens` tokens, when `left` of the tokens are still to come.
std::int64_t steps_left(std::int64_t left, std::int64_t tokens, std::int64_t steps,
                        std::int64_t most_per_step);

}  // namespace tokenyard::serving
