// Laws that hold whatever mechanisms are combined, tried on random combinations of a fixed seed.
#include <array>
#include <cmath>

#include "rolled.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

constexpr std::uint64_t kSeed = 20'261'123;
constexpr int kRolls = 200;

void roll_device(Dice& dice, catalog::Device& device) {
  catalog::Engine& engine = device.engines.front();
  engine.layer_latency = microseconds(dice.one_of({0.0, 50.0, 500.0}));
  engine.dispatch_overhead = microseconds(dice.one_of({0.0, 100.0}));
  engine.systolic_tile = dice.one_of<std::int64_t>({0, 128});
  device.static_schedule = dice.one_of({false, false, true});
  if (dice.one_of({true, false})) {
    catalog::MemoryTier hbm = device.memory.front();
    hbm.holds = {catalog::Holds::kv};
    device.memory.front().holds = {catalog::Holds::weights};
    device.memory.front().bandwidth.value *= dice.one_of({1.0, 10.0});
    device.memory.push_back(hbm);
  }
}

void roll_serving(Dice& dice, scenario::ServingSpec& serving) {
  serving.overlap = {.tensor = dice.one_of({0.0, 0.5}), .expert = dice.one_of({0.0, 0.8})};
  if (dice.one_of({true, false})) {
    scenario::SpeculationSpec spec;
    spec.tokens = dice.one_of<std::int64_t>({1, 3});
    spec.acceptance = dice.between(0.0, 1.0);
    if (dice.one_of({true, false})) spec.max_batch = 16;
    serving.speculation = spec;
  }
  if (dice.one_of({true, false})) serving.kv_transfer.emplace();
}

// A plan with everything that may be combined, some of it switched on.
scenario::Plan rolled_plan(Dice& dice) {
  ToyOptions options = rolled(dice);
  roll_device(dice, options.device);
  roll_serving(dice, options.serving);
  if (!options.model.attention.window && dice.one_of({true, false})) {
    options.model.attention.sparse =
        catalog::SparseSpec{.top_k = 2048, .index_heads = 8, .index_dim = 64, .index_bits = 8.0};
  }
  catalog::Engine second = options.device.engines.front();
  second.peak["bf16"].value *= 4.0;
  options.device.engines.push_back(second);
  scenario::Plan plan = test::toy_plan(options);
  scenario::DeploymentPlan& d = plan.pools.front().deployments.front();
  if (dice.one_of({false, false, true})) d.prefill_engine = 1;
  if (d.model.ffn.kind == catalog::FfnKind::moe) d.spec.expert_skew = dice.one_of({0.0, 0.7});
  d.tiled = dice.one_of({false, true});
  return plan;
}

// The state of the batch `steps` later.
DecodeBatch later(DecodeBatch batch, std::int64_t steps) {
  batch.context += static_cast<double>(steps * batch.sequences);
  batch.window_context += static_cast<double>(steps * batch.window_growing);
  return batch;
}

}  // namespace

TEST_CASE("runs cut where their form ends are the sum of single steps, cause by cause") {
  Dice dice(kSeed);
  std::int64_t cuts = 0;
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled_plan(dice));
    DecodeBatch batch = rolled_batch(dice, toy);
    batch.window_growing = 0;  // that no window fills up during a run is the caller's care
    constexpr std::int64_t kSteps = 2000;
    StepCost one_by_one;
    for (std::int64_t i = 0; i < kSteps; ++i)
      one_by_one.add(toy.model.decode_run(later(batch, i)).first);
    StepCost in_runs;
    for (std::int64_t done = 0; done < kSteps;) {
      const AffineCost run = toy.model.decode_run(later(batch, done));
      REQUIRE(run.valid_steps >= 1);
      const std::int64_t steps = std::min(kSteps - done, run.valid_steps);
      in_runs.add(run.sum(static_cast<double>(steps)));
      done += steps;
      if (done < kSteps) ++cuts;
    }
    CHECK(in_runs.total_s() == near(one_by_one.total_s(), 1e-11));
    for (std::size_t c = 0; c < kStepCauses; ++c) {
      CHECK(std::abs(in_runs.seconds[c] - one_by_one.seconds[c]) <= 1e-11 * one_by_one.total_s());
    }
    for (std::size_t w = 0; w < kWorks; ++w) {
      CHECK(std::abs(in_runs.work[w] - one_by_one.work[w]) <= 1e-11 * one_by_one.work[w]);
    }
  }
  CHECK(cuts > 10);
}

TEST_CASE("no step has a negative cause, and none takes no time") {
  Dice dice(kSeed + 1);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled_plan(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const std::array<PrefillSlice, 2> chunks{
        {{.tokens = dice.upto(3000), .cached = dice.upto(9000), .samples = true},
         {.tokens = dice.upto(100), .cached = 0, .samples = false}}};
    for (const StepCost& step :
         {toy.model.mixed_step(chunks, batch), toy.model.mixed_step(chunks, {}),
          toy.model.decode_run(batch).first}) {
      for (const double s : step.seconds) CHECK((std::isfinite(s) && s >= 0.0));
      for (const double w : step.work) CHECK((std::isfinite(w) && w >= 0.0));
      CHECK(step.total_s() > 0.0);
    }
  }
}

TEST_CASE("a longer context never shortens a step") {
  Dice dice(kSeed + 2);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled_plan(dice));
    DecodeBatch batch = rolled_batch(dice, toy);
    double before_s = 0.0;
    for (int i = 0; i < 20; ++i) {
      const double step_s = toy.model.decode_run(batch).first.total_s();
      CHECK(before_s <= step_s * (1.0 + 1e-12));
      before_s = step_s;
      batch.context *= 1.5;
    }
  }
}

TEST_CASE("a step with chunks takes at least as long as the chunks alone") {
  Dice dice(kSeed + 3);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled_plan(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const PrefillSlice chunk{.tokens = dice.upto(3000), .cached = dice.upto(9000), .samples = true};
    CHECK(toy.model.mixed_step({&chunk, 1}, {}).total_s() <=
          toy.model.mixed_step({&chunk, 1}, batch).total_s() * (1.0 + 1e-12));
  }
}

}  // namespace tokenyard::perf
