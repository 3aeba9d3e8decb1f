#pragma once
// Which nodes the failure of an edge or a vertex separates from the others.
#include <cstdint>
#include <optional>
#include <vector>

#include "topology/graph.hpp"

namespace tokenyard::topology {

// What has failed; one of the two.
struct Failed {
  std::optional<std::size_t> edge;
  std::optional<std::size_t> vertex;
};

// The nodes, by number of their vertex, outside the part with the most nodes (ties: that of the lowest
// node).  Worked example: two leaves of 3 and 2 nodes on one spine; without the spine the 2 nodes are cut
// off, without the first leaf its 3 nodes, each alone.
std::vector<std::int64_t> cut_off(const Graph& graph, const Failed& failed);

}  // namespace tokenyard::topology
