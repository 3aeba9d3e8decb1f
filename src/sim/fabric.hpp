#pragma once
// Transfers between the nodes of a fleet, as flows that share its cables.
//
// All flows over a cable share its bandwidth fairly (max-min), in each direction by itself; a flow
// takes its bytes over the least share along its route, and the route's latency before.  From a node
// to itself nothing is sent here: what crosses no network is none of its business.
//
// Worked example: two flows of 1 GB from one node over 50 GB/s end after 40 ms, not 20; with a third
// of 0.5 GB all share until that one is through at 30 ms, and the two end at 50 ms.
//
// A flow goes no faster than its own limit, and what it does not take others have.  On a rail-optimized
// fabric it is dealt evenly to the rails of the NICs that it uses, one part each, and ends with the
// slowest; elsewhere all NICs of a node are one way.
//
// Contract: bytes >= 0; who is woken once for each send, with `what`, at the time of its end.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "sim/calendar.hpp"

namespace tokenyard::sim {

// Of a node's NICs, in order, those from `first` to `last`, as shares of all of them.
struct NicShare {
  double first = 0.0;
  double last = 1.0;

  struct Lanes {
    std::int64_t begin, end;
    [[nodiscard]] std::int64_t count() const { return end - begin; }
  };
  // Of so many lanes, at least one.
  [[nodiscard]] Lanes lanes(std::int64_t all) const {
    const auto n = static_cast<double>(all);
    const auto begin = static_cast<std::int64_t>(std::floor(first * n + kRounding));
    const auto end = static_cast<std::int64_t>(std::ceil(last * n - kRounding));
    return {begin, std::max(begin + 1, end)};
  }
  [[nodiscard]] double width() const { return last - first; }

 private:
  static constexpr double kRounding = 1e-9;
};

struct Flow {
  double bytes = 0.0;
  // Nodes, numbered over the whole fleet.
  std::int64_t from = 0;
  std::int64_t to = 0;
  NicShare nics = {};
  double most_bytes_per_s = std::numeric_limits<double>::infinity();
  // It goes on where another one ends: its bytes follow closely, and the latency is that of the last.
  bool followed = false;
};

class Fabric {
 public:
  virtual ~Fabric() = default;
  virtual void send(const Flow& flow, Sleeper& who, std::size_t what) = 0;
};

}  // namespace tokenyard::sim
