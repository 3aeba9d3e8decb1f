// How long what nobody uses stays in the KV cache.
#include <doctest/doctest.h>

#include "serving/kv_cache.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using serving::KvCache;
using serving::KvLease;
using test::ListStream;
using workload::Request;

// 100 blocks of 16 tokens that stay for 10 s; measured from 2 s on.
KvCache cache() {
  return KvCache({.blocks = 100,
                  .block_tokens = 16,
                  .prefix_block_tokens = 64,
                  .ttl_s = 10.0,
                  .measured_from_s = 2.0});
}

// A turn of session 0 from `start_s` to `end_s`; what of its prompt was found.
std::int64_t turn(KvCache& kv, double start_s, double end_s, std::int64_t tokens) {
  Request r;
  r.input_tokens = tokens;
  r.session = 0;
  KvLease lease;
  kv.advance(start_s);
  const std::int64_t reused = kv.admit(r, tokens, 0, lease);
  kv.prompt_computed(r, tokens, lease);
  kv.advance(end_s);
  kv.release(r, tokens, true, lease);
  return reused;
}

Request request(std::int64_t id, double think_s) {
  Request r = id == 0 ? test::request_at(0, 1.0, 1600, 10)
                      : test::request_after(id, {id - 1}, think_s, 1600 + 160 * id, 10);
  r.session = 0;
  return r;
}

metrics::RunResult two_turns(double think_s, std::optional<Seconds> ttl) {
  test::ToyOptions options;
  options.serving.kv_cache.ttl = ttl;
  ListStream stream({request(0, 0.0), request(1, think_s)});
  return test::run_here(test::toy_plan(options), stream);
}

}  // namespace

TEST_CASE("retention: a history of 10 blocks is there after 9 s and gone after 11") {
  KvCache kv = cache();
  CHECK(turn(kv, 0.0, 1.0, 160) == 0);
  CHECK(turn(kv, 10.0, 11.0, 176) == 160);
  CHECK(turn(kv, 22.0, 23.0, 192) == 0);
  kv.advance(40.0);
  CHECK(kv.cached() == 0);
  CHECK(kv.free() == 100);
}

TEST_CASE("retention: blocks that wait count with their seconds, no longer than they may stay") {
  KvCache kv = cache();
  turn(kv, 0.0, 1.0, 160);
  turn(kv, 10.0, 11.0, 176);
  // 10 blocks from 2 s, when measuring begins, to 10; then 11 blocks from 11 s.
  CHECK(kv.retained_block_s(16.0) == doctest::Approx(10 * 8 + 11 * 5).epsilon(1e-12));
  CHECK(kv.retained_block_s(100.0) == doctest::Approx(10 * 8 + 11 * 10).epsilon(1e-12));
  kv.advance(100.0);
  CHECK(kv.retained_block_s(100.0) == doctest::Approx(10 * 8 + 11 * 10).epsilon(1e-12));
}

TEST_CASE("retention: a turn that comes too late computes its history again") {
  CHECK(test::row_of(two_turns(5.0, seconds(6)), 1).cached_tokens > 1500);
  CHECK(test::row_of(two_turns(7.0, seconds(6)), 1).cached_tokens == 0);
  CHECK(test::row_of(two_turns(7.0, std::nullopt), 1).cached_tokens > 1500);
}

TEST_CASE("retention: what waits over what runs is a metric") {
  const auto result = two_turns(5.0, seconds(60));
  // 100 blocks wait for 5 s between two turns of some 0.1 s.
  const double ratio = test::metric_of(result, "kv_retained_ratio");
  CHECK(ratio > 10.0);
  CHECK(test::metric_of(two_turns(5.0, seconds(1)), "kv_retained_ratio") < 0.3 * ratio);
}
