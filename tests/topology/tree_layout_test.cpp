#include <doctest/doctest.h>

#include "fleets.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::topology {
namespace {

using catalog::FabricKind;

double bisection_gb_per_s(const scenario::Plan& plan) {
  return FleetGraph(plan).bisection_bandwidth().base() / 1e9;
}

TEST_CASE("16 nodes of 8 NICs on 64-port switches: 4 leaves, 2 spines, 128 + 128 cables") {
  const FleetGraph graph(fleet(FabricKind::leaf_spine, 16, 8));
  CHECK(graph.inventory().switches == 6);
  CHECK(graph.inventory().cables == 256);
  CHECK(graph.inventory().ports == 6 * 64);
  // 128 cables with one end in a switch, 128 with both.
  CHECK(graph.inventory().ports_used == 128 + 2 * 128);
  // node, leaf, spine, leaf, node
  CHECK(graph.inventory().diameter_cables == 4);
  CHECK(graph.inventory().diameter_hops == 3);
}

TEST_CASE(
    "without oversubscription half the nodes reach the other half at full speed: 64 * 50 GB/s") {
  CHECK(bisection_gb_per_s(fleet(FabricKind::leaf_spine, 16, 8)) == 3200.0);
}

TEST_CASE("oversubscription of 2 halves the bisection, of 4 quarters it") {
  CHECK(bisection_gb_per_s(fleet(FabricKind::leaf_spine, 16, 8, 2.0)) == 1600.0);
  // 4:1 leaves have room for 6 nodes (48 ports down, 12 up): 16 nodes need 3 leaves.
  // 24 nodes: 4 leaves of 6; two of them send through 2 * 12 uplinks of 50 GB/s.
  CHECK(bisection_gb_per_s(fleet(FabricKind::leaf_spine, 24, 8, 4.0)) == 1200.0);
}

TEST_CASE("what one leaf can hold gets no spine, one NIC more does") {
  const FleetGraph full(fleet(FabricKind::leaf_spine, 64, 1));
  CHECK(full.inventory().switches == 1);
  CHECK(full.inventory().cables == 64);
  CHECK(full.inventory().diameter_hops == 1);
  // 65 nodes: 3 leaves of 22, 22 and 21 with as many uplinks; their 65 cables need 2 spines.
  const FleetGraph more(fleet(FabricKind::leaf_spine, 65, 1));
  CHECK(more.inventory().switches == 5);
  CHECK(more.inventory().diameter_hops == 3);
}

TEST_CASE("a leaf-spine is full at ports * ports / 2 NICs: 64 leaves of 32") {
  CHECK(FleetGraph(fleet(FabricKind::leaf_spine, 256, 8)).inventory().switches == 64 + 32);
  CHECK(
      refusal([] { FleetGraph(fleet(FabricKind::leaf_spine, 257, 8)); }) ==
      "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (leaf-spine): 257 nodes with 2056 NICs need 65 "
      "leaves of 64 ports, but a spine has a port for 64; use kind fat-tree, which adds a third "
      "tier, "
      "or switches with more ports");
}

TEST_CASE("a fat tree adds a third tier only when two do not suffice") {
  CHECK(FleetGraph(fleet(FabricKind::fat_tree, 256, 8)).inventory().diameter_hops == 3);
  CHECK(FleetGraph(fleet(FabricKind::fat_tree, 257, 8)).inventory().diameter_hops == 5);
}

TEST_CASE(
    "a full fat tree of k-port switches has 5 k^2 / 4 switches, k^3 / 4 nodes and 3 k^3 / 4 "
    "cables") {
  for (const std::int64_t k : {4, 6, 8}) {
    const FleetGraph graph(fleet(FabricKind::fat_tree, k * k * k / 4, 1, 1.0, k));
    CHECK(graph.inventory().switches == 5 * k * k / 4);
    CHECK(graph.inventory().cables == 3 * k * k * k / 4);
    CHECK(graph.inventory().ports_used == graph.inventory().ports);
    CHECK(graph.inventory().diameter_hops == 5);
  }
}

TEST_CASE("one node more than k^3 / 4 is refused with the arithmetic") {
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::fat_tree, 17, 1, 1.0, 4)); }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (fat-tree): 17 nodes with 17 NICs need 9 "
        "leaves of "
        "4 ports, but three tiers hold 4 pods of 2 = 8; use switches with more ports");
}

TEST_CASE(
    "whatever its size, a fat tree without oversubscription carries half of all NICs across") {
  for (const std::int64_t ports : {4, 8, 12, 16}) {
    for (const std::int64_t nics : {1, 2}) {
      const std::int64_t most = ports * ports * ports / 4 / nics;
      for (std::int64_t nodes = 2; nodes <= most && nodes <= 96; nodes += nodes < 16 ? 1 : 13) {
        CAPTURE(ports);
        CAPTURE(nics);
        CAPTURE(nodes);
        CHECK(bisection_gb_per_s(fleet(FabricKind::fat_tree, nodes, nics, 1.0, ports)) ==
              static_cast<double>(nodes / 2 * nics) * 50.0);
      }
    }
  }
}

