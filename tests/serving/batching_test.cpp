// How a replica forms its batches: chunks of prompts, the limits, joining at step boundaries.
//
// Toy fleet: a decode step of B sequences that attend to c tokens takes 8 ms + 64 ns (B + c); a
// step that computes a prompt of n <= 90 tokens takes 8 ms + 128 ns n, for n tokens' KV written and
// read.
#include <doctest/doctest.h>

#include <vector>

#include "serving/replica_driver.hpp"

namespace {

using tokenyard::test::ReplicaDriver;
using tokenyard::test::toy_serving;
using tokenyard::test::ToyOptions;

constexpr double kTight = 1e-12;  // relative: rounding of sums of some hundred terms

// Steps `first` to `last` (counted from 1) of a single sequence with a prompt of 16 tokens.
double decode_s(int first, int last) {
  double sum_s = 0.0;
  for (int i = first; i <= last; ++i) sum_s += 8e-3 + 64e-9 * (1.0 + 16.0 + i);
  return sum_s;
}
constexpr double kPrompt16_s = 8e-3 + 128e-9 * 16.0;

std::vector<std::int64_t> prompt_tokens_by_step(const ReplicaDriver& driver) {
  std::vector<std::int64_t> tokens;
  for (const auto& report : driver.reports()) {
    REQUIRE((report.steps == 1 || report.prompt_tokens == 0));
    if (report.prompt_tokens > 0) tokens.push_back(report.prompt_tokens);
  }
  return tokens;
}

}  // namespace

TEST_CASE(
    "a request alone: its first token after 8.002048 ms, then 8 ms + 64 ns (17 + i) a token") {
  ReplicaDriver driver;
  driver.arrive(1.0, 0, 16, 101);
  driver.finish();
  CHECK(driver.of(0).admitted_s == 1.0);
  CHECK(driver.of(0).first_token_s == doctest::Approx(1.008002048).epsilon(kTight));
  CHECK(driver.of(0).finished_s == doctest::Approx(1.008002048 + decode_s(1, 100)).epsilon(kTight));
  CHECK(driver.of(0).produced == 101);
  CHECK(driver.reports().size() == 2);  // the prompt, and all 100 decode steps as one run
}

TEST_CASE("a request of one output token ends with its prompt") {
  ReplicaDriver driver;
  driver.arrive(0.0, 0, 16, 1);
  driver.finish();
  CHECK(driver.of(0).finished_s == driver.of(0).first_token_s);
  CHECK(driver.reports().size() == 1);
}

TEST_CASE(
    "an arrival at 100 ms, in the middle of a run of 1,000 steps, joins at the boundary at "
    "104.020096 ms") {
  ReplicaDriver driver;
  driver.arrive(0.0, 0, 16, 1001);
  driver.arrive(0.1, 1, 16, 2);
  driver.finish();
  const double boundary_s = kPrompt16_s + decode_s(1, 12);
  CHECK(boundary_s == doctest::Approx(0.104020096).epsilon(kTight));
  CHECK(driver.of(1).admitted_s == doctest::Approx(boundary_s).epsilon(kTight));
  // The step in which it joins: 16 + 1 tokens written, 16 and 16 + 13 read.
  CHECK(driver.of(1).first_token_s ==
        doctest::Approx(boundary_s + 8e-3 + 64e-9 * (17 + 16 + 29)).epsilon(kTight));
}

TEST_CASE("an arrival exactly at a step boundary joins at it") {
  ReplicaDriver driver;
  driver.arrive(0.0, 0, 16, 1001);
  driver.arrive(0.01, 1, 16, 1);  // brings the run's end forward to its first boundary
  const double boundary_s = driver.replica().run_end();
  ReplicaDriver again;
  again.arrive(0.0, 0, 16, 1001);
  again.arrive(boundary_s, 1, 16, 1);
  again.finish();
  CHECK(again.of(1).admitted_s == boundary_s);
}

TEST_CASE(
    "chunked prefill: a prompt of 2,500 tokens alone goes in chunks of 1,000, 1,000 and 500") {
  ReplicaDriver driver({}, true);
  driver.arrive(0.0, 0, 2500, 1);
  driver.finish();
  CHECK(prompt_tokens_by_step(driver) == std::vector<std::int64_t>{1000, 1000, 500});
}

TEST_CASE("chunked prefill: one that decodes takes a token of each step's 1,000") {
  ReplicaDriver driver({}, true);
  driver.arrive(0.0, 0, 16, 100);
  driver.arrive(0.1, 1, 2500, 1);
  driver.finish();
  CHECK(prompt_tokens_by_step(driver) == std::vector<std::int64_t>{16, 999, 999, 502});
  for (const auto& report : driver.reports()) {
    if (report.prompt_tokens > 16) CHECK(report.decoding == 1);
  }
}

TEST_CASE("chunked prefill: what a prompt leaves of a step goes to the next in the queue") {
  ReplicaDriver driver({}, true);
  driver.arrive(0.0, 0, 600, 1);
  driver.arrive(0.0, 1, 700, 1);
  driver.arrive(0.0, 2, 500, 1);
  driver.finish();
  // 600 + 400 of 700, then 300 + 500
  CHECK(prompt_tokens_by_step(driver) == std::vector<std::int64_t>{1000, 800});
  CHECK(driver.of(1).first_token_s == driver.of(2).first_token_s);
  CHECK(driver.of(1).admitted_s == 0.0);
}

