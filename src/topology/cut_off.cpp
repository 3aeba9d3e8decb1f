#include "topology/cut_off.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>

namespace tokenyard::topology {

std::vector<std::int64_t> cut_off(const Graph& graph, const Failed& failed) {
  boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS> left(graph.vertices().size());
  for (std::size_t e = 0; e < graph.edges().size(); ++e) {
    const Edge& edge = graph.edges()[e];
    if (e == failed.edge || edge.from == failed.vertex || edge.to == failed.vertex) continue;
    boost::add_edge(edge.from, edge.to, left);
  }
  std::vector<std::size_t> part(graph.vertices().size());
  const std::size_t parts = boost::connected_components(left, part.data());
  std::vector<std::size_t> nodes(parts, 0);
  for (std::size_t v = 0; v < part.size(); ++v)
    nodes[part[v]] += graph.vertices()[v].kind == VertexKind::node ? 1 : 0;
  // Parts are numbered by their lowest vertex, and nodes come before switches.
  const auto largest =
      static_cast<std::size_t>(std::max_element(nodes.begin(), nodes.end()) - nodes.begin());
  std::vector<std::int64_t> separated;
  for (std::size_t v = 0; v < part.size(); ++v) {
    if (graph.vertices()[v].kind == VertexKind::node && part[v] != largest)
      separated.push_back(static_cast<std::int64_t>(v));
  }
  return separated;
}

}  // namespace tokenyard::topology
