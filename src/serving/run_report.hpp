#pragma once
// What a run of steps of a replica did: its time and cost, its tokens, its blocks, the gaps between its
// tokens.
#include <cstdint>
#include <vector>

#include "perf/step_cost.hpp"

namespace tokenyard::serving {

// Of the run that ended last.
struct RunReport {
  double start_s = 0.0;
  double end_s = 0.0;
  std::int64_t steps = 0;
  std::int64_t decoding = 0;       // sequences that produced a token, or several, in each step
  std::int64_t decode_tokens = 0;  // these tokens
  std::int64_t prompt_tokens = 0;  // computed
  std::int64_t first_tokens = 0;   // produced at the end of prompts
  std::int64_t sequences = 0;      // decoding or prefilling
  double kv_blocks = 0.0;          // held by sequences, mean over the run
  double kv_blocks_last = 0.0;     // in its last step
  perf::StepCost cost;             // of one device; its seconds sum to end_s - start_s
  double decode_s = 0.0;           // what the decoding sequences alone would have taken
  bool capacity_blocked = false;   // the head of the queue did not fit the KV cache
  // Gaps between tokens: a ramp of `steps` values from first to last for runs of decode steps, else
  // one value a step in step_s.  Tokens of one step beyond a sequence's first come with no gap.
  double first_gap_s = 0.0;
  double last_gap_s = 0.0;
  std::vector<double> step_s;
  // Sequences whose first token of this run came late because steps of prompts only went before
  // (prefill-first): how many waited how much longer than first_gap_s.
  struct Stall {
    double seconds = 0.0;
    std::int64_t sequences = 0;
  };
  std::vector<Stall> stalls;
  std::vector<double> resumed_gaps_s;  // of requests whose token follows a preemption
};

}  // namespace tokenyard::serving
