// What routed experts add to a step, and what number formats change, counted by hand.
#include <algorithm>

#include "perf/experts.hpp"
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

constexpr double kBf16 = 100e12, kFp8 = 200e12;  // FLOP/s of the toy
constexpr double kExpert = 1.6e6;                // parameters: 2 x 8,000 x 100

catalog::Engine& engine(ToyOptions& options) {
  return options.device.engines.front();
}

// So fast a memory that compute alone takes time.
ToyOptions compute_bound() {
  ToyOptions options = mixture();
  options.device.memory.front().bandwidth = terabytes_per_second(1e6);
  return options;
}

// Experts in fp8, all else in bf16.
scenario::Plan narrow_experts(const ToyOptions& options) {
  scenario::Plan plan = test::toy_plan(options);
  scenario::DeploymentPlan& d = plan.pools.front().deployments.front();
  d.expert_weights = test::toy_format("fp8");
  d.expert_math = d.prefill_expert_math = "fp8";
  return plan;
}

}  // namespace

TEST_CASE("experts at half of what dense products reach: 1,000 tokens take 8 x 128 us longer") {
  ToyOptions options = compute_bound();
  const StepCost before = Toy(options).prefill(1000);
  CHECK(before[Work::flops_experts] == near(8 * 1000 * 4 * 2 * kExpert));
  engine(options).efficiency.experts = 0.5;
  const StepCost after = Toy(options).prefill(1000);
  CHECK(after[Cause::compute] - before[Cause::compute] ==
        near(8 * 1000 * 4 * 2 * kExpert / kBf16, 1e-9));
  CHECK(after[Work::flops_experts] == before[Work::flops_experts]);
}

TEST_CASE("one token computes a tile of 16 at each of its 4 experts, and is one token's work") {
  ToyOptions options = compute_bound();
  const StepCost before = Toy(options).decode(1);
  engine(options).expert_tile = 16.0;
  const StepCost after = Toy(options).decode(1);
  CHECK(after[Cause::compute] - before[Cause::compute] ==
        near(8 * 4 * 15 * 2 * kExpert / kBf16, 1e-9));
  CHECK(after[Work::flops_experts] == near(8 * 4 * 2 * kExpert));
}

TEST_CASE("where tiles are filled by half, the slowest rank waits for tiles and not for tokens") {
  ToyOptions options = compute_bound();
  engine(options).expert_tile = 16.0;
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = 4;
  const Toy toy(options);
  const ExpertReads reads =
      ExpertLoad(options.model.ffn, toy.plan.pools.front().deployments.front().spec).reads(8);
  REQUIRE(16 * reads.distinct > 32 * reads.load);
  const double tile_s = 16 * 2 * kExpert / 4 / kBf16;
  CHECK(toy.decode(8)[Cause::imbalance] ==
        near(8 * tile_s * (reads.slowest_distinct - reads.distinct), 1e-9));
}

TEST_CASE("a token at an expert moves 3 x 8,000 and 6 x 100 values of 2 B, on 4 ranks a quarter") {
  ToyOptions options = mixture();
  const double dense = Toy([] {
                         ToyOptions o;
                         o.device.engines.front().activation_traffic = 12.0;
                         return o;
                       }())
                           .decode(10)[Work::bytes_activations];
  engine(options).activation_traffic = 12.0;
  CHECK(Toy(options).decode(10)[Work::bytes_activations] ==
        near(dense + 8 * 10 * 4 * 2 * (3 * 8000.0 + 6 * 100.0)));
  options.attention_data_parallel = options.devices_per_node = 4;
  options.expert_parallel = 4;
  const double shared = Toy(options).decode(40)[Work::bytes_activations];
  CHECK(shared == near(dense + 8 * 10 * 4 * 2 * (3 * 8000.0 + 6 * 100.0)));
}

TEST_CASE("a share of the peak of its own for fp8 leaves products in bf16 alone") {
  ToyOptions options;
  options.device.memory.front().bandwidth = terabytes_per_second(1e6);
  const double attention_s = 256e3 * 500'500 / kBf16;
  const auto prefill_s = [&](const char* weights) {
    options.weights = weights;
    return Toy(options).prefill(1000).total_s() - attention_s;
  };
  const double bf16_s = prefill_s("bf16");
  const double fp8_s = prefill_s("fp8");
  CHECK(fp8_s == near(6.4e12 / kFp8, 1e-6));
  engine(options).efficiency.prefill_by_format["fp8"] = 0.5;
  CHECK(prefill_s("bf16") == bf16_s);
  CHECK(prefill_s("fp8") == near(2 * fp8_s, 1e-6));
}

TEST_CASE("kernels: 10 a dense layer and 14 one of experts, 2 more a block that converts") {
  const auto launches = [](ToyOptions options, bool only_experts = false) {
    engine(options).launch_overhead = microseconds(1);
    const Toy toy(only_experts ? narrow_experts(options) : test::toy_plan(options));
    return toy.decode(1)[Cause::launch] * 1e6;
  };
  ToyOptions dense, experts = mixture();
  CHECK(launches(dense) == near(8 * 10 + 4, 1e-9));
  CHECK(launches(experts) == near(8 * 14 + 4, 1e-9));
  CHECK(launches(experts, true) == near(8 * 16 + 4, 1e-9));
  dense.weights = experts.weights = "fp8";
  CHECK(launches(dense) == near(8 * 14 + 4, 1e-9));
  CHECK(launches(experts) == near(8 * 18 + 4, 1e-9));
}

TEST_CASE("experts in fp8 beside bf16: half their bytes and time, and half their part of the MFU") {
  const ToyOptions options = compute_bound();
  const Toy wide(options);
  const Toy narrow(narrow_experts(options));
  const StepCost a = wide.prefill(1000);
  const StepCost b = narrow.prefill(1000);
  CHECK(a[Work::flops_experts] == b[Work::flops_experts]);
  CHECK(a[Work::bytes_weights] - b[Work::bytes_weights] == near(8 * 64 * kExpert, 1e-9));
  CHECK(a[Cause::compute] - b[Cause::compute] == near(0.5 * a[Work::flops_experts] / kBf16, 1e-6));
  CHECK(wide.model.flops(a) - narrow.model.flops(b) == near(0.5 * a[Work::flops_experts], 1e-9));
}

}  // namespace tokenyard::perf
