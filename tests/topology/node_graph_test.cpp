#include "topology/node_graph.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "fleets.hpp"

namespace tokenyard::topology {
namespace {

using catalog::NodeTopology;

// Devices with a link of 400 GB/s and 2 us among themselves, PCIe of 64 GB/s, in a node with 2
// NICs.
scenario::PoolPlan node_of(NodeTopology topology, std::int64_t devices,
                           std::vector<std::int64_t> shape = {}, std::int64_t ports = 1) {
  scenario::PoolPlan pool = pool_of_nodes(1, 2);
  catalog::Device device;
  device.name = "chip";
  catalog::Link fast;
  fast.name = "fast";
  fast.bandwidth = gigabytes_per_second(400);
  fast.latency = microseconds(2);
  fast.ports = ports;
  catalog::Link pcie;
  pcie.name = "pcie5";
  pcie.bandwidth = gigabytes_per_second(64);
  device.links = {fast, pcie};
  pool.devices = {device};
  pool.node.devices = {{.device = "chip", .count = devices}};
  pool.node.topology = topology;
  pool.node.shape = std::move(shape);
  if (topology != NodeTopology::none)
    pool.node.link = topology == NodeTopology::pcie_tree ? "pcie5" : "fast";
  return pool;
}

double bisection_gb_per_s(NodeTopology topology, std::int64_t devices,
                          std::vector<std::int64_t> shape = {}, std::int64_t ports = 1) {
  const NodeGraph graph(node_of(topology, devices, std::move(shape), ports));
  return graph.device_bisection().base() / 1e9;
}

TEST_CASE(
    "8 devices of 400 GB/s: switch 1600, ring 400, 2 x 4 mesh 400, 2 x 4 torus 800, PCIe of 64: "
    "256") {
  CHECK(bisection_gb_per_s(NodeTopology::all_to_all_switch, 8) == 4 * 400.0);
  CHECK(bisection_gb_per_s(NodeTopology::ring, 8) == 2 * 200.0);
  // Rows of four: the halves are the two rows, joined by 4 edges of 100 GB/s; on a torus the two
  // edges of a side of two are one of 200 GB/s.
  CHECK(bisection_gb_per_s(NodeTopology::mesh2d, 8, {2, 4}) == 4 * 100.0);
  CHECK(bisection_gb_per_s(NodeTopology::torus, 8, {2, 4}) == 4 * 200.0);
  CHECK(bisection_gb_per_s(NodeTopology::pcie_tree, 8) == 4 * 64.0);
}

TEST_CASE("on a mesh of 8 each of 400 GB/s has 400 / 7 GB/s to each other, 16 such links are cut") {
  const NodeGraph graph(node_of(NodeTopology::all_to_all_mesh, 8));
  CHECK(graph.between_devices(0, 7)->edges.size() == 1);
  CHECK(graph.between_devices(0, 7)->latency.base() == doctest::Approx(2e-6));
  CHECK(graph.between_devices(2, 5)->bandwidth.base() == doctest::Approx(400e9 / 7));
  CHECK(graph.device_bisection().base() == doctest::Approx(16 * 400e9 / 7));
}

TEST_CASE("4 devices of 7 ports each use 3 of them, 400 / 7 GB/s to each other: 4 links are cut") {
  CHECK(bisection_gb_per_s(NodeTopology::all_to_all_mesh, 4, {}, 7) ==
        doctest::Approx(4 * 400.0 / 7));
}

TEST_CASE("a shape decides who the neighbours are: 16 devices as 4 x 4 or as 2 x 8") {
  const NodeGraph square(node_of(NodeTopology::torus, 16, {4, 4}));
  CHECK(square.between_devices(0, 3)->edges.size() == 1);   // round the row
  CHECK(square.between_devices(0, 12)->edges.size() == 1);  // round the column
  CHECK(square.between_devices(0, 10)->edges.size() == 4);  // two rows and two columns away
  CHECK(square.between_devices(0, 1)->bandwidth == gigabytes_per_second(100));
  const NodeGraph flat(node_of(NodeTopology::mesh2d, 16, {2, 8}));
  CHECK(flat.between_devices(0, 7)->edges.size() == 7);
  CHECK(flat.between_devices(0, 8)->edges.size() == 1);
  CHECK(flat.between_devices(0, 15)->edges.size() == 8);
}

TEST_CASE("a 4 x 2 x 2 torus of 6 ports: 8 edges of 400 / 6 GB/s cut its long side, twice") {
  const NodeGraph graph(node_of(NodeTopology::torus, 16, {4, 2, 2}, 6));
  CHECK(graph.between_devices(0, 1)->bandwidth.base() == doctest::Approx(2 * 400e9 / 6));
  CHECK(graph.between_devices(0, 4)->bandwidth.base() == doctest::Approx(400e9 / 6));
  CHECK(graph.between_devices(0, 15)->edges.size() == 3);  // once round each side
  CHECK(graph.device_bisection().base() == doctest::Approx(8 * 400e9 / 6));
}

TEST_CASE("a side of one takes no ports: a 1 x 8 torus is the ring of 8") {
  CHECK(bisection_gb_per_s(NodeTopology::torus, 8, {1, 8}) ==
        bisection_gb_per_s(NodeTopology::ring, 8));
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
