#include "topology/fleet_graph.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "fleets.hpp"

namespace tokenyard::topology {
namespace {

using catalog::FabricKind;

TEST_CASE("a fleet of one node needs no NIC and gets no fabric") {
  const FleetGraph graph(fleet(FabricKind::leaf_spine, 1, 0));
  CHECK(graph.node_count() == 1);
  CHECK(graph.inventory().switches == 0);
  CHECK(graph.inventory().cables == 0);
  CHECK(graph.inventory().diameter_hops == 0);
  CHECK(graph.bisection_bandwidth().base() == 0.0);
  CHECK(graph.route(0, 0).edges.empty());
}

TEST_CASE("nodes without a NIC in a fleet of several are an island and refused, pool by pool") {
  scenario::Plan plan = fleet(FabricKind::leaf_spine, 2, 8);
  plan.pools.push_back(pool_of_nodes(3, 0));
  plan.pools[1].name = "edge";
  plan.pools[1].path = "fleet.pools[1]";
  plan.pools[1].node.name = "mini-pc";
  plan.pools[1].where.line = 9;
  CHECK(refusal([&] { FleetGraph{plan}; }) ==
        "fleet.yaml:9:5: error: fleet.pools[1]: node 'mini-pc' has no NIC, so pool 'edge' is an "
        "island among "
        "the 5 nodes of the fleet; give the node 'nics', or run it as a fleet of one node");
}

TEST_CASE("a route joins its two nodes by edges that follow one another") {
  for (const FabricKind kind :
       {FabricKind::leaf_spine, FabricKind::fat_tree, FabricKind::rail_optimized, FabricKind::torus,
        FabricKind::dragonfly, FabricKind::single_switch}) {
    const FleetGraph graph(fleet(kind, 24, 2));
    for (std::int64_t a = 0; a < 24; ++a) {
      for (std::int64_t b = 0; b < 24; ++b) {
        if (a == b) continue;
        for (std::int64_t lane = 0; lane < graph.lanes(a, b); ++lane) {
          auto at = static_cast<std::size_t>(a);
          for (const EdgeUse& use : graph.route(a, b, lane).edges) {
            const Edge& edge = graph.graph().edges()[use.edge];
            REQUIRE((use.forward ? edge.from : edge.to) == at);
            at = use.forward ? edge.to : edge.from;
          }
          REQUIRE(at == static_cast<std::size_t>(b));
        }
      }
    }
  }
}

TEST_CASE("leaf-spine, 5 us NICs and 1 us switches: 6 us under one leaf, 8 us across, 400 GB/s") {
  const FleetGraph graph(fleet(FabricKind::leaf_spine, 16, 8));
  const Route& near = graph.route(0, 3);
  CHECK(near.edges.size() == 2);
  CHECK(near.latency.base() == doctest::Approx(6e-6));
  const Route& far = graph.route(0, 4);
  CHECK(far.edges.size() == 4);
  CHECK(far.latency.base() == doctest::Approx(8e-6));
  CHECK(far.bandwidth == gigabytes_per_second(400));
}

TEST_CASE("a pair keeps its path, and many pairs spread over all spines within 20 %") {
  const scenario::Plan plan = fleet(FabricKind::leaf_spine, 256, 8);  // 64 leaves, 32 spines
  const FleetGraph graph(plan);
  const FleetGraph again(plan);
  std::map<std::size_t, int> pairs_of_spine;
  for (std::int64_t a = 0; a < 128; ++a) {
    for (std::int64_t b = 128; b < 256; ++b) {
      const Route& route = graph.route(a, b);
      REQUIRE(route.edges.size() == 4);
      REQUIRE(route.edges == again.route(a, b).edges);
      REQUIRE(&route == &graph.route(a, b));
      const Edge& up = graph.graph().edges()[route.edges[1].edge];
      ++pairs_of_spine[route.edges[1].forward ? up.to : up.from];
    }
  }
  CHECK(pairs_of_spine.size() == 32);
  // 16,384 pairs over 32 spines: 512 each; 20 % is 4.5 standard deviations of a fair hash.
  for (const auto& [spine, pairs] : pairs_of_spine) CHECK(std::abs(pairs - 512) < 102);
}

TEST_CASE("a thousand nodes are laid out in half a second, and cut in a few") {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const FleetGraph graph(fleet(FabricKind::fat_tree, 1000, 8));
  const auto built = Clock::now();
  CHECK(graph.bisection_bandwidth().base() > 0.0);
  const auto cut = Clock::now();
  const double build_s = std::chrono::duration<double>(built - start).count();
  const double cut_s = std::chrono::duration<double>(cut - built).count();
  MESSAGE("built in " << build_s << " s, cut in " << cut_s << " s");
  // Ten times the target: this also runs unoptimised and on busy machines.
  CHECK(build_s < 5.0);
  CHECK(cut_s < 20.0);
}

}  // namespace
}  // namespace tokenyard::topology
