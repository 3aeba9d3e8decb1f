#pragma once
// Chooses the replica of each request.
//
//   round-robin      in turn
//   random           uniformly
//   power-of-two     of two random replicas the one with fewer requests outstanding
//   least-loaded     the one with the fewest outstanding (ties: the lowest number)
//   session-sticky   a session's replica of before, else least-loaded
//   prefix-affinity  the replica that last saw the longest common prefix (or the session), unless
//                    it has more than twice the least load plus 8; else least-loaded
//
// Outstanding counts requests routed and not yet finished.  The router keeps its own table of where
// sessions and prefixes went, as gateways do; it does not look into the replicas' caches.  The table
// forgets what was not used among the last million entries, so memory does not grow with the run.
//
// Contract: choose() then sent(); finished() once for each sent().  O(log replicas) each.
#include <cstdint>
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
  Router(scenario::RouterKind kind, std::size_t replicas, std::uint64_t seed);

  std::size_t choose(const workload::Request& request);
  void sent(const workload::Request& request, std::size_t replica);
  void finished(std::size_t replica);
  [[nodiscard]] std::int64_t outstanding(std::size_t replica) const { return load_[replica]; }

 private:
  [[nodiscard]] std::size_t least_loaded() const { return tree_[1]; }
  [[nodiscard]] std::size_t of_session(const workload::Request& request) const;
  [[nodiscard]] std::size_t by_affinity(const workload::Request& request) const;
  void set_load(std::size_t replica, std::int64_t load);
  [[nodiscard]] std::size_t lighter(std::size_t a, std::size_t b) const;

  scenario::RouterKind kind_;
  RandomStream random_;
  std::vector<std::int64_t> load_;
  std::vector<std::size_t>
      tree_;  // tournament: tree_[1] is the least loaded, leaves from leaves_ on
  std::size_t leaves_ = 1;
  std::size_t turn_ = 0;
  RecentPlaces session_replica_;
  RecentPlaces prefix_replica_;
};

}  // namespace tokenyard::serving
