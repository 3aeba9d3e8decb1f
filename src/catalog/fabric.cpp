#include "catalog/fabric.hpp"

#include <algorithm>
#include <charconv>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {
namespace {

using input::Fields;

// "node[3]"
bool is_node_end(std::string_view end) {
  constexpr std::string_view kHead = "node[";
  if (end.substr(0, kHead.size()) != kHead || end.back() != ']') return false;
  std::uint32_t index = 0;
  const char* last = end.data() + end.size() - 1;
  const auto [stop, status] = std::from_chars(end.data() + kHead.size(), last, index);
  return status == std::errc() && stop == last;
}

void check_ends(Fields& f, const FabricSpec& s) {
  for (const FabricEdge& edge : s.edges) {
    for (const std::string& end : {edge.from, edge.to}) {
      if (end.empty() || is_node_end(end)) continue;
      if (std::find(s.vertices.begin(), s.vertices.end(), end) != s.vertices.end()) continue;
      f.problem("edges", "'" + end + "' is neither a vertex nor a node such as 'node[0]'" +
                             suggestion(end, s.vertices));
    }
    if (!edge.from.empty() && edge.from == edge.to) {
      f.problem("edges", "'" + edge.from + "' is joined to itself");
    }
  }
}

}  // namespace

void describe(Fields& f, Switch& s) {
  f.required("ports", s.ports, "of one switch").at_least(2);
  f.required("bandwidth", s.bandwidth, "of one port, one direction").more_than(0.0);
  f.required("latency", s.latency, "from port to port").at_least(0.0);
  f.required("power", s.power, "of one switch, without optics").at_least(0.0);
  f.optional("price", s.price, "of one switch").at_least(0.0);
  f.optional("annual_failure_rate", s.annual_failure_rate, "failures per switch and year")
      .at_least(0.0);
}

void describe(Fields& f, Cable& c) {
  f.optional("power", c.power, "of the optics at both ends together").at_least(0.0);
  f.optional("price", c.price, "of one cable with its optics").at_least(0.0);
  f.optional("annual_failure_rate", c.annual_failure_rate,
             "failures per cable and year, its optics included")
      .at_least(0.0);
}

void describe(Fields& f, FabricEdge& e) {
  f.required("from", e.from, "a vertex, or 'node[0]' for the first node of the fleet");
  f.required("to", e.to, "likewise");
  f.optional("bandwidth", e.bandwidth, "one direction; default: the switch's port").more_than(0.0);
}

void describe(Fields& f, FabricSpec& s) {
  describe_head(f, s.name, s.source, s.confidence, s.description);
  f.required("kind", s.kind, "how the switches are joined");
  f.required("switch", s.switches, "the one switch it is built from");
  f.optional("cable", s.cable, "a cable with the optics at its two ends");
  f.optional("oversubscription", s.oversubscription, "down-link over up-link bandwidth of a leaf")
      .at_least(1.0);
  f.optional("vertices", s.vertices, "kind custom: names of the switches");
  f.optional("edges", s.edges, "kind custom: what is joined to what");
  if (!f.is_reading()) return;
  const bool custom = s.kind == FabricKind::custom;
  for (const std::string_view key : {"vertices", "edges"}) {
    if (custom && !f.has(key)) f.problem(key, "kind custom needs '" + std::string(key) + "'");
    if (!custom && f.has(key)) {
      f.problem(key, "belongs to kind custom; kind " + std::string(input::name_of(s.kind)) +
                         " builds its own graph");
    }
  }
  refuse_twins(f, "vertices", s.vertices);
  check_ends(f, s);
}

}  // namespace tokenyard::catalog
