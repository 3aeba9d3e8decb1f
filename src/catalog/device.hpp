#pragma once
// A device: what computes and holds memory, one file each in hardware_catalog/devices/.
//
// Every quantity is per device; bandwidths of links are per direction.  Peaks are dense (no
// structured sparsity).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "input/fields.hpp"

namespace tokenyard::catalog {

using input::Sourced;

enum class DeviceKind { gpu, cpu, mpu, asic, apu };
constexpr auto enum_names(DeviceKind) {
  return std::array<std::string_view, 5>{"gpu", "cpu", "mpu", "asic", "apu"};
}
enum class DeviceStatus { shipping, announced, projected };
constexpr auto enum_names(DeviceStatus) {
  return std::array<std::string_view, 3>{"shipping", "announced", "projected"};
}
// How the times of memory tiers that are read in one step combine: independent channels work at the
// same time (the slowest counts), tiers behind one another add up.
enum class TierOverlap { max, sum };
constexpr auto enum_names(TierOverlap) {
  return std::array<std::string_view, 2>{"max", "sum"};
}

// What share of a peak well-tuned kernels reach.
struct Efficiency {
  Sourced<double> prefill{0.55};            // of peak FLOP/s, large matrix products (MFU ceiling)
  Sourced<double> decode{0.80};             // of memory bandwidth, reading weights (MBU ceiling)
  Sourced<double> attention_prefill{0.45};  // of peak FLOP/s, attention over a long prompt
  Sourced<double> attention_decode{0.70};   // of memory bandwidth, reading the KV cache
};

struct Engine {
  std::string name;
  std::map<std::string, Sourced<FlopsPerSecond>>
      peak;  // by number format: bf16, fp8, int8, fp4 ...
  Efficiency efficiency;
  Sourced<Seconds> launch_overhead{microseconds(4)};  // exposed, per kernel
  Sourced<double> sms_for_comm{0.0};                  // share of compute given up to communication
  // Exponent P of the smooth roofline (t_memory^P + t_compute^P)^(1/P); physics: 3.3 fits H100.
  Sourced<double> roofline_exponent{3.3};
  // Activation bytes moved per token, layer and hidden unit by unfused element-wise kernels,
  // counted in activations: bytes = factor * tokens * hidden * activation bytes.
  Sourced<double> activation_traffic{12.0};
};

enum class Holds { weights, kv };
constexpr auto enum_names(Holds) {
  return std::array<std::string_view, 2>{"weights", "kv"};
}

struct MemoryTier {
  std::string tier;
  Sourced<Bytes> capacity;
  Sourced<BytesPerSecond> bandwidth;
  Sourced<double> ingress_efficiency{1.0};
  bool compute_in_place = false;
  std::optional<Sourced<JoulesPerByte>> energy;
  std::vector<Holds> holds;

  [[nodiscard]] bool can_hold(Holds what) const;
};

struct Link {
  std::string name;
  Sourced<BytesPerSecond> bandwidth;                      // one direction
  Sourced<Seconds> latency{microseconds(1)};              // per hop of a collective
  Sourced<Seconds> collective_latency{microseconds(10)};  // once per collective: launch, sync
  Sourced<double> efficiency{0.80};                       // of bandwidth, large messages
  std::optional<Sourced<JoulesPerByte>> energy;
};

struct DevicePower {
  Sourced<Watts> idle;
  Sourced<Watts> tdp;
  Sourced<Watts> active{watts(0)};  // added whenever a step runs: clocks up, schedulers awake
  std::map<std::string, Sourced<JoulesPerFlop>> energy_per_flop;
};

struct Device {
  std::string name;
  DeviceKind kind = DeviceKind::gpu;
  std::string vendor;
  DeviceStatus status = DeviceStatus::shipping;
  std::string description;
  std::string source;
  input::Confidence confidence = input::Confidence::vendor;
  std::vector<Engine> engines;
  std::vector<MemoryTier> memory;  // fastest first
  TierOverlap tier_overlap = TierOverlap::max;
  std::vector<Link> links;
  DevicePower power;
  std::optional<std::string> hardwired_model;
  std::optional<Sourced<Usd>> price;  // absent: unknown, or sold only as part of a node
  Sourced<Seconds> lifetime{years(5)};
  Sourced<double> annual_failure_rate{0.05};

  [[nodiscard]] const Link* find_link(std::string_view link_name) const;
};

void describe(input::Fields& f, Efficiency& e);
void describe(input::Fields& f, Engine& e);
void describe(input::Fields& f, MemoryTier& t);
void describe(input::Fields& f, Link& l);
void describe(input::Fields& f, DevicePower& p);
void describe(input::Fields& f, Device& d);

}  // namespace tokenyard::catalog
