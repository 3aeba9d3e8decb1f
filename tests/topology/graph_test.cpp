#include "topology/graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "base/random.hpp"

namespace tokenyard::topology {
namespace {

Graph random_graph(RandomStream& random, std::size_t vertices, std::int64_t edges) {
  Graph graph;
  for (std::size_t v = 0; v < vertices; ++v) {
    graph.add_vertex(
        {.name = std::to_string(v), .kind = VertexKind::network_switch, .latency = seconds(1)});
  }
  while (static_cast<std::int64_t>(graph.edges().size()) < edges) {
    const auto from =
        static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(vertices) - 1));
    const auto to =
        static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(vertices) - 1));
    if (from == to) continue;
    graph.add_edge(
        {.from = from,
         .to = to,
         .cables = 1,
         .bandwidth = BytesPerSecond::from_base(static_cast<double>(random.integer(1, 9))),
         .latency = seconds(0.25)});
  }
  return graph;
}

// The capacity of the edges between a set of vertices (bits of `inside`) and the rest.
double cut(const Graph& graph, unsigned inside) {
  double capacity = 0.0;
  for (const Edge& e : graph.edges()) {
    if ((inside >> e.from & 1U) != (inside >> e.to & 1U)) capacity += e.bandwidth.base();
  }
  return capacity;
}

TEST_CASE("max-flow equals the smallest of all cuts, on 300 random graphs of 9 vertices") {
  RandomStream random(1, "graphs");
  for (int round = 0; round < 300; ++round) {
    const Graph graph = random_graph(random, 9, random.integer(6, 24));
    // Vertices 0 and 1 send, 2 and 3 receive, the rest lie between.
    std::vector<Side> sides(9, Side::between);
    sides[0] = sides[1] = Side::source;
    sides[2] = sides[3] = Side::sink;
    double smallest = cut(graph, 0b11);
    for (unsigned between = 0; between < 32; ++between) {
      smallest = std::min(smallest, cut(graph, 0b11 | between << 4));
    }
    REQUIRE(max_flow(graph, sides).base() == smallest);
  }
}

TEST_CASE("distances equal those of Floyd and Warshall, and routes are as long as their distance") {
  constexpr std::size_t kVertices = 12;
  RandomStream random(2, "graphs");
  for (int round = 0; round < 50; ++round) {
    const Graph graph = random_graph(random, kVertices, random.integer(6, 20));
    std::vector<bool> forwards(kVertices);
    for (std::size_t v = 0; v < kVertices; ++v) forwards[v] = random.uniform() < 0.7;
    constexpr int kFar = 1000;
    std::array<std::array<int, kVertices>, kVertices> length;
    for (auto& row : length) row.fill(kFar);
    for (std::size_t v = 0; v < kVertices; ++v) length[v][v] = 0;
    for (const Edge& e : graph.edges()) length[e.from][e.to] = length[e.to][e.from] = 1;
    for (std::size_t via = 0; via < kVertices; ++via) {
      if (!forwards[via]) continue;
      for (std::size_t a = 0; a < kVertices; ++a) {
        for (std::size_t b = 0; b < kVertices; ++b) {
          length[a][b] = std::min(length[a][b], length[a][via] + length[via][b]);
        }
      }
    }
    ShortestPaths paths(graph, forwards);
    for (std::size_t a = 0; a < kVertices; ++a) {
      for (std::size_t b = 0; b < kVertices; ++b) {
        const bool reachable = length[a][b] < kFar;
        REQUIRE(paths.distance(a, b) == (reachable ? length[a][b] : ShortestPaths::kUnreachable));
        if (a == b) continue;
        REQUIRE(paths.first_edges(a, b).empty() == !reachable);
        if (!reachable) continue;
        const Route route = paths.route(a, b, 7);
        REQUIRE(static_cast<int>(route.edges.size()) == length[a][b]);
        // A quarter of a second an edge, a second for each vertex between: exact in binary.
        REQUIRE(route.latency.base() == 0.25 * length[a][b] + (length[a][b] - 1));
      }
    }
  }
}

}  // namespace
}  // namespace tokenyard::topology
