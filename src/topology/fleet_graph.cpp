#include "topology/fleet_graph.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "topology/fabric_layout.hpp"

namespace tokenyard::topology {
namespace {

std::vector<bool> forwarding(const FabricLayout& layout) {
  std::vector<bool> forwards;
  for (const Vertex& vertex : layout.graph.vertices()) {
    forwards.push_back(layout.nodes_forward || vertex.kind == VertexKind::network_switch);
  }
  return forwards;
}

Inventory count_parts(const Graph& graph, const catalog::FabricSpec& fabric) {
  Inventory inventory;
  const auto is_switch = [&](std::size_t v) {
    return graph.vertices()[v].kind == VertexKind::network_switch;
  };
  for (std::size_t v = 0; v < graph.vertices().size(); ++v)
    inventory.switches += is_switch(v) ? 1 : 0;
  for (const Edge& e : graph.edges()) {
    inventory.cables += e.cables;
    inventory.ports_used += e.cables * ((is_switch(e.from) ? 1 : 0) + (is_switch(e.to) ? 1 : 0));
  }
  inventory.ports = inventory.switches * fabric.switches.ports;
  return inventory;
}

// "node[3] and 2 more"
std::string some_nodes(const std::vector<std::size_t>& nodes) {
  std::string text = "node[" + std::to_string(nodes.front()) + "]";
  if (nodes.size() > 1) text += " and " + std::to_string(nodes.size() - 1) + " more";
  return text;
}

// The longest shortest path between two nodes, in cables; refuses nodes that cannot reach each
// other.
std::int64_t measure_diameter(const scenario::Plan& plan, std::size_t nodes, ShortestPaths& paths) {
  std::int32_t longest = 0;
  for (std::size_t to = 0; to < nodes; ++to) {
    std::vector<std::size_t> unreachable;
    for (std::size_t from = 0; from < nodes; ++from) {
      const std::int32_t distance = paths.distance(from, to);
      if (distance == ShortestPaths::kUnreachable) unreachable.push_back(from);
      longest = std::max(longest, distance);
    }
    if (unreachable.empty()) continue;
    throw InputError(
        {{.place = plan.pools.front().where,
          .path = "fleet.fabric",
          .message = "'" + plan.fabric.name + "': no path leads from " + some_nodes(unreachable) +
                     " to node[" + std::to_string(to) + "]; join the islands with an edge",
          .note = {}}});
  }
  return longest;
}

}  // namespace

struct FleetGraph::State {
  FabricLayout layout;
  ShortestPaths paths;
  std::vector<std::size_t> pool_of;
  Inventory inventory;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Route> routes;

  explicit State(FabricLayout l) : layout(std::move(l)), paths(layout.graph, forwarding(layout)) {}

  [[nodiscard]] std::size_t vertex(std::int64_t node) const {
    check(node >= 0 && node < static_cast<std::int64_t>(pool_of.size()),
          "no such node in the fleet");
    return static_cast<std::size_t>(node);
  }

  Route find_route(std::int64_t from, std::int64_t to, std::int64_t lane) {
    if (from == to) return {};
    const auto key = static_cast<std::uint64_t>(from) << 40 ^ static_cast<std::uint64_t>(to) << 16 ^
                     static_cast<std::uint64_t>(lane);
    if (layout.nodes_forward) return paths.route(vertex(from), vertex(to), key);
    const std::vector<std::size_t> first = paths.first_edges(vertex(from), vertex(to));
    check(lane >= 0 && lane < static_cast<std::int64_t>(first.size()), "no such lane");
    return paths.route_by(first[static_cast<std::size_t>(lane)], vertex(from), vertex(to), key);
  }
};

FleetGraph::FleetGraph(const scenario::Plan& plan)
    : state_(std::make_unique<State>(lay_out_fabric(plan))) {
  for (std::size_t p = 0; p < plan.pools.size(); ++p) {
    state_->pool_of.insert(state_->pool_of.end(), static_cast<std::size_t>(plan.pools[p].count), p);
  }
  Inventory& inventory = state_->inventory;
  inventory = count_parts(graph(), plan.fabric);
  inventory.diameter_cables = measure_diameter(plan, state_->pool_of.size(), state_->paths);
  inventory.diameter_hops = std::max<std::int64_t>(inventory.diameter_cables - 1, 0);
}
FleetGraph::~FleetGraph() = default;
FleetGraph::FleetGraph(FleetGraph&&) noexcept = default;
FleetGraph& FleetGraph::operator=(FleetGraph&&) noexcept = default;

const Graph& FleetGraph::graph() const {
  return state_->layout.graph;
}

std::int64_t FleetGraph::node_count() const {
  return static_cast<std::int64_t>(state_->pool_of.size());
}

std::size_t FleetGraph::pool_of(std::int64_t node) const {
  return state_->pool_of[state_->vertex(node)];
}

const Inventory& FleetGraph::inventory() const {
  return state_->inventory;
}

std::int64_t FleetGraph::lanes(std::int64_t from, std::int64_t to) const {
  if (state_->layout.nodes_forward) return 1;
  return static_cast<std::int64_t>(
      state_->paths.first_edges(state_->vertex(from), state_->vertex(to)).size());
}

const Route& FleetGraph::route(std::int64_t from, std::int64_t to, std::int64_t lane) const {
  const auto [entry, added] = state_->routes.try_emplace({from, to, lane});
  if (added) entry->second = state_->find_route(from, to, lane);
  return entry->second;
}

BytesPerSecond FleetGraph::bisection_bandwidth() const {
  const std::size_t nodes = state_->pool_of.size();
  if (nodes < 2) return {};
  std::vector<Side> sides(graph().vertices().size(), Side::between);
  for (std::size_t n = 0; n < nodes; ++n) sides[n] = n < nodes / 2 ? Side::source : Side::sink;
  return max_flow(graph(), sides);
}

}  // namespace tokenyard::topology
