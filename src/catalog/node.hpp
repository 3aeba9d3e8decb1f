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
enum class NodeTopology { all_to_all_switch, ring, mesh2d, torus, pcie_tree, none };
constexpr auto enum_names(NodeTopology) {
  return std::array<std::string_view, 6>{"all-to-all-switch", "ring", "mesh2d", "torus",
                                         "pcie-tree",         "none"};
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
  std::string link;  // of the device, used between the devices; empty with topology none
  Host host;
  std::vector<Nic> nics;
  std::int64_t rack_units = 1;
  Cooling cooling = Cooling::air;
  std::optional<Sourced<Usd>> price;        // of the whole system, devices included
  Sourced<Watts> overhead_power{watts(0)};  // fans, switches on the board, ...
  Sourced<double> psu_efficiency{0.95};

  [[nodiscard]] std::int64_t device_count() const;
};

void describe(input::Fields& f, DeviceSlots& d);
void describe(input::Fields& f, Dram& d);
void describe(input::Fields& f, Ssd& s);
void describe(input::Fields& f, Host& h);
void describe(input::Fields& f, Nic& n);
void describe(input::Fields& f, NodeSpec& n);

}  // namespace tokenyard::catalog
