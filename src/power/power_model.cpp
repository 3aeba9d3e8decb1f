#include "power/power_model.hpp"

#include <algorithm>

namespace tokenyard::power {
namespace {

// Energy per FLOP of a format; a format without its own figure takes that of the widest one given,
// which never flatters.
double flop_energy(const catalog::DevicePower& power, const std::string& format) {
  const auto found = power.energy_per_flop.find(format);
  if (found != power.energy_per_flop.end()) return found->second.value.base();
  double largest = 0.0;
  for (const auto& [name, energy] : power.energy_per_flop)
    largest = std::max(largest, energy.value.base());
  return largest;
}

}  // namespace

DevicePower::DevicePower(const catalog::Device& device, const DeviceUse& use,
                         const perf::Placement& placement)
    : idle_w_(device.power.idle.value.base()),
      tdp_w_(device.power.tdp.value.base()),
      active_w_(device.power.active.value.base()),
      linear_j_(flop_energy(device.power, use.linear_math)),
      expert_j_(flop_energy(device.power, use.expert_math)),
      attention_j_(flop_energy(device.power, use.attention_math)),
      weight_j_(placement.weight_joules_per_byte),
      kv_j_(placement.kv_joules_per_byte) {
  const catalog::Link* link = device.find_link(use.link);
  if (link != nullptr && link->energy) link_j_ = link->energy->value.base();
}

ActivityJoules DevicePower::activity(const perf::StepCost& cost, double duration_s) const {
  using perf::Work;
  ActivityJoules joules;
  joules.active = active_w_ * duration_s;
  joules.compute = linear_j_ * cost[Work::flops_linear] + expert_j_ * cost[Work::flops_experts] +
                   attention_j_ * cost[Work::flops_attention];
  joules.memory = weight_j_ * cost[Work::bytes_weights] +
                  kv_j_ * (cost[Work::bytes_kv] + cost[Work::bytes_activations]);
  joules.link = link_j_ * cost[Work::bytes_link];
  const double room = std::max(0.0, tdp_w_ - idle_w_ - active_w_) * duration_s;
  const double dynamic = joules.compute + joules.memory + joules.link;
  if (dynamic > room) {
    const double scale = room / dynamic;
    joules.compute *= scale;
    joules.memory *= scale;
    joules.link *= scale;
  }
  return joules;
}

NodePower node_power(const catalog::NodeSpec& node) {
  NodePower p;
  p.host_idle_w = node.host.power_idle.value.base();
  p.host_busy_w = std::max(0.0, node.host.power_max.value.base() - p.host_idle_w);
  for (const catalog::Nic& nic : node.nics)
    p.nic_w += nic.power.value.base() * static_cast<double>(nic.count);
  p.overhead_w = node.overhead_power.value.base();
  p.psu_efficiency = node.psu_efficiency.value;
  return p;
}

}  // namespace tokenyard::power
