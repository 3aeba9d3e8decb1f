#include "topology/node_graph.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "catalog/host_link.hpp"

namespace tokenyard::topology {
namespace {

using catalog::Link;
using catalog::NodeTopology;

struct Wiring {
  Graph graph;
  std::vector<std::size_t> devices, nics;
  std::size_t host = 0;
};

// The device of each slot of the node, in order.
std::vector<const catalog::Device*> devices_of(const scenario::PoolPlan& pool) {
  std::vector<const catalog::Device*> devices;
  for (std::size_t i = 0; i < pool.node.devices.size(); ++i) {
    devices.insert(devices.end(), static_cast<std::size_t>(pool.node.devices[i].count),
                   &pool.devices.at(i));
  }
  return devices;
}

const Link& node_link(const scenario::PoolPlan& pool, const catalog::Device& device) {
  const Link* link = device.find_link(pool.node.link);
  if (link != nullptr) return *link;
  std::vector<std::string> names;
  for (const Link& l : device.links) names.push_back(l.name);
  throw InputError({{.place = pool.where,
                     .path = pool.path,
                     .message = "node '" + pool.node.name + "' joins its devices by '" +
                                pool.node.link + "', but device '" + device.name +
                                "' has no such link" + suggestion(pool.node.link, names),
                     .note = {}}});
}

// The link towards host and NICs; nullptr when the device has none at all.
const Link* host_link(const scenario::PoolPlan& pool, const catalog::Device& device) {
  if (const Link* link = catalog::host_link(device)) return link;
  if (!pool.node.link.empty()) return device.find_link(pool.node.link);
  return device.links.empty() ? nullptr : &device.links.front();
}

void join(Graph& graph, std::size_t from, std::size_t to, BytesPerSecond bandwidth,
          Seconds latency) {
  graph.add_edge({.from = from, .to = to, .cables = 1, .bandwidth = bandwidth, .latency = latency});
}

struct GridSide {
  std::size_t length = 1, stride = 1;
  bool wraps = false;
};

// What one port of a device gives.
struct Port {
  BytesPerSecond bandwidth;
  Seconds latency;
};

std::vector<Port> ports_of(const scenario::PoolPlan& pool,
                           const std::vector<const catalog::Device*>& devices) {
  std::vector<Port> ports;
  for (const catalog::Device* device : devices) {
    const Link& link = node_link(pool, *device);
    const double share = 1.0 / static_cast<double>(pool.node.ports_of(link));
    ports.push_back({.bandwidth = link.bandwidth.value * share, .latency = link.latency.value});
  }
  return ports;
}

void join_pair(Wiring& wiring, const std::vector<Port>& ports, std::size_t a, std::size_t b,
               double links = 1.0) {
  join(wiring.graph, wiring.devices[a], wiring.devices[b],
       std::min(ports[a].bandwidth, ports[b].bandwidth) * links,
       std::max(ports[a].latency, ports[b].latency));
}

void join_side(Wiring& wiring, const std::vector<Port>& ports, const GridSide& side) {
  for (std::size_t d = 0; d < ports.size(); ++d) {
    const std::size_t position = d / side.stride % side.length;
    const bool last = position + 1 == side.length;
    if (last && !(side.wraps && side.length > 2)) continue;
    const std::size_t next = last ? d - position * side.stride : d + side.stride;
    // Round a side of two both ports lead to the same neighbour.
    join_pair(wiring, ports, d, next, side.wraps && side.length == 2 ? 2.0 : 1.0);
  }
}

void join_grid(Wiring& wiring, const std::vector<Port>& ports, const catalog::NodeSpec& node) {
  const std::vector<std::int64_t> sides = node.sides();
  GridSide side{.length = 1, .stride = 1, .wraps = node.topology != NodeTopology::mesh2d};
  for (auto length = sides.rbegin(); length != sides.rend(); ++length) {
    side.stride *= side.length;
    side.length = static_cast<std::size_t>(*length);
    join_side(wiring, ports, side);
  }
  check(side.stride * side.length == ports.size(), "a grid of more or fewer devices than the node");
}

void join_each_other(Wiring& wiring, const std::vector<Port>& ports) {
  for (std::size_t a = 0; a < ports.size(); ++a) {
    for (std::size_t b = a + 1; b < ports.size(); ++b) join_pair(wiring, ports, a, b);
  }
}

void join_by_switch(Wiring& wiring, const std::vector<Port>& ports) {
  const std::size_t hub = wiring.graph.add_vertex(
      {.name = "device-switch", .kind = VertexKind::device_switch, .latency = {}});
  for (std::size_t d = 0; d < ports.size(); ++d) {
    join(wiring.graph, wiring.devices[d], hub, ports[d].bandwidth, ports[d].latency / 2.0);
  }
}

void join_devices(Wiring& wiring, const scenario::PoolPlan& pool,
                  const std::vector<const catalog::Device*>& devices) {
  if (devices.size() < 2) return;
  switch (pool.node.topology) {
    case NodeTopology::all_to_all_switch:
      return join_by_switch(wiring, ports_of(pool, devices));
    case NodeTopology::all_to_all_mesh:
      return join_each_other(wiring, ports_of(pool, devices));
    case NodeTopology::ring:
    case NodeTopology::mesh2d:
    case NodeTopology::torus:
      return join_grid(wiring, ports_of(pool, devices), pool.node);
    case NodeTopology::pcie_tree:
    case NodeTopology::none:
      return;
  }
}

Wiring wire(const scenario::PoolPlan& pool) {
  Wiring wiring;
  const std::vector<const catalog::Device*> devices = devices_of(pool);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    wiring.devices.push_back(wiring.graph.add_vertex(
        {.name = "device[" + std::to_string(d) + "]", .kind = VertexKind::device, .latency = {}}));
  }
  wiring.host = wiring.graph.add_vertex({.name = "host", .kind = VertexKind::host, .latency = {}});
  join_devices(wiring, pool, devices);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    const Link* link = pool.node.topology == NodeTopology::pcie_tree ? &node_link(pool, *devices[d])
                                                                     : host_link(pool, *devices[d]);
    if (link == nullptr) continue;
    join(wiring.graph, wiring.devices[d], wiring.host, link->bandwidth, link->latency.value / 2.0);
  }
  for (const catalog::Nic& nic : pool.node.nics) {
    for (std::int64_t i = 0; i < nic.count; ++i) {
      wiring.nics.push_back(
          wiring.graph.add_vertex({.name = "nic[" + std::to_string(wiring.nics.size()) + "]",
                                   .kind = VertexKind::nic,
                                   .latency = {}}));
      join(wiring.graph, wiring.nics.back(), wiring.host, nic.bandwidth, {});
    }
  }
  return wiring;
}

