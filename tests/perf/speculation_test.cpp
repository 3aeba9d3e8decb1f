// Speculative decoding in the mean.
#include <cmath>

#include "perf/speculation.hpp"
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

scenario::SpeculationSpec guessing(std::int64_t tokens, double acceptance, double draft_cost) {
  scenario::SpeculationSpec spec;
  spec.tokens = tokens;
  spec.acceptance = acceptance;
  spec.draft_cost = draft_cost;
  return spec;
}

ToyOptions with(const scenario::SpeculationSpec& spec) {
  ToyOptions options;
  options.serving.speculation = spec;
  return options;
}

// Of a step with 3 guesses, each accepted with 0.8: 2.952 tokens.
double gain(ToyOptions options, std::int64_t sequences) {
  const double plain_s = Toy(options).decode(sequences).total_s();
  options.serving.speculation = guessing(3, 0.8, 0.0);
  return plain_s / Toy(options).decode(sequences).total_s();
}

ToyOptions sixty_four_experts() {
  ToyOptions options;
  options.model.ffn = {.kind = catalog::FfnKind::moe,
                       .gated = false,
                       .experts = 64,
                       .experts_per_token = 4,
                       .expert_hidden = 1500};
  options.device.memory.front().capacity = gigabytes(100);
  return options;
}

}  // namespace

TEST_CASE("3 guesses accepted with 0.8 give 1 + 0.8 + 0.64 + 0.512 = 2.952 tokens") {
  const Verification v = verification(guessing(3, 0.8, 0.05), 1);
  CHECK(v.tokens == 4.0);
  CHECK(v.yield == near(2.952));
  CHECK(v.guesses == near(0.15));
  CHECK(verification(guessing(3, 1.0, 0.0), 1).yield == near(4.0));
  CHECK(verification(guessing(3, 0.0, 0.0), 1).yield == near(1.0));
}

TEST_CASE("measured tokens per step are taken by draft length, before any acceptance") {
  scenario::SpeculationSpec spec = guessing(2, 0.8, 0.0);
  spec.tokens_per_step = {1.7, 2.2, 2.5};
  CHECK(verification(spec, 1).yield == 2.2);
}

TEST_CASE("batches above max_batch are decoded without") {
  scenario::SpeculationSpec spec = guessing(3, 0.8, 0.05);
  spec.max_batch = 8;
  CHECK(verification(spec, 8).tokens == 4.0);
  CHECK(verification(spec, 9).tokens == 1.0);
  const Toy toy(with(spec));
  CHECK(toy.decode(9, 900).seconds == Toy().decode(9, 900).seconds);
  CHECK(toy.decode(8, 800).total_s() < Toy().decode(8, 800).total_s());
}

TEST_CASE("bound by memory a token takes (8 ms + 4 written + 1,000 read) / 2.952") {
  const StepCost step = Toy(with(guessing(3, 0.8, 0.0))).decode(1, 1000);
  CHECK(step.total_s() == near((8e-3 + 1004 * 64e-9) / 2.952));
  CHECK(step[Work::flops_linear] == near(4 * 8e9 / 2.952));
  CHECK(step[Work::flops_attention] == near(4 * 1000 * 256e3 / 2.952));
  CHECK(step[Work::bytes_weights] == near(8e9 / 2.952));
}

TEST_CASE("guessing at 0.05 adds 3 x 0.05 of a plain step, host work left out") {
  ToyOptions options = with(guessing(3, 0.8, 0.05));
  options.serving.host = {.per_step = milliseconds(0.5), .per_sequence = microseconds(5)};
  const StepCost step = Toy(options).decode(1);
  CHECK(step[Cause::host] == near(505e-6 / 2.952));
  const double device_s = step.total_s() - step[Cause::host];
  CHECK(device_s == near((8e-3 + 4 * 64e-9 + 0.15 * (8e-3 + 64e-9)) / 2.952));
}

TEST_CASE("guesses that are never accepted cost more than none") {
  for (const std::int64_t sequences : {1, 16, 100, 300}) {
    CAPTURE(sequences);
    CHECK(Toy(with(guessing(3, 0.0, 0.05))).decode(sequences).total_s() >
          Toy().decode(sequences).total_s());
  }
}

TEST_CASE("the gain falls from 2.95 for one sequence to 2.952 / 4 = 0.738 where computing binds") {
  CHECK(gain({}, 1) == near(2.952, 1e-4));
  CHECK(gain({}, 200) == near(2.952 / 4, 1e-9));
  double before = gain({}, 1);
  for (const std::int64_t sequences : {10, 25, 50, 100, 200}) {
    CHECK(gain({}, sequences) <= before * (1 + 1e-9));
    before = gain({}, sequences);
  }
}

