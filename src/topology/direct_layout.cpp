// Fabrics without tiers: single switch, torus, dragonfly.
//
// Torus: no switches; nodes stand on a ring, a grid or a cube with ends joined, and pass on what
// others send.  The shape is the product of up to three factors of the number of nodes with the
// smallest diameter that the NICs of a node can wire (two NICs a ring, one where a ring has two
// nodes); spare NICs add cables to every link.  Worked example: 16 nodes of 4 NICs stand as
// 4 x 4, 32 links, diameter 2 + 2 = 4 cables.
//
// Dragonfly (Kim, Dally, Scott, Abts, ISCA 2008), balanced: of a router's k ports, p = (k + 1) / 4
// go to nodes, a - 1 = 2p - 1 to the other routers of its group, the rest h to other groups. Groups
// are all alike and all joined to one another by the same number of cables.  Routes are minimal.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "topology/fabric_layout.hpp"

namespace tokenyard::topology {
namespace {

using Shape = std::array<std::size_t, 3>;

std::size_t links_at_node(const Shape& shape) {
  std::size_t links = 0;
  for (const std::size_t side : shape) links += std::min<std::size_t>(side - 1, 2);
  return links;
}

// Smallest diameter first, then fewest links a node, then fewest dimensions.
std::array<std::size_t, 3> rank(const Shape& shape) {
  std::size_t diameter = 0;
  std::size_t dimensions = 0;
  for (const std::size_t side : shape) {
    diameter += side / 2;
    if (side > 1) ++dimensions;
  }
  return {diameter, links_at_node(shape), dimensions};
}

std::optional<Shape> torus_shape(std::size_t nodes, std::size_t nics) {
  std::optional<Shape> best;
  for (std::size_t a = 1; a <= nodes; ++a) {
    if (nodes % a != 0) continue;
    for (std::size_t b = 1; b <= std::min(a, nodes / a); ++b) {
      if ((nodes / a) % b != 0) continue;
      const Shape shape{a, b, nodes / a / b};
      if (shape[2] > b || links_at_node(shape) > nics) continue;
      if (!best || rank(shape) < rank(*best)) best = shape;
    }
  }
  return best;
}

void add_torus_link(Graph& graph, const FabricTask& task, std::size_t from, std::size_t to,
                    std::size_t cables) {
  BytesPerSecond slowest = task.nodes[from].nics.front().bandwidth;
  Seconds latency;
  for (const std::size_t node : {from, to}) {
    for (const NicPort& nic : task.nodes[node].nics) {
      slowest = std::min(slowest, nic.bandwidth);
      latency = std::max(latency, nic.latency);
    }
  }
  graph.add_edge({.from = from,
                  .to = to,
                  .cables = static_cast<std::int64_t>(cables),
                  .bandwidth = slowest * static_cast<double>(cables),
                  .latency = latency});
}

// How many routers, and how their ports are shared out.
struct Dragonfly {
  std::int64_t node_ports = 0, local_ports = 0, global_ports = 0;  // of one router
  std::size_t groups = 1, group_size = 1;
};

// The router of each node, filled in order.
std::vector<std::size_t> fill_routers(const FabricTask& task, const Dragonfly& fly) {
  std::vector<std::size_t> router_of;
  std::size_t router = 0;
  std::int64_t used = 0;
  for (const FleetNode& node : task.nodes) {
    const auto nics = static_cast<std::int64_t>(node.nics.size());
    if (nics > fly.node_ports) {
      refuse_fabric(task, "node '" + task.pools[node.pool].node.name + "' has " +
                              std::to_string(nics) + " NICs, but a router of " +
                              std::to_string(task.spec.switches.ports) + " ports has " +
                              std::to_string(fly.node_ports) + " for nodes");
    }
    if (used + nics > fly.node_ports) {
      ++router;
      used = 0;
    }
    used += nics;
    router_of.push_back(router);
  }
  return router_of;
}

Dragonfly size_dragonfly(const FabricTask& task, std::vector<std::size_t>& router_of) {
  const std::int64_t ports = task.spec.switches.ports;
  Dragonfly fly;
  fly.node_ports = (ports + 1) / 4;
  fly.local_ports = std::max<std::int64_t>(2 * fly.node_ports - 1, 0);
  fly.global_ports = ports - fly.node_ports - fly.local_ports;
  router_of = fill_routers(task, fly);
  const std::size_t routers = router_of.back() + 1;
  const auto largest = static_cast<std::size_t>(fly.local_ports) + 1;
  fly.groups = (routers + largest - 1) / largest;
  fly.group_size = (routers + fly.groups - 1) / fly.groups;
  const std::size_t reach = fly.group_size * static_cast<std::size_t>(fly.global_ports);
  if (fly.groups - 1 > reach) {
    refuse_fabric(task, fleet_size(task) + " need " + std::to_string(fly.groups) + " groups of " +
                            std::to_string(fly.group_size) + " routers, but a group has " +
                            std::to_string(reach) +
                            " cables to other groups; use switches with more ports");
  }
  return fly;
}

void join_groups(Graph& graph, const FabricTask& task, const Dragonfly& fly,
                 const std::vector<std::size_t>& routers) {
  if (fly.groups == 1) return;
  const std::size_t cables =
      fly.group_size * static_cast<std::size_t>(fly.global_ports) / (fly.groups - 1);
  // Cable t towards the q-th other group leaves from router (q * cables + t) mod group size.
  const auto end = [&](std::size_t group, std::size_t other, std::size_t t) {
    const std::size_t q = other < group ? other : other - 1;
    return routers[group * fly.group_size + (q * cables + t) % fly.group_size];
  };
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> between;
  for (std::size_t i = 0; i < fly.groups; ++i) {
    for (std::size_t j = i + 1; j < fly.groups; ++j) {
      for (std::size_t t = 0; t < cables; ++t) ++between[{end(i, j, t), end(j, i, t)}];
    }
  }
  for (const auto& [ends, count] : between)
    join_switches(graph, task, ends.first, ends.second, count);
}

}  // namespace

FabricLayout lay_out_single_switch(const FabricTask& task) {
  if (nic_count(task) > task.spec.switches.ports) {
    refuse_fabric(task, fleet_size(task) + " do not fit one switch of " +
                            std::to_string(task.spec.switches.ports) +
                            " ports; use kind leaf-spine, or a switch with more ports");
  }
  FabricLayout layout = with_nodes(task);
  const std::size_t vertex = add_switch(layout.graph, task, "switch[0]");
  for (std::size_t n = 0; n < task.nodes.size(); ++n) {
    attach_node(layout.graph, task, n, 0, task.nodes[n].nics.size(), vertex);
  }
  return layout;
}

FabricLayout lay_out_torus(const FabricTask& task) {
  std::size_t nics = task.nodes.front().nics.size();
  for (const FleetNode& node : task.nodes) nics = std::min(nics, node.nics.size());
  const std::optional<Shape> shape = torus_shape(task.nodes.size(), nics);
  if (!shape) {
    refuse_fabric(task, fleet_size(task) + ": even a ring needs 2 NICs a node, and some node has " +
                            std::to_string(nics));
  }
  FabricLayout layout = with_nodes(task);
  layout.nodes_forward = true;
  const std::size_t cables = nics / links_at_node(*shape);
  std::size_t stride = 1;
  for (const std::size_t side : *shape) {
    for (std::size_t n = 0; n < task.nodes.size(); ++n) {
      const std::size_t position = n / stride % side;
      const std::size_t next = n - position * stride + (position + 1) % side * stride;
      // On a side of two, the way back is the same cable.
      if (side > 2 || (side == 2 && position == 0))
        add_torus_link(layout.graph, task, n, next, cables);
    }
    stride *= side;
  }
  return layout;
}

FabricLayout lay_out_dragonfly(const FabricTask& task) {
  std::vector<std::size_t> router_of;
  const Dragonfly fly = size_dragonfly(task, router_of);
  FabricLayout layout = with_nodes(task);
  std::vector<std::size_t> routers;
  for (std::size_t g = 0; g < fly.groups; ++g) {
    for (std::size_t r = 0; r < fly.group_size; ++r) {
      routers.push_back(
          add_switch(layout.graph, task,
                     "group[" + std::to_string(g) + "].router[" + std::to_string(r) + "]"));
    }
  }
  for (std::size_t n = 0; n < router_of.size(); ++n) {
    attach_node(layout.graph, task, n, 0, task.nodes[n].nics.size(), routers[router_of[n]]);
  }
  for (std::size_t g = 0; g < fly.groups; ++g) {
    for (std::size_t r = 0; r < fly.group_size; ++r) {
      for (std::size_t s = r + 1; s < fly.group_size; ++s) {
        join_switches(layout.graph, task, routers[g * fly.group_size + r],
                      routers[g * fly.group_size + s],
                      fly.local_ports / (static_cast<std::int64_t>(fly.group_size) - 1));
      }
    }
  }
  join_groups(layout.graph, task, fly, routers);
  return layout;
}

}  // namespace tokenyard::topology
