// KV blocks run short: who is admitted, who is preempted, who is refused for good.
#include <doctest/doctest.h>

#include <vector>

#include "base/random.hpp"
#include "serving/replica_driver.hpp"

namespace {

using tokenyard::test::ReplicaDriver;
using tokenyard::test::ToyOptions;

ToyOptions with_blocks(std::int64_t blocks) {
  ToyOptions options;
  options.kv_blocks = blocks;
  options.serving.scheduler.max_batch_tokens = 5000;
  return options;
}

// Two requests of 16 tokens in and 33 out: each ends with 48 stored tokens, 3 blocks.
void serve_two(ReplicaDriver& driver) {
  driver.arrive(0.0, 0, 16, 33);
  driver.arrive(0.0, 1, 16, 33);
  driver.finish();
}

tokenyard::workload::Request request(std::int64_t input, std::int64_t output) {
  tokenyard::workload::Request r;
  r.input_tokens = input;
  r.output_tokens = output;
  return r;
}

}  // namespace

TEST_CASE(
    "two requests of 3 blocks each: with 5 blocks the younger is preempted once, with 6 none") {
  ReplicaDriver enough(with_blocks(6));
  serve_two(enough);
  CHECK(enough.of(0).preemptions + enough.of(1).preemptions == 0);
  CHECK(enough.of(0).finished_s == enough.of(1).finished_s);
  ReplicaDriver short_of_one(with_blocks(5));
  serve_two(short_of_one);
  CHECK(short_of_one.of(0).preemptions == 0);
  CHECK(short_of_one.of(1).preemptions == 1);
  CHECK(short_of_one.of(1).produced == 33);
  CHECK(short_of_one.tokens_reported() == 66);
}

TEST_CASE("where 5 blocks fit, an unlimited cache preempts nobody, and 10 blocks as little") {
  ToyOptions options = with_blocks(5);
  options.serving.kv_cache.capacity.unlimited = true;
  ReplicaDriver unlimited(options);
  serve_two(unlimited);
  CHECK(unlimited.of(0).preemptions + unlimited.of(1).preemptions == 0);
  ReplicaDriver roomy(with_blocks(10));
  serve_two(roomy);
  CHECK(unlimited.of(1).finished_s == roomy.of(1).finished_s);
}

TEST_CASE(
    "a preempted request computes its prompt and its own 17 tokens again, after the older one "
    "has ended") {
  ReplicaDriver driver(with_blocks(5));
  serve_two(driver);
  CHECK(driver.order_of_end() == std::vector<std::int64_t>{0, 1});
  std::vector<std::int64_t> computed;
  std::vector<double> resumed;
  for (const auto& report : driver.reports()) {
    if (report.prompt_tokens > 0) computed.push_back(report.prompt_tokens);
    for (const double gap_s : report.resumed_gaps_s) resumed.push_back(gap_s);
  }
  CHECK(computed == std::vector<std::int64_t>{32, 33});
  // It lost its place after 17 tokens; the older one made 16 more meanwhile, and the prompt again.
  REQUIRE(resumed.size() == 1);
  CHECK(resumed[0] > 17 * 8e-3);
  CHECK(resumed[0] < 18 * 8e-3);
}

