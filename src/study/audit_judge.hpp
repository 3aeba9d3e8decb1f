#pragma once
// The verdict on one claim, from numbers alone.
//
// In this order:
//   impossible           an end of the claimed value breaks its bound
//   inconsistent         another statement that it must agree with deviates
//   holds                what is computed without assumptions is within the tolerance
//   needs an assumption  it is so only with assumptions
//   inconsistent         anything else: with our arithmetic, or with the simulation
//
// What was measured holds, or else the model is off that was to reproduce it; nothing else is
// asked.
//
// A claimed number v agrees with a computed one c when |v - c| <= tolerance |v|; a claimed range
// [a, b] with a computed number inside it, widened by the tolerance of each end; two ranges when
// both ends agree; a claimed number with a computed range when it agrees with both ends: a range
// that is wider than the tolerance of a number says something else than the number.
//
// Worked example: 74 GB claimed, 36.7 GB computed, tolerance 3 %: |74 - 36.7| = 37.3 > 2.22, so
// inconsistent; with an assumption under which 73.4 GB are computed, |74 - 73.4| = 0.6 <= 2.22: it
// needs the assumption.
//
// Contract: all numbers are of one dimension, ranges have their lower end first.  Differences of
// less than 1e-9 are rounding, ours and not the claim's.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::study {

enum class Verdict { holds, needs_an_assumption, inconsistent, impossible, model_is_off };
inline constexpr std::size_t kVerdicts = 5;
// As printed and stored.
constexpr std::string_view text_of(Verdict verdict) {
  return std::array<std::string_view, kVerdicts>{"holds", "needs an assumption", "inconsistent",
                                                 "impossible",
                                                 "model is off"}[static_cast<std::size_t>(verdict)];
}

// One number or the lower and the upper end of a range; empty: not known.
using Ends = std::vector<double>;

struct OtherStatement {
  Ends comes_to;
  std::string what;
  double tolerance = 0.0;
};

struct Evidence {
  Ends claimed = {};
  double tolerance = 0.0;
  std::optional<double> at_most = std::nullopt, at_least = std::nullopt;
  std::vector<OtherStatement> against = {};
  bool measured = false;     // what is claimed
  bool has_compute = false;  // else `plain` and `assumed` are empty and mean nothing
  Ends plain = {};           // computed without assumptions
  Ends assumed = {};         // ... with them
};

struct Judgement {
  Verdict verdict = Verdict::holds;
  Ends compared;                         // with what the verdict was reached
  const OtherStatement* with = nullptr;  // of the evidence: the one that deviates
};

// Whether what is claimed is what comes out.
bool agrees(const Ends& claimed, const Ends& computed, double tolerance);

Judgement judge(const Evidence& evidence);

}  // namespace tokenyard::study
