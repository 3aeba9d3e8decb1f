// Communication hidden behind computing, and the transfer of a prompt's cache.
#include <cmath>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// 64 experts of 1.6 M parameters, cut across the ranks: no imbalance.
ToyOptions experts_on(std::int64_t ranks) {
  ToyOptions options = mixture();
  options.attention_data_parallel = options.devices_per_node = ranks;
  return options;
}

ToyOptions sending(double overlap) {
  ToyOptions options;
  options.serving.kv_transfer =
      scenario::KvTransferSpec{.bandwidth = gigabytes_per_second(10), .overlap = overlap};
  return options;
}

double distinct(double tokens) {
  return 64 * (1 - std::pow(15.0 / 16, tokens));
}

}  // namespace

TEST_CASE("half of 16 all-reduces of 1.16 us is hidden, the gathering of logits is not") {
  ToyOptions options;
  options.tensor_parallel = options.devices_per_node = 2;
  options.serving.overlap.tensor = 0.5;
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Cause::net_lat] == near(8e-6 + 1e-6));
  CHECK(step[Cause::net_bw] == near(8 * 160e-9 + 1e-6));
  options.serving.overlap.tensor = 0.0;
  CHECK(step[Work::bytes_link] == near(Toy(options).decode(1)[Work::bytes_link]));
}

TEST_CASE("two halves of 8 tokens read 2 D(4) experts where one whole reads D(8)") {
  ToyOptions options = experts_on(4);
  const StepCost whole = Toy(options).decode(8);
  options.serving.overlap.expert = 0.8;
  const StepCost halves = Toy(options).decode(8);
  const double more_bytes = 8 * (2 * distinct(4) - distinct(8)) * 3.2e6 / 4;
  CHECK(halves[Work::bytes_weights] - whole[Work::bytes_weights] == near(more_bytes, 1e-9));
  CHECK(halves[Work::flops_linear] == near(whole[Work::flops_linear]));
  CHECK(halves[Work::flops_experts] == near(whole[Work::flops_experts]));
}

TEST_CASE("halves show a fifth of the exchange, which pays its latency twice") {
  ToyOptions options = experts_on(4);
  const StepCost whole = Toy(options).decode(8);
  options.serving.overlap.expert = 0.8;
  const StepCost halves = Toy(options).decode(8);
  CHECK(whole[Cause::net_lat] == near(8 * 2 * 1e-6));
  CHECK(halves[Cause::net_lat] == near(0.2 * 8 * 4 * 1e-6));
  CHECK(halves[Cause::net_bw] == near(0.2 * whole[Cause::net_bw]));
}

TEST_CASE("halves launch the experts' 8 kernels twice: 8 x 8 us more") {
  ToyOptions options = experts_on(4);
  options.device.engines.front().launch_overhead = microseconds(1);
  const double whole_s = Toy(options).decode(8)[Cause::launch];
  options.serving.overlap.expert = 0.8;
  CHECK(Toy(options).decode(8)[Cause::launch] - whole_s == near(64e-6, 1e-9));
}

TEST_CASE("a single token has no halves, and without an exchange there is nothing to hide") {
  ToyOptions options = experts_on(4);
  const StepCost one = Toy(options).decode(1);
  options.serving.overlap.expert = 0.8;
  CHECK(Toy(options).decode(1).seconds == one.seconds);
  options = experts_on(1);
  const StepCost alone = Toy(options).decode(8);
  options.serving.overlap.expert = 0.8;
  CHECK(Toy(options).decode(8).seconds == alone.seconds);
}

TEST_CASE("a prompt of 1,000 tokens ends with 64 MB at 10 GB/s, a tenth of it shown, and 7 us") {
  const StepCost step = Toy(sending(0.9)).prefill(1000, 0, true);
  CHECK(step[Cause::net_bw] == near(0.64e-3));
  CHECK(step[Cause::net_lat] == near(7e-6));
  CHECK(step[Work::bytes_link] == near(64e6));
}

TEST_CASE(
    "each chunk sends what it computed, the last one pays the latency; decoding sends nothing") {
  const StepCost first = Toy(sending(0.9)).prefill(800, 0, false);
  CHECK(first[Cause::net_bw] == near(0.1 * 800 * 64e3 / 10e9));
  CHECK(first[Cause::net_lat] == 0);
  const StepCost last = Toy(sending(0.9)).prefill(200, 800, true);
  CHECK(last[Cause::net_bw] == near(0.1 * 200 * 64e3 / 10e9));
  CHECK(last[Cause::net_lat] == near(7e-6));
  CHECK(Toy(sending(0.9)).decode(1)[Cause::net_bw] == 0);
}

TEST_CASE("no more of a transfer is hidden than the step lasts: 64 MB at 0.5 GB/s take 128 ms") {
  const double step_s = Toy().prefill(1000).total_s();
  ToyOptions options = sending(1.0);
  options.serving.kv_transfer->bandwidth = gigabytes_per_second(0.5);
  const StepCost step = Toy(options).prefill(1000);
  CHECK(step.total_s() == near(128e-3));
  CHECK(step[Cause::net_bw] == near(128e-3 - step_s));
}

TEST_CASE("no more of an all-reduce is hidden than there is work beside it") {
  ToyOptions options;
  options.tensor_parallel = options.devices_per_node = 2;
  options.serving.overlap.tensor = 1.0;
  CHECK(Toy(options).decode(1)[Cause::net_lat] == near(1e-6));  // of the logits
  // At 1 MB/s the 16 kB of an all-reduce take 16 ms, the 160 M weights beside it 0.16 ms.
  options.device.links.front().bandwidth = gigabytes_per_second(0.001);
  const StepCost hidden = Toy(options).decode(1);
  options.serving.overlap.tensor = 0.0;
  const StepCost whole = Toy(options).decode(1);
  const double saved_s = whole.total_s() - hidden.total_s();
  CHECK(saved_s <= whole[Cause::weight_bw] + whole[Cause::kv_bw] + 1e-12);
  CHECK(saved_s > 0.9 * 3.2e-3);  // 6.4 GB of layers on two devices at 1 TB/s
}

TEST_CASE("without a bandwidth the transfer takes the NIC, 42.5 GB/s, or the inner link, 100") {
  ToyOptions options = sending(0.0);
  options.serving.kv_transfer->bandwidth.reset();
  CHECK(Toy(options).prefill(1000, 0, true)[Cause::net_bw] == near(64e6 / 42.5e9));
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().node.nics.clear();
  CHECK(Toy(std::move(plan)).prefill(1000, 0, true)[Cause::net_bw] == near(64e6 / 1e11));
}

TEST_CASE("windowed layers send no more than their window: 4 x 1,000 and 4 x 100 tokens of 8 kB") {
  ToyOptions options = sending(0.0);
  options.model.attention.window = {.tokens = 100, .layers = 4};
  CHECK(Toy(options).prefill(1000, 0, true)[Cause::net_bw] == near(4 * 1100 * 8e3 / 10e9));
}

TEST_CASE("of 4 attention ranks one sends its prompt's 6.4 ms and the others wait") {
  ToyOptions options = experts_on(4);
  const StepCost without = Toy(options).prefill(1000, 0, true);
  options.serving.kv_transfer = sending(0.0).serving.kv_transfer;
  const StepCost step = Toy(options).prefill(1000, 0, true);
  CHECK(step[Cause::net_bw] - without[Cause::net_bw] == near(1.6e-3, 1e-9));
  CHECK(step[Cause::imbalance] - without[Cause::imbalance] == near(4.8e-3, 1e-9));
}

}  // namespace tokenyard::perf
