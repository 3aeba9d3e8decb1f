#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/pending/queue.hpp>
#include <utility>

#include "base/error.hpp"
#include "topology/graph.hpp"

namespace tokenyard::topology {
namespace {

// SplitMix64's finaliser: neighbouring keys give unrelated numbers.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

struct ShortestPaths::Transit {
  boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS> graph;

  [[nodiscard]] std::vector<std::int32_t> distances_to(
      const std::vector<std::size_t>& sources) const {
    std::vector<std::int32_t> distances(boost::num_vertices(graph), kUnreachable);
    for (const std::size_t source : sources) distances[source] = 0;
    std::vector<boost::default_color_type> colors(distances.size(), boost::white_color);
    boost::queue<std::size_t> queue;
    boost::breadth_first_visit(
        graph, sources.begin(), sources.end(), queue,
        boost::make_bfs_visitor(boost::record_distances(distances.data(), boost::on_tree_edge())),
        colors.data());
    return distances;
  }
};

ShortestPaths::ShortestPaths(const Graph& graph, std::vector<bool> forwards)
    : graph_(graph),
      forwards_(std::move(forwards)),
      transit_(std::make_unique<Transit>()),
      by_vertex_(graph.vertices().size(), nullptr) {
  check(forwards_.size() == graph.vertices().size(), "forwards has one entry a vertex");
  for (std::size_t v = 0; v < forwards_.size(); ++v) boost::add_vertex(transit_->graph);
  for (const Edge& e : graph.edges()) {
    if (forwards_[e.from] && forwards_[e.to]) boost::add_edge(e.from, e.to, transit_->graph);
  }
}

ShortestPaths::~ShortestPaths() = default;

const ShortestPaths::Distances& ShortestPaths::distances_to(std::size_t to) {
  if (by_vertex_[to] != nullptr) return *by_vertex_[to];
  // Nodes on the same switches share one table: the search starts at the switches, not at the node.
  std::vector<std::size_t> attachment;
  if (forwards_[to]) {
    attachment.push_back(to);
  } else {
    for (const std::size_t edge : graph_.edges_at(to)) {
      const std::size_t next = graph_.other_end(edge, to);
      if (forwards_[next]) attachment.push_back(next);
    }
  }
  auto [entry, added] = by_attachment_.try_emplace(attachment);
  if (added) entry->second = transit_->distances_to(attachment);
  by_vertex_[to] = &entry->second;
  return entry->second;
}

std::int32_t ShortestPaths::remaining(std::size_t vertex, std::size_t to,
                                      const Distances& distances) const {
  if (vertex == to) return 0;
  if (!forwards_[vertex] || distances[vertex] == kUnreachable) return kUnreachable;
  return distances[vertex] + (forwards_[to] ? 0 : 1);
}

std::int32_t ShortestPaths::distance(std::size_t from, std::size_t to) {
  if (from == to) return 0;
  const Distances& distances = distances_to(to);
  std::int32_t shortest = kUnreachable;
  for (const std::size_t edge : graph_.edges_at(from)) {
    const std::int32_t rest = remaining(graph_.other_end(edge, from), to, distances);
    if (rest != kUnreachable && (shortest == kUnreachable || rest + 1 < shortest))
      shortest = rest + 1;
  }
  return shortest;
}

std::vector<std::size_t> ShortestPaths::first_edges(std::size_t from, std::size_t to) {
  const Distances& distances = distances_to(to);
  std::vector<std::size_t> usable;
  for (const std::size_t edge : graph_.edges_at(from)) {
    if (remaining(graph_.other_end(edge, from), to, distances) != kUnreachable)
      usable.push_back(edge);
  }
  return usable;
}

void ShortestPaths::append(Route& route, std::size_t edge, std::size_t from) const {
  const Edge& e = graph_.edges()[edge];
  if (route.edges.empty() || e.bandwidth < route.bandwidth) route.bandwidth = e.bandwidth;
  if (!route.edges.empty()) route.latency += graph_.vertices()[from].latency;
  route.latency += e.latency;
  route.edges.push_back({.edge = edge, .forward = e.from == from});
}

void ShortestPaths::walk(Route& route, std::size_t vertex, std::size_t to, std::uint64_t key) {
  const Distances& distances = distances_to(to);
  std::vector<std::size_t> nearest;
  while (vertex != to) {
    std::int32_t shortest = kUnreachable;
    for (const std::size_t edge : graph_.edges_at(vertex)) {
      const std::int32_t rest = remaining(graph_.other_end(edge, vertex), to, distances);
      if (rest == kUnreachable || (shortest != kUnreachable && rest > shortest)) continue;
      if (rest != shortest) nearest.clear();
      shortest = rest;
      nearest.push_back(edge);
    }
    check(!nearest.empty(), "a route was asked for where no path exists");
    key = mix(key);
    const std::size_t edge = nearest[key % nearest.size()];
    nearest.clear();
    append(route, edge, vertex);
    vertex = graph_.other_end(edge, vertex);
  }
}

Route ShortestPaths::route(std::size_t from, std::size_t to, std::uint64_t key) {
  Route route;
  walk(route, from, to, key);
  return route;
}

Route ShortestPaths::route_by(std::size_t first, std::size_t from, std::size_t to,
                              std::uint64_t key) {
  Route route;
  append(route, first, from);
  walk(route, graph_.other_end(first, from), to, key);
  return route;
}

}  // namespace tokenyard::topology
