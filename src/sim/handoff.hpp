#pragma once
// KV caches on their way: from where a prompt was computed to where it decodes, and back from the tiers
// below the devices.
//
// A replica may span several nodes: node i of the sender sends its part to node i of the receiver, the
// shorter list taken round.  Parts between different nodes are flows over the fabric, all at once, by the
// NICs of the side that has fewer; parts within a node cross its inner link, alone.  The cache is there
// when its last part is.
//
// A cache may be sent while its prompt is computed: open(), feed() for each step, close() when the prompt
// is complete.  What a step computes goes out as evenly as it is computed, so that it is through no sooner
// than the step; where the way is slower, what follows waits for it, and the rest is sent after the end.
//
// Leaves out the energy of what is sent.
//
// Worked examples: 2 GB from a replica on nodes 0 and 1 to one on node 2: node 0 and node 1 send 1 GB
// each to node 2; over NICs of 50 GB/s the two share those of node 2 and take 40 ms.
// 2 GB of 10 layers, in one step of 50 ms, over 50 GB/s: 1.8 GB take 36 of the 50 ms, at 36 GB/s for others
// to see, and the last layer 4 ms afterwards.  In a step of 20 ms: 1 GB, and then 20 ms for the rest.
#include <cstdint>
#include <deque>
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
  NicShare nics = {};  // of its devices, in each of its nodes
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
  void send(std::size_t number, double bytes, const Place& from, const Place& to) {
    open(number, from, to);
    close(number, bytes);
  }
  // What is fed goes in this order.
  void open(std::size_t number, const Place& from, const Place& to);
  // So many bytes (> 0) more, of which the last is there to be sent at until_s.
  void feed(std::size_t number, double bytes, double until_s);
  // The rest.
  void close(std::size_t number, double bytes);
  // Nobody wants it any more: what is not under way is not sent, and it has arrived when the rest has.
  void break_off(std::size_t number);
  // What tiers keep: each part over a channel, or, without one, over the fabric from a node to another.
  // It is there when its last part is.
  struct Part {
    double bytes = 0.0;
    bool put_off = false;  // until bring_rest()
    SharedChannel* channel = nullptr;
    std::int64_t from = 0, to = 0;
    NicShare nics = {};
  };
  void bring(std::size_t number, const std::vector<Part>& parts);
  // A part that was put off.
  void bring_rest(std::size_t number, double bytes, SharedChannel& channel) {
    channel.send(bytes, *this, number);
  }

 private:
  struct Fed {
    double bytes = 0.0;
    double until_s = 0.0;
  };
  struct Sent {
    Place from, to;
    std::deque<Fed> waits;
    bool open = false;            // more may be fed
    std::int64_t parts_left = 0;  // of what is under way
  };
  void wake(std::size_t what) override;
  void go_on(std::size_t number);
  void put_under_way(std::size_t number, const Fed& fed);
  Sent& make(std::size_t number);

  Calendar* calendar_;
  Fabric* fabric_;
  std::function<void(std::size_t)> on_arrival_;
  std::vector<Sent> sent_;  // by number
};

}  // namespace tokenyard::sim
