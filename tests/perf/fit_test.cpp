#include "placement_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::toy_plan;
using test::ToyOptions;

std::string complaint(const ToyOptions& options) {
  Diagnostics diagnostics;
  check_fit(toy_plan(options), diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const InputError& error) {
    return error.what();
  }
  return "fits";
}

}  // namespace

TEST_CASE(
    "what does not fit is refused with the arithmetic and the smallest tensor_parallel that does") {
  ToyOptions options = with_capacity(3e9);
  options.devices_per_node = 4;
  // 2: 4 GB + 62 MB; 3 does not divide 64 heads; 4: 2 GB + 47 MB
  CHECK(complaint(options) ==
        "toy.yaml:9:7: error: fleet.pools[0].deploy: toy-4b does not fit toy on 1 device: "
        "weights 8.00 GB + workspace 92.0 MB + one KV block 1.02 MB per device > 3.00 GB, 100 % of "
        "hbm 3.00 GB; short by 5.09 GB per device; the smallest tensor_parallel that fits is 4");
  options.device.memory.front().capacity = gigabytes(5);
  CHECK(complaint(options) ==
        "toy.yaml:9:7: error: fleet.pools[0].deploy: toy-4b does not fit toy on 1 device: "
        "weights 8.00 GB + workspace 92.0 MB + one KV block 1.02 MB per device > 5.00 GB, 100 % of "
        "hbm 5.00 GB; short by 3.09 GB per device; the smallest tensor_parallel that fits is 2");
  options.device.memory.front().capacity = gigabytes(16);
  CHECK(complaint(options) == "fits");
}

TEST_CASE("no tensor_parallel is suggested that the pool could not give") {
  ToyOptions options = with_capacity(3e9);
  options.devices_per_node = 3;
  const std::string alone =
      "toy.yaml:9:7: error: fleet.pools[0].deploy: toy-4b does not fit toy on 1 device: weights "
      "8.00 GB + workspace 92.0 MB + one KV block 1.02 MB per device > 3.00 GB, 100 % of hbm 3.00 "
      "GB; "
      "short by 5.09 GB per device";
  CHECK(complaint(options) == alone);
  options.nodes = 4;  // 4 of 3 a node would not fill whole nodes, nor would 8; 3, 6 do not divide
  CHECK(complaint(options) == alone);
  options.devices_per_node = 2;
  CHECK(complaint(options) == alone + "; the smallest tensor_parallel that fits is 4");
}

TEST_CASE("when only the KV cache finds no room, weights in other tiers are not held against it") {
  ToyOptions options = with_sram();
  options.device.memory[0].capacity = gigabytes(8);
  options.device.memory[1].capacity = gigabytes(0.09);
  CHECK(
      placed(options).problem ==
      "toy-4b does not fit toy on 1 device: workspace 92.0 MB + one KV block 1.02 MB per device > "
      "90.0 MB, 100 % of hbm 90.0 MB; short by 3.02 MB per device");
}

TEST_CASE("room for 1,600 tokens is 100 blocks: to the byte, and one token more asks for a block") {
  const auto fits_tokens = [](double capacity_bytes, std::int64_t tokens) {
    const scenario::Plan plan = toy_plan(with_capacity(capacity_bytes));
    const scenario::PoolPlan& pool = plan.pools.front();
    return fits(pool, pool.deployments.front(), plan.scenario.serving, tokens);
  };
  const double enough = 8e9 + 92e6 + 1600 * 64e3;
  CHECK(fits_tokens(enough, 1600) == "");
  CHECK(fits_tokens(enough, 1) == "");
  CHECK(fits_tokens(enough, 1601) ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 92.0 MB + KV of 1601 "
        "tokens 103 MB per device > 8.19 GB, 100 % of hbm 8.19 GB; short by 1.02 MB per device");
  CHECK(fits_tokens(8e9, 0).find("one KV block 1.02 MB") != std::string::npos);
}

TEST_CASE(
    "tokens of a sequence lie on one attention-data rank: two ranks of 4 blocks hold 64, not 65") {
  ToyOptions options;
  options.attention_data_parallel = options.devices_per_node = 2;
  options.kv_blocks = 8;
  const scenario::Plan plan = toy_plan(options);
  const scenario::PoolPlan& pool = plan.pools.front();
  CHECK(fits(pool, pool.deployments.front(), plan.scenario.serving, 64) == "");
  CHECK(fits(pool, pool.deployments.front(), plan.scenario.serving, 65) != "");
}

TEST_CASE("weights and KV cache in tiers of their own are each held against theirs") {
  ToyOptions options = with_sram();
  options.device.memory[0].capacity = gigabytes(8);
  options.device.memory[1].holds = {catalog::Holds::kv};
  CHECK(placed(options).problem == "");
  options.device.memory[0].capacity = gigabytes(7);
  CHECK(placed(options).problem ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB per device > 7.00 GB, 100 % of sram "
        "7.00 GB; short by 1.00 GB per device");
}

TEST_CASE("a shortage is that of all tiers together: 2 GB + 4 GB for 8.09 GB lack 2.09 GB") {
  ToyOptions options = with_sram();
  options.device.memory[1].capacity = gigabytes(4);
  CHECK(placed(options).problem ==
        "toy-4b does not fit toy on 1 device: weights 8.00 GB + workspace 92.0 MB + one KV block "
        "1.02 MB per device > 6.00 GB, 100 % of sram 2.00 GB + hbm 4.00 GB; short by 2.09 GB per "
        "device");
}

TEST_CASE("a deployment that was found unfit before is not judged again") {
  scenario::Plan plan = toy_plan(with_capacity(3e9));
  plan.pools.front().deployments.front().unfit = "no engine computes with its weights";
  Diagnostics diagnostics;
  check_fit(plan, diagnostics);
  CHECK(diagnostics.empty());
}

}  // namespace tokenyard::perf
