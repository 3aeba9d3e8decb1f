#pragma once
// From the words of a fabric's file to a graph: one function a kind, chosen by lay_out_fabric().
//
// What the kinds have in common: a cable carries what the slower of its two ends does; all NICs of
// a node go to one switch (rail-optimized: NIC i goes to rail i); nodes fill switches in the order
// of the fleet; what does not fit the ports is refused with the arithmetic.
#include <string>
#include <vector>

#include "scenario/plan.hpp"
#include "topology/graph.hpp"

namespace tokenyard::topology {

struct NicPort {
  BytesPerSecond bandwidth;
  Seconds latency;
};

struct FleetNode {
  std::size_t pool = 0;
  std::vector<NicPort> nics;
};

struct FabricTask {
  const catalog::FabricSpec& spec;
  const std::vector<scenario::PoolPlan>& pools;
  std::vector<FleetNode> nodes;  // of the whole fleet, pools in order
};

struct FabricLayout {
  Graph graph;                 // vertex i is node i of the fleet; switches follow
  bool nodes_forward = false;  // a direct network: nodes pass on what others send
};

// Refuses (InputError) a fleet of several nodes in which some have no NIC.  A fleet of one node
// gets no fabric: no switches and no cables.
FabricLayout lay_out_fabric(const scenario::Plan& plan);

FabricLayout lay_out_tree(const FabricTask& task);  // leaf-spine, fat-tree, rail-optimized
FabricLayout lay_out_single_switch(const FabricTask& task);
FabricLayout lay_out_torus(const FabricTask& task);
FabricLayout lay_out_dragonfly(const FabricTask& task);
FabricLayout lay_out_custom(const FabricTask& task);

// A layout that has the nodes only.
FabricLayout with_nodes(const FabricTask& task);
std::size_t add_switch(Graph& graph, const FabricTask& task, std::string name);
// Joins NICs first .. first + count - 1 of a node to a switch.
void attach_node(Graph& graph, const FabricTask& task, std::size_t node, std::size_t first,
                 std::size_t count, std::size_t to);
void join_switches(Graph& graph, const FabricTask& task, std::size_t from, std::size_t to,
                   std::int64_t cables);

// What the cables of these NICs carry into a switch port, together.
BytesPerSecond nic_bandwidth(const FabricTask& task, std::size_t node, std::size_t first,
                             std::size_t count);
std::int64_t nic_count(const FabricTask& task);
// "12 nodes with 96 NICs"
std::string fleet_size(const FabricTask& task);

// Throws InputError at the scenario's first pool, naming the fabric.
[[noreturn]] void refuse_fabric(const FabricTask& task, const std::string& message);

}  // namespace tokenyard::topology
