// Sequences that gain a drawn number of tokens in each step.
#include "serving/paced_sequences.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "base/random.hpp"
#include "serving/replica_driver.hpp"

namespace {

using namespace tokenyard;
using serving::Handle;
using serving::PacedSequences;
using test::ReplicaDriver;
using test::ToyOptions;

scenario::SpeculationSpec guessing(std::int64_t tokens, double acceptance) {
  scenario::SpeculationSpec spec;
  spec.sampling = scenario::AcceptanceSampling::per_request;
  spec.tokens = tokens;
  spec.acceptance = acceptance;
  spec.draft_cost = 0.0;
  return spec;
}

ToyOptions with(const scenario::SpeculationSpec& spec) {
  ToyOptions options;
  options.serving.speculation = spec;
  return options;
}

double decoding_s(const ReplicaDriver& driver, std::int64_t id) {
  return driver.of(id).finished_s - driver.of(id).first_token_s;
}

std::int64_t decode_steps(const ReplicaDriver& driver) {
  std::int64_t steps = 0;
  for (const serving::RunReport& r : driver.reports()) steps += r.decoding > 0 ? r.steps : 0;
  return steps;
}

doctest::Approx near(double value) {
  return doctest::Approx(value).epsilon(1e-9);
}

// Sequences of random lengths and paces, some of which have decoded for a while.
struct Some {
  explicit Some(std::uint64_t seed, std::int64_t window = 0)
      : paced(guessing(3, 0.6), seed, 16, window) {
    RandomStream dice(seed, "sequences");
    for (int i = 0; i < 20; ++i) {
      const Handle handle = slots.add();
      handles.push_back(handle);
      slots[handle].request.id = i;
      slots[handle].request.output_tokens = dice.integer(60, 200);
      slots[handle].produced = 1;
      paced.add(handle, slots[handle], dice.integer(1, 300));
      if (i % 5 == 4) paced.advance(1);
    }
  }
  serving::RequestSlots slots;
  PacedSequences paced;
  std::vector<Handle> handles;
};

}  // namespace

// T = 10, N = 3, 100 tokens stored: 101, 101 + 10/3 and 101 + 20/3 attended to, 4 written in each step.
TEST_CASE("3 guesses that are always right: 10 tokens in 3 verifying steps") {
  ReplicaDriver driver(with(guessing(3, 1.0)));
  driver.arrive(0.0, 0, 100, 11);
  driver.finish();
  CHECK(decode_steps(driver) == 3);
  CHECK(decoding_s(driver, 0) == near(3 * 8e-3 + 64e-9 * (3 * 4 + 303 + 10)));
  CHECK(driver.tokens_reported() == 11);
}

TEST_CASE(
    "guesses that are never right: plain decoding, 3 tokens more written and 15 % of guessing") {
  scenario::SpeculationSpec spec = guessing(3, 0.0);
  spec.draft_cost = 0.05;
  ReplicaDriver guesses(with(spec));
  ReplicaDriver plain;
  for (ReplicaDriver* driver : {&guesses, &plain}) {
    driver->arrive(0.0, 0, 100, 41);
    driver->finish();
  }
  CHECK(decode_steps(guesses) == 40);
  CHECK(decoding_s(guesses, 0) == near(1.15 * decoding_s(plain, 0) + 40 * 3 * 64e-9));
}

// Two decode: 4 plain steps until the first ends.  The other lacks 4 of 8 tokens, at 2 a step.
TEST_CASE("above max_batch steps are plain ones, and below it what is left goes at its own pace") {
  scenario::SpeculationSpec spec = guessing(1, 1.0);
  spec.max_batch = 1;
  ReplicaDriver driver(with(spec));
  driver.arrive(0.0, 0, 10, 5);
  driver.arrive(0.0, 1, 10, 9);
  driver.finish();
  CHECK(decode_steps(driver) == 6);
  CHECK(decoding_s(driver, 0) == near(4 * 8e-3 + 64e-9 * 2 * (4 + 11 + 12 + 13 + 14)));
  // 14 tokens stored: 15 and 17 attended to, 2 written.
  CHECK(driver.of(1).finished_s - driver.of(0).finished_s ==
        near(2 * 8e-3 + 64e-9 * (2 * 2 + 15 + 17)));
  CHECK(driver.tokens_reported() == 14);
}

