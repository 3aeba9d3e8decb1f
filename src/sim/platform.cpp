#include "sim/platform.hpp"

#include <simgrid/kernel/routing/NetPoint.hpp>
#include <simgrid/kernel/routing/NetZoneImpl.hpp>
#include <simgrid/s4u.hpp>
// After s4u.hpp: it uses macros that it does not define itself.
#include <simgrid/version.h>

#include <vector>

namespace tokenyard::sim {
namespace {

namespace sg4 = simgrid::s4u;

// Speed of a host in FLOP/s; nothing is ever computed on one.
constexpr double kUnusedSpeed = 1e9;
// A node to itself does not touch the network; SimGrid needs a link all the same.
constexpr double kLoopbackBytesPerS = 1e15;

struct Cables {
  sg4::Link* forward = nullptr;
  sg4::Link* backward = nullptr;
};

sg4::Host* add_host(sg4::NetZone* zone, const std::string& name) {
#if SIMGRID_VERSION >= 40000
  return zone->add_host(name, kUnusedSpeed);
#else
  return zone->create_host(name, kUnusedSpeed);
#endif
}

sg4::Link* add_link(sg4::NetZone* zone, const std::string& name, double bytes_per_s) {
#if SIMGRID_VERSION >= 40000
  return zone->add_link(name, bytes_per_s)->seal();
#else
  return zone->create_link(name, bytes_per_s)->seal();
#endif
}

struct End {
  std::int64_t node = 0;
  std::int64_t lane = 0;
};

// Lanes by which something can leave a node.
std::int64_t lanes_of(const topology::FleetGraph& fleet, std::int64_t node) {
  if (fleet.node_count() < 2) return 1;
  return fleet.lanes(node, node == 0 ? 1 : 0);
}

// A zone whose routes are the graph's.
class FleetZone final : public simgrid::kernel::routing::NetZoneImpl {
 public:
  FleetZone(const std::string& name, const topology::FleetGraph& fleet)
      : NetZoneImpl(name), fleet_(&fleet) {}

  void get_local_route(const simgrid::kernel::routing::NetPoint* from,
                       const simgrid::kernel::routing::NetPoint* to,
                       simgrid::kernel::routing::Route* into, double*) override {
    if (from == to) {
      into->link_list_.push_back(loopback->get_impl());
      return;
    }
    const End& a = ends[from->id()];
    for (const topology::EdgeUse& use : fleet_->route(a.node, ends[to->id()].node, a.lane).edges) {
      const Cables& pair = cables[use.edge];
      into->link_list_.push_back((use.forward ? pair.forward : pair.backward)->get_impl());
    }
    if (next_limit == nullptr) return;
    into->link_list_.push_back(next_limit->get_impl());
    next_limit = nullptr;
  }

  std::vector<Cables> cables;  // by edge of the graph
  std::vector<End> ends;       // by number of a host in the zone: the order in which they are made
  sg4::Link* loopback = nullptr;
  sg4::Link* next_limit = nullptr;  // of the next route that is asked for

 private:
  const topology::FleetGraph* fleet_;
};

// Links that are made while the simulation runs: only a zone that was never sealed takes them, and that of
// the fleet is sealed when the engine starts.  Nothing leads through it.
class LimitZone final : public simgrid::kernel::routing::NetZoneImpl {
 public:
  explicit LimitZone(const std::string& name) : NetZoneImpl(name) {}
  void get_local_route(const simgrid::kernel::routing::NetPoint*,
                       const simgrid::kernel::routing::NetPoint*, simgrid::kernel::routing::Route*,
                       double*) override {}
};

}  // namespace

struct Platform::State {
  std::vector<std::vector<sg4::Host*>> hosts;  // by node and lane
  FleetZone* zone = nullptr;
  LimitZone* limit_zone = nullptr;
  std::vector<sg4::Link*> limits;
  std::vector<std::size_t> unused_limits;
};

Platform::Platform(const topology::FleetGraph& fleet) : state_(std::make_unique<State>()) {
  // Owned by the engine, as zones are.
  auto* zone = new FleetZone("fleet", fleet);
  state_->zone = zone;
#if SIMGRID_VERSION >= 40000
  zone->set_parent(sg4::Engine::get_instance()->get_netzone_root()->get_impl());
#endif
  sg4::NetZone* face = zone->get_iface();
  for (std::int64_t node = 0; node < fleet.node_count(); ++node) {
    std::vector<sg4::Host*>& lanes = state_->hosts.emplace_back();
    for (std::int64_t lane = 0; lane < lanes_of(fleet, node); ++lane) {
      const std::string name = "node-" + std::to_string(node) + "-" + std::to_string(lane);
      lanes.push_back(add_host(face, name)->seal());
      zone->ends.push_back({node, lane});
    }
  }
  zone->loopback = add_link(face, "loopback", kLoopbackBytesPerS);
  const auto& edges = fleet.graph().edges();
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const double bytes_per_s = edges[e].bandwidth.base();
    const std::string name = "cable-" + std::to_string(e);
    zone->cables.push_back({add_link(face, name + "-forward", bytes_per_s),
                            add_link(face, name + "-backward", bytes_per_s)});
  }
  face->seal();
  // Beside the engine's zones, and like these there as long as it is.
  state_->limit_zone = new LimitZone("limits");
  state_->limit_zone->set_network_model(zone->get_network_model());
}

Platform::~Platform() = default;

simgrid::s4u::Host* Platform::host(std::int64_t node, std::int64_t lane) const {
  return state_->hosts[static_cast<std::size_t>(node)][static_cast<std::size_t>(lane)];
}

std::size_t Platform::limit_next(double bytes_per_s) {
  if (state_->unused_limits.empty()) {
    state_->unused_limits.push_back(state_->limits.size());
    const std::string name = "limit-" + std::to_string(state_->limits.size());
    state_->limits.push_back(add_link(state_->limit_zone->get_iface(), name, bytes_per_s));
  }
  const std::size_t limit = state_->unused_limits.back();
  state_->unused_limits.pop_back();
  state_->zone->next_limit = state_->limits[limit]->set_bandwidth(bytes_per_s);
  return limit;
}

void Platform::give_back(std::size_t limit) {
  state_->unused_limits.push_back(limit);
}

}  // namespace tokenyard::sim
