#pragma once
// The fleet's network as a SimGrid platform: a host a node, two links a cable bundle (one a
// direction), and routes that are those of the fleet's graph.
//
// Links have the bundle's bandwidth and no latency: in SimGrid a latency changes how flows share a
// link, so who sends adds it before.  Routes are computed on demand and kept by the graph; the zone
// itself holds none, so ten thousand nodes cost milliseconds.
#include <simgrid/forward.h>

#include <memory>

#include "topology/fleet_graph.hpp"

namespace tokenyard::sim {

class Platform {
 public:
  // After the engine exists, before it runs.  `fleet` must outlive the engine's last transfer.
  explicit Platform(const topology::FleetGraph& fleet);
  ~Platform();

  [[nodiscard]] simgrid::s4u::Host* host(std::int64_t node) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::sim
