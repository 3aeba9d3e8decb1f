#pragma once
// Random toy fleets and batches, of a fixed seed.
#include <random>

#include "perf_fixture.hpp"

namespace tokenyard::perf {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[engine_() % list.size()];
  }
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  std::int64_t upto(std::int64_t most) {
    return 1 + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(most));
  }

 private:
  std::mt19937_64 engine_;
};

inline void roll_model(Dice& dice, catalog::Model& model) {
  model.layers = dice.one_of<std::int64_t>({4, 8, 13});
  if (dice.one_of({true, false})) {
    model.attention = {.kind = catalog::AttentionKind::mla,
                       .heads = 64,
                       .kv_lora_rank = 512,
                       .q_lora_rank = 1536,
                       .qk_nope_dim = 128,
                       .qk_rope_dim = 64,
                       .v_dim = 128,
                       .window = {},
                       .sparse = {}};
  }
  if (dice.one_of({true, false})) {
    model.attention.window = {.tokens = dice.one_of<std::int64_t>({16, 128, 4096}), .layers = 2};
  }
  if (dice.one_of({true, false})) {
    model.ffn = {.kind = catalog::FfnKind::moe,
                 .gated = true,
                 .experts = 64,
                 .experts_per_token = 4,
                 .shared_experts = 1,
                 .expert_hidden = 1000,
                 .dense_layers = 1,
                 .dense_hidden = 9000};
  }
}

inline void roll_parallelism(Dice& dice, test::ToyOptions& options) {
  options.tensor_parallel = dice.one_of<std::int64_t>({1, 2, 4, 8});
  options.pipeline_parallel = dice.one_of<std::int64_t>({1, 2, 4});
  if (options.model.ffn.kind == catalog::FfnKind::moe) {
    options.attention_data_parallel = dice.one_of<std::int64_t>({1, 2, 4});
    const std::int64_t stage = options.tensor_parallel * options.attention_data_parallel;
    options.expert_parallel = dice.one_of<std::int64_t>({1, stage});
  }
  const std::int64_t each =
      options.tensor_parallel * options.attention_data_parallel * options.pipeline_parallel;
  options.devices_per_node = dice.one_of<std::int64_t>({each, each, each > 4 ? 4 : each, 1});
  options.nodes = each / options.devices_per_node;
}

inline test::ToyOptions rolled(Dice& dice) {
  test::ToyOptions options;
  roll_model(dice, options.model);
  roll_parallelism(dice, options);
  catalog::Engine& engine = options.device.engines.front();
  engine.peak["bf16"] = teraflops_per_second(dice.between(10, 2000));
  engine.efficiency = {dice.between(0.3, 1), dice.between(0.3, 1), dice.between(0.3, 1),
                       dice.between(0.3, 1)};
  engine.roofline_exponent = dice.one_of({1.0, 2.0, 3.3, 50.0, 1000.0});
  engine.activation_traffic = dice.one_of({0.0, 12.0});
  engine.launch_overhead = microseconds(dice.one_of({0.0, 2.0}));
  options.device.memory.front().bandwidth = terabytes_per_second(dice.between(0.1, 10));
  options.device.links.front().bandwidth = gigabytes_per_second(dice.between(10, 1000));
  options.device.links.front().collective_latency = microseconds(dice.between(0, 20));
  options.serving.host = {.per_step = milliseconds(0.5), .per_sequence = microseconds(5)};
  options.serving.scheduler.max_batch = 300;
  options.serving.activation_sparsity = dice.one_of({0.0, 0.3});
  return options;
}

inline DecodeBatch rolled_batch(Dice& dice, const Toy& toy) {
  DecodeBatch batch;
  batch.sequences = dice.one_of<std::int64_t>({1, 2, 3, 16, 77, 300});
  for (std::int64_t s = 0; s < batch.sequences; ++s) {
    const std::int64_t context = dice.upto(8000);
    const std::int64_t window = toy.model.window_tokens();
    batch.context += static_cast<double>(context);
    if (window == 0) continue;
    batch.window_context += static_cast<double>(std::min(context, window));
    if (context < window) ++batch.window_growing;
  }
  return batch;
}

}  // namespace tokenyard::perf
