#include "perf/collective.hpp"

#include <vector>

#include "perf_fixture.hpp"

namespace tokenyard::perf {
namespace {

constexpr double kMicro = 1e-6;

// The toy's devices in nodes of `devices`: links of 100 GB/s and 1 us; a NIC of 50 GB/s a node, of
// which 85 % are reached, and 5 us + 2 switches of 1 us between nodes.
Collectives collectives(std::int64_t devices,
                        catalog::NodeTopology topology = catalog::NodeTopology::all_to_all_switch) {
  test::ToyOptions options;
  options.devices_per_node = devices;
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().node.topology = topology;
  if (devices == 1) plan.pools.front().node.link.clear();
  return {plan.pools.front(), plan.pools.front().deployments.front(), plan.fabric};
}

// The same devices on a grid of that shape.
Collectives grid(catalog::NodeTopology topology, const std::vector<std::int64_t>& shape,
                 std::int64_t ports = 1) {
  test::ToyOptions options;
  options.devices_per_node = 1;
  for (const std::int64_t side : shape) options.devices_per_node *= side;
  options.device.links.front().ports = ports;
  scenario::Plan plan = test::toy_plan(options);
  plan.pools.front().node.topology = topology;
  plan.pools.front().node.shape = shape;
  return {plan.pools.front(), plan.pools.front().deployments.front(), plan.fabric};
}

constexpr auto kSwitch = catalog::NodeTopology::all_to_all_switch;
constexpr auto kMesh = catalog::NodeTopology::all_to_all_mesh;
constexpr auto kRing = catalog::NodeTopology::ring;
constexpr auto kMesh2d = catalog::NodeTopology::mesh2d;
constexpr auto kTorus = catalog::NodeTopology::torus;

}  // namespace

TEST_CASE("8 ranks at 360 GB/s reduce 1 MB in 10 + 2 x 1 us and 2 x 7/8 MB / 360 GB/s = 4.86 us") {
  test::ToyOptions options;
  options.devices_per_node = 8;
  catalog::Link& wire = options.device.links.front();
  wire.bandwidth = gigabytes_per_second(450);
  wire.efficiency = 0.8;
  wire.collective_latency = microseconds(10);
  const scenario::Plan plan = test::toy_plan(options);
  const Collectives c(plan.pools.front(), plan.pools.front().deployments.front(), plan.fabric);
  const CollectiveTime time = c.all_reduce(1e6, 8);
  CHECK(time.latency_s == near(12 * kMicro));
  CHECK(time.bytes_s == near(1.75e6 / 360e9));
  CHECK(time.bytes_sent == near(1.75e6));
}

TEST_CASE(
    "4 ranks reduce 50 kB one-shot (1 + 1.5 us, not 2 + 0.75), 100 kB two-shot (2 + 1.5, not 1 + "
    "3)") {
  const Collectives c = collectives(4);
  CHECK(c.all_reduce(50e3, 4).total_s() == near(2.5 * kMicro));
  CHECK(c.all_reduce(50e3, 4).bytes_sent == near(150e3));
  CHECK(c.all_reduce(100e3, 4).total_s() == near(3.5 * kMicro));
  CHECK(c.all_reduce(100e3, 4).bytes_sent == near(150e3));
}

TEST_CASE("without a switch the ring is left: 6 hops, 6 + 1.5 us for 100 kB over 4 ranks") {
  for (const auto topology : {catalog::NodeTopology::ring, catalog::NodeTopology::pcie_tree}) {
    const Collectives c = collectives(4, topology);
    CHECK(c.all_reduce(100e3, 4).latency_s == near(6 * kMicro));
    CHECK(c.all_reduce(100e3, 4).bytes_s == near(1.5 * kMicro));
    CHECK(c.all_reduce(50e3, 4).total_s() == near(6.75 * kMicro));
  }
}

TEST_CASE(
    "4 ranks gather 100 kB: 3/4 of it arrives at each, in one hop with a switch, in 3 on a ring") {
  const CollectiveTime switched = collectives(4).all_gather(100e3, 4);
  CHECK(switched.latency_s == near(1 * kMicro));
  CHECK(switched.bytes_s == near(0.75 * kMicro));
  CHECK(switched.bytes_sent == near(75e3));
  const CollectiveTime ring = collectives(4, catalog::NodeTopology::ring).all_gather(100e3, 4);
  CHECK(ring.latency_s == near(3 * kMicro));
  CHECK(ring.bytes_s == near(0.75 * kMicro));
}

TEST_CASE(
    "an all-to-all of 100 kB out of each of 4 ranks: 1 us of bytes after 1 us, on a ring 3 us") {
  const CollectiveTime time = collectives(4).all_to_all(100e3, 4);
  CHECK(time.latency_s == near(1 * kMicro));
  CHECK(time.bytes_s == near(1 * kMicro));
  CHECK(time.bytes_sent == near(100e3));
  const CollectiveTime ring = collectives(4, catalog::NodeTopology::ring).all_to_all(100e3, 4);
  CHECK(ring.latency_s == near(3 * kMicro));
}

TEST_CASE(
    "100 kB to a neighbour: 1 + 1 us; to another node of 1 device: 7 us + 100 kB / 42.5 GB/s") {
  CHECK(collectives(4).point_to_point(100e3, false).total_s() == near(2 * kMicro));
  const CollectiveTime between = collectives(1).point_to_point(100e3, true);
  CHECK(between.latency_s == near(7 * kMicro));
  CHECK(between.bytes_s == near(100e3 / 42.5e9));
}

TEST_CASE(
    "2 nodes of 4 reduce 4 MB inside (2 + 60 us), then a quarter each over the NIC (7 + 94.1 us)") {
  const CollectiveTime time = collectives(4).all_reduce(4e6, 8);
  CHECK(time.latency_s == near(9 * kMicro));
  // 2 x 3/4 x 4 MB / 100 GB/s; 1 MB one-shot over a quarter of 42.5 GB/s
  CHECK(time.bytes_s == near(60 * kMicro + 1e6 / 10.625e9));
}

TEST_CASE(
    "between nodes even a small reduction is scattered and gathered inside: 2 hops, then 7 us") {
  CHECK(collectives(4).all_reduce(8.0, 8).latency_s == near(9 * kMicro));
}

TEST_CASE("2 nodes of 4 gather 4 MB: 1 MB among peers over the NIC, then 4 MB inside") {
  const CollectiveTime time = collectives(4).all_gather(4e6, 8);
  CHECK(time.latency_s == near(8 * kMicro));
  CHECK(time.bytes_s == near(0.5e6 / 10.625e9 + 3e6 / 100e9));
}

TEST_CASE(
    "of 7 MB to 7 peers 4 MB leave the node, while 3 MB stay inside: 8 us + 4 MB / 10.6 GB/s") {
  const CollectiveTime time = collectives(4).all_to_all(7e6, 8);
  CHECK(time.latency_s == near(8 * kMicro));  // a hop inside, one over the NIC
  CHECK(time.bytes_s == near(4e6 / 10.625e9));
  CHECK(time.bytes_sent == near(7e6));
}

TEST_CASE("nodes of one device need no inner link: 3 MB to 3 peers all go over the NIC") {
  const Collectives c = collectives(1);
  CHECK(c.all_to_all(3e6, 4).latency_s == near(7 * kMicro));
  CHECK(c.all_to_all(3e6, 4).bytes_s == near(3e6 / 42.5e9));
  CHECK(c.all_reduce(3e6, 2).total_s() == near(7 * kMicro + 3e6 / 42.5e9));
  CHECK(c.all_gather(3e6, 2).total_s() == near(7 * kMicro + 1.5e6 / 42.5e9));
}

TEST_CASE("2 of 8 devices that are wired pair by pair reduce 7 times slower than with a switch") {
  const CollectiveTime pair = collectives(8, kMesh).all_reduce(1e6, 2);
  CHECK(pair.bytes_s == near(7 * collectives(8, kSwitch).all_reduce(1e6, 2).bytes_s));
  CHECK(pair.bytes_s == near(1e6 / (100e9 / 7)));
  CHECK(pair.latency_s == near(1 * kMicro));  // one-shot: no more bytes than two-shot
}

TEST_CASE(
    "all 8 devices that are wired pair by pair do whatever a switch of their bandwidth does") {
  const Collectives mesh = collectives(8, kMesh);
  const Collectives switched = collectives(8, kSwitch);
  for (const double bytes : {1e3, 1e6, 1e9}) {
    CHECK(mesh.all_reduce(bytes, 8).total_s() == near(switched.all_reduce(bytes, 8).total_s()));
    CHECK(mesh.all_gather(bytes, 8).total_s() == near(switched.all_gather(bytes, 8).total_s()));
    CHECK(mesh.all_to_all(bytes, 8).total_s() == near(switched.all_to_all(bytes, 8).total_s()));
    CHECK(mesh.all_reduce(bytes, 16).total_s() == near(switched.all_reduce(bytes, 16).total_s()));
    CHECK(mesh.all_to_all(bytes, 16).total_s() == near(switched.all_to_all(bytes, 16).total_s()));
  }
}

TEST_CASE(
    "4 of 8 devices with 14.3 GB/s to each other: two-shot 2 n / 4, one-shot n, gather n / 4, "
    "exchange n / 3, each over 14.3 GB/s") {
  const Collectives c = collectives(8, kMesh);
  const double link = 100e9 / 7;
  CHECK(c.all_reduce(1e6, 4).bytes_s == near(0.5e6 / link));
  CHECK(c.all_reduce(1e6, 4).latency_s == near(2 * kMicro));
  CHECK(c.all_reduce(10e3, 4).bytes_s == near(10e3 / link));  // 1 + 0.7 us, not 2 + 0.35
  CHECK(c.all_reduce(10e3, 4).latency_s == near(1 * kMicro));
  CHECK(c.all_gather(1e6, 4).bytes_s == near(0.25e6 / link));
  CHECK(c.all_to_all(1e6, 4).bytes_s == near(1e6 / 3 / link));
  CHECK(c.point_to_point(1e6, false).bytes_s == near(1e6 / link));
}

TEST_CASE("a torus of one axis moves bytes as the ring does, both ways: in 2 x 4 hops, not 2 x 7") {
  const Collectives torus = grid(kTorus, {8});
  const Collectives ring = collectives(8, kRing);
  CHECK(torus.all_reduce(1e6, 8).bytes_s == near(ring.all_reduce(1e6, 8).bytes_s));
  CHECK(torus.all_reduce(1e6, 8).latency_s == near(8 * kMicro));
  CHECK(ring.all_reduce(1e6, 8).latency_s == near(14 * kMicro));
  CHECK(torus.all_gather(1e6, 8).bytes_s == near(ring.all_gather(1e6, 8).bytes_s));
}

TEST_CASE(
    "4 x 4 torus of 4 ports of 25 GB/s: 16 ranks have both axes, 100 GB/s and 8 hops; 4 have one, "
    "50 GB/s and 4 hops") {
  const Collectives c = grid(kTorus, {4, 4}, 4);
  CHECK(c.all_reduce(1e6, 16).bytes_s == near(2 * 15e6 / 16 / 100e9));
  CHECK(c.all_reduce(1e6, 16).latency_s == near(8 * kMicro));
  CHECK(c.all_reduce(1e6, 4).bytes_s == near(1.5e6 / 50e9));
  CHECK(c.all_reduce(1e6, 4).latency_s == near(4 * kMicro));
  CHECK(c.all_gather(1e6, 16).bytes_s == near(15e6 / 16 / 100e9));
  CHECK(c.all_gather(1e6, 16).latency_s == near(4 * kMicro));
  CHECK(c.point_to_point(1e6, false).bytes_s == near(1e6 / 25e9));
}

TEST_CASE("8 ranks on a 4 x 4 torus are two rows: 50 GB/s along them and 25 GB/s across, 3 hops") {
  const CollectiveTime time = grid(kTorus, {4, 4}, 4).all_reduce(1e6, 8);
  CHECK(time.bytes_s == near(1.75e6 / 75e9));
  CHECK(time.latency_s == near(6 * kMicro));
}

TEST_CASE("3 ranks in a row of 4 have no way round: 25 GB/s and 2 hops") {
  const CollectiveTime time = grid(kTorus, {4, 4}, 4).all_reduce(3e6, 3);
  CHECK(time.bytes_s == near(4e6 / 25e9));
  CHECK(time.latency_s == near(4 * kMicro));
}

TEST_CASE("a mesh without wraps has half the torus's bandwidth and 3 hops a side of 4, not 2") {
  const Collectives mesh = grid(kMesh2d, {4, 4}, 4);
  const Collectives torus = grid(kTorus, {4, 4}, 4);
  for (const std::int64_t ranks : {4, 16}) {
    CHECK(mesh.all_reduce(1e6, ranks).bytes_s == near(2 * torus.all_reduce(1e6, ranks).bytes_s));
    CHECK(mesh.all_gather(1e6, ranks).bytes_s == near(2 * torus.all_gather(1e6, ranks).bytes_s));
    CHECK(mesh.all_to_all(1e6, ranks).bytes_s == near(2 * torus.all_to_all(1e6, ranks).bytes_s));
  }
  CHECK(mesh.all_reduce(1e6, 16).latency_s == near(2 * 6 * kMicro));
}

// Of 16 ranks' n bytes each, 8 x 8/15 n cross the middle of a 4 x 4 torus one way, over 8 links of
// 25 GB/s; of 8 ranks' on a ring 4 x 4/7 n over 2 links of 50 GB/s.
TEST_CASE("an all-to-all takes what the cut through the middle takes: 8 x 8/15 n over 200 GB/s") {
  CHECK(grid(kTorus, {4, 4}, 4).all_to_all(1e6, 16).bytes_s == near(8 * 8e6 / 15 / 200e9));
  CHECK(grid(kTorus, {8}).all_to_all(1e6, 8).bytes_s == near(4 * 4e6 / 7 / 100e9));
  // 2 x 8: the long side is cut; 8 x 8/15 n over 4 links of 25 GB/s
  CHECK(grid(kTorus, {2, 8}, 4).all_to_all(1e6, 16).bytes_s == near(8 * 8e6 / 15 / 100e9));
  // an odd row without wrap: 2 x 1/2 n from two ranks to one over one link of 50 GB/s
  CHECK(grid(kMesh2d, {1, 3}).all_to_all(1e6, 3).bytes_s == near(1e6 / 50e9));
}

TEST_CASE("two neighbours exchange as one sends to the other") {
  const Collectives c = grid(kMesh2d, {4, 4}, 4);
  CHECK(c.all_to_all(1e6, 2).bytes_s == near(c.point_to_point(1e6, false).bytes_s));
}

TEST_CASE(
    "a third axis adds its ports: 64 ranks on 4 x 4 x 4 of 6 ports use all 100 GB/s, 6 hops") {
  const Collectives c = grid(kTorus, {4, 4, 4}, 6);
  CHECK(c.all_reduce(1e6, 64).bytes_s == near(2 * 63e6 / 64 / 100e9));
  CHECK(c.all_reduce(1e6, 64).latency_s == near(12 * kMicro));
  CHECK(c.all_reduce(1e6, 16).bytes_s == near(2 * 15e6 / 16 / (4 * 100e9 / 6)));
}

TEST_CASE("round a side of two both ports lead to the same neighbour: 2 ranks have 50 GB/s") {
  CHECK(grid(kTorus, {4, 2}, 4).all_reduce(1e6, 2).bytes_s == near(1e6 / 50e9));
}

TEST_CASE("the larger the torus, the nearer an all-reduce comes to twice the bytes over the link") {
  const double limit_s = 2e9 / 100e9;
  double previous_s = 0.0;
  for (const std::int64_t side : {2, 4, 8, 16, 32}) {
    const double bytes_s = grid(kTorus, {side, side}).all_reduce(1e9, side * side).bytes_s;
    CHECK(bytes_s > previous_s);
    CHECK(bytes_s < limit_s);
    previous_s = bytes_s;
  }
  CHECK(previous_s == near(limit_s, 1.0 / 1024));
}

TEST_CASE("2 nodes of a 2 x 2 torus reduce 4 MB inside (60 us), then a quarter each over the NIC") {
  const CollectiveTime time = grid(kTorus, {2, 2}).all_reduce(4e6, 8);
  CHECK(time.bytes_s == near(60 * kMicro + 1e6 / 10.625e9));
  CHECK(time.latency_s == near(4 * kMicro + 7 * kMicro));
}

TEST_CASE("one rank and no bytes take no time") {
  for (const std::int64_t devices : {1, 4}) {
    const Collectives c = collectives(devices);
    CHECK(c.all_reduce(1e6, 1).total_s() == 0);
    CHECK(c.all_gather(1e6, 1).total_s() == 0);
    CHECK(c.all_to_all(1e6, 1).total_s() == 0);
    CHECK(c.all_reduce(0, 4).total_s() == 0);
    CHECK(c.all_gather(0, 4).total_s() == 0);
    CHECK(c.all_to_all(0, 4).total_s() == 0);
  }
}

TEST_CASE("more bytes never take less time, whatever the wiring and the number of nodes") {
  using catalog::NodeTopology;
  for (const auto topology :
       {NodeTopology::all_to_all_switch, NodeTopology::all_to_all_mesh, NodeTopology::ring,
        NodeTopology::mesh2d, NodeTopology::torus, NodeTopology::pcie_tree}) {
    const bool on_grid = topology == NodeTopology::mesh2d || topology == NodeTopology::torus;
    const Collectives c = on_grid ? grid(topology, {2, 2}) : collectives(4, topology);
    for (const std::int64_t ranks : {2, 3, 4, 8, 16}) {
      double reduce_s = 0.0;
      double gather_s = 0.0;
      double exchange_s = 0.0;
      for (double bytes = 1.0; bytes < 1e9; bytes *= 1.7) {
        CHECK(c.all_reduce(bytes, ranks).total_s() > reduce_s);
        CHECK(c.all_gather(bytes, ranks).total_s() > gather_s);
        CHECK(c.all_to_all(bytes, ranks).total_s() > exchange_s);
        reduce_s = c.all_reduce(bytes, ranks).total_s();
        gather_s = c.all_gather(bytes, ranks).total_s();
        exchange_s = c.all_to_all(bytes, ranks).total_s();
      }
    }
  }
}

}  // namespace tokenyard::perf
