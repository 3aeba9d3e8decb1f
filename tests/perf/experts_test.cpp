// Which experts are read, and how uneven the ranks are.
#include <cmath>
#include <numeric>

#include "perf/experts.hpp"
#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

using test::ToyOptions;

ExpertReads reads(std::int64_t experts, std::int64_t chosen, double tokens,
                  const scenario::DeploySpec& spec) {
  catalog::Ffn ffn;
  ffn.kind = catalog::FfnKind::moe;
  ffn.experts = experts;
  ffn.experts_per_token = chosen;
  return ExpertLoad(ffn, spec).reads(tokens);
}

scenario::DeploySpec ranks(std::int64_t count, double skew = 0.0, std::int64_t copies = 0) {
  scenario::DeploySpec spec;
  spec.expert_parallel = count;
  spec.expert_skew = skew;
  spec.redundant_experts = copies;
  return spec;
}

ToyOptions experts_on(std::int64_t devices) {
  ToyOptions options = mixture();
  options.attention_data_parallel = options.expert_parallel = options.devices_per_node = devices;
  return options;
}

StepCost skewed_step(double skew, std::int64_t sequences) {
  scenario::Plan plan = test::toy_plan(experts_on(8));
  plan.pools.front().deployments.front().spec.expert_skew = skew;
  return Toy(std::move(plan)).decode(sequences);
}

}  // namespace

TEST_CASE("Zipf with s = 1 over 4 experts, one chosen: 12, 6, 4 and 3 of 25") {
  const std::vector<double> p = expert_popularity(4, 1, 1.0);
  CHECK(p[0] == near(12.0 / 25));
  CHECK(p[1] == near(6.0 / 25));
  CHECK(p[2] == near(4.0 / 25));
  CHECK(p[3] == near(3.0 / 25));
}

TEST_CASE("popularity adds up to the experts chosen, falls, and is never more than certain") {
  for (const double skew : {0.0, 0.5, 1.0, 2.0, 8.0}) {
    for (const std::int64_t chosen : {1, 4, 8, 32}) {
      CAPTURE(skew);
      CAPTURE(chosen);
      const std::vector<double> p = expert_popularity(32, chosen, skew);
      CHECK(std::accumulate(p.begin(), p.end(), 0.0) == near(static_cast<double>(chosen), 1e-9));
      for (std::size_t i = 0; i < p.size(); ++i) {
        CHECK(p[i] <= 1.0 + 1e-12);
        if (i > 0) CHECK(p[i] <= p[i - 1] * (1.0 + 1e-12));
      }
    }
  }
}

TEST_CASE("of 256 experts, 8 chosen, 8, 32 and 128 tokens read 57.4, 163.3 and 251.6") {
  CHECK(reads(256, 8, 8, ranks(1)).distinct == doctest::Approx(57.4).epsilon(1e-3));
  CHECK(reads(256, 8, 32, ranks(1)).distinct == doctest::Approx(163.3).epsilon(1e-3));
  CHECK(reads(256, 8, 128, ranks(1)).distinct == doctest::Approx(251.6).epsilon(1e-3));
}

TEST_CASE("with s = 1 they read fewer, 42, 106 and 202: the popular ones are shared") {
  CHECK(std::round(reads(256, 8, 8, ranks(1, 1.0)).distinct) == 42);
  CHECK(std::round(reads(256, 8, 32, ranks(1, 1.0)).distinct) == 106);
  CHECK(std::round(reads(256, 8, 128, ranks(1, 1.0)).distinct) == 202);
}

TEST_CASE("4 experts on 2 ranks: 12 + 3 against 6 + 4 of 25, the slowest has 1.2 of the mean") {
  CHECK(reads(4, 1, 1e12, ranks(2, 1.0)).load == near(1.2, 1e-4));
}

TEST_CASE("two copies of the busiest make 4 + 4 + 4, 6, 4 and 3: 13 against 12, 1.04 of the mean") {
  CHECK(reads(4, 1, 1e12, ranks(2, 1.0, 2)).load == near(1.04, 1e-4));
}

TEST_CASE("a copy of a uniform expert halves its tokens: of 2 tokens 1 - (7/8)^2 find each") {
  // 2 tokens, p = 1/4: three experts of 1 - (3/4)^2 and, for the fourth, two copies of p = 1/8.
  const double expected = 3 * (1 - 9.0 / 16) + 2 * (1 - 49.0 / 64);
  CHECK(reads(4, 1, 2, ranks(5, 0.0, 1)).distinct == near(expected));
}

TEST_CASE(
    "chance adds sqrt(2 ln 2 x 0.3552 x 10,000) tokens to the 6,000 of the first of 2 ranks") {
  // p = 0.48 and 0.12 on the first rank: mean 0.6, variance 0.48 x 0.52 + 0.12 x 0.88 = 0.3552.
  // The other: 0.24 and 0.16, mean 0.4, variance 0.3168: never slower.
  const double most = 6000 + std::sqrt(2 * std::log(2.0) * 10'000 * 0.3552);
  CHECK(reads(4, 1, 10'000, ranks(2, 1.0)).load == near(most / 5000));
}

TEST_CASE("a vanishing skew has the load of no skew") {
  for (const double tokens : {16.0, 256.0, 4096.0}) {
    CHECK(reads(64, 4, tokens, ranks(8, 1e-9)).load ==
          near(reads(64, 4, tokens, ranks(8)).load, 1e-6));
    CHECK(reads(64, 4, tokens, ranks(8, 1e-9)).distinct ==
          near(reads(64, 4, tokens, ranks(8)).distinct, 1e-6));
  }
}

TEST_CASE("the slowest rank reads no fewer than the mean and no more than it holds") {
  for (const double skew : {0.0, 0.5, 1.0, 3.0}) {
    for (const double tokens : {1.0, 8.0, 100.0, 1e5}) {
      CAPTURE(skew);
      CAPTURE(tokens);
      const ExpertReads r = reads(64, 4, tokens, ranks(8, skew, 8));
      CHECK(r.slowest_distinct >= r.distinct);
      CHECK(r.slowest_distinct <= 72.0 + 1e-9);
      CHECK(r.load >= 1.0);
      CHECK(r.load <= 8.0);
    }
  }
}

TEST_CASE("a skewed step reads fewer experts, and computing for many tokens waits longer") {
  CHECK(skewed_step(1.0, 16)[Work::bytes_weights] < skewed_step(0.0, 16)[Work::bytes_weights]);
  CHECK(skewed_step(1.0, 8000)[Cause::imbalance] > skewed_step(0.0, 8000)[Cause::imbalance]);
}

}  // namespace tokenyard::perf
