// What a step takes beside its operations: a layer's latency, the dispatch of a step; and what of
// it is hidden where weights and cache are read at the same time.
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// A layer reads 320 + 480 MB of weights in 0.8 ms, 8 ns a token of cache; the head takes 1.6 ms.
ToyOptions with_latency(double milliseconds_each) {
  ToyOptions options;
  options.device.engines.front().layer_latency = milliseconds(milliseconds_each);
  return options;
}

// Weights in SRAM, read in 8 GB / 10 TB/s = 0.8 ms; the cache in HBM, 64 ns a token.
ToyOptions weights_in_sram() {
  ToyOptions options;
  catalog::MemoryTier hbm = options.device.memory.front();
  hbm.holds = {catalog::Holds::kv};
  catalog::MemoryTier sram = options.device.memory.front();
  sram.tier = "sram";
  sram.bandwidth = terabytes_per_second(10);
  sram.holds = {catalog::Holds::weights};
  options.device.memory = {sram, hbm};
  return options;
}

}  // namespace

TEST_CASE("a latency of 1 ms fills up the 0.896 ms of a layer's work: 8 x 0.104 ms are launch") {
  const StepCost step = Toy(with_latency(1.0)).decode(1, 12'000);
  CHECK(step.total_s() == near(8 * 1e-3 + 1.6e-3));
  CHECK(step[Cause::launch] == near(8 * (1e-3 - 0.8e-3 - 12'001 * 8e-9)));
  CHECK(step[Cause::weight_bw] == near(8e-3));
}

TEST_CASE("a latency that the work exceeds changes nothing") {
  const StepCost with = Toy(with_latency(0.8)).decode(1, 12'000);
  const StepCost without = Toy().decode(1, 12'000);
  CHECK(with.seconds == without.seconds);
}

TEST_CASE("with 103,996 ns left and 8 ns more a step, the latency binds for 13,000 steps") {
  const Toy toy(with_latency(1.000004));
  const AffineCost run = toy.model.decode_run({.sequences = 1, .context = 12'000});
  CHECK(run.valid_steps == 13'000);
  CHECK(run.slope.total_s() == doctest::Approx(0.0).scale(1e-9).epsilon(1e-9));
  CHECK(toy.decode(1, 12'000 + 12'999)[Cause::launch] == near(8 * 4e-9, 1e-6));
  CHECK(toy.decode(1, 12'000 + 13'000)[Cause::launch] == 0);
  const AffineCost beyond = toy.model.decode_run({.sequences = 1, .context = 25'000});
  CHECK(beyond.valid_steps == AffineCost{}.valid_steps);
  CHECK(beyond.slope.total_s() == near(64e-9));
}

TEST_CASE(
    "the latency of windowed layers lasts longer; the run is cut where that of the others ends") {
  ToyOptions options = with_latency(1.000004);
  options.model.attention.window = {.tokens = 100, .layers = 4};
  const DecodeBatch batch{.sequences = 1, .context = 12'000, .window_context = 100};
  const AffineCost run = Toy(options).model.decode_run(batch);
  CHECK(run.valid_steps == 13'000);
  const double full_s = 0.8e-3 + 12'001 * 8e-9;
  const double windowed_s = 0.8e-3 + 101 * 8e-9;
  CHECK(run.first[Cause::launch] == near(4 * (2 * 1.000004e-3 - full_s - windowed_s), 1e-9));
}

TEST_CASE("one sequence on 4 stages of 2 layers of 1 ms and a head: 4 x (2 + 1.6 ms)") {
  ToyOptions options = with_latency(1.0);
  options.pipeline_parallel = options.devices_per_node = 4;
  options.device.links.front().latency = seconds(0);
  const StepCost step = Toy(options).decode(1);
  CHECK(step.total_s() == near(4 * (2e-3 + 1.6e-3 + 160e-9)));
}

TEST_CASE("4 sequences on 4 stages pay the latency for each of 4 micro-batches") {
  ToyOptions options = with_latency(1.0);
  options.pipeline_parallel = options.devices_per_node = 4;
  options.device.links.front().latency = seconds(0);
  const StepCost step = Toy(options).decode(4);
  CHECK(step.total_s() == near(4 * (2e-3 + 1.6e-3 + 160e-9)));
  CHECK(step[Cause::pp_bubble] == 0);
}

TEST_CASE("a dispatch of 100 us is paid once a step, by decoding and by prompts") {
  ToyOptions options;
  options.device.engines.front().dispatch_overhead = microseconds(100);
  CHECK(Toy(options).decode(1)[Cause::launch] == near(100e-6));
  CHECK(Toy(options).prefill(10)[Cause::launch] == near(100e-6));
}

TEST_CASE("0.8 ms of weights from SRAM hide 0.4 ms of cache from HBM, for 6,250 steps") {
  const Toy toy(weights_in_sram());
  const AffineCost run = toy.model.decode_run({.sequences = 1, .context = 6'249.5});
  CHECK(run.first.total_s() == near(0.8e-3));
  CHECK(run.first[Cause::weight_bw] == near(0.8e-3));
  CHECK(run.first[Cause::kv_bw] == 0);
  CHECK(run.slope.total_s() == 0);
  CHECK(run.valid_steps == 6'250);  // (12,500 - 6,250.5) tokens of 64 ns
}

TEST_CASE("20,000 tokens of cache take 1.28 ms and hide the weights") {
  const Toy toy(weights_in_sram());
  const AffineCost run = toy.model.decode_run({.sequences = 1, .context = 20'000});
  CHECK(run.first.total_s() == near(64e-9 * 20'001));
  CHECK(run.first[Cause::weight_bw] == 0);
  CHECK(run.slope.total_s() == near(64e-9));
  CHECK(run.valid_steps == AffineCost{}.valid_steps);
}

TEST_CASE("tiers in a row, or one that holds both, hide nothing: 0.8 + 0.4 ms") {
  ToyOptions options = weights_in_sram();
  options.device.tier_overlap = catalog::TierOverlap::sum;
  CHECK(Toy(options).decode(1, 6'249).total_s() == near(0.8e-3 + 0.4e-3));
  options = {};
  CHECK(Toy(options).decode(1, 6'249).total_s() == near(8e-3 + 0.4e-3));
}

TEST_CASE("what the hidden reads leave of a layer is raised to the latency: 8 x 0.1 + 0.16 ms") {
  // 0.08 ms of weights in a layer, with its 0.05 ms of cache hidden; 0.16 ms of the head.
  ToyOptions options = weights_in_sram();
  options.device.engines.front().layer_latency = milliseconds(0.1);
  const StepCost step = Toy(options).decode(1, 6'249);
  CHECK(step.total_s() == near(8 * 0.1e-3 + 0.16e-3));
  CHECK(step[Cause::launch] == near(8 * 0.02e-3, 1e-9));
}

TEST_CASE(
    "where cache hides the weights, a layer has a tenth of its 1.28 ms as it has of the weights") {
  // 0.08 of 0.8 ms of weights a layer: 0.128 ms of the cache, raised to 0.2; the head has 0.256.
  ToyOptions options = weights_in_sram();
  options.device.engines.front().layer_latency = milliseconds(0.2);
  const Toy toy(options);
  const AffineCost run = toy.model.decode_run({.sequences = 1, .context = 19'999});
  CHECK(run.first.total_s() == near(8 * 0.2e-3 + 0.256e-3));
  CHECK(run.slope.total_s() == near(0.2 * 64e-9));
  // 6.4 ns a step and layer: 0.2 ms are reached after 0.072 ms.
  CHECK(run.valid_steps == doctest::Approx(11'250).epsilon(1e-4));
}

TEST_CASE("an LM head in fp8 is read in 0.8 ms instead of 1.6, and is computed as before") {
  scenario::Plan plan = test::toy_plan();
  plan.pools.front().deployments.front().lm_head = test::toy_format("fp8");
  const Toy toy(std::move(plan));
  CHECK(toy.decode(1)[Cause::weight_bw] == near(6.4e-3 + 0.8e-3));
  CHECK(toy.decode(200)[Cause::compute] == near(16e-3));
}

}  // namespace tokenyard::perf
