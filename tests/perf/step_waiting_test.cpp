// What devices wait for: pipeline stages, the slowest expert rank, the longest prompt.
#include <cmath>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// 64 experts of 1.6 M parameters in each layer, `ranks` of them holding whole ones.
ToyOptions experts_on(std::int64_t ranks, std::int64_t experts_per_token = 4) {
  ToyOptions options;
  options.model.ffn = {.kind = catalog::FfnKind::moe,
                       .gated = false,
                       .experts = 64,
                       .experts_per_token = experts_per_token,
                       .expert_hidden = 100};
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = ranks;
  return options;
}

ToyOptions without_exchange(ToyOptions options) {
  options.device.links.front().bandwidth = gigabytes_per_second(1e20);
  return options;
}

}  // namespace

TEST_CASE("with m sequences on p = 4 stages, (4 - m) / 4 of a step is pp_bubble") {
  ToyOptions options;
  options.pipeline_parallel = options.devices_per_node = 4;
  const Toy toy(options);
  for (const std::int64_t m : {1, 2, 3, 4, 5, 16}) {
    CAPTURE(m);
    const StepCost step = toy.decode(m, 1000);
    const double share = std::max(0.0, static_cast<double>(4 - m) / 4.0);
    if (share > 0.0) {
      CHECK(step[Cause::pp_bubble] / step.total_s() == near(share));
    } else {
      CHECK(step[Cause::pp_bubble] == 0);
    }
  }
}

TEST_CASE(
    "one sequence on 4 stages of 2 layers: 4 x (1.6 + 1.6 ms), no faster than on one device") {
  ToyOptions options;
  options.pipeline_parallel = options.devices_per_node = 4;
  options.device.links.front().latency = seconds(0);
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Cause::weight_bw] == near(3.2e-3));
  // Beside the weights 8 kB of KV a layer and 16 kB to the next stage.
  CHECK(step.total_s() == near(4 * (3.2e-3 + 16e-9 + 160e-9)));
}