std::vector<bool> forwarding(const Graph& graph, const std::vector<VertexKind>& kinds) {
  std::vector<bool> forwards;
  for (const Vertex& vertex : graph.vertices()) {
    forwards.push_back(std::find(kinds.begin(), kinds.end(), vertex.kind) != kinds.end());
  }
  return forwards;
}

// What passes on traffic between devices: the host only where nothing better joins them.
std::vector<VertexKind> device_forwarders(NodeTopology topology) {
  switch (topology) {
    case NodeTopology::all_to_all_switch:
      return {VertexKind::device_switch};
    case NodeTopology::all_to_all_mesh:
    case NodeTopology::ring:
    case NodeTopology::mesh2d:
    case NodeTopology::torus:
      return {VertexKind::device};
    case NodeTopology::pcie_tree:
    case NodeTopology::none:
      return {VertexKind::host};
  }
  throw InternalError("unknown topology of a node");
}

std::optional<Route> find(ShortestPaths& paths, std::size_t from, std::size_t to) {
  if (from == to) return Route{};
  if (paths.distance(from, to) == ShortestPaths::kUnreachable) return std::nullopt;
  return paths.route(from, to,
                     static_cast<std::uint64_t>(from) << 32 ^ static_cast<std::uint64_t>(to));
}

}  // namespace

struct NodeGraph::State {
  Wiring wiring;
  NodeTopology topology;
  ShortestPaths between_devices, through_host;

  explicit State(const scenario::PoolPlan& pool)
      : wiring(wire(pool)),
        topology(pool.node.topology),
        between_devices(wiring.graph, forwarding(wiring.graph, device_forwarders(topology))),
        through_host(wiring.graph, forwarding(wiring.graph, {VertexKind::host})) {}
};

NodeGraph::NodeGraph(const scenario::PoolPlan& pool) : state_(std::make_unique<State>(pool)) {}
NodeGraph::~NodeGraph() = default;
NodeGraph::NodeGraph(NodeGraph&&) noexcept = default;
NodeGraph& NodeGraph::operator=(NodeGraph&&) noexcept = default;

const Graph& NodeGraph::graph() const {
  return state_->wiring.graph;
}

std::int64_t NodeGraph::device_count() const {
  return static_cast<std::int64_t>(state_->wiring.devices.size());
}

std::int64_t NodeGraph::nic_count() const {
  return static_cast<std::int64_t>(state_->wiring.nics.size());
}

std::size_t NodeGraph::device_vertex(std::int64_t device) const {
  check(device >= 0 && device < device_count(), "no such device in the node");
  return state_->wiring.devices[static_cast<std::size_t>(device)];
}

std::size_t NodeGraph::nic_vertex(std::int64_t nic) const {
  check(nic >= 0 && nic < nic_count(), "no such NIC in the node");
  return state_->wiring.nics[static_cast<std::size_t>(nic)];
}

std::optional<Route> NodeGraph::between_devices(std::int64_t from, std::int64_t to) const {
  return find(state_->between_devices, device_vertex(from), device_vertex(to));
}

std::optional<Route> NodeGraph::device_to_nic(std::int64_t device, std::int64_t nic) const {
  return find(state_->through_host, device_vertex(device), nic_vertex(nic));
}

BytesPerSecond NodeGraph::device_bisection() const {
  const std::vector<VertexKind> forwarders = device_forwarders(state_->topology);
  const bool by_host = forwarders.front() == VertexKind::host;
  Graph devices_only;
  for (const Vertex& vertex : graph().vertices()) devices_only.add_vertex(vertex);
  for (const Edge& e : graph().edges()) {
    const bool at_host = e.from == state_->wiring.host || e.to == state_->wiring.host;
    if (at_host == by_host) devices_only.add_edge(e);
  }
  std::vector<Side> sides(graph().vertices().size(), Side::between);
  const std::size_t count = state_->wiring.devices.size();
  for (std::size_t d = 0; d < count; ++d) {
    sides[state_->wiring.devices[d]] = d < count / 2 ? Side::source : Side::sink;
  }
  return count < 2 ? BytesPerSecond{} : max_flow(devices_only, sides);
}

}  // namespace tokenyard::topology
