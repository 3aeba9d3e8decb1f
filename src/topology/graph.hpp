#pragma once
// A network as a graph: vertices that forward or end traffic, edges that carry it.
//
// An edge stands for all parallel cables between the same two vertices and is full duplex: it
// carries its bandwidth in each direction at once.  What lies parallel is shared ideally, so 8 NICs
// of 50 GB/s on one leaf are one edge of 400 GB/s.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace tokenyard::topology {

enum class VertexKind { node, network_switch, device, nic, device_switch, host };

struct Vertex {
  std::string name;  // "node[3]", "leaf[0]", "device[7]"
  VertexKind kind = VertexKind::network_switch;
  Seconds latency;  // from port to port, of what passes through
};

struct Edge {
  std::size_t from = 0, to = 0;
  std::int64_t cables = 1;
  BytesPerSecond bandwidth;  // of all cables together, one direction
  Seconds latency;
};

// One edge of a route, and which way it is taken.
struct EdgeUse {
  std::size_t edge = 0;
  bool forward = true;  // from Edge::from to Edge::to

  friend bool operator==(const EdgeUse&, const EdgeUse&) = default;
};

struct Route {
  std::vector<EdgeUse> edges;
  BytesPerSecond bandwidth;  // of the narrowest edge
  Seconds latency;           // of the edges and of the vertices between them
};

class Graph {
 public:
  std::size_t add_vertex(Vertex vertex);
  std::size_t add_edge(Edge edge);

  [[nodiscard]] const std::vector<Vertex>& vertices() const { return vertices_; }
  [[nodiscard]] const std::vector<Edge>& edges() const { return edges_; }
  // Edges at a vertex, in the order added.
  [[nodiscard]] const std::vector<std::size_t>& edges_at(std::size_t vertex) const {
    return at_[vertex];
  }
  [[nodiscard]] std::size_t other_end(std::size_t edge, std::size_t vertex) const;

 private:
  std::vector<Vertex> vertices_;
  std::vector<Edge> edges_;
  std::vector<std::vector<std::size_t>> at_;
};

// Shortest paths by number of edges, through vertices that forward.
//
// Where several shortest paths exist, the choice at each vertex is a hash of `key`: as in
// equal-cost multi-path routing, one pair always takes the same path and many pairs spread over all
// of them. Distances are computed once per set of attachment points and kept; the graph must not
// change after.
class ShortestPaths {
 public:
  static constexpr std::int32_t kUnreachable = -1;

  // forwards[v]: traffic that neither starts nor ends at v may pass through it.
  ShortestPaths(const Graph& graph, std::vector<bool> forwards);
  ~ShortestPaths();

  // Edges between the two, kUnreachable when no path exists.
  std::int32_t distance(std::size_t from, std::size_t to);
  // Edges at `from` by which `to` can be reached at all, in the order of edges_at.
  std::vector<std::size_t> first_edges(std::size_t from, std::size_t to);
  // A shortest path.  Must exist.
  Route route(std::size_t from, std::size_t to, std::uint64_t key);
  // The shortest path that starts with edge `first`, one of first_edges(from, to).
  Route route_by(std::size_t first, std::size_t from, std::size_t to, std::uint64_t key);

 private:
  using Distances = std::vector<std::int32_t>;  // edges to the nearest attachment point
  struct Transit;                               // what forwards, as a Boost graph

  const Distances& distances_to(std::size_t to);
  // Edges from `vertex` to `to`, when what is at `vertex` is passed on.
  std::int32_t remaining(std::size_t vertex, std::size_t to, const Distances& distances) const;
  void walk(Route& route, std::size_t vertex, std::size_t to, std::uint64_t key);
  void append(Route& route, std::size_t edge, std::size_t from) const;

  const Graph& graph_;
  std::vector<bool> forwards_;
  std::unique_ptr<Transit> transit_;
  std::map<std::vector<std::size_t>, Distances> by_attachment_;
  std::vector<const Distances*> by_vertex_;
};

enum class Side : std::uint8_t { between, source, sink };

// The most that can flow from all source vertices together to all sink vertices together, by
// max-flow over the full-duplex edges.  sides has one entry a vertex.
BytesPerSecond max_flow(const Graph& graph, const std::vector<Side>& sides);

}  // namespace tokenyard::topology
