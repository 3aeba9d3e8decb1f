#include <doctest/doctest.h>

#include "fleets.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::topology {
namespace {

using catalog::FabricKind;

TEST_CASE("a single switch: one cable a NIC, one hop, half of all NICs across") {
  const FleetGraph graph(fleet(FabricKind::single_switch, 8, 8));
  CHECK(graph.inventory().switches == 1);
  CHECK(graph.inventory().cables == 64);
  CHECK(graph.inventory().diameter_hops == 1);
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(4 * 8 * 50));
}

TEST_CASE("a single switch is full at its ports") {
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::single_switch, 64, 1)); }) == "accepted");
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::single_switch, 65, 1)); }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (single-switch): 65 nodes with 65 NICs do "
        "not fit "
        "one switch of 64 ports; use kind leaf-spine, or a switch with more ports");
}

TEST_CASE("16 nodes of 4 NICs stand as a 4 x 4 torus: 32 cables, diameter 2 + 2") {
  const FleetGraph graph(fleet(FabricKind::torus, 16, 4));
  CHECK(graph.inventory().switches == 0);
  CHECK(graph.inventory().cables == 32);
  CHECK(graph.inventory().diameter_cables == 4);
  CHECK(graph.inventory().diameter_hops == 3);  // nodes on the way
  // Two rows against two: 4 columns * 2 cuts of a ring, 50 GB/s each.
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(400));
}

TEST_CASE("64 nodes of 6 NICs stand as a cube of 4: diameter 6; of 12 NICs with double cables") {
  const FleetGraph cube(fleet(FabricKind::torus, 64, 6));
  CHECK(cube.inventory().cables == 64 * 3);
  CHECK(cube.inventory().diameter_cables == 6);
  CHECK(FleetGraph(fleet(FabricKind::torus, 64, 12)).inventory().cables == 64 * 3 * 2);
  // With two NICs only a ring can be wired.
  CHECK(FleetGraph(fleet(FabricKind::torus, 64, 2)).inventory().diameter_cables == 32);
}

TEST_CASE("torus: two nodes need one NIC, three need two") {
  CHECK(FleetGraph(fleet(FabricKind::torus, 2, 1)).inventory().cables == 1);
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::torus, 3, 1)); }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (torus): 3 nodes with 3 NICs: even a ring "
        "needs 2 "
        "NICs a node, and some node has 1");
}

TEST_CASE("the smallest dragonfly of 7-port routers: p = 2, a = 4, h = 2") {
  // 8 nodes of one NIC fill one group: 4 routers of 2 nodes, 6 pairs.
  const FleetGraph group(fleet(FabricKind::dragonfly, 8, 1, 1.0, 7));
  CHECK(group.inventory().switches == 4);
  CHECK(group.inventory().cables == 8 + 6);
  CHECK(group.inventory().diameter_hops == 2);
  // 72 nodes fill all 4 * 2 + 1 = 9 groups: 36 pairs of groups with one cable each.
  const FleetGraph full(fleet(FabricKind::dragonfly, 72, 1, 1.0, 7));
  CHECK(full.inventory().switches == 36);
  CHECK(full.inventory().cables == 72 + 9 * 6 + 36);
  CHECK(full.inventory().diameter_hops == 4);  // local, global, local
  CHECK(full.inventory().ports_used == full.inventory().ports);
}

TEST_CASE("a dragonfly with a tenth group is refused") {
  CHECK(refusal([] { FleetGraph(fleet(FabricKind::dragonfly, 73, 1, 1.0, 7)); }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth' (dragonfly): 73 nodes with 73 NICs need 10 "
        "groups "
        "of 4 routers, but a group has 8 cables to other groups; use switches with more ports");
}

TEST_CASE("a custom fabric: two switches with one cable between them carry 50 GB/s across") {
  scenario::Plan plan = fleet(FabricKind::custom, 4, 1);
  plan.fabric.vertices = {"left", "right"};
  plan.fabric.edges = {cable("node[0]", "left"), cable("node[1]", "left"),
                       cable("node[2]", "right"), cable("node[3]", "right"),
                       cable("left", "right")};
  const FleetGraph graph(plan);
  CHECK(graph.inventory().switches == 2);
  CHECK(graph.inventory().cables == 5);
  CHECK(graph.inventory().diameter_hops == 2);
  CHECK(graph.bisection_bandwidth() == gigabytes_per_second(50));
  // An edge of 120 GB/s takes three cables of 50.
  plan.fabric.edges[4].bandwidth = gigabytes_per_second(120);
  CHECK(FleetGraph(plan).inventory().cables == 7);
  CHECK(FleetGraph(plan).bisection_bandwidth() == gigabytes_per_second(100));
}

TEST_CASE("a custom chain of nodes passes traffic on: node[0] reaches node[2] through node[1]") {
  scenario::Plan plan = fleet(FabricKind::custom, 3, 2);
  plan.fabric.edges = {cable("node[0]", "node[1]"), cable("node[1]", "node[2]")};
  const FleetGraph graph(plan);
  CHECK(graph.inventory().diameter_cables == 2);
  CHECK(graph.route(0, 2).edges ==
        std::vector<EdgeUse>{{.edge = 0, .forward = true}, {.edge = 1, .forward = true}});
  CHECK(graph.route(2, 0).edges ==
        std::vector<EdgeUse>{{.edge = 1, .forward = false}, {.edge = 0, .forward = false}});
}

TEST_CASE("a node with two NICs on two switches joins no traffic of others") {
  scenario::Plan plan = fleet(FabricKind::custom, 3, 2);
  plan.fabric.vertices = {"left", "right"};
  plan.fabric.edges = {cable("node[0]", "left"), cable("node[1]", "left"),
                       cable("node[1]", "right"), cable("node[2]", "right")};
  CHECK(refusal([&] { FleetGraph{plan}; }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth': no path leads from node[2] to node[0]; join "
        "the "
        "islands with an edge");
}

TEST_CASE("custom: all wrong edges are reported at once, with the nearest vertex") {
  scenario::Plan plan = fleet(FabricKind::custom, 2, 1);
  plan.fabric.vertices = {"left"};
  plan.fabric.edges = {cable("node[0]", "lefd"), cable("node[2]", "left"), cable("node[1]", "left"),
                       cable("node[1]", "left")};
  CHECK(refusal([&] { FleetGraph{plan}; }) ==
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth': edges[0].to: 'lefd' is neither a vertex nor "
        "a node "
        "such as 'node[0]'; did you mean 'left'?\n"
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth': edges[1].from: there is no node[2]; the "
        "fleet has 2 "
        "nodes, node[0] to node[1]\n"
        "fleet.yaml:7:5: error: fleet.fabric: 'cloth': 'node[1]' has 2 cables for 1 NICs");
}

}  // namespace
}  // namespace tokenyard::topology