TEST_CASE(
    "chunks of one prompt that fill the budget are one run with the sum of the steps' times") {
  ReplicaDriver driver;
  driver.arrive(0.0, 0, 5500, 1);
  driver.finish();
  REQUIRE(driver.reports().size() == 2);
  CHECK(driver.reports()[0].steps == 5);
  CHECK(driver.reports()[1].prompt_tokens == 500);
  ReplicaDriver step_by_step({}, true);
  step_by_step.arrive(0.0, 0, 5500, 1);
  step_by_step.finish();
  CHECK(step_by_step.reports().size() == 6);
  CHECK(driver.of(0).finished_s == doctest::Approx(step_by_step.of(0).finished_s).epsilon(kTight));
}

TEST_CASE(
    "prefill-first: who decodes waits for all chunks of a prompt, and the gap says how long") {
  ToyOptions options;
  options.serving.scheduler.policy = tokenyard::scenario::BatchPolicy::prefill_first;
  ReplicaDriver driver(options, true);
  driver.arrive(0.0, 0, 16, 100);
  driver.arrive(0.1, 1, 2500, 2);
  driver.finish();
  CHECK(prompt_tokens_by_step(driver) == std::vector<std::int64_t>{16, 1000, 1000, 500});
  double stalled_s = 0.0;
  int stalls = 0;
  for (const auto& report : driver.reports()) {
    if (report.prompt_tokens > 16) {
      CHECK(report.decoding == 0);
      stalled_s += report.end_s - report.start_s;
    }
    for (const auto& stall : report.stalls) {
      ++stalls;
      CHECK(report.decoding == 2);  // both go on, one of them had waited
      CHECK(stall.sequences == 1);
      CHECK(stall.seconds == doctest::Approx(stalled_s).epsilon(kTight));
    }
  }
  CHECK(stalls == 1);
  CHECK(stalled_s > 0.16);  // 2,500 tokens of 64 us each
}

TEST_CASE("prefill-first: two groups that stalled since different times are told apart") {
  ToyOptions options;
  options.serving.scheduler.policy = tokenyard::scenario::BatchPolicy::prefill_first;
  ReplicaDriver driver(options, true);
  driver.arrive(0.0, 0, 16, 100);
  driver.arrive(0.1, 1, 1000, 50);   // computed in one step, while 0 stalls ...
  driver.arrive(0.12, 2, 1000, 50);  // ... and the next prompt is already there: now 1 stalls, too
  driver.finish();
  std::vector<std::pair<double, std::int64_t>> seen;
  for (const auto& report : driver.reports()) {
    for (const auto& stall : report.stalls) seen.emplace_back(stall.seconds, stall.sequences);
  }
  REQUIRE(seen.size() == 2);
  const double first_s = driver.of(1).first_token_s - driver.of(1).admitted_s;
  const double second_s = driver.of(2).first_token_s - driver.of(2).admitted_s;
  CHECK(seen[0].first == doctest::Approx(first_s + second_s).epsilon(kTight));
  CHECK(seen[1].first == doctest::Approx(second_s).epsilon(kTight));
}

TEST_CASE("with max_batch 2 the third request waits for the end of the first") {
  ToyOptions options;
  options.serving.scheduler.max_batch = 2;
  ReplicaDriver driver(options);
  driver.arrive(0.0, 0, 16, 10);
  driver.arrive(0.0, 1, 16, 20);
  driver.arrive(0.0, 2, 16, 10);
  driver.finish();
  CHECK(driver.of(1).admitted_s == 0.0);
  CHECK(driver.of(2).admitted_s == driver.of(0).finished_s);
}

TEST_CASE("with a full batch an arrival does not cut the run") {
  ToyOptions options;
  options.serving.scheduler.max_batch = 1;
  ReplicaDriver driver(options);
  driver.arrive(0.0, 0, 16, 1000);
  driver.arrive(0.01, 1, 16, 1000);
  driver.finish();
  CHECK(driver.reports().size() == 4);
  CHECK(driver.of(1).admitted_s == driver.of(0).finished_s);
}

TEST_CASE(
    "a run ends when a window fills: 4 windowed layers of 8 grow by 32 ns a step until 100 "
    "tokens") {
  ToyOptions options;
  options.model.attention.window = tokenyard::catalog::WindowSpec{.tokens = 100, .layers = 4};
  ReplicaDriver driver(options);
  driver.arrive(0.0, 0, 16, 201);
  driver.finish();
  // The prompt; steps that attend to 17 to 99 tokens, whose windows grow; 117 steps with a full
  // one.
  REQUIRE(driver.reports().size() == 3);
  CHECK(driver.reports()[1].steps == 83);
  CHECK(driver.reports()[2].steps == 117);
  double expected_s = kPrompt16_s;
  for (int i = 1; i <= 200; ++i) {
    const double attended = 16.0 + i;
    expected_s += 8e-3 + 64e-9 + 32e-9 * (attended + std::min(attended, 100.0));
  }
  CHECK(driver.of(0).finished_s == doctest::Approx(expected_s).epsilon(kTight));
}

TEST_CASE("a prompt longer than the window decodes in one run") {
  ToyOptions options;
  options.model.attention.window = tokenyard::catalog::WindowSpec{.tokens = 100, .layers = 4};
  ReplicaDriver driver(options);
  driver.arrive(0.0, 0, 100, 51);
  driver.finish();
  CHECK(driver.reports().size() == 2);
}