// Three decode, of 4, 8 and 16 tokens.  Above 2 off: 4 plain steps for 3.  Then the others lack 4 and 12
// tokens: on at once, they take 2 and 4 steps more; from 1 on only, 4 plain ones and 8 / 2 = 4.
TEST_CASE("resume_batch keeps guessing off until the batch has fallen that far") {
  const auto steps_with = [](std::optional<std::int64_t> resume) {
    scenario::SpeculationSpec spec = guessing(1, 1.0);
    spec.max_batch = 2;
    spec.resume_batch = resume;
    ReplicaDriver driver(with(spec));
    driver.arrive(0.0, 0, 10, 5);
    driver.arrive(0.0, 1, 10, 9);
    driver.arrive(0.0, 2, 10, 17);
    driver.finish();
    return decode_steps(driver);
  };
  CHECK(steps_with(std::nullopt) == 4 + 2 + 4);
  CHECK(steps_with(2) == 4 + 2 + 4);
  CHECK(steps_with(1) == 4 + 4 + 4);
}

TEST_CASE("tokens and blocks of a run are those of its steps, and each block opens in its step") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Some at_once(seed);
    Some by_step(seed);
    const std::int64_t steps = at_once.paced.steps_until_change();
    REQUIRE(steps > 5);
    std::vector<std::int64_t> opened(static_cast<std::size_t>(steps), 0);
    at_once.paced.for_each_opening(
        steps, [&](std::int64_t step) { ++opened.at(static_cast<std::size_t>(step)); });
    std::int64_t tokens = 0;
    std::int64_t blocks = 0;
    for (std::int64_t i = 0; i < steps; ++i) {
      tokens += by_step.paced.tokens(1);
      blocks += by_step.paced.new_blocks(1);
      REQUIRE(by_step.paced.new_blocks(1) == opened[static_cast<std::size_t>(i)]);
      for (const Handle handle : by_step.handles) {
        const std::int64_t before = by_step.paced.gained(handle);
        by_step.paced.advance(1);
        const std::int64_t gain = by_step.paced.gained(handle) - before;
        by_step.paced.advance(-1);
        REQUIRE(gain >= 1);
        REQUIRE(gain <= 4);
      }
      by_step.paced.advance(1);
    }
    CHECK(at_once.paced.tokens(steps) == tokens);
    CHECK(at_once.paced.new_blocks(steps) == blocks);
    CHECK(by_step.paced.steps_until_change() <= 0);
    CHECK_FALSE(by_step.paced.ended().empty());
  }
}

TEST_CASE("within a run context and windowed context grow evenly, until a window is full") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Some some(seed, 150);
    for (int run = 0; run < 5; ++run) {
      perf::DecodeBatch batch = some.paced.batch();
      const std::int64_t steps = some.paced.steps_until_change();
      REQUIRE(steps > 0);
      some.paced.advance(steps - 1);
      batch.advance(steps - 1);
      const perf::DecodeBatch last = some.paced.batch();
      CHECK(last.context == near(batch.context));
      CHECK(last.window_context == near(batch.window_context));
      CHECK(last.window_growing == batch.window_growing);
      some.paced.advance(1);
      for (const Handle handle : some.paced.ended()) some.paced.remove(handle);
    }
  }
}

TEST_CASE("who is looked for among the decoding and does not decode is our mistake") {
  Some some(1);
  some.paced.remove(some.handles[3]);
  CHECK_THROWS_AS(some.paced.remove(some.handles[3]), InternalError);
}
