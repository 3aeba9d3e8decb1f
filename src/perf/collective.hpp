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
//   all-to-all           alpha0 + alpha + n / beta                    n: bytes that leave a rank;
//                                                                     a ring takes t-1 hops
//
// The fastest that the wiring allows is taken.  With P ports, over which beta is split, a rank can
// use so much of it, and a reduce-scatter or a gather takes h hops (an all-reduce twice as many):
//
//   all-to-all-switch  beta; h = 1; one-shot or two-shot
//   all-to-all-mesh    (t-1) beta / P, P = 1 for each other device: a small group uses few of the
//                      links; h = 1; one-shot n P / beta, two-shot 2 n P / (t beta)
//   ring, pcie-tree    beta; h = t-1; the ring algorithm; an all-to-all on a ring crosses
//                      t^2 / 4 / (t-1) links on average and has so much less
//   torus              2 beta / P for each axis that the group spans, all axes at once; P = 2 for
//                      each axis; h = the sum of side / 2: pieces go both ways round
//   mesh2d             beta / P for each axis: all pieces of a row cross the link to its last
//                      device, so half of a torus; h = the sum of side - 1
//
// A group fills a grid from the last axis on: 8 ranks on 4 x 4 are 2 x 4.  An axis that it does not
// fill has no wrap and counts as a mesh's.  An all-to-all on a grid is bound by the cut across the
// middle of an axis: in each row of s ranks t/(t-1) n floor(s^2/4)/s bytes cross it one way, over
// two links on a torus and one on a mesh; the axis that takes longest counts.  Two neighbours have
// one port between them: beta / P.
//
// A group that spans nodes runs in levels: reduce-scatter inside the node, exchange between nodes
// over the devices' share of the NICs, gather inside.  An all-to-all sends (t - d) of t - 1 bytes
// over the NICs, d devices being in a node, while the rest stays inside; messages to all
// peers leave at once, so that their latency does not grow with the number of nodes.
//
// Worked example: 8 ranks, 1 MB, beta 360 GB/s effective, alpha 1 us, alpha0 10 us: two-shot
// 10 + 2 + 2 * 7/8 * 1e6/360e9 = 16.9 us (12 us latency, 4.9 us bytes).
// On a mesh of 8 each of the 7 links has 51.4 GB/s: 2 ranks take 1e6/51.4e9 = 19.4 us of bytes,
// where a switch gives them 2.8 us.  On a 4 x 4 torus of the same beta 16 ranks take
// 2 * 15/16 * 1e6/360e9 = 5.2 us and 8 hops; the 4 of one axis 1.5 * 1e6/180e9 = 8.3 us.
// Measured: H100 HGX, 8 ranks, small messages 19-37 us with NCCL, 5-10 us with custom kernels;
// H800, 128 tokens of 7,168 values to 8 experts each: dispatch in fp8 173, 192 and 194 us over 64,
// 128 and 256 ranks, combine in bf16 314, 369 and 360 us (deepseek-ai/DeepEP, README).  Over 8 and 16
// ranks (77 and 118 us, 114 and 195 us) up to half of it comes out here: those kernels send over the
// network even to neighbours.
// Sources: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
// MPICH", IJHPCA 19(1), 2005; Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication:
// theory, practice, and experience", Concurrency and Computation 19(13), 2007 (rings on linear
// arrays, several axes at once); Austin et al., "How to Scale Your Model", Google, 2025 (torus:
// bandwidth both ways, side / 2 hops, wraps on full axes only).  Assumes that a grid's axes share
// the work evenly.  Leaves out contention with other traffic.
#include <cstdint>
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::perf {

struct CollectiveTime {
  double latency_s = 0.0;
  double bytes_s = 0.0;
  double bytes_sent = 0.0;  // per rank
  [[nodiscard]] double total_s() const { return latency_s + bytes_s; }
};

struct LinkModel {
  double bytes_per_s = 0.0;  // effective, one direction, all ports; 0: there is no link
  double hop_s = 0.0;        // alpha
  double base_s = 0.0;       // alpha0
  bool switched = false;     // any pair at full speed at once
};

// What a collective of some ranks finds in the wiring.
struct GroupLink {
  double bytes_per_s = 0.0;  // effective, out of each rank, all its links to others at once
  double exchanged_bytes_per_s = 0.0;  // of an all-to-all, out of each rank
  double hops = 1.0;                   // of a reduce-scatter or a gather
  double hop_s = 0.0;
  double base_s = 0.0;
  bool direct = true;  // every rank reaches every other in one hop
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
  [[nodiscard]] GroupLink group_inside(std::int64_t ranks) const;
  [[nodiscard]] GroupLink group_on_grid(std::int64_t ranks) const;

  LinkModel inside_, between_;
  std::int64_t devices_per_node_ = 1;
  catalog::NodeTopology topology_ = catalog::NodeTopology::none;
  std::vector<std::int64_t> sides_;  // of a mesh2d or torus
  double port_bytes_per_s_ = 0.0;    // effective, to one neighbour
};

}  // namespace tokenyard::perf
