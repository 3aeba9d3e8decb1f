#include "topology/fabric_layout.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace tokenyard::topology {
namespace {

std::vector<FleetNode> list_nodes(const std::vector<scenario::PoolPlan>& pools) {
  std::vector<FleetNode> nodes;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    FleetNode node{.pool = p, .nics = {}};
    for (const catalog::Nic& nic : pools[p].node.nics) {
      for (std::int64_t i = 0; i < nic.count; ++i) {
        node.nics.push_back({.bandwidth = nic.bandwidth, .latency = nic.latency});
      }
    }
    nodes.insert(nodes.end(), static_cast<std::size_t>(pools[p].count), node);
  }
  return nodes;
}

void refuse_nodes_without_nics(const FabricTask& task) {
  Diagnostics diagnostics;
  for (const scenario::PoolPlan& pool : task.pools) {
    if (pool.count == 0 || !pool.node.nics.empty()) continue;
    diagnostics.add(
        pool.where, pool.path,
        "node '" + pool.node.name + "' has no NIC, so pool '" + pool.name +
            "' is an island among the " + std::to_string(task.nodes.size()) +
            " nodes of the fleet; give the node 'nics', or run it as a fleet of one node");
  }
  diagnostics.throw_if_any();
}

}  // namespace

FabricLayout lay_out_fabric(const scenario::Plan& plan) {
  const FabricTask task{.spec = plan.fabric, .pools = plan.pools, .nodes = list_nodes(plan.pools)};
  check(!task.nodes.empty(), "a fleet without nodes has no fabric");
  if (task.nodes.size() == 1) return with_nodes(task);
  refuse_nodes_without_nics(task);
  switch (plan.fabric.kind) {
    case catalog::FabricKind::fat_tree:
    case catalog::FabricKind::leaf_spine:
    case catalog::FabricKind::rail_optimized:
      return lay_out_tree(task);
    case catalog::FabricKind::single_switch:
      return lay_out_single_switch(task);
    case catalog::FabricKind::torus:
      return lay_out_torus(task);
    case catalog::FabricKind::dragonfly:
      return lay_out_dragonfly(task);
    case catalog::FabricKind::custom:
      return lay_out_custom(task);
  }
  throw InternalError("unknown kind of fabric");
}

FabricLayout with_nodes(const FabricTask& task) {
  FabricLayout layout;
  for (std::size_t n = 0; n < task.nodes.size(); ++n) {
    layout.graph.add_vertex(
        {.name = "node[" + std::to_string(n) + "]", .kind = VertexKind::node, .latency = {}});
  }
  return layout;
}

std::size_t add_switch(Graph& graph, const FabricTask& task, std::string name) {
  return graph.add_vertex({.name = std::move(name),
                           .kind = VertexKind::network_switch,
                           .latency = task.spec.switches.latency});
}

BytesPerSecond nic_bandwidth(const FabricTask& task, std::size_t node, std::size_t first,
                             std::size_t count) {
  const BytesPerSecond port = task.spec.switches.bandwidth;
  BytesPerSecond total;
  for (std::size_t i = first; i < first + count; ++i) {
    total += std::min(port, task.nodes[node].nics[i].bandwidth);
  }
  return total;
}

void attach_node(Graph& graph, const FabricTask& task, std::size_t node, std::size_t first,
                 std::size_t count, std::size_t to) {
  Seconds latency;
  for (std::size_t i = first; i < first + count; ++i) {
    latency = std::max(latency, task.nodes[node].nics[i].latency);
  }
  // A NIC's latency is that of one transfer: half is charged where it leaves, half where it
  // arrives.
  graph.add_edge({.from = node,
                  .to = to,
                  .cables = static_cast<std::int64_t>(count),
                  .bandwidth = nic_bandwidth(task, node, first, count),
                  .latency = latency / 2.0});
}

void join_switches(Graph& graph, const FabricTask& task, std::size_t from, std::size_t to,
                   std::int64_t cables) {
  graph.add_edge({.from = from,
                  .to = to,
                  .cables = cables,
                  .bandwidth = task.spec.switches.bandwidth.value * static_cast<double>(cables),
                  .latency = {}});
}

std::int64_t nic_count(const FabricTask& task) {
  std::size_t count = 0;
  for (const FleetNode& node : task.nodes) count += node.nics.size();
  return static_cast<std::int64_t>(count);
}

std::string fleet_size(const FabricTask& task) {
  return std::to_string(task.nodes.size()) + " nodes with " + std::to_string(nic_count(task)) +
         " NICs";
}

void refuse_fabric(const FabricTask& task, const std::string& message) {
  const Place place = task.pools.empty() ? Place{} : task.pools.front().where;
  throw InputError({{.place = place,
                     .path = "fleet.fabric",
                     .message = "'" + task.spec.name + "' (" +
                                std::string(input::name_of(task.spec.kind)) + "): " + message,
                     .note = {}}});
}

}  // namespace tokenyard::topology
