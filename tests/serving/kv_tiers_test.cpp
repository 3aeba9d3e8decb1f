#include "serving/kv_tiers.hpp"

#include <doctest/doctest.h>

#include "serving/kv_cache.hpp"

namespace {

using namespace tokenyard;
using serving::KvEntry;
using serving::KvKey;
using serving::KvTiers;
using serving::KvTierStore;

KvEntry unit(std::uint64_t id, std::int64_t blocks) {
  return {.key = {.id = id}, .blocks = blocks};
}
KvEntry history(std::uint64_t session, std::int64_t blocks, std::int64_t offset = 0) {
  return {.key = {.id = session, .session = true}, .blocks = blocks, .offset = offset};
}

KvTiers two_tiers(std::int64_t first, std::int64_t second) {
  return {{{.blocks = first, .block_s = 0.001}, {.blocks = second, .block_s = 0.01}},
          nullptr,
          {},
          7,
          0.0};
}

}  // namespace

TEST_CASE("tiers: 100 blocks of DRAM take a prompt of 64, and the next pushes it to the SSD") {
  KvTiers tiers = two_tiers(100, 1000);
  tiers.evicted(unit(1, 64));
  CHECK(tiers.find({.id = 1}).tier == 0);
  tiers.evicted(unit(2, 64));
  CHECK(tiers.find({.id = 2}).tier == 0);
  CHECK(tiers.find({.id = 1}).tier == 1);
  CHECK(tiers.find({.id = 1}).entry->blocks == 64);
  CHECK(tiers.use(0).written_blocks == 128);
  CHECK(tiers.use(1).written_blocks == 64);
}

TEST_CASE(
    "tiers: what is below already costs nothing to evict again, of a longer history the rest") {
  KvTiers tiers = two_tiers(100, 100);
  tiers.evicted(history(5, 20));
  tiers.evicted(history(5, 20));
  CHECK(tiers.use(0).written_blocks == 20);
  tiers.evicted(history(5, 50));
  CHECK(tiers.use(0).written_blocks == 50);
  CHECK(tiers.find({.id = 5, .session = true}).entry->blocks == 50);
}

TEST_CASE("tiers: a unit and a session of the same number are two things") {
  KvTiers tiers = two_tiers(100, 100);
  tiers.evicted(unit(5, 1));
  CHECK(tiers.find({.id = 5, .session = true}).entry == nullptr);
  CHECK(tiers.find({.id = 5}).entry != nullptr);
}

TEST_CASE("tiers: what came back and is evicted again is in the first tier alone") {
  KvTiers tiers = two_tiers(100, 1000);
  tiers.evicted(unit(1, 64));
  tiers.evicted(unit(2, 64));
  tiers.evicted(unit(1, 64));
  CHECK(tiers.find({.id = 1}).tier == 0);
  CHECK(tiers.find({.id = 2}).tier == 1);
}

TEST_CASE(
    "tiers: a history that was compacted is of use only as far as the next prompt repeats it") {
  KvTiers tiers = two_tiers(100, 100);
  tiers.evicted(history(5, 40));
  tiers.revise(5, 0, 10);
  CHECK(tiers.find({.id = 5, .session = true}).entry->blocks == 10);
  tiers.revise(5, 512, 10);  // behind another prefix
  CHECK(tiers.find({.id = 5, .session = true}).entry == nullptr);
}

TEST_CASE("tiers: what is larger than a tier is not kept there, and pushes nothing out") {
  KvTiers tiers = two_tiers(10, 100);
  tiers.evicted(unit(1, 8));
  tiers.evicted(unit(2, 11));
  CHECK(tiers.find({.id = 1}).tier == 0);
  CHECK(tiers.find({.id = 2}).entry == nullptr);
}

TEST_CASE(
    "tiers: a pool is shared, knows the node that holds a unit, and a failure leaves it alone") {
  const auto pool = std::make_shared<KvTierStore>(100);
  const serving::KvTierConfig config{.blocks = 100, .block_s = 0.001};
  KvTiers here({{.blocks = 10, .block_s = 0.001}}, pool, config, 3, 0.0);
  KvTiers there({{.blocks = 10, .block_s = 0.001}}, pool, config, 4, 0.0);
  here.turn_ended(unit(1, 4));
  there.turn_ended(unit(1, 4));  // known already
  CHECK(there.use(1).written_blocks == 0);
  const auto found = there.find({.id = 1});
  CHECK(found.tier == 1);
  CHECK(found.entry->home == 3);
  here.evicted(unit(2, 4));
  here.lose_local();
  CHECK(here.find({.id = 2}).entry == nullptr);
  CHECK(here.find({.id = 1}).entry != nullptr);
}

TEST_CASE("tiers: blocks kept times seconds count from the start of the measured window") {
  KvTiers tiers({{.blocks = 100, .block_s = 0.001}}, nullptr, {}, 0, 10.0);
  tiers.advance(4.0);
  tiers.evicted(unit(1, 5));
  tiers.advance(12.0);
  tiers.evicted(unit(2, 3));
  tiers.advance(20.0);
  CHECK(tiers.kept_block_s(0) == doctest::Approx(2 * 5 + 8 * 8));
  CHECK(tiers.use(0).written_blocks == 3);
}

TEST_CASE("tiers: what a session's history in device memory covers is not brought as well") {
  KvTiers tiers({{.blocks = 100, .block_s = 1e-9}}, nullptr, {}, 0, 0.0);
  serving::KvCacheConfig config;
  config.blocks = 100;
  config.block_tokens = 16;
  config.prefix_block_tokens = 32;
  config.recompute = {.token_s = 1.0, .token_context_s = 0.0};
  serving::KvCache kv(config, &tiers);
  workload::Request first;
  first.session = 1;
  first.input_tokens = 64;
  first.prefix = {1};
  serving::KvLease lease;
  REQUIRE(kv.admit(first, 64, 0, lease) == 0);
  kv.prompt_computed(first, 64, lease);
  kv.release(first, 64, true, lease);  // two blocks of history behind the prefix unit
  tiers.evicted({.key = {.id = 2}, .blocks = 2, .offset = 32});
  workload::Request second = first;
  second.input_tokens = 200;
  second.prefix = {1, 2};
  CHECK(kv.below(second, 200).tokens == 0);
  CHECK(kv.admit(second, 200, 0, lease) == 64);
}
