// A custom fabric: the file's own switches and edges.
//
// An edge of more bandwidth than a port is a bundle of as many cables as that takes.  A node that
// an edge joins to another node makes it a direct network, in which nodes pass on what others send.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "topology/fabric_layout.hpp"

namespace tokenyard::topology {
namespace {

// The number in "node[3]", or none for any other text.
std::optional<std::size_t> node_number(const std::string& end) {
  const std::string head = "node[";
  if (end.compare(0, head.size(), head) != 0 || end.back() != ']') return std::nullopt;
  std::size_t number = 0;
  const char* last = end.data() + end.size() - 1;
  const auto [stop, status] = std::from_chars(end.data() + head.size(), last, number);
  if (status != std::errc() || stop != last) return std::nullopt;
  return number;
}

class CustomLayout {
 public:
  explicit CustomLayout(const FabricTask& task) : task_(task), layout_(with_nodes(task)) {
    for (const std::string& name : task.spec.vertices) {
      switches_[name] = add_switch(layout_.graph, task, name);
    }
  }

  FabricLayout build() {
    for (std::size_t i = 0; i < task_.spec.edges.size(); ++i) add_edge(i);
    check_ports();
    if (!problems_.empty()) throw InputError(problems_.list());
    return std::move(layout_);
  }

 private:
  void problem(const std::string& message) {
    problems_.add(task_.pools.front().where, "fleet.fabric",
                  "'" + task_.spec.name + "': " + message);
  }

  std::optional<std::size_t> find(const std::string& end, const std::string& key) {
    if (const auto number = node_number(end)) {
      if (*number < task_.nodes.size()) return *number;
      problem(key + ": there is no " + end + "; the fleet has " +
              std::to_string(task_.nodes.size()) + " nodes, node[0] to node[" +
              std::to_string(task_.nodes.size() - 1) + "]");
      return std::nullopt;
    }
    if (const auto found = switches_.find(end); found != switches_.end()) return found->second;
    problem(key + ": '" + end + "' is neither a vertex nor a node such as 'node[0]'" +
            suggestion(end, task_.spec.vertices));
    return std::nullopt;
  }

  // The fastest and the slowest-to-answer NIC of a node; a switch's port and no latency otherwise.
  [[nodiscard]] NicPort port_of(std::size_t vertex) const {
    if (vertex >= task_.nodes.size())
      return {.bandwidth = task_.spec.switches.bandwidth, .latency = {}};
    NicPort port;
    for (const NicPort& nic : task_.nodes[vertex].nics) {
      port.bandwidth = std::max(port.bandwidth, nic.bandwidth);
      port.latency = std::max(port.latency, nic.latency);
    }
    return port;
  }

  void add_edge(std::size_t index) {
    const catalog::FabricEdge& edge = task_.spec.edges[index];
    const std::string key = "edges[" + std::to_string(index) + "]";
    const auto from = find(edge.from, key + ".from");
    const auto to = find(edge.to, key + ".to");
    if (!from || !to) return;
    if (*from == *to) return problem(key + ": joins '" + edge.from + "' to itself");
    const NicPort a = port_of(*from);
    const NicPort b = port_of(*to);
    const BytesPerSecond cable = std::min(a.bandwidth, b.bandwidth);
    const BytesPerSecond bandwidth = edge.bandwidth ? edge.bandwidth->value : cable;
    layout_.graph.add_edge(
        {.from = *from,
         .to = *to,
         .cables = static_cast<std::int64_t>(std::ceil(bandwidth / cable - 1e-9)),
         .bandwidth = bandwidth,
         .latency = (a.latency + b.latency) / 2.0});
    if (*from < task_.nodes.size() && *to < task_.nodes.size()) layout_.nodes_forward = true;
  }

  void check_ports() {
    for (std::size_t v = 0; v < layout_.graph.vertices().size(); ++v) {
      const bool node = v < task_.nodes.size();
      const std::int64_t ports =
          node ? static_cast<std::int64_t>(task_.nodes[v].nics.size()) : task_.spec.switches.ports;
      std::int64_t cables = 0;
      for (const std::size_t e : layout_.graph.edges_at(v))
        cables += layout_.graph.edges()[e].cables;
      if (cables <= ports) continue;
      problem("'" + layout_.graph.vertices()[v].name + "' has " + std::to_string(cables) +
              " cables for " + std::to_string(ports) + (node ? " NICs" : " ports"));
    }
  }

  const FabricTask& task_;
  FabricLayout layout_;
  std::map<std::string, std::size_t> switches_;
  Diagnostics problems_;
};

}  // namespace

FabricLayout lay_out_custom(const FabricTask& task) {
  return CustomLayout(task).build();
}

}  // namespace tokenyard::topology
