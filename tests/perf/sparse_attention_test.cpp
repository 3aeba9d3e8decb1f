// Attention to the top_k tokens that an indexer chooses.
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

// 4 index heads of 100 values in 8 bits: 100 B a token and layer, 800 FLOP a pair.
ToyOptions choosing(std::int64_t top_k) {
  ToyOptions options;
  options.model.attention.sparse =
      catalog::SparseSpec{.top_k = top_k, .index_heads = 4, .index_dim = 100, .index_bits = 8.0};
  return options;
}

}  // namespace

TEST_CASE("on 10,000 tokens a step reads 8 x (1 MB of index + 1,000 chosen of 8 kB) = 72 MB") {
  const Toy toy(choosing(1000));
  CHECK(toy.model.window_tokens() == 1000);
  const StepCost step =
      toy.model.mixed_step({}, {.sequences = 1, .context = 10'000, .window_context = 1000});
  CHECK(step[Cause::kv_bw] == near(72e-6 + 8 * 8100e-12, 1e-9));  // and writes one of each
  CHECK(step[Work::flops_attention] == near(8 * (10'000 * 800 + 1000 * 32e3)));
}

TEST_CASE("once the context exceeds top_k only the index grows: 0.8 ns a token and step") {
  const AffineCost run =
      Toy(choosing(1000))
          .model.decode_run({.sequences = 1, .context = 10'000, .window_context = 1000});
  CHECK(run.slope.total_s() == near(0.8e-9));
}

TEST_CASE("below top_k attention is dense, and the index comes on top: 64.8 ns a token") {
  const AffineCost run =
      Toy(choosing(1000))
          .model.decode_run(
              {.sequences = 1, .context = 500, .window_context = 500, .window_growing = 1});
  CHECK(run.slope.total_s() == near(64.8e-9));
  CHECK(run.first[Cause::kv_bw] == near(501 * 64.8e-9, 1e-9));
}

TEST_CASE("a prompt of 1,000 with top_k 100 attends to 95,050 of 500,500 pairs; all are indexed") {
  // 100 x 101 / 2 + 900 x 100
  const StepCost step = Toy(choosing(100)).prefill(1000);
  CHECK(step[Work::flops_attention] == near(8 * (500'500 * 800.0 + 95'050 * 32e3)));
  CHECK(step[Cause::compute] == near(64e-3 + step[Work::flops_attention] / 1e14));
}

TEST_CASE("10 tokens on 10,000 read what they choose, 10 x 100; 1,000 tokens at most all 11,000") {
  const double written = 8 * 8100.0;  // a token
  CHECK(Toy(choosing(100)).prefill(10, 10'000)[Work::bytes_kv] ==
        near(8 * (10'010 * 100.0 + 1000 * 8e3) + 10 * written));
  CHECK(Toy(choosing(100)).prefill(1000, 10'000)[Work::bytes_kv] ==
        near(8 * (11'000 * 100.0 + 11'000 * 8e3) + 1000 * written));
}

TEST_CASE("the cache keeps every token, with its index key: 8 x 8,100 B") {
  CHECK(Toy(choosing(100)).model.placement().kv_bytes_per_token == near(8 * 8100.0));
}

TEST_CASE("index keys are not divided by tensor parallelism: 8 x (0.1 + 4 kB) on each of 2") {
  ToyOptions options = choosing(1000);
  options.tensor_parallel = options.devices_per_node = 2;
  const AffineCost run = Toy(options).model.decode_run(
      {.sequences = 1, .context = 500, .window_context = 500, .window_growing = 1});
  CHECK(run.slope[Cause::kv_bw] == near(8 * 4.1e3 / 1e12));
}

TEST_CASE("the latency of a layer covers its index and its attention: one kind of layer") {
  ToyOptions options = choosing(1000);
  options.device.engines.front().layer_latency = milliseconds(1);
  const AffineCost run =
      Toy(options).model.decode_run({.sequences = 1, .context = 10'000, .window_context = 1000});
  CHECK(run.first.total_s() == near(9.6e-3));
  // 0.8 ms of weights, 8.1 ns written, 9 us read; then 0.1 ns a step.
  CHECK(run.valid_steps == doctest::Approx(190.9919e-6 / 0.1e-9).epsilon(1e-6));
}

}  // namespace tokenyard::perf
