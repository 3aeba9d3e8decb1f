// Which unit goes first, and how long one is worth holding.
#include <doctest/doctest.h>

#include "serving/kv_cache.hpp"

namespace {

using namespace tokenyard;
using serving::KvCache;
using serving::KvCacheConfig;
using serving::KvLease;

KvCacheConfig config_of(scenario::Eviction eviction, std::int64_t blocks) {
  KvCacheConfig config;
  config.blocks = blocks;
  config.block_tokens = 16;
  config.prefix_block_tokens = 16;
  config.eviction = eviction;
  config.recompute = {.token_s = 1e-3, .token_context_s = 1e-5};
  return config;
}

workload::Request prompt(std::vector<std::uint64_t> prefix) {
  workload::Request r;
  r.input_tokens = static_cast<std::int64_t>(prefix.size()) * 16;
  r.prefix = std::move(prefix);
  return r;
}

// Computes a prompt and leaves it cached.
void pass(KvCache& kv, const workload::Request& r) {
  KvLease lease;
  REQUIRE(kv.admit(r, r.input_tokens, 0, lease) >= 0);
  kv.prompt_computed(r, r.input_tokens, lease);
  kv.release(r, r.input_tokens, true, lease);
}

// Tokens of it that are cached; one is always computed.
std::int64_t cached(KvCache& kv, const workload::Request& r) {
  KvLease lease;
  const std::int64_t reused = kv.admit(r, r.input_tokens, 0, lease);
  kv.release(r, r.input_tokens, false, lease);
  return reused;
}

}  // namespace

TEST_CASE("eviction: lru drops what was used longest ago, lfu what was used least often") {
  const auto left_of_first = [](scenario::Eviction eviction) {
    KvCache kv(config_of(eviction, 10));
    const workload::Request popular = prompt({1, 2, 3, 4});  // the last is computed every time
    for (int i = 0; i < 5; ++i) pass(kv, popular);
    pass(kv, prompt({11, 12, 13}));
    pass(kv, prompt({21, 22, 23}));
    pass(kv, prompt({31, 32, 33}));  // three blocks have to go
    return cached(kv, popular);
  };
  CHECK(left_of_first(scenario::Eviction::lru) == 16);
  CHECK(left_of_first(scenario::Eviction::lfu) == 48);
}

TEST_CASE("eviction: the end of a prompt goes before its beginning, whatever the order") {
  for (const auto eviction :
       {scenario::Eviction::lru, scenario::Eviction::lfu, scenario::Eviction::cost_aware}) {
    CAPTURE(static_cast<int>(eviction));
    KvCache kv(config_of(eviction, 6));
    pass(kv, prompt({1, 2, 3, 4, 5, 6}));
    pass(kv, prompt({91, 92}));
    CHECK(cached(kv, prompt({1, 2, 3, 4, 5, 6})) == 4 * 16);
  }
}

TEST_CASE("eviction: cost-aware keeps what is dear to compute, until others have been used often") {
  // Blocks behind a long context are dearer: 10 us for each token before them.
  KvCache kv(config_of(scenario::Eviction::cost_aware, 40));
  std::vector<std::uint64_t> deep;
  for (std::uint64_t i = 1; i <= 30; ++i) deep.push_back(i);
  pass(kv, prompt(deep));
  pass(kv, prompt({101, 102, 103, 104, 105, 106, 107, 108, 109, 110}));
  pass(kv, prompt({201, 202, 203, 204, 205}));
  // lru would have dropped the end of the deep prompt; here the shallow one goes.
  deep.push_back(31);
  CHECK(cached(kv, prompt(deep)) == 30 * 16);
}

TEST_CASE("holding by cost: a unit stays seconds to compute it times all blocks over its own") {
  KvCacheConfig config = config_of(scenario::Eviction::lru, 100);
  config.hold_by_cost = true;
  config.recompute = {.token_s = 1e-3, .token_context_s = 0.0};
  KvCache kv(config);
  workload::Request r;
  r.session = 1;
  r.input_tokens = 160;
  KvLease lease;
  REQUIRE(kv.admit(r, 160, 0, lease) == 0);
  kv.release(r, 160, true, lease);
  // 10 blocks of 100 hold 160 tokens, 0.16 s: worth holding for 1.6 s.
  kv.advance(1.59);
  CHECK(kv.cached() == 10);
  kv.advance(1.61);
  CHECK(kv.cached() == 0);
  CHECK(kv.retained_block_s(2.0) == doctest::Approx(10 * 1.6));
}

TEST_CASE("holding by cost: the published break-evens of 100,000 tokens, 235, 655 and 674 s") {
  // An H200, 141 GB and 1,979 TFLOP/s at half of it, all of its memory for the cache.
  constexpr double kFlops = 0.5 * 1979e12;
  struct Published {
    double active_parameters, flops_of_pair, cache_bytes_of_token, hold_s;
  };
  const std::vector<Published> cases{
      {70.55e9, 4.0 * 64 * 128 * 80, 163'840, 235},              // Llama 3.1 70B, cache in fp8
      {36.6e9, 2.0 * 128 * (128 + 64 + 128) * 61, 70'272, 655},  // DeepSeek-V3, cache in bf16
      {405.85e9, 4.0 * 128 * 128 * 126, 258'048, 674}};          // Llama 3.1 405B, cache in fp8
  for (const Published& p : cases) {
    CAPTURE(p.hold_s);
    KvCacheConfig config = config_of(scenario::Eviction::lru, 0);
    config.blocks = static_cast<std::int64_t>(141e9 / (16.0 * p.cache_bytes_of_token));
    config.hold_by_cost = true;
    config.recompute = {.token_s = 2.0 * p.active_parameters / kFlops,
                        .token_context_s = p.flops_of_pair / kFlops};
    KvCache kv(config);
    workload::Request r;
    r.session = 1;
    r.input_tokens = 100'000;
    KvLease lease;
    REQUIRE(kv.admit(r, r.input_tokens, 0, lease) == 0);
    kv.release(r, r.input_tokens, true, lease);
    kv.advance(0.99 * p.hold_s);
    CHECK(kv.cached() == 6250);
    kv.advance(1.01 * p.hold_s);
    CHECK(kv.cached() == 0);
  }
}
