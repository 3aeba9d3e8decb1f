// Laws that hold for every configuration, tried on random ones of a fixed seed.
#include <array>
#include <cmath>
#include <functional>

#include "rolled.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

constexpr std::uint64_t kSeed = 20'240'601;
constexpr int kRolls = 150;

// With rounding, `less` is at most `more`.
bool at_most(double less, double more) {
  return less <= more * (1.0 + 1e-12);
}

// A resource that may get better, and how.
struct Improvement {
  std::string what;
  std::function<void(scenario::PoolPlan&)> make;
};

std::vector<Improvement> improvements() {
  return {
      {"memory bandwidth", [](auto& pool) { pool.devices[0].memory[0].bandwidth.value *= 2.0; }},
      {"FLOPs", [](auto& pool) { pool.devices[0].engines[0].peak["bf16"].value *= 2.0; }},
      {"links", [](auto& pool) { pool.devices[0].links[0].bandwidth.value *= 2.0; }},
      {"NICs", [](auto& pool) { pool.node.nics[0].bandwidth.value *= 2.0; }},
      {"link latency", [](auto& pool) { pool.devices[0].links[0].latency.value *= 0.5; }},
      {"launches", [](auto& pool) { pool.devices[0].engines[0].launch_overhead.value *= 0.5; }},
  };
}

}  // namespace

TEST_CASE("twice the bandwidth, FLOPs or links, or half the latency, never slow a step") {
  Dice dice(kSeed);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const ToyOptions options = rolled(dice);
    const Toy before(options);
    const DecodeBatch batch = rolled_batch(dice, before);
    const PrefillSlice chunk{.tokens = dice.upto(2000), .cached = dice.upto(9000), .samples = true};
    for (const Improvement& improvement : improvements()) {
      CAPTURE(improvement.what);
      scenario::Plan better = test::toy_plan(options);
      improvement.make(better.pools.front());
      const Toy after(better);
      CHECK(at_most(after.model.decode_run(batch).first.total_s(),
                    before.model.decode_run(batch).first.total_s()));
      CHECK(at_most(after.model.mixed_step({&chunk, 1}, batch).total_s(),
                    before.model.mixed_step({&chunk, 1}, batch).total_s()));
    }
  }
}

TEST_CASE(
    "n decode steps in closed form are the sum of n single ones, cause by cause and work by work") {
  Dice dice(kSeed + 1);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    DecodeBatch batch = rolled_batch(dice, toy);
    const AffineCost run = toy.model.decode_run(batch);
    constexpr int kSteps = 13;  // that no window fills up during a run is the caller's care
    StepCost one_by_one;
    for (int i = 0; i < kSteps; ++i) {
      one_by_one.add(toy.model.decode_run(batch).first);
      batch.context += static_cast<double>(batch.sequences);
      batch.window_context += static_cast<double>(batch.window_growing);
    }
    const StepCost at_once = run.sum(kSteps);
    CHECK(at_once.total_s() == near(one_by_one.total_s()));
    for (std::size_t c = 0; c < kStepCauses; ++c) {
      CHECK(std::abs(at_once.seconds[c] - one_by_one.seconds[c]) <= 1e-12 * one_by_one.seconds[c]);
    }
    for (std::size_t w = 0; w < kWorks; ++w) {
      CHECK(std::abs(at_once.work[w] - one_by_one.work[w]) <= 1e-12 * one_by_one.work[w]);
    }
  }
}

TEST_CASE("a mixed step without chunks is a decode step, to the last bit") {
  Dice dice(kSeed + 2);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const StepCost decode = toy.model.decode_run(batch).first;
    const StepCost mixed = toy.model.mixed_step({}, batch);
    CHECK(decode.seconds == mixed.seconds);
    CHECK(decode.work == mixed.work);
  }
}

TEST_CASE("a prompt in chunks takes at least as long and reads at least as much as at once") {
  Dice dice(kSeed + 3);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const std::int64_t prompt = 4 + dice.upto(8000);
    StepCost chunked;
    for (std::int64_t done = 0; done < prompt;) {
      const std::int64_t chunk = std::min(prompt - done, dice.upto(2000));
      chunked.add(toy.prefill(chunk, done, done + chunk == prompt));
      done += chunk;
    }
    const StepCost whole = toy.prefill(prompt, 0, true);
    CHECK(at_most(whole.total_s(), chunked.total_s()));
    CHECK(at_most(whole[Work::bytes_weights], chunked[Work::bytes_weights]));
    CHECK(at_most(whole[Work::bytes_kv], chunked[Work::bytes_kv]));
  }
}

TEST_CASE("one more sequence or one more token of context never shortens a step") {
  Dice dice(kSeed + 4);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    double before_s = 0.0;
    for (std::int64_t sequences = 1; sequences <= 40; ++sequences) {
      const double step_s = toy.decode(sequences, 100.0 * static_cast<double>(sequences)).total_s();
      CHECK(at_most(before_s, step_s));
      before_s = step_s;
    }
    CHECK(toy.decode(40, 4001).total_s() > before_s);
  }
}

TEST_CASE("no cause and no work is ever negative") {
  Dice dice(kSeed + 5);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const std::array<PrefillSlice, 2> chunks{
        {{.tokens = dice.upto(3000), .cached = dice.upto(9000), .samples = true},
         {.tokens = dice.upto(100), .cached = 0, .samples = false}}};
    const StepCost mixed = toy.model.mixed_step(chunks, batch);
    const StepCost slope = toy.model.decode_run(batch).slope;
    for (const double s : mixed.seconds) CHECK((std::isfinite(s) && s >= 0.0));
    for (const double w : mixed.work) CHECK((std::isfinite(w) && w >= 0.0));
    for (const double s : slope.seconds) CHECK(s >= 0.0);
  }
}

}  // namespace tokenyard::perf
