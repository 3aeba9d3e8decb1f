#pragma once
// Power of a device and of its node from what they do.
//
//   P_device = P_idle + [a step runs] P_active + e_flop FLOP/s + e_byte B/s + e_link B/s,
//              at most TDP
//   P_node   = (sum P_device + P_host + P_nic + P_overhead) / psu_efficiency
//   P_host   = P_idle + (P_max - P_idle) * share of the devices that are busy
//
// Energy over a run of steps is exact, since every term is a count of work times an energy each.  A
// run that would draw more than the TDP on average is held at the TDP: its compute, memory and link
// joules are scaled down together.  (A real device lowers its clock instead and takes longer;
// memory-bound decode, far below its TDP, is not affected.)
//
// Worked example, H100: 1 s at 70 % of 989 TFLOP/s bf16, 0.70 pJ/FLOP: 70 + 40 + 485 = 595 W.
//
// Sources: per-operation energies of the catalog's devices; Jouppi et al., "Ten Lessons From Three
// Generations Shaped Google's TPUv4i", ISCA 2021, table 2 for the ratios.  Leaves out the
// dependence of idle power on temperature and the voltage regulators' own loss.
#include <array>

#include "catalog/node.hpp"
#include "perf/placement.hpp"
#include "perf/step_cost.hpp"

namespace tokenyard::power {

// Joules above idle of one device.
struct ActivityJoules {
  double active = 0.0;
  double compute = 0.0;
  double memory = 0.0;
  double link = 0.0;
  [[nodiscard]] double total() const { return active + compute + memory + link; }
};

// What the model needs to know of how a device is used.
struct DeviceUse {
  std::string linear_math;     // number format of matrix products with weights
  std::string expert_math;     // ... with the weights of routed experts
  std::string attention_math;  // ... of attention
  std::string link;            // name of the link that collectives use
};

class DevicePower {
 public:
  DevicePower(const catalog::Device& device, const DeviceUse& use,
              const perf::Placement& placement);

  // Of a run of steps that costs `cost` and lasts `duration_s` (> 0).
  [[nodiscard]] ActivityJoules activity(const perf::StepCost& cost, double duration_s) const;
  [[nodiscard]] double idle_w() const { return idle_w_; }
  [[nodiscard]] double active_w() const { return active_w_; }
  [[nodiscard]] double tdp_w() const { return tdp_w_; }

 private:
  double idle_w_, tdp_w_, active_w_;
  double linear_j_ = 0.0, expert_j_ = 0.0, attention_j_ = 0.0;  // per FLOP
  double weight_j_ = 0.0, kv_j_ = 0.0, link_j_ = 0.0;           // per byte
};

struct NodePower {
  double host_idle_w = 0.0;
  double host_busy_w = 0.0;  // added when all devices are busy
  double nic_w = 0.0;
  double overhead_w = 0.0;
  double psu_efficiency = 1.0;
};
NodePower node_power(const catalog::NodeSpec& node);

}  // namespace tokenyard::power
