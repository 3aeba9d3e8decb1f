#include "serving/kv_cache.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "base/error.hpp"

namespace {

using tokenyard::InternalError;
using tokenyard::serving::KvCache;
using tokenyard::serving::KvCacheConfig;
using tokenyard::serving::KvLease;
using tokenyard::workload::Request;

// Blocks of 16 tokens; a prefix id stands for 64 tokens, 4 blocks.
KvCache cache_of(std::int64_t blocks) {
  return KvCache({.blocks = blocks, .block_tokens = 16, .prefix_block_tokens = 64});
}

Request prompt(std::int64_t tokens, std::vector<std::uint64_t> prefix = {},
               std::int64_t session = -1) {
  Request r;
  r.input_tokens = tokens;
  r.prefix = std::move(prefix);
  r.session = session;
  return r;
}

// From admission to the end of a request that answers with one token.
std::int64_t serve(KvCache& kv, const Request& r) {
  KvLease lease;
  const std::int64_t reused = kv.admit(r, r.input_tokens, 0, lease);
  REQUIRE(reused >= 0);
  kv.prompt_computed(r, r.input_tokens, lease);
  kv.release(r, r.input_tokens, true, lease);
  return reused;
}

}  // namespace

TEST_CASE(
    "KV cache: 100 tokens take 7 of 10 blocks; as a session's turn of 119 stored tokens they "
    "leave 7 cached, 3 free") {
  KvCache kv = cache_of(10);
  const Request turn = prompt(100, {}, 0);
  KvLease lease;
  CHECK(kv.admit(turn, 100, 0, lease) == 0);
  CHECK(kv.private_blocks() == 7);
  kv.prompt_computed(turn, 100, lease);
  kv.take(1);  // tokens 113 to 119
  CHECK(kv.private_blocks() == 8);
  kv.release(turn, 119, true, lease);
  CHECK(kv.cached() == 7);
  CHECK(kv.free() == 3);
  CHECK(kv.private_blocks() == 0);
  CHECK(kv.available() == 10);
}

TEST_CASE("KV cache: a prompt of 7 blocks is refused by 6 and fits 7 exactly") {
  KvCache small = cache_of(6);
  KvLease lease;
  CHECK(small.admit(prompt(100), 100, 0, lease) == -1);
  CHECK(small.free() == 6);
  KvCache enough = cache_of(7);
  CHECK(enough.admit(prompt(100), 100, 0, lease) == 0);
  CHECK(enough.free() == 0);
}

TEST_CASE("KV cache: with a reserve of 2, 7 blocks are refused by 8 and fit 9") {
  KvCache small = cache_of(8);
  KvLease lease;
  CHECK(small.admit(prompt(100), 100, 2, lease) == -1);
  KvCache enough = cache_of(9);
  CHECK(enough.admit(prompt(100), 100, 2, lease) == 0);
}

TEST_CASE("KV cache: two sequences with the same first 64 tokens hold these 4 blocks once") {
  KvCache kv = cache_of(20);
  const Request first = prompt(100, {7});
  const Request second = prompt(80, {7});
  KvLease a;
  KvLease b;
  kv.admit(first, 100, 0, a);
  kv.prompt_computed(first, 100, a);
  CHECK(kv.cached() == 4);
  CHECK(kv.private_blocks() == 3);
  CHECK(kv.admit(second, 80, 0, b) == 64);
  CHECK(kv.cached() == 4);
  CHECK(kv.private_blocks() == 3 + 1);
  kv.release(first, 100, true, a);
  CHECK(kv.available() == 20 - 4 - 1);  // the second one still uses the prefix
  kv.release(second, 80, true, b);
  CHECK(kv.available() == 20);
}

TEST_CASE(
    "KV cache: a prompt that is cached to its last token still computes its last prefix block") {
  KvCache kv = cache_of(20);
  serve(kv, prompt(128, {1, 2}));
  CHECK(serve(kv, prompt(128, {1, 2})) == 64);
  CHECK(serve(kv, prompt(129, {1, 2})) == 128);
}

TEST_CASE("KV cache: a prefix is reused from its front only, without a gap") {
  KvCache kv = cache_of(40);
  serve(kv, prompt(192, {1, 2, 3}));
  CHECK(serve(kv, prompt(200, {1, 9, 3})) == 64);
  CHECK(serve(kv, prompt(200, {8, 2, 3})) == 0);
}

