#pragma once
// What fails when, and for how long.
//
// Devices, nodes, cables and switches fail independently of each other, each as a Poisson process of its
// own rate; all together are one Poisson process of the sum of the rates, whose events pick their
// component in proportion to its rate.  Failures at stated times and maintenance come with them.
//
//   a device       takes the replica down that it serves, both where two work apart on its engines, or one
//                  of its redundant ranks (simulation_ranks.cpp)
//   a node         all replicas that have devices in it
//   a cable        the nodes that reach the others over it alone; parallel ones never do
//   a switch       the nodes that reach the others through it alone
//
// Rates are those of the catalog (annual_failure_rate of devices, nodes, switches and cables), unless the
// scenario says others; rate_scale multiplies all of them, so that an hour shows what a year would.
//
// Worked example: 1,000 devices at 9 % a year are 90 failures a year, one in 4.1 days; with rate_scale
// 100 one in 58 minutes.
//
// Leaves out: failures that come together, wear, slow devices, and what a failed cable takes from the
// bandwidth of those that still have another way.
// Sources: Llama 3 report (arXiv 2407.21783), section 3.3.4: 419 interruptions of 16,384 GPUs in 54 days;
// sums of Poisson processes: any textbook.
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "scenario/plan.hpp"
#include "sim/handoff.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::sim {

// Where a replica stands, and what it consists of.
struct Standing {
  Place place;
  std::int64_t devices = 1;
  double failures_per_year = 0.0;  // of one device
  bool beside = false;             // on the devices of another one, with which it fails
};

struct Fault {
  double at_s = 0.0;
  double duration_s = 0.0;
  bool drains = false;                // maintenance: what is there is finished first
  bool of_device = false;             // one, of the replica that is hit
  std::vector<std::size_t> replicas;  // that are hit
  std::vector<std::int64_t> nodes;    // whose memory is lost
};

class FaultSchedule {
 public:
  // fleet: null where neither cables nor switches fail.
  FaultSchedule(const scenario::Plan& plan, std::vector<Standing> standings,
                const topology::FleetGraph* fleet);

  // In order of time; absent when nothing will ever fail any more.
  std::optional<Fault> next();

 private:
  enum class Kind { device, node, link, network_switch };
  struct Component {
    Kind kind;
    std::size_t number;      // of the replica, node, edge or vertex
    double rates_sum_per_s;  // of it and all before it
  };

  void add(Kind kind, std::size_t number, double per_year);
  void add_stated(const scenario::Plan& plan);
  [[nodiscard]] std::vector<std::size_t> replicas_on(const std::vector<std::int64_t>& nodes) const;
  [[nodiscard]] std::vector<std::int64_t> cut_off(const Component& component) const;
  [[nodiscard]] const scenario::FailureSpec& spec_of(Kind kind) const;

  const scenario::FaultsSpec* spec_;
  std::vector<Standing> standings_;
  const topology::FleetGraph* fleet_;
  RandomStream random_;
  std::vector<Component> components_;
  double drawn_s_;             // of the next random failure
  std::vector<Fault> stated_;  // the last first
};

}  // namespace tokenyard::sim
