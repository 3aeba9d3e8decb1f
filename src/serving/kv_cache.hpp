#pragma once
// Paged KV cache of one replica, with prefix reuse and eviction.
//
// Memory is counted in blocks of block_tokens tokens.  A block is free, private to a running
// sequence, or part of a cached unit:
//
//   prefix unit   one hash id of the workload (prefix_block_tokens tokens), shared by every
//                 sequence whose prompt begins with it; counted once however many use it
//   session unit  what a finished turn leaves for the session's next one, beyond its prefix units
//
// Units that no running sequence uses may be evicted, in the order of eviction_order.hpp: the end of a
// prompt before its beginning, a session unit block by block from its end.  With tiers below
// (kv_tiers.hpp) they go there, and come back when a prompt begins with them.
//
// Contract:
//   - free + private + cached = total at all times; free never goes below zero.
//   - A prompt reuses prefix units from its front without a gap, then its session's unit when all
//     its prefix ids were found; at least one token is always computed.
//   - Time only moves on: advance() before what happens at a moment.  The order of calls is the order
//     of use.
//
// Between its turns a session's history, and a prefix that nobody uses, stay until their room is needed
// (keep), or no longer than `ttl_s` (ttl), or, of histories, not at all: they are forgotten (drop) or go to
// the first tier below (offload).  cost-aware holds a unit for as long as its blocks are worth less than
// what it would cost to have it back: with s seconds of the replica to compute it again (or, with tiers
// below, to bring it, where that is faster), and b of B blocks,
//
//   hold_s = s B / b
//
// since holding b blocks for a second keeps b/B of the replica from other work.  Worked example: 100,000
// tokens of Llama 3.1 70B (fp8) take an H200 27.5 s at half its peak and 16.4 GB; of the 56 GB beside the
// weights that is worth holding for 94 s.  (Of all 141 GB, as if memory were all that is paid for, 236 s.)
//
// Worked example: 10 blocks of 16 tokens; a prompt of 100 tokens takes ceil(100/16) = 7; when it
// ends as turn 0 of a session after 20 output tokens (119 stored), 8 blocks are private, 7 full
// ones stay cached, 1 is free again: 3 free, 7 evictable.
//
// Source: Kwon et al., "PagedAttention", SOSP 2023; automatic prefix caching of vLLM; the break-even of
// holding is Gray and Putzolu's five-minute rule, SIGMOD 1987.
// Leaves out copy-on-write of half-filled blocks.
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "serving/eviction_order.hpp"
#include "serving/kv_tiers.hpp"
#include "workload/request.hpp"

namespace tokenyard::serving {

// What it takes a replica to compute tokens of a prompt: affine in what stands before them.
struct RecomputeCost {
  double token_s = 0.0;
  double token_context_s = 0.0;  // more for each token before
  [[nodiscard]] double seconds(std::int64_t before, std::int64_t tokens) const {
    const auto n = static_cast<double>(tokens);
    return n * (token_s + token_context_s * (static_cast<double>(before) + 0.5 * n));
  }
};

struct KvCacheConfig {
  std::int64_t blocks = 0;
  std::int64_t block_tokens = 16;
  std::int64_t prefix_block_tokens = 512;  // a multiple of block_tokens
  bool reuse = true;                       // share prefixes at all
  bool keep_sessions = true;               // keep a session's history between its turns
  double ttl_s = std::numeric_limits<double>::infinity();  // ... and anything unused no longer
  double measured_from_s = 0.0;                            // of retained_block_s
  scenario::Eviction eviction = scenario::Eviction::lru;
  bool offload_sessions = false;  // a session's history goes below as its turn ends
  bool hold_by_cost = false;      // each unit for its own time
  RecomputeCost recompute{};      // for cost-aware policies, and whether bringing is faster
};

// What a running sequence holds besides its private blocks.
struct KvLease {
  std::vector<std::int32_t> units;  // prefix units in use
};

class KvCache {
 public:
  // tiers: null without any; outlives the cache.
  explicit KvCache(const KvCacheConfig& config, KvTiers* tiers = nullptr);

  [[nodiscard]] std::int64_t total() const { return config_.blocks; }
  [[nodiscard]] std::int64_t available() const { return free_ + evictable_; }
  [[nodiscard]] std::int64_t free() const { return free_; }
  [[nodiscard]] std::int64_t cached() const { return cached_; }
  [[nodiscard]] std::int64_t private_blocks() const { return config_.blocks - free_ - cached_; }
  [[nodiscard]] std::int64_t blocks_for(std::int64_t tokens) const {
    return (tokens + config_.block_tokens - 1) / config_.block_tokens;
  }

