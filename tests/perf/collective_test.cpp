#include "perf/collective.hpp"

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

TEST_CASE("an all-to-all of 100 kB out of each of 4 ranks: 3 x 1 us and 1 us of bytes") {
  const CollectiveTime time = collectives(4).all_to_all(100e3, 4);
  CHECK(time.latency_s == near(3 * kMicro));
  CHECK(time.bytes_s == near(1 * kMicro));
  CHECK(time.bytes_sent == near(100e3));
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
    "of 7 MB to 7 peers 4 MB leave the node, while 3 MB stay inside: 10 us + 4 MB / 10.6 GB/s") {
  const CollectiveTime time = collectives(4).all_to_all(7e6, 8);
  CHECK(time.latency_s == near(10 * kMicro));  // 3 peers inside, 1 other node
  CHECK(time.bytes_s == near(4e6 / 10.625e9));
  CHECK(time.bytes_sent == near(7e6));
}

TEST_CASE("nodes of one device need no inner link: 3 MB to 3 peers all go over the NIC") {
  const Collectives c = collectives(1);
  CHECK(c.all_to_all(3e6, 4).latency_s == near(21 * kMicro));
  CHECK(c.all_to_all(3e6, 4).bytes_s == near(3e6 / 42.5e9));
  CHECK(c.all_reduce(3e6, 2).total_s() == near(7 * kMicro + 3e6 / 42.5e9));
  CHECK(c.all_gather(3e6, 2).total_s() == near(7 * kMicro + 1.5e6 / 42.5e9));
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
       {NodeTopology::all_to_all_switch, NodeTopology::ring, NodeTopology::pcie_tree}) {
    const Collectives c = collectives(4, topology);
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
