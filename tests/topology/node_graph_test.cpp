#include "topology/node_graph.hpp"

#include <doctest/doctest.h>

#include "fleets.hpp"

namespace tokenyard::topology {
namespace {

using catalog::NodeTopology;

// Devices with a link of 400 GB/s and 2 us among themselves, PCIe of 64 GB/s, in a node with 2
// NICs.
scenario::PoolPlan node_of(NodeTopology topology, std::int64_t devices) {
  scenario::PoolPlan pool = pool_of_nodes(1, 2);
  catalog::Device device;
  device.name = "chip";
  catalog::Link fast;
  fast.name = "fast";
  fast.bandwidth = gigabytes_per_second(400);
  fast.latency = microseconds(2);
  catalog::Link pcie;
  pcie.name = "pcie5";
  pcie.bandwidth = gigabytes_per_second(64);
  device.links = {fast, pcie};
  pool.devices = {device};
  pool.node.devices = {{.device = "chip", .count = devices}};
  pool.node.topology = topology;
  if (topology != NodeTopology::none)
    pool.node.link = topology == NodeTopology::pcie_tree ? "pcie5" : "fast";
  return pool;
}

double bisection_gb_per_s(NodeTopology topology, std::int64_t devices) {
  return NodeGraph(node_of(topology, devices)).device_bisection().base() / 1e9;
}

TEST_CASE(
    "8 devices of 400 GB/s: switch 1600, ring 400, 2 x 4 mesh 400, 2 x 4 torus 800, PCIe of 64: "
    "256") {
  CHECK(bisection_gb_per_s(NodeTopology::all_to_all_switch, 8) == 4 * 400.0);
  CHECK(bisection_gb_per_s(NodeTopology::ring, 8) == 2 * 200.0);
  // Rows of four: the halves are the two rows, joined by 4 edges of 100 GB/s; on a torus the two
  // edges of a side of two are one of 200 GB/s.
  CHECK(bisection_gb_per_s(NodeTopology::mesh2d, 8) == 4 * 100.0);
  CHECK(bisection_gb_per_s(NodeTopology::torus, 8) == 4 * 200.0);
  CHECK(bisection_gb_per_s(NodeTopology::pcie_tree, 8) == 4 * 64.0);
}

TEST_CASE("two devices in a ring have one edge of the whole bandwidth") {
  const NodeGraph graph(node_of(NodeTopology::ring, 2));
  CHECK(graph.between_devices(0, 1)->bandwidth == gigabytes_per_second(400));
  CHECK(graph.device_bisection() == gigabytes_per_second(400));
}

TEST_CASE("a switch is one hop of the link's latency, a ring of 8 up to four") {
  const NodeGraph switched(node_of(NodeTopology::all_to_all_switch, 8));
  CHECK(switched.between_devices(0, 7)->latency.base() == doctest::Approx(2e-6));
  CHECK(switched.between_devices(0, 7)->bandwidth == gigabytes_per_second(400));
  const NodeGraph ring(node_of(NodeTopology::ring, 8));
  CHECK(ring.between_devices(0, 4)->latency.base() == doctest::Approx(8e-6));
  CHECK(ring.between_devices(0, 7)->edges.size() == 1);
  CHECK(ring.between_devices(3, 3)->edges.empty());
}

TEST_CASE("to a NIC a device goes over PCIe and never through a neighbour: min(64, 50) GB/s") {
  const NodeGraph graph(node_of(NodeTopology::ring, 8));
  CHECK(graph.device_count() == 8);
  CHECK(graph.nic_count() == 2);
  const auto route = graph.device_to_nic(5, 1);
  REQUIRE(route);
  CHECK(route->edges.size() == 2);
  CHECK(route->bandwidth == gigabytes_per_second(50));
}

TEST_CASE("devices without a topology meet in the host; without any link they do not meet") {
  scenario::PoolPlan pool = node_of(NodeTopology::none, 2);
  CHECK(NodeGraph(pool).between_devices(0, 1)->edges.size() == 2);
  pool.devices[0].links.clear();
  CHECK(!NodeGraph(pool).between_devices(0, 1));
  CHECK(!NodeGraph(pool).device_to_nic(0, 0));
}

TEST_CASE("a node that names a link its device lacks is refused") {
  scenario::PoolPlan pool = node_of(NodeTopology::ring, 8);
  pool.node.link = "fasd";
  CHECK(refusal([&] { NodeGraph{pool}; }) ==
        "fleet.yaml:7:5: error: fleet.pools[0]: node 'box' joins its devices by 'fasd', but device "
        "'chip' has "
        "no such link; did you mean 'fast'?");
}

}  // namespace
}  // namespace tokenyard::topology
