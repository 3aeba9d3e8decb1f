#pragma once
// Speculative decoding in the mean: what one verifying step computes, and how many tokens it gives.
//
// With g guessed tokens a step verifies g + 1 tokens of each sequence at once.  Each guess is
// accepted with probability a if those before it were, and one token more comes from the
// verification itself:
//
//   A = 1 + a + ... + a^g = (1 - a^(g+1)) / (1 - a)          tokens of a sequence and step
//
// or A is measured, by number of guesses.  Guessing costs c of a plain step for each guess.  So a
// token of a sequence costs (verifying step + g c plain step) / A: that is what one decode step of
// the simulation, which gives every sequence one token, takes.  The verifying step's products work
// on (g + 1) times the tokens and a mixture of experts reads what that many tokens choose, while
// weights and KV cache are read once: what is bound by memory gains, what is bound by computing
// loses.  A measured `speedup` replaces all of it: A = speedup, nothing guessed.
//
// Worked example: a = 0.8, g = 3, c = 0.05: A = 1 + 0.8 + 0.64 + 0.512 = 2.952; bound by memory a
// token costs (1 + 0.15) / 2.952 = 0.39 of a plain step.
//
// Assumes that sequences advance by the mean: the spread between them is left out.
// Source: Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding",
// ICML 2023.
#include <cstdint>
#include <optional>

#include "scenario/scenario_file.hpp"

namespace tokenyard::perf {

struct Verification {
  double tokens = 1.0;   // of each sequence, computed in one step
  double yield = 1.0;    // tokens that each sequence gains by it
  double guesses = 0.0;  // cost of guessing, in plain steps
};

// {1, 1, 0} without speculation, and for batches too large for it.
Verification verification(const std::optional<scenario::SpeculationSpec>& spec,
                          std::int64_t sequences);

}  // namespace tokenyard::perf
