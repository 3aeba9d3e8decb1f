#include "catalog/node.hpp"

#include <algorithm>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {

using input::Fields;

std::int64_t NodeSpec::device_count() const {
  std::int64_t count = 0;
  for (const DeviceSlots& slots : devices) count += slots.count;
  return count;
}

std::vector<std::int64_t> NodeSpec::sides() const {
  return shape.empty() ? std::vector{device_count()} : shape;
}

std::int64_t NodeSpec::ports_of(const Link& joining) const {
  switch (topology) {
    case NodeTopology::all_to_all_mesh:
      return std::max<std::int64_t>({1, joining.ports, device_count() - 1});
    case NodeTopology::mesh2d:
    case NodeTopology::torus: {
      const std::vector<std::int64_t> grid = sides();
      const auto lengthy = std::count_if(grid.begin(), grid.end(), [](auto s) { return s > 1; });
      return std::max<std::int64_t>({1, joining.ports, 2 * lengthy});
    }
    case NodeTopology::ring:
      return 2;
    case NodeTopology::all_to_all_switch:
    case NodeTopology::pcie_tree:
    case NodeTopology::none:
      break;
  }
  return 1;  // all ports lead to the same place
}

void describe(Fields& f, DeviceSlots& d) {
  f.required("device", d.device, "a file of hardware_catalog/devices, without '.yaml'");
  f.required("count", d.count, "how many of them are in the node").at_least(1);
}

void describe(Fields& f, Dram& d) {
  f.required("capacity", d.capacity, "of the whole host").more_than(0.0);
  f.required("bandwidth", d.bandwidth, "of the whole host").more_than(0.0);
}

void describe(Fields& f, Ssd& s) {
  f.required("capacity", s.capacity, "of all drives").more_than(0.0);
  f.required("bandwidth", s.bandwidth, "of all drives, reading").more_than(0.0);
}

void describe(Fields& f, Host& h) {
  f.required("cpu", h.cpu, "for people");
  f.optional("dram", h.dram, "host memory, where a KV cache may be offloaded to");
  f.optional("ssd", h.ssd, "local drives");
  f.optional("power_idle", h.power_idle, "processors, memory and drives with nothing to do")
      .at_least(0.0);
  f.optional("power_max", h.power_max, "the same, busy").at_least(0.0);
  f.optional("price", h.price, "without devices and NICs; absent when the node has a price")
      .at_least(0.0);
  if (f.has("power_max") && h.power_max.value < h.power_idle.value) {
    f.problem("power_max", "is less than power_idle, " + to_text(h.power_idle.value));
  }
}

void describe(Fields& f, Nic& n) {
  f.optional("name", n.name, "for people");
  f.required("bandwidth", n.bandwidth, "one direction, of one NIC").more_than(0.0);
  f.optional("latency", n.latency, "of one transfer, without the fabric's switches").at_least(0.0);
  f.optional("count", n.count, "how many of them").at_least(1);
  f.optional("price", n.price, "each; absent when the node's price includes it").at_least(0.0);
  f.optional("power", n.power, "each").at_least(0.0);
}

namespace {

void check_shape(Fields& f, const NodeSpec& n) {
  const bool grid = n.topology == NodeTopology::mesh2d || n.topology == NodeTopology::torus;
  if (!grid && !n.shape.empty()) {
    f.problem("shape", "belongs to the topologies mesh2d and torus");
  }
  if (grid && n.shape.empty()) {
    f.problem("shape", "topology " + std::string(input::name_of(n.topology)) +
                           " needs 'shape', the sides of its grid, such as [4, 4]");
  }
  if (n.shape.empty()) return;
  std::int64_t devices = 1;
  for (const std::int64_t side : n.shape) devices *= std::clamp<std::int64_t>(side, 0, 1'000'000);
  if (devices != n.device_count()) {
    f.problem("shape", "holds " + std::to_string(devices) + " devices; the node has " +
                           std::to_string(n.device_count()));
  }
  if (n.topology == NodeTopology::mesh2d && n.shape.size() != 2) {
    f.problem("shape", "a mesh2d has two sides");
  }
}

}  // namespace

void describe(Fields& f, NodeSpec& n) {
  describe_head(f, n.name, n.source, n.confidence, n.description);
  f.required("devices", n.devices, "what it holds");
  f.required("topology", n.topology, "how the devices of the node reach each other");
  f.optional("shape", n.shape, "sides of a mesh2d or torus, such as [4, 4]");
  f.optional("link", n.link, "the link of the device that they use for it");
  f.required("host", n.host, "the computer around the devices");
  f.optional("nics", n.nics, "towards the fabric");
  f.optional("rack_units", n.rack_units, "height").at_least(1);
  f.optional("cooling", n.cooling, "air or liquid");
  f.optional("price", n.price, "of the whole node, devices and NICs included").at_least(0.0);
  f.optional("overhead_power", n.overhead_power, "fans and switches on the board, always drawn")
      .at_least(0.0);
  f.optional("psu_efficiency", n.psu_efficiency, "output over input of the power supplies")
      .more_than(0.0)
      .at_most(1.0);
  f.optional(
       "annual_failure_rate", n.annual_failure_rate,
       "failures a year of NICs, drives, power supplies and the computer: of all but the devices")
      .at_least(0.0);
  if (!f.is_reading()) return;
  if (f.has("devices") && n.devices.empty()) {
    f.problem("devices", "is empty; a node has at least one device");
  }
  refuse_twins(f, "devices", names_in(n.devices, &DeviceSlots::device));
  if (n.topology != NodeTopology::none && n.link.empty()) {
    f.problem("link", "topology " + std::string(input::name_of(n.topology)) +
                          " needs 'link', the name of a link of the device");
  }
  check_shape(f, n);
  if (n.topology == NodeTopology::none && !n.link.empty()) {
    f.problem("link", "has no use with topology none; name a topology or leave the link out");
  }
}

}  // namespace tokenyard::catalog
