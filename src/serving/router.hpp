#pragma once
// Chooses the replica of each request.
//
//   round-robin      in turn
//   random           uniformly
//   power-of-two     of two random replicas the one with fewer requests outstanding
//   least-loaded     the one with the fewest outstanding (ties: the lowest number)
//   least-kv         the one with the fewest prompt tokens outstanding: what fills its KV cache
//   session-sticky   a session's replica of before, else least-loaded
//   prefix-affinity  the replica that last saw the longest common prefix (or the session), else
//                    least-loaded
//
// The last two go elsewhere where that replica has more than a load cap times the least load plus 8
// outstanding (twice with prefix-affinity, never with session-sticky, unless the scenario says): a
// cached prefix is not worth any wait.
//
// Outstanding counts requests routed and not yet finished.  The router keeps its own table of where
// sessions and prefixes went, as gateways do; it does not look into the replicas' caches.  The table
// forgets what was not used among the last million entries, so memory does not grow with the run.
// Replicas that are away are not chosen.
//
// Worked example, prefix-affinity with a cap of 2: the replica that holds the prefix has 20 requests, the
// least loaded 5: 20 > 2 * 5 + 8, so the request goes there and computes its prefix once more.
//
// Contract: choose() then sent(); finished() once for each sent().  O(log replicas) each.
// Sources: Mitzenmacher, "The Power of Two Choices", 2001; SGLang's cache-aware router.
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "scenario/scenario_file.hpp"
#include "workload/request.hpp"

namespace tokenyard::serving {

// Remembers where keys went.  Two generations: when the young one is full it becomes the old one, and
// what was in the old one and not used since is forgotten.
class RecentPlaces {
 public:
  static constexpr std::uint32_t kNowhere = static_cast<std::uint32_t>(-1);

  [[nodiscard]] std::uint32_t find(std::uint64_t key) const;
  void put(std::uint64_t key, std::uint32_t place);

 private:
  static constexpr std::size_t kGeneration = 500'000;
  std::unordered_map<std::uint64_t, std::uint32_t> young_, old_;
};

class Router {
 public:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

  // load_cap: of the two that look for a replica of before; absent: the kind's own.
  Router(scenario::RouterKind kind, std::size_t replicas, std::uint64_t seed,
         std::optional<double> load_cap = std::nullopt);

  // kNobody when all are away.
  std::size_t choose(const workload::Request& request);
  void sent(const workload::Request& request, std::size_t replica);
  void finished(const workload::Request& request, std::size_t replica);
  void set_available(std::size_t replica, bool available);
  [[nodiscard]] bool available(std::size_t replica) const { return available_[replica] != 0; }
  // Requests; tokens with least-kv.
  [[nodiscard]] std::int64_t outstanding(std::size_t replica) const { return load_[replica]; }

 private:
  [[nodiscard]] std::size_t least_loaded() const { return tree_[1]; }
  [[nodiscard]] std::size_t of_session(const workload::Request& request) const;
  [[nodiscard]] std::size_t by_affinity(const workload::Request& request) const;
  [[nodiscard]] std::size_t near_or_least(std::size_t near) const;
  [[nodiscard]] std::int64_t weight(const workload::Request& request) const {
    return kind_ == scenario::RouterKind::least_kv ? request.input_tokens : 1;
  }
  std::size_t random_available();
  void update_tree(std::size_t replica);
  void set_load(std::size_t replica, std::int64_t load);
  [[nodiscard]] std::size_t lighter(std::size_t a, std::size_t b) const;

  scenario::RouterKind kind_;
  double load_cap_;
  RandomStream random_;
  std::vector<std::int64_t> load_;
  std::vector<char> available_;
  std::size_t away_ = 0;
  std::vector<std::size_t>
      tree_;  // tournament: tree_[1] is the least loaded, leaves from leaves_ on
  std::size_t leaves_ = 1;
  std::size_t turn_ = 0;
  RecentPlaces session_replica_;
  RecentPlaces prefix_replica_;
};

}  // namespace tokenyard::serving