TEST_CASE(
    "the youngest goes first: of three that grow together the last two are preempted in turn") {
  ReplicaDriver driver(with_blocks(6));
  for (int id = 0; id < 3; ++id) driver.arrive(0.0, id, 16, 50);  // 65 stored: 5 blocks each
  driver.finish();
  CHECK(driver.of(0).preemptions == 0);
  CHECK(driver.of(1).preemptions == 1);
  CHECK(driver.of(2).preemptions >= 1);
  CHECK(driver.order_of_end() == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("a request that needs 48 stored tokens fits 3 blocks for ever, one of 49 never") {
  ReplicaDriver driver(with_blocks(3));
  CHECK(driver.replica().can_ever_fit(request(16, 33)));
  CHECK_FALSE(driver.replica().can_ever_fit(request(16, 34)));
  driver.arrive(0.0, 0, 16, 33);
  driver.finish();
  CHECK(driver.of(0).produced == 33);
  CHECK(driver.of(0).preemptions == 0);
}

TEST_CASE("a request longer than the model's context is refused whatever the memory") {
  ToyOptions options;
  options.model.max_context = 1000;
  ReplicaDriver driver(options);
  CHECK(driver.replica().can_ever_fit(request(900, 100)));
  CHECK_FALSE(driver.replica().can_ever_fit(request(900, 101)));
}

TEST_CASE(
    "1 % of the blocks is kept back while others run: of 200, beside 100, 98 are given, not 99") {
  const auto admitted_s = [](std::int64_t blocks_of_second) {
    ReplicaDriver driver(with_blocks(200));
    driver.arrive(0.0, 0, 100 * 16, 2);
    driver.arrive(0.0, 1, blocks_of_second * 16, 1);
    driver.finish();
    return driver.of(1).admitted_s;
  };
  CHECK(admitted_s(98) == 0.0);
  CHECK(admitted_s(99) > 0.0);
}

TEST_CASE("alone, a request may have every block") {
  ReplicaDriver driver(with_blocks(200));
  driver.arrive(0.0, 0, 200 * 16, 1);
  driver.finish();
  CHECK(driver.of(0).produced == 1);
}

TEST_CASE(
    "the head of the queue that does not fit is reported as blocked by capacity, and holds "
    "back those behind it") {
  ReplicaDriver driver(with_blocks(100));
  driver.arrive(0.0, 0, 60 * 16, 50);
  driver.arrive(0.0, 1, 60 * 16, 2);
  driver.arrive(0.0, 2, 16, 2);
  driver.finish();
  CHECK(driver.of(1).admitted_s == driver.of(0).finished_s);
  CHECK(driver.of(2).admitted_s == driver.of(0).finished_s);
  CHECK(driver.reports().front().capacity_blocked);
  CHECK_FALSE(driver.reports().back().capacity_blocked);
}

TEST_CASE(
    "prefill-first: preempted at the moment its first token is out, a request waits since then") {
  // 9 blocks.  Request 0 decodes when the prompt of request 1 comes: 7 blocks' worth, so that the
  // first decode step of both has no block left for 1 and it is preempted without having stalled.
  ToyOptions options = with_blocks(9);
  options.serving.scheduler.policy = tokenyard::scenario::BatchPolicy::prefill_first;
  ReplicaDriver driver(options, true);
  driver.arrive(0.0, 0, 16, 32);
  driver.arrive(0.1, 1, 7 * 16, 3);
  driver.finish();
  CHECK(driver.of(1).preemptions == 1);
  std::vector<double> resumed;
  std::int64_t stalled = 0;
  for (const auto& report : driver.reports()) {
    for (const double gap_s : report.resumed_gaps_s) resumed.push_back(gap_s);
    for (const auto& stall : report.stalls) stalled += stall.sequences;
  }
  CHECK(stalled == 1);  // request 0, while the prompt was computed
  REQUIRE(resumed.size() == 1);
  // From its first token to its second, which follows the end of request 0 and one prompt step.
  CHECK(resumed[0] < driver.of(1).finished_s - driver.of(1).first_token_s);
  CHECK(resumed[0] == doctest::Approx(driver.reports()[driver.reports().size() - 2].end_s -
                                      driver.of(1).first_token_s)
                          .epsilon(1e-12));
}

TEST_CASE(
    "under any load in a cache too small for it every token is made once and every block "
    "returns") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    tokenyard::RandomStream random(seed, "load");
    ToyOptions options = with_blocks(random.integer(20, 60));
    options.serving.scheduler.max_batch_tokens = random.integer(20, 400);
    if (seed % 2 == 0)
      options.serving.scheduler.policy = tokenyard::scenario::BatchPolicy::prefill_first;
    if (seed % 3 == 0)
      options.model.attention.window = tokenyard::catalog::WindowSpec{.tokens = 40, .layers = 3};
    ReplicaDriver fast(options);
    ReplicaDriver slow(options, true);
    std::int64_t tokens = 0;
    double at_s = 0.0;
    int preemptions = 0;
    std::vector<std::int64_t> outputs;
    for (int id = 0; id < 60; ++id) {
      at_s += random.exponential(0.15);
      const std::int64_t output = random.integer(1, 150);
      const std::int64_t input = random.integer(1, 160);
      fast.arrive(at_s, id, input, output);
      slow.arrive(at_s, id, input, output);
      tokens += output;
      outputs.push_back(output);
    }
    fast.finish();
    slow.finish();
    REQUIRE(fast.tokens_reported() == tokens);
    REQUIRE(slow.tokens_reported() == tokens);
    for (int id = 0; id < 60; ++id) {
      CAPTURE(id);
      REQUIRE(fast.of(id).produced == outputs[static_cast<std::size_t>(id)]);
      REQUIRE(fast.of(id).preemptions == slow.of(id).preemptions);
      REQUIRE(fast.of(id).finished_s == doctest::Approx(slow.of(id).finished_s).epsilon(1e-12));
      REQUIRE(fast.of(id).first_token_s ==
              doctest::Approx(slow.of(id).first_token_s).epsilon(1e-12));
      preemptions += fast.of(id).preemptions;
    }
    CHECK(preemptions > 0);
    fast.replica().kv().clear_cached();
    REQUIRE(fast.replica().kv().free() == fast.replica().kv().total());
    REQUIRE(fast.replica().outstanding() == 0);
  }
}
