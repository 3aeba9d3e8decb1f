#include "topology/graph.hpp"

#include <utility>

#include "base/error.hpp"

namespace tokenyard::topology {

std::size_t Graph::add_vertex(Vertex vertex) {
  vertices_.push_back(std::move(vertex));
  at_.emplace_back();
  return vertices_.size() - 1;
}

std::size_t Graph::add_edge(Edge edge) {
  check(edge.from < vertices_.size() && edge.to < vertices_.size(), "an edge ends at no vertex");
  check(edge.from != edge.to, "an edge joins a vertex to itself");
  check(edge.cables > 0 && edge.bandwidth.base() > 0.0, "an edge carries nothing");
  const std::size_t index = edges_.size();
  at_[edge.from].push_back(index);
  at_[edge.to].push_back(index);
  edges_.push_back(edge);
  return index;
}

std::size_t Graph::other_end(std::size_t edge, std::size_t vertex) const {
  const Edge& e = edges_[edge];
  return e.from == vertex ? e.to : e.from;
}

}  // namespace tokenyard::topology
