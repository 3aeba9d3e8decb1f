// LoRA adapters by pencil: the toy model has 52,000 inputs and outputs of attention in each of 8 layers, so
// one of rank 16 has 6.656 M values, 13.312 MB in bf16.
#include "perf/adapters.hpp"
#include "perf_fixture.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::perf {
namespace {

constexpr double kValues = 16 * 8 * 52'000.0;

scenario::Plan with_adapters(const scenario::LoraSpec& lora, test::ToyOptions options = {}) {
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().deployments.front().spec.lora = lora;
  return plan;
}

StepModel model_of(const scenario::Plan& plan) {
  const scenario::PoolPlan& pool = plan.pools.front();
  return {pool, pool.deployments.front(), plan.scenario.serving, plan.fabric};
}

}  // namespace

TEST_CASE(
    "adapters: r (in + out) over queries, keys, values, output; and over the FFN where it is "
    "adapted") {
  CHECK(adapter_values(test::toy_model(), {.rank = 16}) == near(kValues));
  // Two products of 8,000 and 15,000 a layer more.
  CHECK(adapter_values(test::toy_model(), {.rank = 16, .targets = scenario::LoraTargets::all}) ==
        near(kValues + 16 * 8 * 2 * 23'000.0));
  // Llama 3.1 8B, rank 16 on attention: 32 layers, 4,096 hidden, 1,024 of keys and values.
  catalog::Model llama;
  llama.layers = 32;
  llama.hidden = 4096;
  llama.attention.heads = 32;
  llama.attention.kv_heads = 8;
  llama.attention.head_dim = 128;
  CHECK(adapter_values(llama, {.rank = 16}) == near(13'631'488));
}

TEST_CASE("adapters: latents have projections of their own") {
  catalog::Model mla;
  mla.layers = 1;
  mla.hidden = 7168;
  mla.attention = {.kind = catalog::AttentionKind::mla,
                   .heads = 128,
                   .kv_lora_rank = 512,
                   .q_lora_rank = 1536,
                   .qk_nope_dim = 128,
                   .qk_rope_dim = 64,
                   .v_dim = 128,
                   .window = std::nullopt,
                   .sparse = std::nullopt};
  const double ends = (7168 + 1536) + (1536 + 128 * 192) + (7168 + 512 + 64) + (512 + 128 * 256) +
                      (128 * 128 + 7168);
  CHECK(adapter_values(mla, {.rank = 1}) == near(ends));
}

TEST_CASE("adapters: those that are resident take the room of KV blocks") {
  const auto blocks = [](std::int64_t adapters, std::optional<std::int64_t> resident) {
    return model_of(with_adapters({.adapters = adapters, .resident = resident}))
        .placement()
        .kv_blocks;
  };
  const double block = 64e3 * 16;
  const std::int64_t without = model_of(test::toy_plan()).placement().kv_blocks;
  const double lost = 100 * kValues * 2 / block;  // 1,300 blocks
  CHECK(std::abs(static_cast<double>(without - blocks(100, std::nullopt)) - lost) <= 1.0);
  CHECK(blocks(1000, 100) == blocks(100, std::nullopt));
  CHECK(blocks(100, 1000) == blocks(100, std::nullopt));
}

TEST_CASE("adapters: each distinct one is read once a step, whatever the sequences that have it") {
  const StepModel model = model_of(with_adapters({.adapters = 100, .resident = 10}));
  const auto step_s = [&](std::int64_t distinct, std::int64_t decoding) {
    return model
        .decode_run({.sequences = 10,
                     .context = 10,
                     .adapters = {.distinct = distinct, .decoding = decoding}})
        .first.total_s();
  };
  const double bare_s = step_s(0, 0);
  CHECK(step_s(1, 1) - bare_s == near(kValues * 2 / 1e12));
  CHECK(step_s(1, 10) - bare_s == near(kValues * 2 / 1e12));
  CHECK(step_s(10, 10) - bare_s == near(10 * kValues * 2 / 1e12));
}

TEST_CASE("adapters: a prompt of 1,000 tokens computes 2 FLOP for each value and token") {
  const StepModel model = model_of(with_adapters({.adapters = 100, .resident = 10}));
  const PrefillSlice slice{.tokens = 1000, .cached = 0, .samples = true};
  DecodeBatch none;
  const StepCost bare = model.mixed_step({&slice, 1}, none);
  none.adapters = {.distinct = 1, .chunks = 1, .chunk_tokens = 1000};
  const StepCost adapted = model.mixed_step({&slice, 1}, none);
  CHECK(adapted.total_s() - bare.total_s() == near(2 * kValues * 1000 / 100e12));
  CHECK(adapted[Work::flops_attention] - bare[Work::flops_attention] == near(2 * kValues * 1000));
  CHECK(adapted[Work::bytes_weights] - bare[Work::bytes_weights] == near(2 * kValues));
}

TEST_CASE("adapters: tensor ranks share each one, and launch four kernels a layer for it") {
  test::ToyOptions options;
  options.devices_per_node = options.tensor_parallel = 2;
  options.device.engines.front().launch_overhead = microseconds(1);
  const StepModel model = model_of(with_adapters({.adapters = 1}, options));
  DecodeBatch batch{.sequences = 1, .context = 1};
  const double bare_s = model.decode_run(batch).first.total_s();
  batch.adapters = {.distinct = 1, .decoding = 1};
  CHECK(model.decode_run(batch).first.total_s() - bare_s ==
        near(kValues * 2 / 2 / 1e12 + 8 * 4 * 1e-6));
}

TEST_CASE(
    "adapters: more of them than the host's DRAM holds are refused, unless all are resident") {
  scenario::Plan plan = with_adapters({.adapters = 100, .resident = 10});
  catalog::Dram dram;
  dram.capacity = gigabytes(1);
  dram.bandwidth = gigabytes_per_second(400);
  plan.pools.front().node.host.dram = dram;
  Diagnostics diagnostics;
  check_adapters(plan, diagnostics);
  REQUIRE(diagnostics.list().size() == 1);
  CHECK(diagnostics.list().front().path == "fleet.pools[0].deploy.lora.adapters");
  CHECK(diagnostics.list().front().message ==
        "100 adapters of 13.3 MB are 1.33 GB, and the DRAM of node toy-node is 1.00 GB");
  plan.pools.front().deployments.front().spec.lora->resident = 100;
  Diagnostics none;
  check_adapters(plan, none);
  CHECK(none.empty());
}

}  // namespace tokenyard::perf