TEST_CASE("for one sequence a mixture gains less: 4 tokens read 14.56 experts where one reads 4") {
  // A layer: attention 160.512 M, experts of 24 M; head 800 M.  All in bf16 at 1 TB/s.
  const auto step_s = [](double experts) {
    return 2 * (8 * (160.512e6 + experts * 24e6) + 800e6) / 1e12;
  };
  const double read = 64 * (1 - std::pow(15.0 / 16, 4));
  CHECK(read == doctest::Approx(14.56).epsilon(1e-3));
  CHECK(gain(sixty_four_experts(), 1) == near(2.952 * step_s(4) / step_s(read), 1e-4));
}

TEST_CASE("a measured speedup of 2 halves the whole step, and its slope") {
  scenario::SpeculationSpec spec;
  spec.speedup = 2.0;
  const DecodeBatch batch{.sequences = 4, .context = 4000};
  const AffineCost half = Toy(with(spec)).model.decode_run(batch);
  const AffineCost whole = Toy().model.decode_run(batch);
  CHECK(half.first.total_s() == near(whole.first.total_s() / 2));
  CHECK(half.slope.total_s() == near(whole.slope.total_s() / 2));
}

TEST_CASE("beside a chunk, one in 2.952 steps verifies 4 tokens: 64 ms + 4 x 64 us / 2.952") {
  const PrefillSlice chunk{.tokens = 1000, .cached = 0, .samples = false};
  const StepCost step =
      Toy(with(guessing(3, 0.8, 0.0))).model.mixed_step({&chunk, 1}, {.sequences = 1});
  CHECK(step[Cause::compute] == near(64e-3 + 1.28128e-3 + 4 * 64e-6 / 2.952));
  CHECK(step[Cause::weight_bw] == near(1.6e-3 / 2.952));  // the head
}

TEST_CASE("guesses are all accepted up to the k-th with a^k, or with what the k-th yields more") {
  const std::vector<double> constant = accepted_up_to(guessing(3, 0.8, 0.05));
  REQUIRE(constant.size() == 3);
  CHECK(constant[0] == near(0.8));
  CHECK(constant[2] == near(0.512));
  scenario::SpeculationSpec spec = guessing(2, 0.0, 0.05);
  spec.tokens_per_step = {1.79, 2.27, 2.49};
  const std::vector<double> measured = accepted_up_to(spec);
  REQUIRE(measured.size() == 2);
  CHECK(measured[0] == near(0.79));
  CHECK(measured[1] == near(0.48));
}

// 2 sequences of 500 tokens that gain 5 together in a step.
TEST_CASE("where tokens are drawn a step is a whole verifying step, and grows by what they gain") {
  const Toy toy(with(guessing(3, 0.8, 0.05)));
  DecodeBatch batch{.sequences = 2,
                    .context = 1000,
                    .drawn = DecodeBatch::Drawn{.verifying = true, .growth = 5.0}};
  const AffineCost run = toy.model.decode_run(batch);
  const double plain_s = 8e-3 + 1002 * 64e-9;
  CHECK(run.first.total_s() == near(8e-3 + (8 + 1000) * 64e-9 + 0.15 * plain_s));
  CHECK(run.slope.total_s() == near(1.15 * 5 * 64e-9, 1e-9));
  CHECK(toy.model.mixed_step({}, batch).seconds == run.first.seconds);
  batch.drawn->verifying = false;
  CHECK(toy.model.decode_run(batch).first.total_s() == near(plain_s));
}

TEST_CASE("beside a chunk a drawn step verifies 4 tokens: 64 ms + 4 x 64 us, and guesses") {
  const PrefillSlice chunk{.tokens = 1000, .cached = 0, .samples = false};
  const DecodeBatch batch{.sequences = 1,
                          .drawn = DecodeBatch::Drawn{.verifying = true, .growth = 3.0}};
  const Toy toy(with(guessing(3, 0.8, 0.0)));
  const StepCost step = toy.model.mixed_step({&chunk, 1}, batch);
  CHECK(step[Cause::compute] == near(64e-3 + 1.28128e-3 + 4 * 64e-6));
  CHECK(step[Cause::weight_bw] == near(1.6e-3));  // the head
}

TEST_CASE("prompts alone take what they take without speculation") {
  CHECK(Toy(with(guessing(3, 0.8, 0.05))).prefill(1000, 0, true).seconds ==
        Toy().prefill(1000, 0, true).seconds);
}

}  // namespace tokenyard::perf
