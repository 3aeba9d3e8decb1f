// Laws that hold for every configuration, tried on random ones of a fixed seed.
#include <array>
#include <cmath>
#include <functional>
#include <random>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

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

void roll_model(Dice& dice, catalog::Model& model) {
  model.layers = dice.one_of<std::int64_t>({4, 8, 13});
  if (dice.one_of({true, false})) {
    model.attention = {.kind = catalog::AttentionKind::mla,
                       .heads = 64,
                       .kv_lora_rank = 512,
                       .q_lora_rank = 1536,
                       .qk_nope_dim = 128,
                       .qk_rope_dim = 64,
                       .v_dim = 128,
                       .window = {}};
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

void roll_parallelism(Dice& dice, ToyOptions& options) {
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

ToyOptions rolled(Dice& dice) {
  ToyOptions options;
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

DecodeBatch rolled_batch(Dice& dice, const Toy& toy) {
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

constexpr std::uint64_t kSeed = 20'240'601;
constexpr int kRolls = 150;

// With rounding, `less` is at most `more`.
bool at_most(double less, double more) {
  return less <= more * (1.0 + 1e-12);
}

// A resource that may get better, and how.
struct Improvement {
  std::string what;
  std::function<void(scenario::PoolPlan&)> make;
};

std::vector<Improvement> improvements() {
  return {
      {"memory bandwidth", [](auto& pool) { pool.devices[0].memory[0].bandwidth.value *= 2.0; }},
      {"FLOPs", [](auto& pool) { pool.devices[0].engines[0].peak["bf16"].value *= 2.0; }},
      {"links", [](auto& pool) { pool.devices[0].links[0].bandwidth.value *= 2.0; }},
      {"NICs", [](auto& pool) { pool.node.nics[0].bandwidth.value *= 2.0; }},
      {"link latency", [](auto& pool) { pool.devices[0].links[0].latency.value *= 0.5; }},
      {"launches", [](auto& pool) { pool.devices[0].engines[0].launch_overhead.value *= 0.5; }},
  };
}

}  // namespace

TEST_CASE("twice the bandwidth, FLOPs or links, or half the latency, never slow a step") {
  Dice dice(kSeed);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const ToyOptions options = rolled(dice);
    const Toy before(options);
    const DecodeBatch batch = rolled_batch(dice, before);
    const PrefillSlice chunk{.tokens = dice.upto(2000), .cached = dice.upto(9000), .samples = true};
    for (const Improvement& improvement : improvements()) {
      CAPTURE(improvement.what);
      scenario::Plan better = test::toy_plan(options);
      improvement.make(better.pools.front());
      const Toy after(better);
      CHECK(at_most(after.model.decode_run(batch).first.total_s(),
                    before.model.decode_run(batch).first.total_s()));
      CHECK(at_most(after.model.mixed_step({&chunk, 1}, batch).total_s(),
                    before.model.mixed_step({&chunk, 1}, batch).total_s()));
    }
  }
}

TEST_CASE(
    "n decode steps in closed form are the sum of n single ones, cause by cause and work by work") {
  Dice dice(kSeed + 1);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    DecodeBatch batch = rolled_batch(dice, toy);
    const AffineCost run = toy.model.decode_run(batch);
    constexpr int kSteps = 13;  // that no window fills up during a run is the caller's care
    StepCost one_by_one;
    for (int i = 0; i < kSteps; ++i) {
      one_by_one.add(toy.model.decode_run(batch).first);
      batch.context += static_cast<double>(batch.sequences);
      batch.window_context += static_cast<double>(batch.window_growing);
    }
    const StepCost at_once = run.sum(kSteps);
    CHECK(at_once.total_s() == near(one_by_one.total_s()));
    for (std::size_t c = 0; c < kStepCauses; ++c) {
      CHECK(std::abs(at_once.seconds[c] - one_by_one.seconds[c]) <= 1e-12 * one_by_one.seconds[c]);
    }
    for (std::size_t w = 0; w < kWorks; ++w) {
      CHECK(std::abs(at_once.work[w] - one_by_one.work[w]) <= 1e-12 * one_by_one.work[w]);
    }
  }
}

TEST_CASE("a mixed step without chunks is a decode step, to the last bit") {
  Dice dice(kSeed + 2);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const StepCost decode = toy.model.decode_run(batch).first;
    const StepCost mixed = toy.model.mixed_step({}, batch);
    CHECK(decode.seconds == mixed.seconds);
    CHECK(decode.work == mixed.work);
  }
}

TEST_CASE("a prompt in chunks takes at least as long and reads at least as much as at once") {
  Dice dice(kSeed + 3);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const std::int64_t prompt = 4 + dice.upto(8000);
    StepCost chunked;
    for (std::int64_t done = 0; done < prompt;) {
      const std::int64_t chunk = std::min(prompt - done, dice.upto(2000));
      chunked.add(toy.prefill(chunk, done, done + chunk == prompt));
      done += chunk;
    }
    const StepCost whole = toy.prefill(prompt, 0, true);
    CHECK(at_most(whole.total_s(), chunked.total_s()));
    CHECK(at_most(whole[Work::bytes_weights], chunked[Work::bytes_weights]));
    CHECK(at_most(whole[Work::bytes_kv], chunked[Work::bytes_kv]));
  }
}

TEST_CASE("one more sequence or one more token of context never shortens a step") {
  Dice dice(kSeed + 4);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    double before_s = 0.0;
    for (std::int64_t sequences = 1; sequences <= 40; ++sequences) {
      const double step_s = toy.decode(sequences, 100.0 * static_cast<double>(sequences)).total_s();
      CHECK(at_most(before_s, step_s));
      before_s = step_s;
    }
    CHECK(toy.decode(40, 4001).total_s() > before_s);
  }
}

TEST_CASE("no cause and no work is ever negative") {
  Dice dice(kSeed + 5);
  for (int roll = 0; roll < kRolls; ++roll) {
    CAPTURE(roll);
    const Toy toy(rolled(dice));
    const DecodeBatch batch = rolled_batch(dice, toy);
    const std::array<PrefillSlice, 2> chunks{
        {{.tokens = dice.upto(3000), .cached = dice.upto(9000), .samples = true},
         {.tokens = dice.upto(100), .cached = 0, .samples = false}}};
    const StepCost mixed = toy.model.mixed_step(chunks, batch);
    const StepCost slope = toy.model.decode_run(batch).slope;
    for (const double s : mixed.seconds) CHECK((std::isfinite(s) && s >= 0.0));
    for (const double w : mixed.work) CHECK((std::isfinite(w) && w >= 0.0));
    for (const double s : slope.seconds) CHECK(s >= 0.0);
  }
}

}  // namespace tokenyard::perf
