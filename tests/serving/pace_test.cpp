// How many verifying steps an answer takes.
#include "serving/pace.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace {

using namespace tokenyard;
using serving::PaceSampler;
using serving::steps_left;

scenario::SpeculationSpec guessing(std::int64_t tokens, double acceptance) {
  scenario::SpeculationSpec spec;
  spec.sampling = scenario::AcceptanceSampling::per_request;
  spec.tokens = tokens;
  spec.acceptance = acceptance;
  return spec;
}

struct Moments {
  double mean = 0.0, variance = 0.0;
};

Moments moments_of_steps(const scenario::SpeculationSpec& spec, std::int64_t tokens, int requests) {
  const PaceSampler pace(spec, 1);
  double sum = 0.0;
  double squares = 0.0;
  for (int id = 0; id < requests; ++id) {
    const auto steps = static_cast<double>(pace.steps(id, tokens));
    sum += steps;
    squares += steps * steps;
  }
  const double mean = sum / requests;
  return {mean, squares / requests - mean * mean};
}

}  // namespace

// A step's tokens have a deviation below 1.4, so that 2,000 answers of 10,000 tokens (6.8 M steps) give
// the mean to 4 * 1.4 / sqrt(6.8 M) = 0.0022; what is thrown away is below 3 in 10,000.
TEST_CASE("a step gives (1 - a^(g+1)) / (1 - a) tokens in the mean") {
  for (const std::int64_t guesses : {1, 3, 7}) {
    for (const double a : {0.3, 0.8}) {
      CAPTURE(guesses);
      CAPTURE(a);
      const Moments steps = moments_of_steps(guessing(guesses, a), 10'000, 2'000);
      const double closed = (1.0 - std::pow(a, static_cast<double>(guesses) + 1.0)) / (1.0 - a);
      CHECK(10'000 / steps.mean == doctest::Approx(closed).epsilon(0.0022));
    }
  }
}

TEST_CASE(
    "where tokens are measured by draft length a step gives what was measured for its length") {
  scenario::SpeculationSpec spec = guessing(1, 0.0);
  spec.acceptance.reset();
  spec.tokens_per_step = {1.79, 2.27, 2.49};
  for (std::size_t guesses = 1; guesses <= 3; ++guesses) {
    spec.tokens = static_cast<std::int64_t>(guesses);
    CHECK(10'000 / moments_of_steps(spec, 10'000, 2'000).mean ==
          doctest::Approx(spec.tokens_per_step[guesses - 1]).epsilon(0.0022));
  }
}

// N = 3 with (1 - a)^2, else 2.  Of 200,000 draws a share p is known to 4 sqrt(p (1 - p) / 200,000).
TEST_CASE("one guess, 3 tokens: 3 steps with (1 - a)^2, else 2; variance p (1 - p)") {
  for (const double a : {0.2, 0.5, 0.8}) {
    CAPTURE(a);
    const double p = (1.0 - a) * (1.0 - a);
    const Moments steps = moments_of_steps(guessing(1, a), 3, 200'000);
    const double error = 4.0 * std::sqrt(p * (1.0 - p) / 200'000);
    CHECK(std::abs(steps.mean - (2.0 + p)) < error);
    CHECK(std::abs(steps.variance - p * (1.0 - p)) < error);
  }
}

TEST_CASE("long answers: the variance of their steps is T var(Y) / A^3") {
  // One guess: var(Y) = a (1 - a) = 0.24, A = 1.6, T = 2,000: 117.2, known to 4 sqrt(2 / 20,000) = 4 %.
  const Moments steps = moments_of_steps(guessing(1, 0.6), 2'000, 20'000);
  CHECK(steps.variance == doctest::Approx(2'000 * 0.24 / (1.6 * 1.6 * 1.6)).epsilon(0.04));
}

TEST_CASE("what is never accepted takes a step a token, what always is T / (g + 1), rounded up") {
  const PaceSampler never(guessing(3, 0.0), 1);
  const PaceSampler always(guessing(3, 1.0), 1);
  for (std::int64_t tokens = 1; tokens < 30; ++tokens) {
    CHECK(never.steps(tokens, tokens) == tokens);
    CHECK(always.steps(tokens, tokens) == (tokens + 3) / 4);
  }
}

// E[a] = 0.7 but E[a^2] = 0.49 + 0.04: the variance of N for T tokens grows with T^2, since a slow
// request is slow all along.
TEST_CASE("requests with acceptances of their own spread more, the more the longer their answers") {
  scenario::SpeculationSpec spread = guessing(1, 0.7);
  spread.acceptance_spread = 0.2;
  for (const std::int64_t tokens : {100, 1'000}) {
    CAPTURE(tokens);
    const double alike = moments_of_steps(guessing(1, 0.7), tokens, 20'000).variance;
    const double apart = moments_of_steps(spread, tokens, 20'000).variance;
    // N = T / (1 + a): deviation about T 0.2 / 1.7^2.
    CHECK(apart > alike + 0.9 * std::pow(static_cast<double>(tokens) * 0.2 / (1.7 * 1.7), 2));
  }
}

TEST_CASE("a request's pace is the same whoever asks, and whenever") {
  const PaceSampler pace(guessing(3, 0.6), 4);
  const std::int64_t first = pace.steps(17, 1'000);
  for (std::int64_t id = 0; id < 50; ++id) (void)pace.steps(id, 100);
  CHECK(pace.steps(17, 1'000) == first);
  CHECK(PaceSampler(guessing(3, 0.6), 4).steps(17, 1'000) == first);
}

TEST_CASE("of N steps for T tokens N - i are left after i of them, whatever rounding took") {
  for (std::int64_t tokens = 1; tokens <= 40; ++tokens) {
    for (std::int64_t steps = (tokens + 3) / 4; steps <= tokens; ++steps) {
      for (std::int64_t done = 0; done < steps; ++done)
        REQUIRE(steps_left(tokens - done * tokens / steps, tokens, steps, 4) == steps - done);
    }
  }
}
