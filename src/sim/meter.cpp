#include "sim/meter.hpp"

#include <algorithm>

namespace tokenyard::sim {

using metrics::EnergyComponent;

Meter::Meter(const scenario::Plan& plan, double warmup_s) : plan_(&plan), warmup_s_(warmup_s) {
  for (const scenario::PoolPlan& pool : plan.pools) {
    PoolState state;
    state.node = power::node_power(pool.node);
    state.devices_per_node = static_cast<double>(pool.node.device_count());
    const auto nodes = static_cast<double>(pool.count);
    for (std::size_t i = 0; i < pool.devices.size(); ++i) {
      state.idle_w += nodes * static_cast<double>(pool.node.devices[i].count) *
                      pool.devices[i].power.idle.value.base();
    }
    state.base_w =
        state.idle_w + nodes * (state.node.host_idle_w + state.node.nic_w + state.node.overhead_w);
    states_.push_back(state);
    metrics::PoolResult result;
    result.name = pool.name;
    result.nodes = pool.count;
    result.devices = pool.device_count();
    result.it_power_peak_w = pool_power_w(states_.size() - 1);
    fleet_w_ += result.it_power_peak_w;
    pools_.push_back(result);
  }
  peak_w_ = fleet_w_;
}

std::size_t Meter::add_replica(std::size_t pool, const power::DevicePower& power,
                               std::int64_t devices, scenario::EngineSide side) {
  MeteredReplica& replica = replicas_.emplace_back();
  replica.pool = pool;
  replica.power = &power;
  replica.whole_devices = static_cast<double>(devices);
  const double share = side == scenario::EngineSide::both ? 1.0 : 0.5;
  replica.devices = share * replica.whole_devices;
  if (side == scenario::EngineSide::decoding) return replicas_.size() - 1;
  ++pools_[pool].replicas;
  pools_[pool].devices_used += devices;
  return replicas_.size() - 1;
}

void Meter::share_devices(std::size_t one, std::size_t other) {
  shared_.emplace_back();
  replicas_[one].shared = replicas_[other].shared = shared_.size();
}

// Above idle, of all its devices; those that it shares are active beside.
power::ActivityJoules Meter::joules_of(const MeteredReplica& replica, const perf::StepCost& cost,
                                       double duration_s) {
  power::ActivityJoules joules = replica.power->activity(cost, duration_s);
  joules.active *= replica.shared > 0 ? 0.0 : replica.devices;
  joules.compute *= replica.whole_devices;
  joules.memory *= replica.whole_devices;
  joules.link *= replica.whole_devices;
  return joules;
}

double Meter::share_measured(double start_s, double end_s) const {
  if (start_s >= warmup_s_) return 1.0;
  return end_s <= warmup_s_ ? 0.0 : (end_s - warmup_s_) / (end_s - start_s);
}

double Meter::pool_power_w(std::size_t pool) const {
  const PoolState& s = states_[pool];
  const double host_busy = s.node.host_busy_w * s.busy_devices / s.devices_per_node;
  return (s.base_w - s.off_w + s.dynamic_w + host_busy) / s.node.psu_efficiency;
}

void Meter::set_off(MeteredReplica& replica, bool off) {
  if (replica.off == off) return;
  replica.off = off;
  PoolState& s = states_[replica.pool];
  const double of_node_w = s.node.host_idle_w + s.node.nic_w + s.node.overhead_w;
  const double w = replica.devices * (replica.power->idle_w() + of_node_w / s.devices_per_node);
  fleet_w_ -= pool_power_w(replica.pool);
  s.off_w += off ? w : -w;
  fleet_w_ += pool_power_w(replica.pool);
}

void Meter::note_peak(std::size_t pool) {
  if (now_s_ < warmup_s_) return;
  peak_w_ = std::max(peak_w_, fleet_w_);
  pools_[pool].it_power_peak_w = std::max(pools_[pool].it_power_peak_w, pool_power_w(pool));
}

void Meter::on_begin(std::size_t index, double now_s, const perf::StepCost& cost,
                     double duration_s) {
  MeteredReplica& replica = replicas_[index];
  now_s_ = now_s;
  PoolState& state = states_[replica.pool];
  fleet_w_ -= pool_power_w(replica.pool);
  if (!replica.busy) {
    account_idle(replica, now_s);
    set_off(replica, false);
    become_busy(replica, now_s);
  }
  const double dynamic_w =
      duration_s > 0.0 ? joules_of(replica, cost, duration_s).total() / duration_s : 0.0;
  state.dynamic_w += dynamic_w - replica.dynamic_w;
  replica.dynamic_w = dynamic_w;
  fleet_w_ += pool_power_w(replica.pool);
  note_peak(replica.pool);
}

void Meter::become_busy(MeteredReplica& replica, double now_s) {
  replica.busy = true;
  PoolState& state = states_[replica.pool];
  if (replica.shared == 0) {
    state.busy_devices += replica.devices;
    return;
  }
  Shared& shared = shared_[replica.shared - 1];
  if (shared.busy++ > 0) return;
  shared.since_s = now_s;
  state.busy_devices += replica.whole_devices;
  state.dynamic_w += replica.whole_devices * replica.power->active_w();
}

void Meter::become_idle(MeteredReplica& replica, double now_s) {
  replica.busy = false;
  PoolState& state = states_[replica.pool];
  if (replica.shared == 0) {
    state.busy_devices -= replica.devices;
    return;
  }
  Shared& shared = shared_[replica.shared - 1];
  if (--shared.busy > 0) return;
  account_shared(replica, shared, now_s);
  state.busy_devices -= replica.whole_devices;
  state.dynamic_w -= replica.whole_devices * replica.power->active_w();
}

// One of the two engines has worked, or both.
void Meter::account_shared(const MeteredReplica& replica, const Shared& shared, double now_s) {
  const double span_s = now_s - shared.since_s;
  if (span_s <= 0.0) return;
  const double device_s = replica.whole_devices * span_s * share_measured(shared.since_s, now_s);
  PoolState& state = states_[replica.pool];
  state.busy_device_s += device_s;
  state.joules.active += device_s * replica.power->active_w();
}

void Meter::on_idle(std::size_t index, double now_s, Cause cause) {
  MeteredReplica& replica = replicas_[index];
  now_s_ = now_s;
  if (!replica.busy) {
    account_idle(replica, now_s);
    set_off(replica, cause == Cause::powered_off);
    replica.idle_since_s = now_s;
    replica.idle_cause = cause;
    return;
  }
  PoolState& state = states_[replica.pool];
  fleet_w_ -= pool_power_w(replica.pool);
  state.dynamic_w -= replica.dynamic_w;
  become_idle(replica, now_s);
  fleet_w_ += pool_power_w(replica.pool);
  replica.dynamic_w = 0.0;
  set_off(replica, cause == Cause::powered_off);
  replica.idle_since_s = now_s;
  replica.idle_cause = cause;
}

void Meter::on_run(std::size_t index, double start_s, double end_s, const perf::StepCost& cost,
                   double decode_s) {
  MeteredReplica& replica = replicas_[index];
  now_s_ = end_s;
  const double duration_s = end_s - start_s;
  if (duration_s <= 0.0) return;
  PoolState& state = states_[replica.pool];
  const power::ActivityJoules joules = joules_of(replica, cost, duration_s);
  const double measured = share_measured(start_s, end_s);
  const double share = measured * replica.devices;
  if (share <= 0.0) return;
  auto& seconds = pools_[replica.pool].device_seconds;
  for (std::size_t c = 0; c < kStepCauses; ++c) seconds[c] += share * cost.seconds[c];
  if (replica.shared == 0) state.busy_device_s += share * duration_s;
  const double decode_part_s = std::min(decode_s, duration_s);
  pools_[replica.pool].decode_device_s += share * decode_part_s;
  pools_[replica.pool].prefill_device_s += share * (duration_s - decode_part_s);
  state.joules.active += measured * joules.active;
  state.joules.compute += measured * joules.compute;
  state.joules.memory += measured * joules.memory;
  state.joules.link += measured * joules.link;
}

void Meter::account_idle(MeteredReplica& replica, double now_s) {
  const double span_s = now_s - replica.idle_since_s;
  if (span_s <= 0.0) return;
  const double device_s = replica.devices * span_s * share_measured(replica.idle_since_s, now_s);
  pools_[replica.pool].device_seconds[static_cast<std::size_t>(replica.idle_cause)] += device_s;
  if (replica.idle_cause != Cause::powered_off) return;
  states_[replica.pool].off_device_s += device_s;
  states_[replica.pool].off_idle_j += replica.power->idle_w() * device_s;
}

void Meter::finish(double end_s, double fabric_power_w) {
  const double measured_s = std::max(0.0, end_s - warmup_s_);
  const auto all_nodes = static_cast<double>(plan_->node_count());
  for (MeteredReplica& replica : replicas_) {
    if (!replica.busy) {
      account_idle(replica, end_s);
    } else if (replica.shared > 0) {
      become_idle(replica, end_s);
    }
  }
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    metrics::PoolResult& pool = pools_[i];
    const PoolState& state = states_[i];
    const auto nodes = static_cast<double>(pool.nodes);
    // Devices that no replica uses wait for a decision, not for work.
    pool.device_seconds[static_cast<std::size_t>(Cause::policy_wait)] +=
        static_cast<double>(pool.devices - pool.devices_used) * measured_s;
    auto joules = [&](EnergyComponent c) -> double& {
      return pool.joules[static_cast<std::size_t>(c)];
    };
    const double on_nodes_s = nodes * measured_s - state.off_device_s / state.devices_per_node;
    joules(EnergyComponent::device_idle) = state.idle_w * measured_s - state.off_idle_j;
    joules(EnergyComponent::device_active) = state.joules.active;
    joules(EnergyComponent::compute) = state.joules.compute;
    joules(EnergyComponent::memory) = state.joules.memory;
    joules(EnergyComponent::link) = state.joules.link;
    joules(EnergyComponent::host) =
        on_nodes_s * state.node.host_idle_w +
        state.node.host_busy_w * state.busy_device_s / state.devices_per_node;
    joules(EnergyComponent::node_overhead) =
        on_nodes_s * (state.node.nic_w + state.node.overhead_w);
    double at_node = 0.0;
    for (const double j : pool.joules) at_node += j;
    joules(EnergyComponent::psu_loss) = at_node * (1.0 / state.node.psu_efficiency - 1.0);
    joules(EnergyComponent::fabric) = fabric_power_w * measured_s * nodes / all_nodes;
    double it = 0.0;
    for (const double j : pool.joules) it += j;
    // Peaks are noted as runs begin, at each run's mean power: never below the mean over all time.
    if (measured_s > 0.0) {
      const double mean_w = (it - joules(EnergyComponent::fabric)) / measured_s;
      pool.it_power_peak_w = std::max(pool.it_power_peak_w, mean_w);
    }
    joules(EnergyComponent::facility_overhead) = it * (plan_->site.pue.value - 1.0);
    it_energy_j_ += it;
    facility_energy_j_ += it * plan_->site.pue.value;
  }
  peak_w_ += fabric_power_w;
  if (measured_s > 0.0) peak_w_ = std::max(peak_w_, it_energy_j_ / measured_s);
}

}  // namespace tokenyard::sim
