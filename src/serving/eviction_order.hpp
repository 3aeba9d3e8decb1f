#pragma once
// Which of the cached units that nobody uses goes first.
//
//   lru         the least recently used
//   lfu         the one that was used least often; among equals the least recently used
//   cost-aware  the one whose blocks are worth least: GreedyDual-Size-Frequency with what it would cost to
//               have the unit back as its worth,
//                 rank = L + uses * seconds to have it back / blocks,   L: rank of what was evicted last
//               so that what was never used again ages as others are evicted
//
// The end of a prompt is worth no less than its beginning by itself (attention looks further back), but
// useless without it: a unit's rank is at least that of the units that build on it.
//
// Worked example, cost-aware: 32 blocks at the front of a prompt cost 20 ms to compute, used 8 times:
// rank 5 ms; 640 blocks of a session's history cost 1.3 s, used once: 2 ms.  The history goes first.
//
// Sources: Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching
// Policy", HP Labs 1998; vLLM and SGLang evict leaves first, least recently used.
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "scenario/scenario_file.hpp"

namespace tokenyard::serving {

// The order of lfu and cost-aware.  (lru is the order of a list, which the cache keeps anyway.)
class EvictionOrder {
 public:
  explicit EvictionOrder(scenario::Eviction policy) : policy_(policy) {}

  // Of a unit that nobody uses from now on.  block_value_s: seconds to have one of its blocks back.
  [[nodiscard]] double rank(std::int64_t uses, double block_value_s) const {
    const auto used = static_cast<double>(uses);
    return policy_ == scenario::Eviction::lfu ? used : inflation_s_ + used * block_value_s;
  }
  // Among equal ranks those added first go first.
  void add(std::int32_t unit, double rank) {
    const auto at = static_cast<std::size_t>(unit);
    if (keys_.size() <= at) keys_.resize(at + 1);
    keys_[at] = {rank, ++added_, unit};
    order_.insert(keys_[at]);
  }
  void remove(std::int32_t unit) { order_.erase(keys_[static_cast<std::size_t>(unit)]); }
  [[nodiscard]] bool empty() const { return order_.empty(); }
  // Not empty.
  [[nodiscard]] std::int32_t first() const { return std::get<2>(*order_.begin()); }
  // The first is evicted.
  void evicted() { inflation_s_ = std::get<0>(*order_.begin()); }

 private:
  using Key = std::tuple<double, std::int64_t, std::int32_t>;
  scenario::Eviction policy_;
  double inflation_s_ = 0.0;
  std::int64_t added_ = 0;
  std::vector<Key> keys_;  // by unit
  std::set<Key> order_;
};

}  // namespace tokenyard::serving
