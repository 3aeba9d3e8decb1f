#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "topology/graph.hpp"

namespace tokenyard::topology {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;

struct Arc {
  std::int64_t capacity = 0;
  std::int64_t residual = 0;
  Traits::edge_descriptor reverse;
};

using FlowNetwork =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Arc>;

constexpr std::size_t kSource = 0;
constexpr std::size_t kSink = 1;

// Each source vertex becomes the one source, each sink vertex the one sink: the same as joining
// them to one by edges without limit, with fewer arcs.
std::vector<std::size_t> contracted(const std::vector<Side>& sides) {
  std::vector<std::size_t> number(sides.size());
  std::size_t next = 2;
  for (std::size_t v = 0; v < sides.size(); ++v) {
    number[v] = sides[v] == Side::source ? kSource : sides[v] == Side::sink ? kSink : next++;
  }
  return number;
}

// One direction of an edge.  Boost's second phase takes an arc for a way back only when its
// capacity is zero, so the other direction of a full-duplex edge cannot serve as the reverse.
void add_arc(FlowNetwork& network, std::size_t from, std::size_t to, std::int64_t capacity) {
  if (to == kSource || from == kSink) return;
  const auto there = boost::add_edge(from, to, network).first;
  const auto back = boost::add_edge(to, from, network).first;
  network[there] = {.capacity = capacity, .residual = 0, .reverse = back};
  network[back] = {.capacity = 0, .residual = 0, .reverse = there};
}

}  // namespace

BytesPerSecond max_flow(const Graph& graph, const std::vector<Side>& sides) {
  check(sides.size() == graph.vertices().size(), "sides has one entry a vertex");
  const std::vector<std::size_t> number = contracted(sides);
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> capacities;
  std::size_t vertices = 2;
  for (const Edge& e : graph.edges()) {
    const auto [a, b] = std::minmax(number[e.from], number[e.to]);
    vertices = std::max(vertices, b + 1);
    // Whole bytes per second: push-relabel is exact on integers, and could cycle on rounded sums.
    if (a != b) capacities[{a, b}] += std::llround(e.bandwidth.base());
  }
  FlowNetwork network(vertices);
  for (const auto& [ends, capacity] : capacities) {
    add_arc(network, ends.first, ends.second, capacity);
    add_arc(network, ends.second, ends.first, capacity);
  }
  const std::int64_t flow = boost::push_relabel_max_flow(
      network, kSource, kSink, boost::get(&Arc::capacity, network),
      boost::get(&Arc::residual, network), boost::get(&Arc::reverse, network),
      boost::get(boost::vertex_index, network));
  return BytesPerSecond::from_base(static_cast<double>(flow));
}

}  // namespace tokenyard::topology