  // It is `now_s`: what has been unused for longer than its time is gone since then.
  void advance(double now_s);
  // Blocks that were cached and used by nobody, times the seconds, up to `now_s`.
  [[nodiscard]] double retained_block_s(double now_s) const;

  // Takes the blocks of a prompt of `tokens` tokens, reusing what is cached and evicting what must
  // go, but leaves `reserve` blocks available.  Returns how many tokens need not be computed, or -1
  // (and changes nothing) when it does not fit.
  std::int64_t admit(const workload::Request& request, std::int64_t tokens, std::int64_t reserve,
                     KvLease& lease);
  // What could be brought instead of being computed; nothing where computing is faster.  To be asked
  // before admit(), whose room includes it.
  [[nodiscard]] KvBelow below(const workload::Request& request, std::int64_t tokens) const;
  // The prompt is computed: its whole prefix blocks can be shared from now on.
  void prompt_computed(const workload::Request& request, std::int64_t tokens, KvLease& lease);
  // `count` more private blocks, for sequences that decode.  Needs count <= available().
  void take(std::int64_t count);
  // A sequence that has blocks for `tokens` tokens ends.  keep: its history may serve the session's
  // next turn; else (preemption) only its prefix units stay.
  void release(const workload::Request& request, std::int64_t tokens, bool keep, KvLease& lease);
  // A failure, or the power is off: everything that no sequence uses is lost, and not kept below.
  void clear_cached();
  // One of `ranks` between which sequences are dealt is lost, number `lost`: the histories of its sessions
  // that nobody uses are gone.  Prefix units are on every rank that used them; where there is one rank, they
  // are gone too.  What is kept below stays.
  void lose_rank(std::uint64_t lost, std::uint64_t ranks);

 private:
  static constexpr std::int32_t kNil = 0;  // the sentinel of the list

  struct Unit {
    std::uint64_t key = 0;  // hash id, or session number
    bool session = false;
    std::int32_t references = 0;
    std::int64_t blocks = 0;
    std::int64_t offset = 0;  // tokens of the prompt before it
    std::int64_t uses = 1;
    double least_rank = 0.0;  // of what builds on it
    double rank = 0.0;        // when nobody uses it
    double unused_since_s = 0.0, hold_s = 0.0;
    std::int64_t turn = 0;                      // among those that became unused
    std::int32_t previous = kNil, next = kNil;  // neighbours by last use, when nobody uses it
  };
  struct Match {
    std::int64_t prefix_units = 0;
    std::int64_t idle_blocks = 0;  // evictable blocks among the matched
    std::int32_t session_unit = kNil;
    std::int64_t session_blocks = 0;  // of it, reused
  };

  [[nodiscard]] Match match(const workload::Request& request, std::int64_t tokens) const;
  [[nodiscard]] std::int64_t whole_prefix_blocks(const workload::Request& request,
                                                 std::int64_t tokens) const;
  [[nodiscard]] std::int64_t history_blocks(const workload::Request& request, std::int64_t offset,
                                            std::int64_t limit) const;
  std::int32_t create(const KvEntry& entry);
  void remove(std::int32_t index);
  void link_as_newest(std::int32_t index);
  void unlink(std::int32_t index);
  void evict(std::int64_t blocks);
  [[nodiscard]] std::int32_t first_to_go() const;
  [[nodiscard]] std::int32_t next_to_end() const;
  void give_up(std::int32_t index);
  [[nodiscard]] double block_value_s(const Unit& unit) const;
  std::int64_t keep_history(const workload::Request& request, std::int64_t tokens,
                            std::int64_t own);
  void turn_ended(const workload::Request& request);
  [[nodiscard]] double retained_s(const Unit& unit, double until_s) const;

  KvCacheConfig config_;
  KvTiers* tiers_;
  EvictionOrder order_;  // unless it is lru
  // Ends of holding, where each unit has its own; of those that end together the first unused goes first.
  using End = std::tuple<double, std::int64_t, std::int32_t>;
  [[nodiscard]] static End end_of(const Unit& unit, std::int32_t index) {
    return {unit.unused_since_s + unit.hold_s, unit.turn, index};
  }
  std::set<End> ends_;
  std::int64_t turns_ = 0;
  double now_s_ = 0.0;
  double retained_block_s_ = 0.0;  // of units that are used again or gone
  std::int64_t unit_blocks_ = 0;   // of a prefix unit
  std::int64_t free_ = 0, cached_ = 0, evictable_ = 0;
  std::vector<Unit> units_;  // [0] is the list's sentinel
  std::vector<std::int32_t> unused_;
  std::unordered_map<std::uint64_t, std::int32_t> by_prefix_;
  std::unordered_map<std::uint64_t, std::int32_t> by_session_;
};

}  // namespace tokenyard::serving
