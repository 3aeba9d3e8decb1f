#pragma once
// KV caches on their way: from where a prompt was computed to where it decodes, and back from the tiers
// below the devices.
//
// A replica may span several nodes: node i of the sender sends its part to node i of the receiver, the
// shorter list taken round.  Parts between different nodes are flows over the fabric, all at once;
// parts within a node cross its inner link, alone.  The cache is there when its last part is.
//
// Leaves out the energy of what is sent, and sending layer by layer while the prompt is computed.
//
// Worked example: 2 GB from a replica on nodes 0 and 1 to one on node 2: node 0 and node 1 send 1 GB
// each to node 2; over NICs of 50 GB/s the two share those of node 2 and take 40 ms.
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/calendar.hpp"
#include "sim/fabric.hpp"
#include "sim/shared_channel.hpp"

namespace tokenyard::sim {

// Where a replica stands, and what its devices reach within a node, in bytes a second.
struct Place {
  std::int64_t first_node = 0;
  std::int64_t nodes = 1;
  double inside_bytes_per_s = 0.0;
  double host_bytes_per_s = 0.0;  // between its devices and their hosts' DRAM, one direction
};

class Handoff final : private Sleeper {
 public:
  // on_arrival: once for each send, with its number.
  // No fabric: nothing is sent between replicas.
  Handoff(Calendar& calendar, Fabric* fabric, std::function<void(std::size_t)> on_arrival)
      : calendar_(&calendar), fabric_(fabric), on_arrival_(std::move(on_arrival)) {}

  // Contract: no send of the same number is under way.
  void send(std::size_t number, double bytes, const Place& from, const Place& to);
  // What tiers keep: each part over a channel, or, without one, over the fabric from a node to another.
  // It is there when its last part is.
  struct Part {
    double bytes = 0.0;
    bool put_off = false;  // until bring_rest()
    SharedChannel* channel = nullptr;
    std::int64_t from = 0, to = 0;
  };
  void bring(std::size_t number, const std::vector<Part>& parts);
  // A part that was put off.
  void bring_rest(std::size_t number, double bytes, SharedChannel& channel) {
    channel.send(bytes, *this, number);
  }

 private:
  void wake(std::size_t what) override;
  void expect(std::size_t number, std::size_t parts);

  Calendar* calendar_;
  Fabric* fabric_;
  std::function<void(std::size_t)> on_arrival_;
  std::vector<std::int64_t> parts_left_;  // by number
};

}  // namespace tokenyard::sim
