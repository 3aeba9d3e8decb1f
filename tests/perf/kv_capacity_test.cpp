// A KV cache whose capacity the scenario names.
#include "placement_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

ToyOptions with_tokens(std::int64_t tokens) {
  ToyOptions options;
  options.serving.kv_cache.capacity.tokens = tokens;
  return options;
}

ToyOptions unlimited() {
  ToyOptions options;
  options.serving.kv_cache.capacity.unlimited = true;
  return options;
}

}  // namespace

// The toy has (16e9 - 8e9 - 92e6) / (16 x 64e3) = 7722.7 blocks of 16 tokens: 123,552 tokens.
TEST_CASE("1,600 tokens are 100 blocks and 1,615 no more; 123,552 fit, and a block more does not") {
  CHECK(placed(with_tokens(1600)).kv_blocks == 100);
  CHECK(placed(with_tokens(1615)).kv_blocks == 100);
  CHECK(placed(with_tokens(123'552)).kv_blocks == 7722);
  CHECK(placed(with_tokens(123'552)).problem.empty());
  CHECK(placed(with_tokens(123'567)).problem.empty());
  CHECK(placed(with_tokens(123'568)).problem ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 92.0 MB + KV of 123568 "
        "tokens 7.91 GB per device > 16.0 GB, 100 % of hbm 16.0 GB; short by 352 kB per device");
}

TEST_CASE("a named capacity takes the bytes of its blocks only: 100 x 16 x 64,000 = 102.4 MB") {
  CHECK(placed(with_tokens(1600)).tiers[0].kv_bytes == 102.4e6);
}

TEST_CASE("an unlimited cache has 2^40 / 16 blocks, and reads as slowly as what fits") {
  const Placement p = placed(unlimited());
  CHECK(p.problem.empty());
  CHECK(p.kv_blocks == 68'719'476'736);
  CHECK(p.kv_blocks_per_rank == p.kv_blocks);
  const Placement fitting = placed(ToyOptions{});
  CHECK(p.kv_seconds_per_byte == fitting.kv_seconds_per_byte);
  CHECK(p.kv_joules_per_byte == fitting.kv_joules_per_byte);
  CHECK(p.kv_bytes_per_token == fitting.kv_bytes_per_token);
  CHECK(p.tiers[0].kv_bytes == fitting.tiers[0].kv_bytes);
}

TEST_CASE("what is unlimited is the KV cache: weights and one block must fit, to the byte") {
  const double enough = 8e9 + 92e6 + 16 * 64e3;
  ToyOptions options = unlimited();
  options.device.memory.front().capacity = bytes(enough);
  CHECK(placed(options).problem.empty());
  options.device.memory.front().capacity = bytes(enough - 1);
  CHECK_FALSE(placed(options).problem.empty());
}

TEST_CASE("4 attention-data ranks share 64 tokens, a block each; 63 give none a whole block") {
  ToyOptions options = with_tokens(64);
  options.attention_data_parallel = options.devices_per_node = 4;
  CHECK(placed(options).kv_blocks == 4);
  CHECK(placed(options).kv_blocks_per_rank == 1);
  options.serving.kv_cache.capacity.tokens = 63;
  CHECK(placed(options).problem ==
        "serving.kv_cache.capacity: 63 tokens give none of 4 attention-data ranks a whole block of "
        "16");
}

TEST_CASE("automatic parallelism leaves room for the named capacity, not for the usual context") {
  const auto problem = [](const ToyOptions& options) {
    const scenario::Plan plan = test::toy_plan(options);
    const scenario::PoolPlan& pool = plan.pools.front();
    return fits(pool, pool.deployments.front(), plan.scenario.serving, 200'000);
  };
  CHECK(problem(ToyOptions{}).find("KV of 200000 tokens") != std::string::npos);
  CHECK(problem(with_tokens(1600)) == "");
  CHECK(problem(unlimited()) == "");
  CHECK(problem(with_tokens(300'000)).find("KV of 300000 tokens") != std::string::npos);
}

}  // namespace tokenyard::perf
