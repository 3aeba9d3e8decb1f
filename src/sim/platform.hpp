#pragma once
// The fleet's network as a SimGrid platform: a host for each lane of a node, two links a cable bundle
// (one a direction), and routes that are those of the fleet's graph.
//
// Links have the bundle's bandwidth and no latency: in SimGrid a latency changes how flows share a
// link, so who sends adds it before.  Routes are computed on demand and kept by the graph; the zone
// itself holds none, so ten thousand nodes cost milliseconds.
#include <simgrid/forward.h>

#include <cstddef>
#include <memory>

#include "topology/fleet_graph.hpp"

namespace tokenyard::sim {

class Platform {
 public:
  // After the engine exists, before it runs.  `fleet` must outlive the engine's last transfer.
  explicit Platform(const topology::FleetGraph& fleet);
  ~Platform();

  // Where what takes this lane leaves a node; what comes to a node comes to its lane 0.
  [[nodiscard]] simgrid::s4u::Host* host(std::int64_t node, std::int64_t lane = 0) const;

  // The next communication that is started goes no faster than this: over a link of its own, since SimGrid
  // ignores the rates of communications between hosts.  Whoever started it gives the link back, by its
  // number, when it has ended.
  std::size_t limit_next(double bytes_per_s);
  void give_back(std::size_t limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::sim
