// FLOPs and bytes of a step, counted by hand.
#include <cmath>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// The toy with one layer of latent attention: r 512, rope 64, nope 128, v 128, 128 heads.
ToyOptions latent_attention() {
  ToyOptions options;
  options.model.layers = 1;
  options.model.attention = {.kind = catalog::AttentionKind::mla,
                             .heads = 128,
                             .kv_lora_rank = 512,
                             .q_lora_rank = 1536,
                             .qk_nope_dim = 128,
                             .qk_rope_dim = 64,
                             .v_dim = 128,
                             .window = {},
                             .sparse = {}};
  return options;
}

ToyOptions windowed() {
  ToyOptions options;
  options.model.attention.window = {.tokens = 4, .layers = 4};
  return options;
}

}  // namespace

TEST_CASE("one decoding sequence multiplies 4.0 G parameters, 8 GFLOP, and reads them, 8 GB") {
  const StepCost step = Toy().decode(1);
  CHECK(step[Work::flops_linear] == near(8e9));
  CHECK(step[Work::bytes_weights] == near(8e9));
  CHECK(step[Work::flops_attention] == 0);
  CHECK(step[Work::bytes_kv] == near(64'000));  // its own token is written
  CHECK(step[Work::bytes_activations] == 0);
  CHECK(step[Work::bytes_link] == 0);
}

TEST_CASE("ten sequences multiply ten times as much and read the same weights") {
  const StepCost step = Toy().decode(10);
  CHECK(step[Work::flops_linear] == near(80e9));
  CHECK(step[Work::bytes_weights] == near(8e9));
  CHECK(step[Work::bytes_kv] == near(640'000));
}

TEST_CASE(
    "attention of 1,000 context tokens is 4 x 64 x 125 x 8 x 1,000 FLOP whatever the KV heads") {
  for (const std::int64_t kv_heads : {64, 16, 1}) {  // MHA, GQA, MQA
    CAPTURE(kv_heads);
    ToyOptions options;
    options.model.attention.kv_heads = kv_heads;
    const Toy toy(options);
    const StepCost step = toy.decode(2, 1000);
    CHECK(step[Work::flops_attention] == near(256e6));
    // 1,000 tokens read and 2 written, 2 x K x 125 x 2 B x 8 layers each
    CHECK(step[Work::bytes_kv] == near(1002.0 * static_cast<double>(kv_heads) * 4000));
    // 2 sequences x 2 FLOP x (8 x (2 x 8000 x 125 x (64 + K) + 2 x 8000 x 15,000) + 0.8 G)
    const double layer = 2e6 * static_cast<double>(64 + kv_heads) + 240e6;
    CHECK(step[Work::flops_linear] == near(4 * (8 * layer + 0.8e9)));
  }
}

TEST_CASE(
    "decode works on the latents: 2 x 128 x (2 x 512 + 64) = 278,528 FLOP and 1,152 B a token") {
  const Toy toy(latent_attention());
  const StepCost step = toy.decode(1, 10'000);
  CHECK(step[Work::flops_attention] == near(2'785'280'000.0));
  CHECK(step[Work::bytes_kv] == near(10'001 * 1152.0));
}

TEST_CASE("61 layers of DeepSeek-V3: 17.0 MFLOP and 70,272 B a context token, 242 FLOP/B") {
  ToyOptions options;
  options.model = shipped_model("deepseek-v3");
  const Toy toy(options);
  StepCost step = toy.decode(1, 1000);
  step.add(toy.decode(1, 0), -1.0);
  CHECK(step[Work::flops_attention] == near(16'990'208e3));
  CHECK(step[Work::bytes_kv] == near(70'272e3, 1e-9));
  CHECK(step[Work::flops_attention] / step[Work::bytes_kv] == doctest::Approx(241.8).epsilon(2e-4));
}

TEST_CASE("a long prompt expands the latents: 81,920 FLOP a pair and 33,554,432 a token") {
  // 2 x 128 x (128 + 64 + 128) and 2 x 512 x 128 x (128 + 128); absorbed: 139.4 GFLOP
  const StepCost step = Toy(latent_attention()).prefill(1000);
  CHECK(step[Work::flops_attention] == near(81'920.0 * 500'500 + 33'554'432.0 * 1000));
}

TEST_CASE("one token on a long context does not: expanding 10,001 latents would cost 337 GFLOP") {
  const StepCost step = Toy(latent_attention()).prefill(1, 10'000);
  CHECK(step[Work::flops_attention] == near(278'528.0 * 10'001));
}

TEST_CASE(
    "N tokens meet 8.0, 57.4, 163.3, 251.6 and 255.9 of 256 experts at N = 1, 8, 32, 128, 256") {
  const Toy toy(mixture(256, 8));
  // Beside the experts: 8 x 160 M of attention, 8 x 256 x 8000 of router, 0.8 G of head.
  const double other = 8 * (160e6 + 256.0 * 8000) + 0.8e9;
  const auto distinct = [&](std::int64_t tokens) {
    const double parameters = toy.decode(tokens)[Work::bytes_weights] / 2.0;
    return (parameters - other) / (8 * 1.6e6);
  };
  CHECK(distinct(1) == near(8.0, 1e-9));
  CHECK(distinct(8) == doctest::Approx(57.4).epsilon(1e-3));
  CHECK(distinct(32) == doctest::Approx(163.3).epsilon(1e-3));
  CHECK(distinct(128) == doctest::Approx(251.6).epsilon(1e-3));
  CHECK(distinct(256) == doctest::Approx(255.9).epsilon(1e-3));
  CHECK(distinct(32) == near(256 * (1 - std::pow(31.0 / 32.0, 32)), 1e-9));
}

TEST_CASE(
    "a token multiplies its 8 experts, not all it could have: 2 x (160 M + 2.048 M + 12.8 M) x 8") {
  const StepCost step = Toy(mixture(256, 8)).decode(10);
  CHECK(step[Work::flops_linear] == near(10 * (2 * 8 * (160e6 + 2.048e6) + 1.6e9)));
  CHECK(step[Work::flops_experts] == near(10 * 2 * 8 * 12.8e6));
}

TEST_CASE("DeepSeek-V3 reads 36.6 GB in fp8 for one token and 73.2 GB in bf16, not 671") {
  ToyOptions options;
  options.model = shipped_model("deepseek-v3");
  options.weights = "fp8";
  const double active = catalog::count_parameters(options.model).active;
  CHECK(active == doctest::Approx(36.62e9).epsilon(1e-3));
  CHECK(Toy(options).decode(1)[Work::bytes_weights] == near(active, 1e-9));
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Work::flops_linear] + step[Work::flops_experts] == near(2 * active, 1e-9));
  options.weights = "bf16";
  CHECK(Toy(options).decode(1)[Work::bytes_weights] == near(2 * active, 1e-9));
}

TEST_CASE(
    "Llama 3.1 405B reads 807.5 GB in bf16 for one token; the embedding's 4.2 GB are not read") {
  ToyOptions options;
  options.model = shipped_model("llama-3.1-405b");
  CHECK(Toy(options).decode(1)[Work::bytes_weights] == doctest::Approx(807.5e9).epsilon(1e-4));
}

TEST_CASE("the LM head, 1.6 GB, is read and multiplied for sampled tokens only") {
  const Toy toy;
  StepCost head = toy.prefill(100, 0, true);
  const StepCost without = toy.prefill(100, 0, false);
  CHECK(without[Work::bytes_weights] == near(6.4e9));
  CHECK(without[Work::flops_linear] == near(100 * 6.4e9));
  head.add(without, -1.0);
  CHECK(head[Work::bytes_weights] == near(1.6e9));
  CHECK(head[Work::flops_linear] == near(1.6e9, 1e-9));  // of one token, not of 100
}

TEST_CASE(
    "a chunk of 3 on 2 cached tokens has 3 + 4 + 5 = 12 pairs, reads 5 tokens' KV and writes 3") {
  const StepCost step = Toy().prefill(3, 2);
  CHECK(step[Work::flops_attention] == near(12 * 256e3));
  CHECK(step[Work::bytes_kv] == near((5 + 3) * 64e3));
}

TEST_CASE("windowed layers cut a chunk's pairs: 3 + 4 + 4 where the others have 3 + 4 + 5") {
  const StepCost step = Toy(windowed()).prefill(3, 2);
  CHECK(step[Work::flops_attention] == near((12 + 11) * 128e3));
  CHECK(step[Work::bytes_kv] == near((5 + 5) * 32e3 + 3 * 64e3));
}

TEST_CASE(
    "far into a prompt every token of a windowed layer sees 4: 2 on 10 cached see 8, the others "
    "23") {
  const StepCost step = Toy(windowed()).prefill(2, 10);
  CHECK(step[Work::flops_attention] == near((23 + 8) * 128e3));
  // 12 tokens' KV read by full layers; 2 new and 3 older by windowed ones; 2 written in all
  CHECK(step[Work::bytes_kv] == near((12 + 5) * 32e3 + 2 * 64e3));
}

TEST_CASE("decoding sequences read what the window leaves: of 3 with 10 tokens each, 30 and 12") {
  const Toy toy(windowed());
  CHECK(toy.model.window_tokens() == 4);
  const StepCost step =
      toy.model.mixed_step({}, {.sequences = 3, .context = 30, .window_context = 12});
  CHECK(step[Work::flops_attention] == near((30 + 12) * 128e3));
  CHECK(step[Work::bytes_kv] == near((30 + 12) * 32e3 + 3 * 64e3));
}

TEST_CASE("activation sparsity of 50 % halves the weights read, but for the LM head, and no FLOP") {
  ToyOptions options;
  options.serving.activation_sparsity = 0.5;
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Work::bytes_weights] == near(3.2e9 + 1.6e9));
  CHECK(step[Work::flops_linear] == near(8e9));
}

TEST_CASE("fp8 weights are half the bytes, an fp8 cache too, each on its own") {
  ToyOptions options;
  options.weights = "fp8";
  CHECK(Toy(options).decode(1, 9)[Work::bytes_weights] == near(4e9));
  CHECK(Toy(options).decode(1, 9)[Work::bytes_kv] == near(640e3));
  options.kv = "fp8";
  CHECK(Toy(options).decode(1, 9)[Work::bytes_kv] == near(320e3));
}

TEST_CASE(
    "element-wise kernels move 12 x tokens x 8,000 x 2 B a layer, half of it shrinks with 2 "
    "ranks; a sampler 8 x 100,000 logits of 4 B a token") {
  ToyOptions options;
  options.device.engines.front().activation_traffic = 12.0;
  CHECK(Toy(options).decode(10)[Work::bytes_activations] == near(8 * 12 * 10 * 16e3 + 10 * 3.2e6));
  options.tensor_parallel = options.devices_per_node = 2;
  CHECK(Toy(options).decode(10)[Work::bytes_activations] ==
        near(0.75 * 8 * 12 * 10 * 16e3 + 10 * 3.2e6));
}

TEST_CASE("2 ranks halve FLOPs, weights and KV, and send 16 x 16 kB of sums and 100 kB of logits") {
  ToyOptions options;
  options.tensor_parallel = options.devices_per_node = 2;
  const StepCost step = Toy(options).decode(1, 999);
  CHECK(step[Work::flops_linear] == near(4e9));
  CHECK(step[Work::bytes_weights] == near(4e9));
  CHECK(step[Work::flops_attention] == near(0.5 * 999 * 256e3));
  CHECK(step[Work::bytes_kv] == near(500 * 64e3));
  // 2 x 1/2 x 8,000 x 2 B twice a layer; 1/2 x 100,000 x 2 B
  CHECK(step[Work::bytes_link] == near(16 * 16e3 + 100e3));
}

TEST_CASE("32 ranks read a replicated KV head each: 1/16 of the cache, not 1/32") {
  ToyOptions options;
  options.tensor_parallel = options.devices_per_node = 32;
  CHECK(Toy(options).decode(1, 999)[Work::bytes_kv] == near(1000 * 4e3));
}

TEST_CASE(
    "every tensor rank reads all of a latent cache; attention-data ranks read their own part") {
  ToyOptions options = latent_attention();
  options.tensor_parallel = options.devices_per_node = 2;
  CHECK(Toy(options).decode(4, 9996)[Work::bytes_kv] == near(10'000 * 1152.0));
  options.tensor_parallel = 1;
  options.attention_data_parallel = 2;
  CHECK(Toy(options).decode(4, 9996)[Work::bytes_kv] == near(5'000 * 1152.0));
}

TEST_CASE(
    "4 stages of 2 layers: a device multiplies its layers for all micro-batches and the head") {
  ToyOptions options;
  options.pipeline_parallel = options.devices_per_node = 4;
  const StepCost step = Toy(options).decode(8, 1000);
  CHECK(step[Work::flops_linear] == near(8 * 2 * (0.8e9 + 0.8e9)));
  CHECK(step[Work::bytes_weights] == near(4 * (1.6e9 + 1.6e9)));  // once a micro-batch
  CHECK(step[Work::flops_attention] == near(1000 * 64e3));
}

TEST_CASE(
    "4 attention ranks sample 2 of 8 tokens each: the LM head's 0.8 G parameters twice, not 8 "
    "times") {
  ToyOptions options = mixture(64, 4);
  options.attention_data_parallel = options.devices_per_node = 4;
  const StepCost step = Toy(options).decode(8);
  // 2 tokens a rank through attention, router (64 x 8000) and head; 8 x 4 visits to experts over 4.
  CHECK(step[Work::flops_linear] == near(2 * (2 * 8 * 160.512e6 + 2 * 0.8e9)));
  CHECK(step[Work::flops_experts] == near(2 * 8 * 8 * 4 * 1.6e6 / 4));
}

TEST_CASE(
    "a token travels to 2.05 of 3 other ranks in bf16, in fp8 where experts are, and back in "
    "bf16") {
  ToyOptions options = mixture(64, 4);
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = 4;
  // 4 x (1 - (3/4)^4) x 3/4 ranks; 8 layers; 8,000 values of 2 + 2 B, or 1 + 2 B
  const double values = 8 * 2.05078125 * 8000;
  CHECK(Toy(options).decode(4)[Work::bytes_link] == near(values * 4));
  scenario::Plan narrow = test::toy_plan(options);
  narrow.pools.front().deployments.front().expert_weights = test::toy_format("fp8");
  CHECK(Toy(narrow).decode(4)[Work::bytes_link] == near(values * 3));
}

TEST_CASE("where each expert is cut across 4 ranks, a token travels to all 3 others") {
  ToyOptions options = mixture(64, 4);
  options.attention_data_parallel = options.devices_per_node = 4;
  CHECK(Toy(options).decode(4)[Work::bytes_link] == near(8.0 * 3 * 8000 * 4));
}

}  // namespace tokenyard::perf
