#include "perf/speculation.hpp"

#include "base/error.hpp"

namespace tokenyard::perf {

Verification verification(const std::optional<scenario::SpeculationSpec>& spec,
                          std::int64_t sequences) {
  if (!spec || (spec->max_batch && sequences > *spec->max_batch)) return {};
  if (spec->speedup) return {.yield = *spec->speedup};
  const auto guessed = static_cast<double>(spec->tokens);
  Verification v;
  v.tokens = 1.0 + guessed;
  v.guesses = guessed * spec->draft_cost;
  if (!spec->tokens_per_step.empty()) {
    const auto length = static_cast<std::size_t>(spec->tokens);
    check(length >= 1 && length <= spec->tokens_per_step.size(),
          "no measured tokens per step for this draft length");
    v.yield = spec->tokens_per_step[length - 1];
    return v;
  }
  check(spec->acceptance.has_value(), "speculation without acceptance");
  double accepted = 1.0;
  for (std::int64_t g = 0; g < spec->tokens; ++g) {
    accepted *= *spec->acceptance;
    v.yield += accepted;
  }
  return v;
}

std::vector<double> accepted_up_to(const scenario::SpeculationSpec& spec) {
  if (spec.tokens_per_step.empty()) {
    check(spec.acceptance.has_value(), "acceptance is drawn without one");
    return accepted_up_to(*spec.acceptance, spec.tokens);
  }
  std::vector<double> shares;
  double shorter = 1.0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(spec.tokens); ++k) {
    shares.push_back(spec.tokens_per_step.at(k) - shorter);
    shorter = spec.tokens_per_step[k];
  }
  return shares;
}

std::vector<double> accepted_up_to(double acceptance, std::int64_t guesses) {
  std::vector<double> shares;
  double share = 1.0;
  for (std::int64_t k = 0; k < guesses; ++k) shares.push_back(share *= acceptance);
  return shares;
}

}  // namespace tokenyard::perf
