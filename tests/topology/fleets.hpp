#pragma once
// Fleets for the tests of this room: nodes of NICs of 50 GB/s on switches of 64 ports of 50 GB/s.
#include <string>
#include <utility>

#include "scenario/plan.hpp"

namespace tokenyard::topology {

inline scenario::PoolPlan pool_of_nodes(std::int64_t nodes, std::int64_t nics,
                                        double nic_gb_per_s = 50) {
  scenario::PoolPlan pool;
  pool.name = "main";
  pool.path = "fleet.pools[0]";
  pool.where = {.file = "fleet.yaml", .line = 7, .column = 5, .source_line = ""};
  pool.count = nodes;
  pool.node.name = "box";
  if (nics > 0) {
    catalog::Nic nic;
    nic.bandwidth = gigabytes_per_second(nic_gb_per_s);
    nic.latency = microseconds(5);
    nic.count = nics;
    pool.node.nics = {nic};
  }
  return pool;
}

inline scenario::Plan fleet(catalog::FabricKind kind, std::int64_t nodes, std::int64_t nics,
                            double oversubscription = 1.0, std::int64_t ports = 64) {
  scenario::Plan plan;
  plan.fabric.name = "cloth";
  plan.fabric.kind = kind;
  plan.fabric.switches.ports = ports;
  plan.fabric.switches.bandwidth = gigabytes_per_second(50);
  plan.fabric.switches.latency = microseconds(1);
  plan.fabric.oversubscription = oversubscription;
  plan.pools.push_back(pool_of_nodes(nodes, nics));
  return plan;
}

inline catalog::FabricEdge cable(std::string from, std::string to) {
  catalog::FabricEdge edge;
  edge.from = std::move(from);
  edge.to = std::move(to);
  return edge;
}

// The whole message of the InputError that `act` throws, or "accepted".
template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace tokenyard::topology
