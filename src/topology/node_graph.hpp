#pragma once
// The inside of a node: its devices, what joins them, the host and the NICs.
//
// A device's link has one bandwidth per direction for all its ports together, so each edge gets:
//   all-to-all-switch  one edge of the whole bandwidth to the device switch
//   all-to-all-mesh    one port's share to each other device
//   ring               half to each neighbour (two devices: one edge of the whole)
//   mesh2d, torus      one port's share to each neighbour; devices stand in a grid of the node's
//                      shape, two ports to an axis, the last axis running fastest.  A mesh ends at
//                      its borders; round a torus's side of two both ports make one edge
//   pcie-tree          one edge of the whole bandwidth to the host
//   none               no way from device to device but through the host, if at all
// and a hop between two devices, the switch included, takes the link's latency.
//
// To the host and the NICs a device goes by its link whose name starts with "pcie", where it has
// one, else by the node's link.  NICs hang on the host with their own bandwidth.
//
// Worked example: 8 devices with 450 GB/s on a device switch: any two 450 GB/s apart; 4 send to the
// other 4 at 4 * 450 GB/s = 1.8 TB/s.  The same 8 as a ring: 2 edges of 225 GB/s are cut, 450 GB/s;
// each with a link of 450/7 = 64.3 GB/s to every other, 16 of them are cut, 1.03 TB/s.
//
// Leaves out PCIe switches between host and devices (assumed not to narrow anything) and sockets.
#include <cstdint>
#include <memory>
#include <optional>

#include "scenario/plan.hpp"
#include "topology/graph.hpp"

namespace tokenyard::topology {

class NodeGraph {
 public:
  // Throws InputError when a device lacks the link that the node names.
  explicit NodeGraph(const scenario::PoolPlan& pool);
  ~NodeGraph();
  NodeGraph(NodeGraph&&) noexcept;
  NodeGraph& operator=(NodeGraph&&) noexcept;

  [[nodiscard]] const Graph& graph() const;
  [[nodiscard]] std::int64_t device_count() const;
  [[nodiscard]] std::int64_t nic_count() const;
  [[nodiscard]] std::size_t device_vertex(std::int64_t device) const;
  [[nodiscard]] std::size_t nic_vertex(std::int64_t nic) const;

  // Over the links between devices; none when the devices are not joined.
  [[nodiscard]] std::optional<Route> between_devices(std::int64_t from, std::int64_t to) const;
  // Through the host; none when the device has no link.
  [[nodiscard]] std::optional<Route> device_to_nic(std::int64_t device, std::int64_t nic) const;

  // What the first half of the devices can send to the second half at once.
  [[nodiscard]] BytesPerSecond device_bisection() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::topology