TEST_CASE(
    "8 expert ranks with 8,000 tokens, bound by compute: the slowest has 1.0312 of the mean") {
  const StepCost step = Toy(experts_on(8)).decode(8000);
  // 8 layers x 2 x 8,000 x 4 x 1.6 M / 8 ranks / 100 TFLOP/s = 1.024 ms;
  // sqrt(2 ln 8 x (1 - 4/64) x 8 / 32,000) = 0.031221
  const double extra = std::sqrt(2 * std::log(8.0) * 0.9375 * 8 / 32'000);
  CHECK(extra == doctest::Approx(0.031221).epsilon(1e-4));
  CHECK(step[Cause::imbalance] == near(1.024e-3 * extra, 1e-9));
}

// What the attention ranks without a sequence wait for the one that has it: the same with experts cut
// across all ranks, which are balanced.  They exchange more, on links that must take no time for it.
double attention_wait_s(ToyOptions options, std::int64_t sequences) {
  options.expert_parallel = 1;
  return Toy(options).decode(sequences)[Cause::imbalance];
}

TEST_CASE(
    "8 expert ranks with 1 token, bound by memory: 4 experts in the mean, 15.2 on the slowest") {
  const ToyOptions options = without_exchange(experts_on(8));
  const StepCost step = Toy(options).decode(1);
  const double factor = 1 + std::sqrt(2 * std::log(8.0) * 0.9375 * 8 / 4);
  CHECK(4 * factor == doctest::Approx(15.17).epsilon(1e-3));
  // 8 layers x 3.2 MB / 8 ranks / 1 TB/s = 3.2 us an expert
  const double experts_s = step[Cause::imbalance] - attention_wait_s(options, 1);
  CHECK(experts_s == near((4 * factor - 4) * 3.2e-6, 1e-9));
}

TEST_CASE("the slowest of 2 ranks never has more than twice the mean: one expert more, 12.8 us") {
  // 1 + sqrt(2 ln 2 x 63/64 x 2) = 2.65 is cut to 2: of the one expert read, 1 x 8 x 3.2 MB / 2.
  const ToyOptions options = without_exchange(experts_on(2, 1));
  const double experts_s = Toy(options).decode(1)[Cause::imbalance] - attention_wait_s(options, 1);
  CHECK(experts_s == near(12.8e-6, 1e-9));
}

TEST_CASE("where every expert is read anyway and memory binds, no rank is slower than another") {
  CHECK(Toy(experts_on(8)).decode(600)[Cause::imbalance] < 1e-12);
}

TEST_CASE(
    "experts cut across all ranks are balanced: without expert parallelism there is no imbalance") {
  ToyOptions options = experts_on(8);
  options.expert_parallel = 1;
  CHECK(Toy(options).decode(8000)[Cause::imbalance] == 0);
  CHECK(Toy(options).decode(8)[Cause::imbalance] == 0);
}

TEST_CASE("9 sequences on 8 attention ranks: one rank has 2, so context costs what 16 would") {
  ToyOptions options = experts_on(8);
  options.expert_parallel = 1;
  const Toy toy(options);
  // 9 sequences of 10,000 tokens against the same with none: 64 ns a token and rank, 2 on one rank.
  const double context_s = toy.decode(9, 90'000).total_s() - toy.decode(9, 0).total_s();
  CHECK(context_s == near(20'000 * 64e-9, 1e-6));
}

TEST_CASE("a prompt is on one of 4 attention ranks: a step takes what that rank takes, 32.6 ms") {
  const Toy toy(experts_on(4));
  const StepCost step = toy.prefill(1000);
  // All 1,000 tokens on one rank: 8 x 2 x (160 M + 64 x 8000) FLOP each; attention of 500,500
  // pairs.
  const double products = 8 * 2 * 160.512e6 * 1000 / 1e14;
  const double attention = 1.28128e-3;
  // All 64 experts are read, 1/4 on each rank; computing them takes less, 0.26 ms.
  const double experts = 8 * 64 * 3.2e6 / 4 / 1e12;
  // To 4 x (1 - (3/4)^4) x 3/4 = 2.05 other ranks and back, 16 kB a token at 100 GB/s; one hop.
  const double exchanges = 16 * (1000 * 2.05078125 * 16e3 / 1e11 + 1e-6);
  CHECK(step.total_s() == near(products + attention + experts + exchanges, 1e-9));
  // A quarter is work in the mean; three quarters of what depends on the rank's tokens is waiting.
  const double exchange_bytes = 16 * 1000 * 2.05078125 * 16e3 / 1e11;
  CHECK(step[Cause::imbalance] == near(0.75 * (products + attention + exchange_bytes), 1e-9));
}

TEST_CASE("a second prompt of the same length finds another rank: attention waits half as much") {
  const Toy toy(experts_on(4));
  const std::vector<PrefillSlice> two(2,
                                      PrefillSlice{.tokens = 1000, .cached = 0, .samples = false});
  const StepCost one_step = toy.prefill(1000);
  const StepCost two_step = toy.model.mixed_step(two, {});
  CHECK(two_step[Work::flops_attention] == near(2 * one_step[Work::flops_attention]));
  CHECK(two_step.total_s() < 1.02 * one_step.total_s());  // only the experts have more to do
}

TEST_CASE(
    "decoding sequences beside a prompt lengthen the fullest rank's attention, and are not hidden "
    "by it") {
  const Toy toy(experts_on(4));
  const PrefillSlice prompt{.tokens = 1000, .cached = 0, .samples = false};
  const double without_s = toy.model.mixed_step({&prompt, 1}, {.sequences = 4}).total_s();
  const double with_s =
      toy.model.mixed_step({&prompt, 1}, {.sequences = 4, .context = 40'000}).total_s();
  CHECK(with_s - without_s == near(10'000 * 64e-9, 1e-9));  // 10,000 tokens' KV on each rank
}

}  // namespace tokenyard::perf
