// Where models are that share devices with the one that is loaded, and how long loading takes.
//
// Two toy models of 8 GB in bf16.
#include "perf/parking.hpp"
#include "perf_fixture.hpp"
#include "support/in_process.hpp"

namespace tokenyard::perf {
namespace {

struct Yard {
  scenario::Plan plan = test::toy_plan();
  explicit Yard(std::int64_t devices_per_node = 1) {
    test::ToyOptions options;
    options.devices_per_node = devices_per_node;
    plan = test::toy_plan(options);
    scenario::PoolPlan& p = pool();
    p.deployments.push_back(p.deployments.front());
    p.sharing.emplace();
  }
  scenario::PoolPlan& pool() { return plan.pools.front(); }
  void add_tier(double gb) {
    catalog::MemoryTier ddr;
    ddr.tier = "ddr";
    ddr.capacity = gigabytes(gb);
    ddr.bandwidth = gigabytes_per_second(200);
    ddr.holds = {catalog::Holds::models};
    pool().devices.front().memory.push_back(ddr);
  }
  // DRAM of which each device reaches 50 GB/s over its link, and an SSD of 7 GB/s.
  void add_host(double dram_gb, double ssd_gb) {
    catalog::Link pcie;
    pcie.name = "pcie5";
    pcie.bandwidth = gigabytes_per_second(50);
    pcie.efficiency = 1.0;
    pool().devices.front().links.push_back(pcie);
    catalog::Dram dram;
    dram.capacity = gigabytes(dram_gb);
    dram.bandwidth = gigabytes_per_second(400);
    pool().node.host.dram = dram;
    catalog::Ssd ssd;
    ssd.capacity = gigabytes(ssd_gb);
    ssd.bandwidth = gigabytes_per_second(7);
    pool().node.host.ssd = ssd;
  }
  [[nodiscard]] Parking park() { return park_models(pool(), plan.scenario.serving); }
  [[nodiscard]] double load_s() {
    const Parking parking = park();
    REQUIRE(parking.problem.empty());
    return parking.load_s(place(pool(), pool().deployments.front(), plan.scenario.serving));
  }
};

}  // namespace

TEST_CASE(
    "parking: the nearest memory with room for all models; 8 GB take 40 ms, 160 ms, 1.1 s, 1.6 s") {
  Yard yard;
  CHECK(yard.park().where == "the network");
  CHECK(yard.park().bytes_per_device == near(16e9));
  CHECK(yard.load_s() == near(8.0 / 5));
  yard.add_host(15.9, 2000);
  CHECK(yard.park().where == "host SSD");
  CHECK(yard.load_s() == near(8.0 / 7));
  yard.pool().node.host.dram->capacity = gigabytes(16.1);
  CHECK(yard.park().where == "host DRAM");
  CHECK(yard.load_s() == near(8.0 / 50));
  yard.add_tier(16.1);
  CHECK(yard.park().where == "ddr");
  CHECK(yard.load_s() == near(0.040));
}

TEST_CASE("parking: devices of a node share its DRAM and SSD") {
  Yard yard(4);
  yard.add_host(4 * 16.1, 4 * 16.1);
  CHECK(yard.load_s() == near(8.0 / 50));
  yard.pool().sharing->parked = scenario::Parked::ssd;
  CHECK(yard.load_s() == near(8.0 / (7.0 / 4)));
  yard.pool().node.host.ssd->capacity = gigabytes(4 * 15.9);
  CHECK(yard.park().problem ==
        "the models take 16.0 GB of each device's share of host SSD, which is 15.9 GB");
}

TEST_CASE("parking: a memory that is not there is refused, and named") {
  Yard yard;
  yard.pool().sharing->parked = scenario::Parked::device;
  CHECK(yard.park().problem == "no memory tier of toy is behind the one that serves");
  yard.pool().sharing->parked = scenario::Parked::dram;
  Diagnostics diagnostics;
  check_parking(yard.plan, diagnostics);
  REQUIRE(diagnostics.list().size() == 1);
  CHECK(diagnostics.list().front().path == "fleet.pools[0].sharing.parked");
  CHECK(diagnostics.list().front().message ==
        "node toy-node has no such memory, or its bandwidth is not known");
}

TEST_CASE(
    "parking: SN40L loads a model from its DDR in milliseconds, an H100 from its host in more") {
  const auto load_s = [](const std::string& node, const std::string& parked) {
    const scenario::Plan plan = test::plan_of(
        "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 1 /s, input: 10, "
        "output: "
        "10, requests: 1}\nfleet:\n  pools:\n    - name: main\n      node: " +
        node +
        "\n      deploy: [{model: llama-3.1-8b, tensor_parallel: 8}, {model: qwen3-32b, "
        "tensor_parallel: 8}]\n      sharing: {parked: " +
        parked + "}\n");
    const scenario::PoolPlan& pool = plan.pools.front();
    const Parking parking = park_models(pool, plan.scenario.serving);
    REQUIRE(parking.problem.empty());
    return parking.load_s(place(pool, pool.deployments.front(), plan.scenario.serving));
  };
  // 16.1 GB on eight sockets of 200 GB/s.
  CHECK(load_s("sn40l-16", "auto") == doctest::Approx(16.06e9 / 8 / 200e9).epsilon(1e-3));
  CHECK(load_s("dgx-h100", "auto") > 2.0 * load_s("sn40l-16", "auto"));
  CHECK(load_s("dgx-h100", "network") == doctest::Approx(16.06e9 / 5e9).epsilon(1e-3));
}

}  // namespace tokenyard::perf
