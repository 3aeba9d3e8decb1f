// One engine for prompts and another for decoding; systolic arrays; static schedules.
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// A second engine of 200 TFLOP/s, with a dispatch of 1 ms, computes prompts.
scenario::Plan two_engines() {
  ToyOptions options;
  catalog::Engine npu = options.device.engines.front();
  npu.name = "npu";
  npu.peak["bf16"] = teraflops_per_second(200);
  npu.dispatch_overhead = milliseconds(1);
  options.device.engines.push_back(npu);
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().deployments.front().prefill_engine = 1;
  return plan;
}

StepCost together(const Toy& toy, std::int64_t prompt, std::int64_t sequences) {
  const PrefillSlice slice{.tokens = prompt, .cached = 0, .samples = false};
  return toy.model.mixed_step({&slice, 1}, {.sequences = sequences});
}

ToyOptions with_tile(std::int64_t tile) {
  ToyOptions options;
  options.device.engines.front().systolic_tile = tile;
  return options;
}

ToyOptions static_schedule() {
  ToyOptions options;
  options.device.static_schedule = true;
  return options;
}

}  // namespace

TEST_CASE("prompts take the other engine's time, 1 + 32 + 0.64064 ms, decoding its own 8 ms") {
  const Toy toy(two_engines());
  CHECK(toy.prefill(1000).total_s() == near(1e-3 + 32e-3 + 0.64064e-3));
  CHECK(toy.decode(1).total_s() == near(8e-3 + 64e-9));
  CHECK(toy.decode(1)[Cause::launch] == 0);
}

TEST_CASE("a step with both takes the longer of the two, and does the work of both") {
  const Toy toy(two_engines());
  const StepCost prompt = toy.prefill(1000);
  const StepCost step = together(toy, 1000, 1);
  CHECK(step.seconds == prompt.seconds);
  CHECK(step[Work::flops_linear] ==
        near(prompt[Work::flops_linear] + toy.decode(1)[Work::flops_linear]));
  CHECK(step[Work::bytes_weights] == near(6.4e9 + 8e9));
}

TEST_CASE("where both read the weights the bus binds: 6.4 + 8 ms, all of it memory") {
  // 10 tokens compute 0.32 ms: less than the 6.4 ms of weights and the 1 ms of dispatch.
  const Toy toy(two_engines());
  const StepCost step = together(toy, 10, 1);
  const double kv_s = 64e-9 * (10 + 10 + 1);
  CHECK(step.total_s() == near(14.4e-3 + kv_s));
  CHECK(step[Cause::weight_bw] == near(14.4e-3));
  CHECK(step[Cause::kv_bw] == near(kv_s, 1e-9));
  CHECK(step[Cause::launch] == 0);  // that of the prompt, which is not the longer one
}

TEST_CASE("for MFU the peaks of both engines count: 300 TFLOP/s") {
  CHECK(Toy(two_engines()).model.peak_flops_per_s() == 300e12);
}

TEST_CASE("naming one engine twice changes nothing: prompts and decoding share a step") {
  const StepCost step = together(Toy(), 1000, 1);
  CHECK(step[Cause::compute] == near(1001 * 6.4e-5 + 1.28128e-3));
}

TEST_CASE("an array of 128 rounds 8,000 x 15,000 up to 8,064 x 15,104 and 8,000 x 2,000 to 2,048") {
  const scenario::Plan plan = test::toy_plan();
  const TileFactors f = tile_factors(plan.pools.front().deployments.front(), 128);
  CHECK(f.dense == near(8064.0 * 15'104 / (8000.0 * 15'000)));
  // Queries and output 8,000 x 8,000, keys and values 8,000 x 2,000 each.
  CHECK(f.attention == near(8064.0 * (2 * 8064 + 2 * 2048) / 160e6));
  CHECK(f.head == near(8064.0 * 100'096 / 800e6));
}

TEST_CASE("tensor parallelism cuts before the array rounds: 15,000 / 8 = 1,875 becomes 1,920") {
  ToyOptions options;
  options.tensor_parallel = options.devices_per_node = 8;
  const scenario::Plan plan = test::toy_plan(options);
  const TileFactors f = tile_factors(plan.pools.front().deployments.front(), 128);
  CHECK(f.dense == near(8064.0 * 1920 / (8000.0 * 1875)));
}

TEST_CASE("an array that the matrices fill, 125 x 125, loses nothing; one of 16,000 six sevenths") {
  CHECK(Toy(with_tile(125)).prefill(1000).seconds == Toy().prefill(1000).seconds);
  // Attention 4 x 256 M for 160 M, FFN 2 x 256 M for 240 M: 1,536 M for 400 M.
  const StepCost step = Toy(with_tile(16'000)).prefill(1000);
  CHECK(step[Cause::compute] == near(8 * 2 * 1000 * 1536e6 / 1e14 + 1.28128e-3));
  CHECK(step[Work::flops_linear] == near(8 * 2 * 1000 * 400e6));
}

TEST_CASE("a static schedule decodes 1 sequence in the time of 16: 8 ms + 16 x 64 ns written") {
  const Toy toy(static_schedule());
  CHECK(toy.decode(1).total_s() == near(8e-3 + 16 * 64e-9));
  CHECK(toy.decode(1, 1000).total_s() == near(8e-3 + 16 * 64e-9 + 64e-6));
  CHECK(toy.decode(16).total_s() == near(Toy().decode(16).total_s()));
  CHECK(toy.decode(1)[Work::flops_linear] == near(8e9));
}

TEST_CASE("a static schedule of 200 sequences computes 16 ms for any batch") {
  ToyOptions options = static_schedule();
  options.serving.scheduler.max_batch = 200;
  for (const std::int64_t batch : {1, 50, 200}) {
    CHECK(Toy(options).decode(batch)[Cause::compute] == near(16e-3));
  }
}

TEST_CASE("16 tiles of half a layer: one sequence takes as long as on one device, and 16 hops") {
  ToyOptions options;
  options.pipeline_parallel = options.devices_per_node = 16;
  options.device.links.front().latency = seconds(0);
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().deployments.front().tiled = true;
  const Toy toy(std::move(plan));
  CHECK(toy.decode(1).total_s() == near(8e-3 + 64e-9 + 16 * 160e-9));
  CHECK(toy.decode(16)[Cause::weight_bw] == near(8e-3));  // 16 micro-batches, each 0.5 ms
}

TEST_CASE("8 stages in nodes of 2: 4 of 7 hand-overs stay inside, 3 leave over the NIC") {
  ToyOptions options;
  options.pipeline_parallel = 8;
  options.nodes = 4;
  options.devices_per_node = 2;
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Cause::net_lat] == near((4 * 1e-6 + 3 * 7e-6) / 7));
  CHECK(step[Cause::net_bw] == near((4 * 16e3 / 1e11 + 3 * 16e3 / 21.25e9) / 7));
}

}  // namespace tokenyard::perf
