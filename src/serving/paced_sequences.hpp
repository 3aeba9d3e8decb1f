#pragma once
// The decoding sequences of a replica where speculative decoding gives each of them a drawn number of
// tokens a step.
//
// A sequence with T tokens to come needs N verifying steps for them, drawn when it first decodes
// (pace.hpp).  They are spread evenly: after i steps it has floor(i T / N) of them, which gives each step
// between 1 and g + 1 tokens, whole numbers, and T after N exactly.  What a step costs grows with
// contexts, and there i T / N is not rounded: with a fixed batch every step's context is the last one's
// plus the sum of T / N, and a run of steps keeps its closed form.  In a batch too large for guesses a
// step is a plain one and gives each sequence one token: N = T.  Going over from one to the other, at a
// step boundary, each sequence begins a new *stretch*, with the tokens that it lacks by then.
//
// Speculation goes off when more than max_batch sequences decode, and on again when no more than
// resume_batch do; the two are equal by default.
//
// Everything is looked up from (begin, T, N) of the stretch, in a time that grows with the batch: once a
// run, never once a step.  Nothing adds up over steps, so results do not depend on how steps are put
// together to runs.
//
// Worked example: T = 10, N = 4: after 1, 2, 3, 4 steps 2, 5, 7, 10 tokens; context grows by 2.5 a step.
// With 15 tokens stored of blocks of 16, its first step opens a block (16 fit, the 17th does not), and
// none of the others does.
//
// Leaves out which of a request's steps were the lucky ones: only how many there are is random.  The
// spread between requests, and so the tail of their latencies, is that of N; within a request, tokens
// come evenly.
#include <cstdint>
#include <vector>

#include "perf/step_model.hpp"
#include "serving/active_request.hpp"
#include "serving/pace.hpp"

namespace tokenyard::serving {

class PacedSequences {
 public:
  PacedSequences(const scenario::SpeculationSpec& spec, std::uint64_t seed,
                 std::int64_t block_tokens, std::int64_t window_tokens);

  // It decodes from the next step on, with so many tokens in the KV cache.  Draws its pace unless it
  // has one.
  void add(Handle handle, ActiveRequest& r, std::int64_t stored);
  void remove(Handle handle);
  // Whether the next steps guess.  To be called before they are asked for anything.
  void choose(RequestSlots& slots);
  void advance(std::int64_t steps) { step_ += steps; }

  // Tokens of a sequence since its produced and stored ones were written down.
  [[nodiscard]] std::int64_t gained(Handle handle) const { return find(handle)->gained(step_); }
  // What they gain in their next steps, together, and KV blocks that they open by it.
  [[nodiscard]] std::int64_t tokens(std::int64_t steps) const;
  [[nodiscard]] std::int64_t new_blocks(std::int64_t steps) const;
  // Calls f(i) for each block that is opened in the next steps, with the step i = 0, 1, ... that opens it.
  template <class F>
  void for_each_opening(std::int64_t steps, F f) const;
  // Steps until the first of them ends or fills its window.
  [[nodiscard]] std::int64_t steps_until_change() const;
  [[nodiscard]] perf::DecodeBatch batch() const;
  // Those that have all their tokens, the first begun first.
  [[nodiscard]] std::vector<Handle> ended() const;

 private:
  struct Sequence {
    Handle handle;
    // Of the stretch:
    std::int64_t stored;  // tokens in the KV cache when it began
    std::int64_t tokens;  // T, all that are to come
    std::int64_t steps;   // N
    std::int64_t begin;   // the step at which it began

    [[nodiscard]] std::int64_t gained(std::int64_t step) const {
      return (step - begin) * tokens / steps;
    }
    // The steps after which it has gained so many tokens.
    [[nodiscard]] std::int64_t steps_to(std::int64_t gain) const {
      return (gain * steps + tokens - 1) / tokens;
    }
    [[nodiscard]] double context(std::int64_t step) const {
      return as_double(stored) + as_double((step - begin) * tokens) / as_double(steps);
    }
  };

  [[nodiscard]] std::vector<Sequence>::const_iterator find(Handle handle) const;
  void stretch(Sequence& sequence, const ActiveRequest& r) const;
  [[nodiscard]] std::int64_t blocks(std::int64_t tokens) const {
    return (tokens + block_tokens_ - 1) / block_tokens_;
  }

  PaceSampler pace_;
  std::int64_t off_above_, on_from_;  // sequences
  std::int64_t block_tokens_, window_;
  std::vector<Sequence> sequences_;  // in the order in which they began
  std::int64_t step_ = 0;
  bool guessing_ = true;
};

template <class F>
void PacedSequences::for_each_opening(std::int64_t steps, F f) const {
  for (const Sequence& s : sequences_) {
    const std::int64_t last = blocks(s.stored + s.gained(step_ + steps));
    for (std::int64_t open = blocks(s.stored + s.gained(step_)); open < last; ++open) {
      const std::int64_t first_in_it = open * block_tokens_ + 1;
      f(s.begin + s.steps_to(first_in_it - s.stored) - 1 - step_);
    }
  }
}

}  // namespace tokenyard::serving
