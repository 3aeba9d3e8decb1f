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

// A zone whose routes are the graph's.  Hosts are created in the order of the nodes, so that a
// host's number in the zone is its node's.
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
    const auto a = static_cast<std::int64_t>(from->id());
    const auto b = static_cast<std::int64_t>(to->id());
    for (const topology::EdgeUse& use : fleet_->route(a, b).edges) {
      const Cables& pair = cables[use.edge];
      into->link_list_.push_back((use.forward ? pair.forward : pair.backward)->get_impl());
    }
  }

  std::vector<Cables> cables;  // by edge of the graph
  sg4::Link* loopback = nullptr;

 private:
  const topology::FleetGraph* fleet_;
};

}  // namespace

struct Platform::State {
  std::vector<sg4::Host*> hosts;
};

Platform::Platform(const topology::FleetGraph& fleet) : state_(std::make_unique<State>()) {
  // Owned by the engine, as zones are.
  auto* zone = new FleetZone("fleet", fleet);
#if SIMGRID_VERSION >= 40000
  zone->set_parent(sg4::Engine::get_instance()->get_netzone_root()->get_impl());
#endif
  sg4::NetZone* face = zone->get_iface();
  for (std::int64_t node = 0; node < fleet.node_count(); ++node) {
    state_->hosts.push_back(add_host(face, "node-" + std::to_string(node))->seal());
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
}

Platform::~Platform() = default;

simgrid::s4u::Host* Platform::host(std::int64_t node) const {
  return state_->hosts[static_cast<std::size_t>(node)];
}

}  // namespace tokenyard::sim
