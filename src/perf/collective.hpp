#pragma once
// Time of collectives between the devices of a replica, by alpha-beta models.
//
// With n bytes per rank, t ranks, per-direction bandwidth beta (times its efficiency), latency
// alpha per hop and a fixed latency alpha0 per collective (launch, synchronisation):
//
//   one-shot all-reduce  alpha0 + alpha + (t-1) n / beta              every rank sends all to all
//   two-shot             alpha0 + 2 alpha + 2 (t-1)/t n / beta        reduce-scatter, all-gather
//   ring                 alpha0 + 2 (t-1) alpha + 2 (t-1)/t n / beta  neighbours only
//   all-gather           alpha0 + alpha + (t-1)/t n / beta            n: the gathered whole;
//                                                                     a ring takes t-1 hops
//   all-to-all           alpha0 + alpha (t-1) + n / beta              n: bytes that leave a rank
//
// The fastest that the wiring allows is taken: one-shot or two-shot with a switch, the ring
// elsewhere.  A group that spans nodes runs in levels: reduce-scatter inside the node, exchange
// between nodes over the devices' share of the NICs, gather inside.  An all-to-all sends
// (t - d) of t - 1 bytes over the NICs, d devices being in a node, while the rest stays inside.
//
// Worked example: 8 ranks, 1 MB, beta 360 GB/s effective, alpha 1 us, alpha0 10 us: two-shot
// 10 + 2 + 2 * 7/8 * 1e6/360e9 = 16.9 us (12 us latency, 4.9 us bytes).
// Measured: H100 HGX, 8 ranks, small messages 19-37 us with NCCL, 5-10 us with custom kernels.
// Source: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
// MPICH", IJHPCA 19(1), 2005.  Leaves out contention with other traffic.
#include <cstdint>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

struct CollectiveTime {
  double latency_s = 0.0;
  double bytes_s = 0.0;
  double bytes_sent = 0.0;  // per rank
  [[nodiscard]] double total_s() const { return latency_s + bytes_s; }
};

struct LinkModel {
  double bytes_per_s = 0.0;  // effective, one direction; 0: there is no link
  double hop_s = 0.0;        // alpha
  double base_s = 0.0;       // alpha0
  bool switched = false;     // any pair at full speed at once
};

// How the devices of a replica reach each other: inside a node, and between nodes.
class Collectives {
 public:
  Collectives(const scenario::PoolPlan& pool, const scenario::DeploymentPlan& deployment,
              const catalog::FabricSpec& fabric);

  [[nodiscard]] CollectiveTime all_reduce(double bytes, std::int64_t ranks) const;
  [[nodiscard]] CollectiveTime all_gather(double bytes, std::int64_t ranks) const;
  [[nodiscard]] CollectiveTime all_to_all(double bytes_out, std::int64_t ranks) const;
  [[nodiscard]] CollectiveTime point_to_point(double bytes, bool between_nodes) const;

  [[nodiscard]] const LinkModel& inside() const { return inside_; }
  [[nodiscard]] const LinkModel& between() const { return between_; }
  [[nodiscard]] std::int64_t devices_per_node() const { return devices_per_node_; }

 private:
  LinkModel inside_, between_;
  std::int64_t devices_per_node_ = 1;
};

}  // namespace tokenyard::perf
