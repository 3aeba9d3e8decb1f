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
// Contract: bytes >= 0; who is woken once for each send, with `what`, at the time of its end.
#include <cstddef>
#include <cstdint>

#include "sim/calendar.hpp"

namespace tokenyard::sim {

class Fabric {
 public:
  virtual ~Fabric() = default;
  // Nodes are numbered over the whole fleet.
  virtual void send(double bytes, std::int64_t from, std::int64_t to, Sleeper& who,
                    std::size_t what) = 0;
};

}  // namespace tokenyard::sim