TEST_CASE("no switch has more cables than ports") {
  for (const FabricKind kind :
       {FabricKind::fat_tree, FabricKind::rail_optimized, FabricKind::dragonfly}) {
    for (std::int64_t nodes = 2; nodes <= 120; nodes += 7) {
      const FleetGraph graph(fleet(kind, nodes, 3, kind == FabricKind::fat_tree ? 1.5 : 1.0, 16));
      for (std::size_t v = 0; v < graph.graph().vertices().size(); ++v) {
        std::int64_t cables = 0;
        for (const std::size_t e : graph.graph().edges_at(v))
          cables += graph.graph().edges()[e].cables;
        const bool node = graph.graph().vertices()[v].kind == VertexKind::node;
        CHECK(cables <= (node ? 3 : 16));
      }
    }
  }
}

TEST_CASE(
    "NICs of 12.5 GB/s on ports of 50 GB/s need a quarter of the uplinks: 48 + 12 <= 64 ports") {
  scenario::Plan plan = fleet(FabricKind::leaf_spine, 0, 0);
  plan.pools = {pool_of_nodes(12, 8, 12.5)};
  const FleetGraph graph(plan);
  // 96 NICs: 2 leaves of 6 nodes with 12 uplinks each, one spine.
  CHECK(graph.inventory().switches == 3);
  CHECK(graph.inventory().cables == 96 + 24);
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(600));
}

TEST_CASE("a NIC faster than the switch's port carries what the port does") {
  scenario::Plan plan = fleet(FabricKind::single_switch, 0, 0);
  plan.pools = {pool_of_nodes(2, 1, 100)};
  CHECK(bisection_gb_per_s(plan) == 50.0);
}

TEST_CASE("pools with different NICs share the leaves: 8 * 8 + 8 * 2 NICs are 80, on 3 leaves") {
  scenario::Plan plan = fleet(FabricKind::leaf_spine, 8, 8);
  plan.pools.push_back(pool_of_nodes(8, 2));
  const FleetGraph graph(plan);
  // 32 uplinks of 64 ports stay free: leaves hold 4 + 4 nodes of 8 NICs and 8 of 2.
  CHECK(graph.inventory().cables == 80 + 80);
  CHECK(graph.pool_of(7) == 0);
  CHECK(graph.pool_of(8) == 1);
  // The first half, 64 NICs, can send no more than the second half's 16 take.
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(16 * 50));
}

TEST_CASE("a node with more NICs than a leaf takes is refused") {
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::leaf_spine, 4, 8, 1.0, 12)); }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (leaf-spine): node 'box' of pool 'main' has "
        "8 NICs, "
        "which beside 8 uplinks do not fit one leaf of 12 ports");
}

TEST_CASE("rail-optimized: 16 nodes of 8 NICs have 8 rails of one leaf, joined by 2 spines") {
  const FleetGraph graph(fleet(FabricKind::rail_optimized, 16, 8));
  // Each rail's leaf: 16 down, 16 up; 128 uplinks fill two spines.
  CHECK(graph.inventory().switches == 8 + 2);
  CHECK(graph.inventory().cables == 128 + 128);
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(3200));
  CHECK(graph.lanes(0, 15) == 8);
  for (std::int64_t lane = 0; lane < 8; ++lane) {
    const Route& route = graph.route(0, 15, lane);
    CHECK(route.edges.size() == 2);  // node, its rail's leaf, node: no spine
    CHECK(route.bandwidth == gigabytes_per_second(50));
  }
  CHECK(graph.inventory().diameter_hops == 1);
}

TEST_CASE("rails: a node with fewer NICs is reached from the other rails over a spine") {
  scenario::Plan plan = fleet(FabricKind::rail_optimized, 8, 8);
  plan.pools.push_back(pool_of_nodes(8, 4));
  const FleetGraph graph(plan);
  CHECK(graph.lanes(0, 8) == 8);
  CHECK(graph.route(0, 8, 3).edges.size() == 2);
  CHECK(graph.route(0, 8, 4).edges.size() == 4);
  CHECK(graph.lanes(8, 0) == 4);
}

TEST_CASE("a thousand nodes of 8 NICs: 250 leaves, 256 pod spines, 128 cores, 24,000 cables") {
  const FleetGraph graph(fleet(FabricKind::fat_tree, 1000, 8));
  // 8 pods of 32 leaves (the last 26) and 32 spines; 32 groups of 4 cores, 8 cables from a spine to
  // each (7 from the last pod's: its 26 uplinks rounded up to 28).
  CHECK(graph.inventory().switches == 250 + 8 * 32 + 128);
  CHECK(graph.inventory().cables == 8000 + 8000 + 7 * 32 * 32 + 32 * 28);
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(500 * 8 * 50));
}

}  // namespace
}  // namespace tokenyard::topology
