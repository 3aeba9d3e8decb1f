#include "placement_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::toy_plan;
using test::ToyOptions;

}  // namespace

TEST_CASE("Llama 3.1 70B in fp8 on 4 of 80 GB at 90 %: 17.6 GB of weights and 41,090 blocks each") {
  ToyOptions options = with_capacity(80e9);
  options.model = shipped_model("llama-3.1-70b");
  options.weights = "fp8";
  options.tensor_parallel = options.devices_per_node = 4;
  options.memory_utilization = 0.9;
  options.serving = {};
  const Placement p = placed(options);
  CHECK(p.problem.empty());
  // 80 x (2 x 8192 x 72 x 128 + 3 x 8192 x 28672) + 2 x 128256 x 8192 = 70,552,387,584; / 4
  CHECK(p.weight_bytes == near(17'638'096'896.0));
  CHECK(p.workspace_bytes == near(503'316'480.0));  // 8192 x (2 x 8192 + 2 x 28672 / 4) x 2
  CHECK(p.kv_bytes_per_token == 81'920);            // 2 x (8 / 4) x 128 x 2 B x 80 layers
  // (72e9 - 17,638,096,896 - 503,316,480) / (16 x 81,920) = 41,090.8
  CHECK(p.kv_blocks == 41'090);
}

TEST_CASE(
    "8,000 MB + 92 MB + one block of 1,024 kB fit to the byte; with one byte less they do not") {
  const double enough = 8e9 + 1000.0 * (2 * 8000 + 2 * 15000) * 2 + 16 * 64e3;
  CHECK(placed(with_capacity(enough)).kv_blocks == 1);
  CHECK(placed(with_capacity(enough)).problem.empty());
  const Placement short_of_one = placed(with_capacity(enough - 1));
  CHECK(short_of_one.kv_blocks == 0);
  CHECK_FALSE(short_of_one.problem.empty());
  CHECK(placed(with_capacity(enough + 9 * 16 * 64e3)).kv_blocks == 10);
  CHECK(placed(with_capacity(enough + 9 * 16 * 64e3 - 1)).kv_blocks == 9);
}

TEST_CASE("the toy plan can be cut to any number of blocks") {
  for (const std::int64_t blocks : {1, 2, 7, 1000}) {
    ToyOptions options;
    options.kv_blocks = blocks;
    CHECK(placed(options).kv_blocks == blocks);
    options.tensor_parallel = options.devices_per_node = 4;
    CHECK(placed(options).kv_blocks == blocks);
  }
}

TEST_CASE("16 KV heads: halved by 2 ranks, one each on 16 ranks, and replicated on 32") {
  const auto per_token = [](std::int64_t ranks) {
    ToyOptions options;
    options.tensor_parallel = options.devices_per_node = ranks;
    return placed(options).kv_bytes_per_token;
  };
  CHECK(per_token(1) == 64'000);  // 2 x 16 x 125 x 2 B x 8 layers
  CHECK(per_token(2) == 32'000);
  CHECK(per_token(16) == 4'000);
  CHECK(per_token(32) == 4'000);  // not 2,000
}

TEST_CASE("12 KV heads on 8 ranks: two on each that has most, none left out") {
  ToyOptions options;
  options.model.attention.heads = 48;
  options.model.attention.kv_heads = 12;
  options.tensor_parallel = options.devices_per_node = 8;
  CHECK(placed(options).kv_bytes_per_token == 8'000);  // 2 x 2 x 125 x 2 B x 8 layers
}

TEST_CASE("latent KV of DeepSeek-V3 is 61 x 576 x 2 = 70,272 B a token on every tensor rank") {
  ToyOptions options = with_capacity(1e12);
  options.model = shipped_model("deepseek-v3");
  options.weights = "fp8";
  CHECK(placed(options).kv_bytes_per_token == 70'272);
  options.tensor_parallel = options.devices_per_node = 8;
  CHECK(placed(options).kv_bytes_per_token == 70'272);
  options.kv = "fp8";
  CHECK(placed(options).kv_bytes_per_token == 35'136);
}

TEST_CASE(
    "attention data parallelism replicates 17.1 GB, partitions 653.9 GB of experts and the KV "
    "cache") {
  ToyOptions options = with_capacity(200e9);
  options.model = shipped_model("deepseek-v3");
  options.weights = "fp8";
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = 8;
  const Placement p = placed(options);
  // 61 x 187,105,280 + 3 x 396,361,728 + 58 x (44,040,192 + 256 x 7168) + 2 x 129,280 x 7168
  const double replicated = 17'116'626'944.0;
  CHECK(p.weight_bytes == near(replicated + 58.0 * 256 * 44'040'192 / 8));
  // 1000 / 8 tokens x (2 x 7168 + 2 x 18432) x 2 B
  CHECK(p.workspace_bytes == near(125.0 * 51'200 * 2));
  const double room = 200e9 - p.weight_bytes - p.workspace_bytes;
  CHECK(p.kv_blocks == 8 * static_cast<std::int64_t>(room / (16 * 70'272)));
}

TEST_CASE(
    "windowed layers keep 100 tokens for each of 16 sequences: 4 x 8,000 x 100 x 16 = 51.2 MB") {
  ToyOptions options;
  options.model.attention.window = {.tokens = 100, .layers = 4};
  const Placement p = placed(options);
  CHECK(p.kv_bytes_per_token == 32'000);
  CHECK(p.window_bytes == near(51.2e6));
  // (16e9 - 8e9 - 92e6 - 51.2e6) / (16 x 32,000) = 15,345.3
  CHECK(p.kv_blocks == 15'345);
}

TEST_CASE("a model of windowed layers only fits with what is set aside: 16 x 100,000 / 16 blocks") {
  ToyOptions options = with_capacity(8e9 + 92e6 + 8 * 8e3 * 100 * 16);
  options.model.attention.window = {.tokens = 100, .layers = 8};
  const Placement p = placed(options);
  CHECK(p.problem.empty());
  CHECK(p.kv_bytes_per_token == 0);
  CHECK(p.kv_blocks == 100'000);
  options.device.memory.front().capacity = bytes(8e9 + 92e6 + 8 * 8e3 * 100 * 16 - 1);
  CHECK_FALSE(placed(options).problem.empty());
}

TEST_CASE(
    "of 8 GB of weights 2 go to SRAM and 6 to HBM: 6 ms side by side, 6.2 ms one after the other") {
  ToyOptions options = with_sram();
  Placement p = placed(options);
  CHECK(p.tiers[0].weight_bytes == near(2e9));
  CHECK(p.tiers[1].weight_bytes == near(6e9));
  CHECK(p.tiers[0].kv_bytes == 0);
  CHECK(p.tiers[1].kv_bytes == near(16e9 - 6e9 - 92e6));
  CHECK(8e9 * p.weight_seconds_per_byte == near(6e-3));
  CHECK(p.weight_joules_per_byte == near(0.25 * 1e-12 + 0.75 * 100e-12));
  CHECK(p.kv_seconds_per_byte == near(1e-12));
  options.device.tier_overlap = catalog::TierOverlap::sum;
  p = placed(options);
  CHECK(8e9 * p.weight_seconds_per_byte == near(6.2e-3));
}

TEST_CASE("placement in a named tier leaves the others alone, and must fit there") {
  scenario::Plan plan = toy_plan(with_sram());
  plan.pools.front().deployments.front().spec.placement = "hbm";
  const Placement p = placed(plan);
  CHECK(p.tiers[0].weight_bytes == 0);
  CHECK(8e9 * p.weight_seconds_per_byte == near(8e-3));
  plan.pools.front().deployments.front().spec.placement = "sram";
  CHECK(placed(plan).problem ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB per device > 2.00 GB, 100 % of sram "
        "2.00 GB; short by 6.00 GB per device");
}

TEST_CASE("ingress at 45 % of the bandwidth makes every byte 1 / 0.45 as slow") {
  ToyOptions options;
  options.device.memory.front().ingress_efficiency = 0.45;
  CHECK(placed(options).weight_seconds_per_byte == near(1e-12 / 0.45));
}

TEST_CASE(
    "weights that are multiplied in place cost neither time nor energy; the KV cache still does") {
  ToyOptions options;
  options.device.memory.front().compute_in_place = true;
  const Placement p = placed(options);
  CHECK(p.weight_seconds_per_byte == 0);
  CHECK(p.weight_joules_per_byte == 0);
  CHECK(p.kv_seconds_per_byte == near(1e-12));
  CHECK(p.kv_joules_per_byte == near(100e-12));
}

TEST_CASE(
    "memory_utilization is a share of every tier: 60 % of 16 GB leaves 1.508 GB, 1,472 blocks") {
  ToyOptions options;
  options.memory_utilization = 0.6;
  CHECK(placed(options).kv_blocks == 1'472);  // (9.6e9 - 8e9 - 92e6) / 1,024,000 = 1,472.7
  options.memory_utilization = 0.5;
  CHECK(placed(options).problem ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 92.0 MB + one KV block "
        "1.02 MB per device > 8.00 GB, 50.0 % of hbm 16.0 GB; short by 93.0 MB per device");
}

TEST_CASE(
    "of 8 layers in 3 stages the largest has 3: 3 x 0.8 GB, the LM head's 1.6 GB, 24,000 B a "
    "token") {
  ToyOptions options;
  options.pipeline_parallel = options.devices_per_node = 3;
  const Placement p = placed(options);
  CHECK(p.weight_bytes == near(4.0e9));
  CHECK(p.kv_bytes_per_token == near(24'000));
}

TEST_CASE(
    "of embedding and LM head, 1.6 GB each, a stage holds one: 2 x 0.8 + 1.6 GB on each of 4") {
  ToyOptions options;
  options.model.tied_embeddings = false;
  CHECK(placed(options).weight_bytes == near(9.6e9));
  options.pipeline_parallel = options.devices_per_node = 4;
  CHECK(placed(options).weight_bytes == near(3.2e9));
}

TEST_CASE(
    "a tiled model of 8 layers lies on 20 devices: 8 GB / 20 and 64,000 / 20 B a token each") {
  ToyOptions options = with_capacity(1e9);
  options.pipeline_parallel = options.devices_per_node = 20;
  scenario::Plan plan = toy_plan(options);
  plan.pools.front().deployments.front().tiled = true;
  const Placement p = placed(plan);
  CHECK(p.weight_bytes == near(0.4e9));  // LM head included
  CHECK(p.kv_bytes_per_token == near(3'200));
  CHECK(p.kv_blocks == 11'628);  // (1e9 - 0.4e9 - 92e6 / 20) / (16 x 3,200) = 11,628.9
}

TEST_CASE("tiled stages share embedding and LM head as well: 9.6 GB on 4 devices are 2.4 GB each") {
  ToyOptions options;
  options.model.tied_embeddings = false;
  options.pipeline_parallel = options.devices_per_node = 4;
  scenario::Plan plan = toy_plan(options);
  plan.pools.front().deployments.front().tiled = true;
  CHECK(placed(plan).weight_bytes == near(2.4e9));
}

TEST_CASE(
    "an fp8 LM head of 800 M values beside bf16 weights: 6.4 + 0.8 GB tied, 1.6 GB more with an "
    "embedding") {
  ToyOptions options;
  scenario::Plan plan = toy_plan(options);
  plan.pools.front().deployments.front().lm_head = test::toy_format("fp8");
  CHECK(placed(plan).weight_bytes == near(7.2e9));
  plan.pools.front().deployments.front().model.tied_embeddings = false;
  CHECK(placed(plan).weight_bytes == near(8.8e9));
  // With two stages the embedding's 1.6 GB are the larger end.
  plan.pools.front().deployments.front().spec.pipeline_parallel = 2;
  CHECK(placed(plan).weight_bytes == near(3.2e9 + 1.6e9));
}

TEST_CASE("32 copies beside the 256 experts of DeepSeek-V3 take 288 / 256 of their memory") {
  ToyOptions options = with_capacity(200e9);
  options.model = shipped_model("deepseek-v3");
  options.weights = "fp8";
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = 8;
  scenario::Plan plan = toy_plan(options);
  const double before = placed(plan).weight_bytes;
  plan.pools.front().deployments.front().spec.redundant_experts = 32;
  CHECK(placed(plan).weight_bytes - before == near(58.0 * 32 * 44'040'192 / 8, 1e-9));
}

TEST_CASE(
    "index keys of 100 values of 8 bits add 100 B a layer to the cache, on every tensor rank, but "
    "not to what attention reads") {
  ToyOptions options;
  options.model.attention.sparse = {
      .top_k = 50, .index_heads = 4, .index_dim = 100, .index_bits = 8.0};
  for (const std::int64_t ranks : {1, 4}) {
    options.tensor_parallel = options.devices_per_node = ranks;
    const Placement p = placed(options);
    const double read = 8'000.0 / static_cast<double>(ranks);
    CHECK(p.kv_bytes_per_token_layer == near(read));
    CHECK(p.index_bytes_per_token_layer == near(100));
    CHECK(p.kv_bytes_per_token == near(8 * (read + 100)));
  }
}

TEST_CASE("a tier for models that are not being served holds neither weights nor KV cache") {
  ToyOptions options = with_sram();
  options.device.memory.front().holds = {catalog::Holds::models};
  const Placement p = placed(options);
  CHECK(p.tiers[0].weight_bytes == 0);
  CHECK(p.tiers[0].kv_bytes == 0);
  CHECK(p.tiers[1].weight_bytes == near(8e9));
}

TEST_CASE("a model is served from where models are parked only when the deployment says so") {
  ToyOptions options;
  catalog::MemoryTier ddr;
  ddr.tier = "ddr";
  ddr.capacity = gigabytes(100);
  ddr.bandwidth = gigabytes_per_second(200);
  ddr.holds = {catalog::Holds::models};
  options.device.memory.push_back(ddr);
  CHECK(placed(options).tiers[1].weight_bytes == 0.0);
  scenario::Plan plan = toy_plan(options);
  plan.pools.front().deployments.front().spec.placement = "ddr";
  const Placement p = placed(plan);
  CHECK(p.tiers[0].weight_bytes == 0.0);
  CHECK(p.tiers[1].weight_bytes == near(8e9));
  CHECK(p.weight_seconds_per_byte == near(1 / 200e9));
  CHECK(p.kv_seconds_per_byte == near(1 / 1e12));
}

}  // namespace tokenyard::perf
