// Leaf-spine, fat-tree and rail-optimized: leaves that hold nodes, and one or two tiers above them.
//
// A leaf with NICs of total bandwidth B has ceil(B / (oversubscription * port bandwidth)) uplinks.
// The number of switches of an upper tier is the smallest with which every lower switch can have
// the same number of cables to each of them (what operators build; traffic spreads evenly).  What
// one leaf can hold alone gets no spine.
//
// Worked example: 16 nodes of 8 NICs, 64-port switches, oversubscription 1, all ports equal: a leaf
// holds 4 nodes (32 ports down, 32 up), so 4 leaves; their 128 uplinks fill 2 spines, 16 cables
// from each leaf to each; 6 switches, 128 + 128 = 256 cables.
//
// Three tiers (fat-tree and rail-optimized, when there are more leaves than a spine has ports):
// pods of at most ports/2 leaves with spines of ports/2 down and ports/2 up, and core switches in
// one group for each spine of a pod.  Above the leaves nothing is oversubscribed.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "topology/fabric_layout.hpp"

namespace tokenyard::topology {
namespace {

// NICs of one node that go to one leaf.
struct Attachment {
  std::size_t node = 0, first_nic = 0, cables = 0;
  BytesPerSecond bandwidth;
};

struct Leaf {
  std::vector<Attachment> members;
  std::int64_t cables = 0;  // to nodes
  std::int64_t uplinks = 0;
  BytesPerSecond bandwidth;
};

// A switch that is to be joined to the tier above.
struct Lower {
  std::size_t vertex = 0;
  std::int64_t used = 0;  // ports
  std::int64_t uplinks = 0;
};
using Lowers = std::vector<Lower>;

std::int64_t uplinks_for(const FabricTask& task, BytesPerSecond bandwidth) {
  const BytesPerSecond port = task.spec.switches.bandwidth;
  // The subtrahend keeps a whole quotient whole when it was rounded up.
  return static_cast<std::int64_t>(
      std::ceil(bandwidth / (port * task.spec.oversubscription.value) - 1e-9));
}

void refuse_large_node(const FabricTask& task, const Attachment& a, std::int64_t uplinks) {
  const scenario::PoolPlan& pool = task.pools[task.nodes[a.node].pool];
  refuse_fabric(task, "node '" + pool.node.name + "' of pool '" + pool.name + "' has " +
                          std::to_string(a.cables) + " NICs, which beside " +
                          std::to_string(uplinks) + " uplinks do not fit one leaf of " +
                          std::to_string(task.spec.switches.ports) + " ports");
}

// Fills leaves in order, each with at most `most` nodes and at least `reserve` ports kept for
// uplinks.
std::vector<Leaf> fill_leaves(const FabricTask& task, const std::vector<Attachment>& attachments,
                              std::int64_t reserve, std::size_t most) {
  const auto fits = [&](const Leaf& leaf, const Attachment& a) {
    const std::int64_t up = std::max(reserve, uplinks_for(task, leaf.bandwidth + a.bandwidth));
    return leaf.members.size() < most &&
           leaf.cables + static_cast<std::int64_t>(a.cables) + up <= task.spec.switches.ports;
  };
  std::vector<Leaf> leaves;
  for (const Attachment& a : attachments) {
    if (leaves.empty() || !fits(leaves.back(), a)) leaves.emplace_back();
    Leaf& leaf = leaves.back();
    if (!fits(leaf, a))
      refuse_large_node(task, a, std::max(reserve, uplinks_for(task, a.bandwidth)));
    leaf.members.push_back(a);
    leaf.cables += static_cast<std::int64_t>(a.cables);
    leaf.bandwidth += a.bandwidth;
    leaf.uplinks = uplinks_for(task, leaf.bandwidth);
  }
  return leaves;
}

// As few leaves as possible, and nodes spread evenly over them where that takes no more.
std::vector<Leaf> balanced_leaves(const FabricTask& task,
                                  const std::vector<Attachment>& attachments,
                                  std::int64_t reserve) {
  constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  std::vector<Leaf> fewest = fill_leaves(task, attachments, reserve, kAny);
  const std::size_t each = (attachments.size() + fewest.size() - 1) / fewest.size();
  std::vector<Leaf> even = fill_leaves(task, attachments, reserve, each);
  return even.size() == fewest.size() ? even : fewest;
}

std::int64_t uplinks_max(const std::vector<Leaf>& leaves) {
  std::int64_t most = 0;
  for (const Leaf& leaf : leaves) most = std::max(most, leaf.uplinks);
  return most;
}

// The nodes of each rail; a tree that is not rail-optimized has one rail with everything.
std::vector<std::vector<Attachment>> rails_of(const FabricTask& task) {
  const bool by_rail = task.spec.kind == catalog::FabricKind::rail_optimized;
  std::vector<std::vector<Attachment>> rails(by_rail ? 0 : 1);
  for (std::size_t n = 0; n < task.nodes.size(); ++n) {
    const std::size_t nics = task.nodes[n].nics.size();
    const std::size_t pieces = by_rail ? nics : 1;
    if (rails.size() < pieces) rails.resize(pieces);
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::size_t cables = nics / pieces;
      rails[i].push_back({n, i, cables, nic_bandwidth(task, n, i, cables)});
    }
  }
  return rails;
}

struct NamedLeaf {
  std::string name;
  Leaf leaf;
};

// All leaves, first those with the first nodes of every rail: neighbours that share a pod.
std::vector<NamedLeaf> leaves_of(const FabricTask& task) {
  const auto rails = rails_of(task);
  if (rails.size() == 1 && nic_count(task) <= task.spec.switches.ports) {
    return {{.name = "leaf[0]",
             .leaf = {.members = rails[0], .cables = 0, .uplinks = 0, .bandwidth = {}}}};
  }
  std::int64_t reserve = 0;
  for (const auto& rail : rails) {
    reserve = std::max(reserve, uplinks_max(balanced_leaves(task, rail, 0)));
  }
  std::vector<std::vector<Leaf>> filled;
  std::size_t longest = 0;
  for (const auto& rail : rails) {
    filled.push_back(balanced_leaves(task, rail, reserve));
    longest = std::max(longest, filled.back().size());
  }
  std::vector<NamedLeaf> leaves;
  for (std::size_t j = 0; j < longest; ++j) {
    for (std::size_t i = 0; i < filled.size(); ++i) {
      if (j >= filled[i].size()) continue;
      const std::string rail = rails.size() > 1 ? "rail[" + std::to_string(i) + "]." : "";
      leaves.push_back({rail + "leaf[" + std::to_string(j) + "]", filled[i][j]});
    }
  }
  return leaves;
}

std::int64_t cables_each(std::int64_t uplinks, std::int64_t uppers) {
  return (uplinks + uppers - 1) / uppers;
}

// The smallest number of upper switches, with `down` ports towards the lower ones, that serves
// every group of lower switches; none when even the largest sensible number does not.
std::optional<std::int64_t> upper_count(const std::vector<Lowers>& groups, std::int64_t down,
                                        std::int64_t ports) {
  std::int64_t most = 1;
  for (const Lowers& group : groups) {
    for (const Lower& lower : group) most = std::max(most, lower.uplinks);
  }
  const auto serves = [&](std::int64_t uppers, const Lowers& group) {
    std::int64_t down_used = 0;
    for (const Lower& lower : group) {
      const std::int64_t each = cables_each(lower.uplinks, uppers);
      if (lower.used + uppers * each > ports) return false;
      down_used += each;
    }
    return down_used <= down;
  };
  for (std::int64_t uppers = 1; uppers <= most; ++uppers) {
    if (std::all_of(groups.begin(), groups.end(),
                    [&](const Lowers& g) { return serves(uppers, g); })) {
      return uppers;
    }
  }
  return std::nullopt;
}

// Adds `count` switches above `lowers` and returns them as the lower switches of the next tier.
Lowers add_tier(Graph& graph, const FabricTask& task, const Lowers& lowers, std::int64_t count,
                const std::string& name, std::int64_t first_number) {
  Lowers tier;
  for (std::int64_t u = 0; u < count; ++u) {
    const std::size_t vertex =
        add_switch(graph, task, name + "[" + std::to_string(first_number + u) + "]");
    std::int64_t used = 0;
    for (const Lower& lower : lowers) {
      const std::int64_t cables = cables_each(lower.uplinks, count);
      join_switches(graph, task, lower.vertex, vertex, cables);
      used += cables;
    }
    tier.push_back({.vertex = vertex, .used = used, .uplinks = used});
  }
  return tier;
}

// False, with nothing added, when three tiers do not hold that many leaves.
bool add_pods_and_core(Graph& graph, const FabricTask& task, const Lowers& leaves) {
  const std::int64_t ports = task.spec.switches.ports;
  const auto half = static_cast<std::size_t>(ports / 2);
  const std::size_t pods = (leaves.size() + half - 1) / half;
  const std::size_t each = (leaves.size() + pods - 1) / pods;
  std::vector<Lowers> pod_leaves;
  for (std::size_t at = 0; at < leaves.size(); at += each) {
    const auto first = leaves.begin() + static_cast<std::ptrdiff_t>(at);
    pod_leaves.emplace_back(
        first, first + static_cast<std::ptrdiff_t>(std::min(each, leaves.size() - at)));
  }
  const auto spines = upper_count(pod_leaves, ports / 2, ports);
  if (static_cast<std::int64_t>(pod_leaves.size()) > ports || !spines) return false;
  std::vector<Lowers> groups(static_cast<std::size_t>(*spines));  // spine j of every pod
  for (std::size_t p = 0; p < pod_leaves.size(); ++p) {
    const Lowers tier =
        add_tier(graph, task, pod_leaves[p], *spines, "pod[" + std::to_string(p) + "].spine", 0);
    for (std::size_t j = 0; j < tier.size(); ++j) groups[j].push_back(tier[j]);
  }
  const auto cores = upper_count(groups, ports, ports);
  check(cores.has_value(),
        "spines of ports/2 uplinks in at most `ports` pods always fit a core group");
  for (std::size_t j = 0; j < groups.size(); ++j) {
    add_tier(graph, task, groups[j], *cores, "core", static_cast<std::int64_t>(j) * *cores);
  }
  return true;
}

[[noreturn]] void refuse_leaves(const FabricTask& task, const Lowers& leaves) {
  const std::int64_t ports = task.spec.switches.ports;
  const std::string need = fleet_size(task) + " need " + std::to_string(leaves.size()) +
                           " leaves of " + std::to_string(ports) + " ports, but ";
  if (task.spec.kind == catalog::FabricKind::leaf_spine) {
    refuse_fabric(task,
                  need + "a spine has a port for " + std::to_string(ports) +
                      "; use kind fat-tree, which adds a third tier, or switches with more ports");
  }
  refuse_fabric(task, need + "three tiers hold " + std::to_string(ports) + " pods of " +
                          std::to_string(ports / 2) + " = " + std::to_string(ports * (ports / 2)) +
                          "; use switches with more ports");
}

}  // namespace

FabricLayout lay_out_tree(const FabricTask& task) {
  FabricLayout layout = with_nodes(task);
  Lowers leaves;
  for (const NamedLeaf& named : leaves_of(task)) {
    const std::size_t vertex = add_switch(layout.graph, task, named.name);
    for (const Attachment& a : named.leaf.members) {
      attach_node(layout.graph, task, a.node, a.first_nic, a.cables, vertex);
    }
    leaves.push_back({.vertex = vertex, .used = named.leaf.cables, .uplinks = named.leaf.uplinks});
  }
  if (leaves.size() == 1) return layout;
  const std::int64_t ports = task.spec.switches.ports;
  if (const auto spines = upper_count({leaves}, ports, ports)) {
    add_tier(layout.graph, task, leaves, *spines, "spine", 0);
    return layout;
  }
  const bool three_tiers = task.spec.kind != catalog::FabricKind::leaf_spine;
  if (!three_tiers || !add_pods_and_core(layout.graph, task, leaves)) refuse_leaves(task, leaves);
  return layout;
}

}  // namespace tokenyard::topology
