#include "scenario/scenario_file.hpp"

namespace tokenyard::scenario {
namespace {

bool check_yields(input::Fields& f, const SpeculationSpec& x) {
  bool good = true;
  const auto draft = static_cast<std::size_t>(x.tokens);
  if (!x.tokens_per_step.empty() && x.tokens_per_step.size() < draft) {
    f.problem("tokens_per_step", "has " + std::to_string(x.tokens_per_step.size()) +
                                     " values; a draft of " + std::to_string(draft) +
                                     " tokens needs as many");
    good = false;
  }
  for (std::size_t i = 0; i < x.tokens_per_step.size(); ++i) {
    const double most = static_cast<double>(i) + 2.0;
    if (x.tokens_per_step[i] >= 1.0 && x.tokens_per_step[i] <= most) continue;
    f.problem("tokens_per_step", "a draft of " + std::to_string(i + 1) + " yields between 1 and " +
                                     std::to_string(i + 2) + " tokens, not " +
                                     three_digits(x.tokens_per_step[i]));
    good = false;
  }
  return good;
}

// What one guess more yields is how often it is accepted, and those before it: a share of steps that
// never grows.
void check_curve_can_be_drawn(input::Fields& f, const SpeculationSpec& x) {
  constexpr double kRounding = 1e-9;  // of differences of numbers with few digits
  double shorter = 1.0;
  double before = 1.0;
  for (std::size_t i = 0; i < x.tokens_per_step.size() && i < static_cast<std::size_t>(x.tokens);
       ++i) {
    const double more = x.tokens_per_step[i] - shorter;
    if (more < -kRounding || more > before + kRounding) {
      f.problem("tokens_per_step", "guess " + std::to_string(i + 1) + " yields " +
                                       three_digits(more) +
                                       " tokens; to be drawn it has to yield " +
                                       "between 0 and the " + three_digits(before) + " of guess " +
                                       std::to_string(i) + ", without which it counts for nothing");
      return;
    }
    shorter = x.tokens_per_step[i];
    before = more;
  }
}

void check_sampling(input::Fields& f, const SpeculationSpec& x) {
  if (x.sampling == AcceptanceSampling::expected) {
    for (const char* key : {"acceptance_spread", "resume_batch"}) {
      if (f.has(key)) f.problem(key, "has no effect without 'sampling: per-request'");
    }
    return;
  }
  if (x.speedup) {
    f.problem("sampling",
              "a 'speedup' is a mean, of which nothing can be drawn; expected 'acceptance' or "
              "'tokens_per_step'");
  }
  if (x.acceptance_spread && !x.acceptance) {
    f.problem("acceptance_spread", "has no effect without 'acceptance'");
  } else if (x.acceptance_spread &&
             *x.acceptance_spread * *x.acceptance_spread >= *x.acceptance * (1.0 - *x.acceptance)) {
    f.problem("acceptance_spread",
              "'" + three_digits(*x.acceptance_spread) + "' is too wide; shares with the mean " +
                  three_digits(*x.acceptance) + " have a deviation below sqrt(mean (1 - mean))");
  }
  if (!x.resume_batch) return;
  if (!x.max_batch) {
    f.problem("resume_batch", "has no effect without 'max_batch'");
  } else if (*x.resume_batch > *x.max_batch) {
    f.problem("resume_batch", "'" + std::to_string(*x.resume_batch) +
                                  "' is out of range; expected at most max_batch, " +
                                  std::to_string(*x.max_batch));
  }
}

}  // namespace

void describe(input::Fields& f, SpeculationSpec& x) {
  f.required("kind", x.kind, "what guesses: draft, medusa, eagle or mtp");
  f.optional("tokens", x.tokens, "guessed in each step").at_least(1).at_most(64);
  f.optional("acceptance", x.acceptance, "of each guessed token, given those before it")
      .at_least(0.0)
      .at_most(1.0);
  f.optional("tokens_per_step", x.tokens_per_step,
             "measured tokens of one step, by draft length 1, 2, ...");
  f.optional("draft_cost", x.draft_cost, "of each guessed token, in decode steps").at_least(0.0);
  f.optional("max_batch", x.max_batch, "larger batches are decoded without").at_least(1);
  f.optional("speedup", x.speedup, "measured gain in tokens/s, instead of all the above")
      .at_least(1.0)
      .at_most(16.0);
  f.optional("sampling", x.sampling,
             "what a sequence gains in a step: expected, the mean; or per-request, drawn");
  f.optional("acceptance_spread", x.acceptance_spread,
             "sampling per-request: deviation of requests' own acceptance from the mean")
      .more_than(0.0);
  f.optional("resume_batch", x.resume_batch,
             "sampling per-request: off above max_batch, it is on again from this batch down; "
             "default: max_batch")
      .at_least(1);
  if (!f.is_reading()) return;
  const int ways =
      (x.acceptance ? 1 : 0) + (x.tokens_per_step.empty() ? 0 : 1) + (x.speedup ? 1 : 0);
  if (ways != 1) {
    f.problem("kind", "needs one of 'acceptance', 'tokens_per_step' and 'speedup'");
  }
  if (check_yields(f, x) && x.sampling == AcceptanceSampling::per_request)
    check_curve_can_be_drawn(f, x);
  check_sampling(f, x);
}

}  // namespace tokenyard::scenario
