#pragma once
// The meter: where every second of every device went, and every joule, in the measured window.
//
// A run of steps that straddles the end of the warm-up counts with the share of it that lies
// inside. Device seconds by cause of a pool sum to devices * measured seconds (checked to 1e-9);
// the joules of its components to the integral of its power.
//
// Energy of a pool over a window T with busy device-seconds b:
//   device_idle     P_idle devices T           device_active, compute, memory, link: of the runs
//   host            (host_idle T) nodes + host_busy b / devices per node
//   node_overhead   (NICs + overhead) nodes T  psu_loss  (1/eta - 1) of all above
//   Devices that are powered off draw nothing, nor does their share of the node.
//   Each of two engines that work apart on the same devices is half of these in device seconds; the
//   devices are busy and active while one of the two is, or both.  The TDP holds each of the two alone.
//   fabric          switches and optics, shared among pools by nodes
//   facility_overhead  (PUE - 1) of all above
#include <vector>

#include "metrics/run_result.hpp"
#include "perf/step_model.hpp"
#include "power/power_model.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::sim {

// One replica's state on the meter.
struct MeteredReplica {
  std::size_t pool = 0;
  const power::DevicePower* power = nullptr;
  double devices = 1.0;        // of two engines that work apart each has half of them ...
  double whole_devices = 1.0;  // ... which do its work
  std::size_t shared = 0;      // number of these devices, from 1; 0: they are its own
  double idle_since_s = 0.0;
  Cause idle_cause = Cause::arrival_idle;
  bool busy = false;
  bool off = false;
  double dynamic_w = 0.0;  // above idle, of all its devices, in its run under way
};

class Meter {
 public:
  Meter(const scenario::Plan& plan, double warmup_s);

  // The two engines of devices that work apart are one replica of the pool.
  std::size_t add_replica(std::size_t pool, const power::DevicePower& power, std::int64_t devices,
                          scenario::EngineSide side);
  // They are two engines of the same devices.
  void share_devices(std::size_t one, std::size_t other);
  // Its devices run another model from now on.  It is idle.
  void set_power(std::size_t replica, const power::DevicePower& power) {
    replicas_[replica].power = &power;
  }
  // A run of `replica` ended; the part of it before the warm-up's end is left out.  decode_s: of
  // its time, what its decoding sequences alone would have taken.
  void on_run(std::size_t replica, double start_s, double end_s, const perf::StepCost& cost,
              double decode_s);
  // A run begins that will cost `cost` and last `duration_s`.
  void on_begin(std::size_t replica, double now_s, const perf::StepCost& cost, double duration_s);
  // It runs nothing from now on, and why; if it did not before, for another reason than before.
  void on_idle(std::size_t replica, double now_s, Cause cause);
  // Memory outside the devices was read or written, in the measured window.
  void on_memory(std::size_t pool, double joules) { states_[pool].joules.memory += joules; }
  // The simulation is over at end_s; idle replicas are accounted up to it.
  void finish(double end_s, double fabric_power_w);

  // IT power of a pool's nodes now (fabric excluded), each replica at the mean of its run under way.
  [[nodiscard]] double pool_power_w(std::size_t pool) const;
  [[nodiscard]] std::vector<metrics::PoolResult> take_pools() { return std::move(pools_); }
  [[nodiscard]] double it_energy_j() const { return it_energy_j_; }
  [[nodiscard]] double facility_energy_j() const { return facility_energy_j_; }
  [[nodiscard]] double it_power_peak_w() const { return peak_w_; }
  // Share of [start, end] that lies in the measured window.
  [[nodiscard]] double share_measured(double start_s, double end_s) const;

 private:
  struct PoolState {
    power::NodePower node;
    double devices_per_node = 1.0;
    double idle_w = 0.0;  // of all devices
    double base_w = 0.0;  // what never changes: idle devices, hosts, NICs, overhead; before the PSU
    double dynamic_w = 0.0;  // devices above idle
    double busy_devices = 0.0;
    double busy_device_s = 0.0;
    double off_w = 0.0;       // before the PSU, of devices that are off and their share of the node
    double off_idle_j = 0.0;  // not drawn by devices that were off
    double off_device_s = 0.0;
    power::ActivityJoules joules;
  };

  // Devices of two engines that work apart.
  struct Shared {
    std::int64_t busy = 0;  // engines
    double since_s = 0.0;
  };

  static power::ActivityJoules joules_of(const MeteredReplica& replica, const perf::StepCost& cost,
                                         double duration_s);
  void become_busy(MeteredReplica& replica, double now_s);
  void become_idle(MeteredReplica& replica, double now_s);
  void account_shared(const MeteredReplica& replica, const Shared& shared, double now_s);
  void account_idle(MeteredReplica& replica, double now_s);
  void set_off(MeteredReplica& replica, bool off);
  void note_peak(std::size_t pool);

  const scenario::Plan* plan_;
  double warmup_s_;
  std::vector<MeteredReplica> replicas_;
  std::vector<Shared> shared_;
  std::vector<PoolState> states_;
  std::vector<metrics::PoolResult> pools_;
  double fleet_w_ = 0.0;  // running sum of pool powers
  double peak_w_ = 0.0;
  double it_energy_j_ = 0.0, facility_energy_j_ = 0.0;
  double now_s_ = 0.0;
};

}  // namespace tokenyard::sim