TEST_CASE(
    "KV cache: a prompt computed by two at once is cached once and the second copy freed at its "
    "end") {
  KvCache kv = cache_of(20);
  const Request r = prompt(64, {5});
  KvLease a;
  KvLease b;
  kv.admit(r, 64, 0, a);
  kv.admit(r, 64, 0, b);
  kv.prompt_computed(r, 64, a);
  kv.prompt_computed(r, 64, b);
  CHECK(kv.cached() == 4);
  CHECK(kv.private_blocks() == 4);
  kv.release(r, 64, true, b);
  CHECK(kv.private_blocks() == 0);
  CHECK(kv.free() == 16);
  kv.release(r, 64, true, a);
  CHECK(kv.cached() == 4);
}

TEST_CASE("KV cache: the least recently used prefix goes first") {
  KvCache kv = cache_of(12);
  serve(kv, prompt(65, {1}));
  serve(kv, prompt(65, {2}));
  CHECK(serve(kv, prompt(65, {1})) == 64);  // 1 is now younger than 2
  KvLease lease;
  CHECK(kv.admit(prompt(96), 96, 0, lease) == 0);  // 6 blocks: the 4 free ones and 2 of id 2
  CHECK(kv.cached() == 4);
  KvLease again;
  CHECK(kv.admit(prompt(65, {1}), 65, 0, again) == 64);
}

TEST_CASE("KV cache: of one prompt the end goes before the beginning") {
  KvCache kv = cache_of(13);
  serve(kv, prompt(192, {1, 2, 3}));  // 12 blocks cached, 1 free
  KvLease lease;
  kv.admit(prompt(32), 32, 0, lease);  // needs one more: id 3 goes
  CHECK(kv.cached() == 8);
  CHECK(serve(kv, prompt(140, {1, 2, 3})) == 128);
}

TEST_CASE("KV cache: a session's history shrinks block by block from its end") {
  KvCache kv = cache_of(10);
  serve(kv, prompt(160, {}, 4));  // all 10 blocks
  CHECK(kv.cached() == 10);
  KvLease lease;
  kv.admit(prompt(48), 48, 0, lease);
  CHECK(kv.cached() == 7);
  kv.release(prompt(48), 48, false, lease);
  KvLease next;
  CHECK(kv.admit(prompt(160, {}, 4), 160, 0, next) == 7 * 16);
}

TEST_CASE("KV cache: a prefix is evicted whole where a session gives single blocks") {
  KvCache kv = cache_of(5);
  serve(kv, prompt(64, {1}));
  KvLease lease;
  kv.admit(prompt(32), 32, 0, lease);  // 1 free + 1 of the prefix, which loses all 4
  CHECK(kv.cached() == 0);
  CHECK(kv.free() == 3);
}

TEST_CASE(
    "KV cache: history_tokens limits what a session reuses, in whole blocks; the rest is freed") {
  KvCache kv = cache_of(20);
  serve(kv, prompt(160, {}, 4));
  Request compacted = prompt(120, {}, 4);
  compacted.history_tokens = 50;  // 3 whole blocks of it
  KvLease lease;
  CHECK(kv.admit(compacted, 120, 0, lease) == 48);
  CHECK(kv.cached() == 0);
  CHECK(kv.private_blocks() == 8);
  CHECK(kv.free() == 12);
}

TEST_CASE("KV cache: a session's own history follows the prefix blocks that its turn shares") {
  KvCache kv = cache_of(20);
  serve(kv, prompt(100, {1}, 4));  // 64 shared, 36 own: 2 whole blocks
  CHECK(kv.cached() == 4 + 2);
  CHECK(serve(kv, prompt(150, {1}, 4)) == 64 + 32);
}

