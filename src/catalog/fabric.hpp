#pragma once
// A fabric: what connects the nodes, one file each in hardware_catalog/fabrics/.
#include <optional>
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

enum class FabricKind {
  fat_tree,
  leaf_spine,
  dragonfly,
  torus,
  rail_optimized,
  single_switch,
  custom
};
constexpr auto enum_names(FabricKind) {
  return std::array<std::string_view, 7>{"fat-tree",       "leaf-spine",    "dragonfly", "torus",
                                         "rail-optimized", "single-switch", "custom"};
}

struct Switch {
  std::int64_t ports = 0;
  Sourced<BytesPerSecond> bandwidth;  // one port, one direction
  Sourced<Seconds> latency;
  Sourced<Watts> power;
  std::optional<Sourced<Usd>> price;
  Sourced<double> annual_failure_rate{0.08};  // Singh et al., CCR 51(2), 2021: 2 % in a quarter
};

// A cable with the optics at its two ends.
struct Cable {
  Sourced<Watts> power{watts(0)};  // both ends together
  std::optional<Sourced<Usd>> price;
  Sourced<double> annual_failure_rate{0.005};  // assumed, see the shipped fabrics
};

// For kind custom: vertices are switches; "node[3]" in an edge is the fourth node of the fleet.
struct FabricEdge {
  std::string from, to;
  std::optional<Sourced<BytesPerSecond>> bandwidth;  // default: the switch's port
};

struct FabricSpec {
  std::string name;
  std::string description;
  std::string source;
  input::Confidence confidence = input::Confidence::vendor;
  FabricKind kind = FabricKind::leaf_spine;
  Switch switches;  // key `switch`
  Cable cable;
  Sourced<double> oversubscription{1.0};  // down-link over up-link bandwidth of a leaf
  std::vector<std::string> vertices;      // custom only
  std::vector<FabricEdge> edges;          // custom only
};

void describe(input::Fields& f, Switch& s);
void describe(input::Fields& f, Cable& c);
void describe(input::Fields& f, FabricEdge& e);
void describe(input::Fields& f, FabricSpec& s);

}  // namespace tokenyard::catalog
