#pragma once
// The network between the nodes of a fleet, as a graph with answers.
//
//   FleetGraph fleet(plan);                       // refuses what does not fit, and islands
//   fleet.inventory().switches                    // what must be bought
//   fleet.route(a, b).edges                       // the cables a transfer occupies
//   fleet.bisection_bandwidth()                   // by max-flow
//
// Nodes are numbered over the whole fleet, pools in the order of the plan, and node n is vertex n
// of the graph.
//
// A transfer between two nodes can use several *lanes* at once, one for each edge that leaves the
// sending node.  Where all NICs of a node go to one leaf (leaf-spine, fat-tree, single switch,
// dragonfly) there is one lane with the bandwidth of all NICs; on a rail-optimized fabric there are
// as many lanes as NICs.  Direct networks (torus) have one lane: the shortest path.
//
// Worked example: 16 nodes of 8 NICs of 50 GB/s on 64-port switches, leaf-spine without
// oversubscription: 4 leaves and 2 spines, 256 cables.  node[0] to node[15]: one lane, 4 cables, 3
// switches, 400 GB/s.  Bisection: 8 nodes * 8 NICs * 50 GB/s = 3.2 TB/s each way.
//
// Leaves out: adaptive routing, packet effects, a second path when the first is full.
#include <cstdint>
#include <memory>
#include <string>

#include "scenario/plan.hpp"
#include "topology/graph.hpp"

namespace tokenyard::topology {

struct Inventory {
  std::int64_t switches = 0;
  std::int64_t cables = 0;
  std::int64_t ports = 0;       // of all switches
  std::int64_t ports_used = 0;  // by cables
  // Between the two nodes farthest apart: cables on the shortest path, and what forwards on the way
  // (switches; nodes in a torus).
  std::int64_t diameter_cables = 0;
  std::int64_t diameter_hops = 0;
};

class FleetGraph {
 public:
  // Throws InputError when nodes cannot reach each other or do not fit the ports.
  explicit FleetGraph(const scenario::Plan& plan);
  ~FleetGraph();
  FleetGraph(FleetGraph&&) noexcept;
  FleetGraph& operator=(FleetGraph&&) noexcept;

  [[nodiscard]] const Graph& graph() const;
  [[nodiscard]] std::int64_t node_count() const;
  [[nodiscard]] std::size_t pool_of(std::int64_t node) const;  // index into the plan's pools
  [[nodiscard]] const Inventory& inventory() const;

  // How many routes between two different nodes start at different edges.
  [[nodiscard]] std::int64_t lanes(std::int64_t from, std::int64_t to) const;
  // The route of a lane, 0 .. lanes - 1.  Always the same one for the same pair; kept once
  // computed, so the reference stays valid.  From a node to itself the route is empty.
  [[nodiscard]] const Route& route(std::int64_t from, std::int64_t to, std::int64_t lane = 0) const;

  // What the first half of the nodes (in order, rounded down) can send to the second half at once.
  // Zero for a fleet of one node.  Computed anew at each call: milliseconds for a thousand nodes.
  [[nodiscard]] BytesPerSecond bisection_bandwidth() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::topology
