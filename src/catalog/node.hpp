#pragma once
// A node: a computer with its devices, one file each in hardware_catalog/nodes/.
#include <optional>
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

struct DeviceSlots {
  std::string device;
  std::int64_t count = 1;
};

// How the devices of a node reach each other.
// all_to_all_mesh: a link of its own between any two (ports = devices - 1).  mesh2d and torus have
// the node's `shape`.
enum class NodeTopology {
  all_to_all_switch,
  all_to_all_mesh,
  ring,
  mesh2d,
  torus,
  pcie_tree,
  none
};
constexpr auto enum_names(NodeTopology) {
  return std::array<std::string_view, 7>{
      "all-to-all-switch", "all-to-all-mesh", "ring", "mesh2d", "torus", "pcie-tree", "none"};
}
enum class Cooling { air, liquid };
constexpr auto enum_names(Cooling) {
  return std::array<std::string_view, 2>{"air", "liquid"};
}

struct Dram {
  Sourced<Bytes> capacity;
  Sourced<BytesPerSecond> bandwidth;
};

struct Ssd {
  Sourced<Bytes> capacity;
  Sourced<BytesPerSecond> bandwidth;
};

struct Host {
  std::string cpu;
  std::optional<Dram> dram;
  std::optional<Ssd> ssd;
  Sourced<Watts> power_idle{watts(0)};
  Sourced<Watts> power_max{watts(0)};
  std::optional<Sourced<Usd>> price;
};

struct Nic {
  std::string name;
  Sourced<BytesPerSecond> bandwidth;  // one direction
  Sourced<Seconds> latency{microseconds(5)};
  std::int64_t count = 1;
  std::optional<Sourced<Usd>> price;  // each
  Sourced<Watts> power{watts(0)};     // each
};

struct NodeSpec {
  std::string name;
  std::string description;
  std::string source;
  input::Confidence confidence = input::Confidence::vendor;
  std::vector<DeviceSlots> devices;
  NodeTopology topology = NodeTopology::none;
  std::vector<std::int64_t> shape;  // sides of a mesh2d or torus; their product is device_count()
  std::string link;  // of the device, used between the devices; empty with topology none
  Host host;
  std::vector<Nic> nics;
  std::int64_t rack_units = 1;
  Cooling cooling = Cooling::air;
  std::optional<Sourced<Usd>> price;        // of the whole system, devices included
  Sourced<Watts> overhead_power{watts(0)};  // fans, switches on the board, ...
  Sourced<double> psu_efficiency{0.95};
  Sourced<double> annual_failure_rate{0.07};  // of all but devices: Llama 3 report, table 5

  [[nodiscard]] std::int64_t device_count() const;
  // Of the grid in which the devices of a ring, mesh2d or torus stand: the shape, or one row.  The
  // last side runs fastest.
  [[nodiscard]] std::vector<std::int64_t> sides() const;
  // How many ways the bandwidth of the devices' link is split: over its ports, and at least over
  // those that the topology takes (two for each side of a grid that is longer than one device).
  [[nodiscard]] std::int64_t ports_of(const Link& joining) const;
};

void describe(input::Fields& f, DeviceSlots& d);
void describe(input::Fields& f, Dram& d);
void describe(input::Fields& f, Ssd& s);
void describe(input::Fields& f, Host& h);
void describe(input::Fields& f, Nic& n);
void describe(input::Fields& f, NodeSpec& n);

}  // namespace tokenyard::catalog
