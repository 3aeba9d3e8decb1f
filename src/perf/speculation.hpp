#pragma once
// Speculative decoding: what one verifying step computes, and how many tokens it gives.
//
// With g guessed tokens a step verifies g + 1 tokens of each sequence at once.  Each guess is
// accepted with probability a if those before it were, and one token more comes from the
// verification itself:
//
//   A = 1 + a + ... + a^g = (1 - a^(g+1)) / (1 - a)          tokens of a sequence and step
//
// or A is measured, by number of guesses.  Guessing costs c of a plain step for each guess.  The
// verifying step's products work on (g + 1) times the tokens and a mixture of experts reads what
// that many tokens choose, while weights and KV cache are read once: what is bound by memory gains,
// what is bound by computing loses.  A measured `speedup` replaces all of it: A = speedup, nothing
// guessed.
//
// `sampling` says what becomes of the number of tokens.
//   expected     Every sequence advances by the mean: a token of a sequence costs
//                (verifying step + g c plain step) / A, and that is what one decode step of the
//                simulation, which gives every sequence one token, takes.  Beside a chunk of a prompt
//                one in A steps verifies, and each still gives one token: decoding beside prompts comes
//                out slower than where every step verifies, as in engines and in what follows.
//   per-request  A decode step of the simulation is a verifying step and costs
//                verifying step + g c plain step.  A sequence gains Y = 1 ... g + 1 tokens by it,
//                and how many steps an answer takes is drawn (serving/pace.hpp) with
//
//                  P(Y > k) = a^k                            from a constant acceptance
//                  P(Y > k) = A_k - A_(k-1), A_0 = 1         from measured means by draft length
//
//                so that guess k is accepted, once those before it were, with
//                (A_k - A_(k-1)) / (A_(k-1) - A_(k-2)), whatever the draft's length.  Curves by which
//                that is not within 0 and 1 are refused.
//
// Worked example: a = 0.8, g = 3, c = 0.05: A = 1 + 0.8 + 0.64 + 0.512 = 2.952; bound by memory a
// token costs (1 + 0.15) / 2.952 = 0.39 of a plain step.  Drawn, a step takes 1.15 plain steps and
// gives 1, 2, 3 or 4 tokens in 20, 16, 12.8 and 51.2 % of the cases, which is 2.952 in the mean.
// Measured means of 1.79, 2.27 and 2.49 tokens (DeepSeek-V4's MTP) say that the guesses are accepted
// with 0.79, 0.48 / 0.79 = 0.61 and 0.22 / 0.48 = 0.46.
//
// Leaves out: that guessing fails together in the sequences of a batch (draws are independent), KV
// blocks for guesses that are not accepted, and the room that guesses take in max_batch_tokens.
// Sources: Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding",
// ICML 2023; measured curves: github SemiAnalysisAI/InferenceX, golden_al_distribution.
#include <cstdint>
#include <optional>
#include <vector>

#include "scenario/scenario_file.hpp"

namespace tokenyard::perf {

struct Verification {
  double tokens = 1.0;   // of each sequence, computed in one step
  double yield = 1.0;    // tokens that each sequence gains by it, in the mean
  double guesses = 0.0;  // cost of guessing, in plain steps
};

// {1, 1, 0} without speculation, and for batches too large for it.
Verification verification(const std::optional<scenario::SpeculationSpec>& spec,
                          std::int64_t sequences);

// P(Y > k) for k = 1 ... g: how often the guesses up to the k-th are all accepted.  Contract: not of a
// `speedup`.
std::vector<double> accepted_up_to(const scenario::SpeculationSpec& spec);
std::vector<double> accepted_up_to(double acceptance, std::int64_t guesses);

}  // namespace tokenyard::perf