TEST_CASE("KV cache: a session's history is of no use when the prefix before it is gone") {
  KvCache kv = cache_of(20);
  const Request other = prompt(65, {1});
  const Request turn = prompt(100, {1}, 4);
  KvLease a;
  KvLease b;
  // Both compute the prefix; the cached copy is `other`'s, which ends first and so is the older.
  kv.admit(other, 65, 0, a);
  kv.admit(turn, 100, 0, b);
  kv.prompt_computed(other, 65, a);
  kv.prompt_computed(turn, 100, b);
  kv.release(other, 65, true, a);
  kv.release(turn, 100, true, b);
  CHECK(kv.cached() == 4 + 2);
  KvLease lease;
  kv.admit(prompt(240), 240, 0, lease);  // 15 of 14 free blocks: the prefix goes
  kv.release(prompt(240), 240, false, lease);
  CHECK(kv.cached() == 2);
  CHECK(serve(kv, turn) == 0);
}

TEST_CASE(
    "KV cache: a turn that could not use the session's older history replaces it at its end") {
  KvCache kv = cache_of(40);
  serve(kv, prompt(65, {1}));
  serve(kv, prompt(160, {}, 4));  // 10 blocks from the front of the prompt on
  // The next turn begins with a cached prefix, so what follows is not where the history was.
  const Request moved = prompt(100, {1}, 4);
  KvLease lease;
  CHECK(kv.admit(moved, 100, 0, lease) == 64);
  kv.prompt_computed(moved, 100, lease);
  CHECK(kv.cached() == 4 + 10);
  kv.release(moved, 100, true, lease);
  CHECK(kv.cached() == 4 + 2);
  CHECK(serve(kv, prompt(150, {1}, 4)) == 64 + 32);
}

TEST_CASE(
    "KV cache: turns of one session in parallel leave the history of the one that ends last") {
  KvCache kv = cache_of(40);
  const Request longer = prompt(160, {}, 4);
  const Request shorter = prompt(48, {}, 4);
  KvLease a;
  KvLease b;
  kv.admit(longer, 160, 0, a);
  kv.admit(shorter, 48, 0, b);
  kv.release(longer, 160, true, a);
  CHECK(kv.cached() == 10);
  kv.release(shorter, 48, true, b);
  CHECK(kv.cached() == 3);
  CHECK(kv.free() == 37);
}

TEST_CASE("KV cache: a preempted sequence leaves its prefix but no history") {
  KvCache kv = cache_of(20);
  const Request r = prompt(100, {1}, 4);
  KvLease lease;
  kv.admit(r, 100, 0, lease);
  kv.prompt_computed(r, 100, lease);
  kv.release(r, 100, false, lease);
  CHECK(kv.cached() == 4);
  CHECK(kv.free() == 16);
}

TEST_CASE("KV cache: with reuse off nothing is cached and nothing found") {
  KvCache kv({.blocks = 20, .block_tokens = 16, .prefix_block_tokens = 64, .reuse = false});
  serve(kv, prompt(100, {1}, 4));
  CHECK(kv.cached() == 0);
  CHECK(serve(kv, prompt(100, {1}, 4)) == 0);
  CHECK(kv.free() == 20);
}

TEST_CASE("KV cache: dropped between turns, a session leaves its shared prefix only") {
  KvCache kv({.blocks = 20, .block_tokens = 16, .prefix_block_tokens = 64, .keep_sessions = false});
  serve(kv, prompt(160, {1}, 4));
  CHECK(kv.cached() == 4);
  CHECK(serve(kv, prompt(160, {1}, 4)) == 64);
}

TEST_CASE("KV cache: clear_cached drops what nobody uses and keeps what somebody does") {
  KvCache kv = cache_of(20);
  serve(kv, prompt(64, {1}));
  const Request user = prompt(100, {2});
  KvLease lease;
  kv.admit(user, 100, 0, lease);
  kv.prompt_computed(user, 100, lease);
  CHECK(kv.cached() == 8);
  kv.clear_cached();
  CHECK(kv.cached() == 4);
  CHECK(kv.private_blocks() == 3);
}

TEST_CASE(
    "KV cache: prefix blocks that are no multiple of its blocks are refused, unless reuse is off") {
  CHECK_THROWS_AS(KvCache({.blocks = 1, .block_tokens = 16, .prefix_block_tokens = 40}),
                  InternalError);
  CHECK_NOTHROW(
      KvCache({.blocks = 1, .block_tokens = 16, .prefix_block_tokens = 40, .reuse = false}));
}

TEST_CASE("KV cache: taking more than is available is an internal error") {
  KvCache kv = cache_of(4);
  kv.take(4);
  CHECK_THROWS_AS(kv.take(1), InternalError);
}
