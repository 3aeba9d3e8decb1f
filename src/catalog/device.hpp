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
  // As `prefill` in the formats named here: narrow ones scale and convert on the way.
  std::map<std::string, Sourced<double>> prefill_by_format = {};
  // Of what dense products reach, in products of routed experts: each has few tokens, and they are
  // gathered and scattered.
  Sourced<double> experts{1.0};
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
  // Time that a layer takes however little it computes: pipelines fill, tiles hand over.  The part
  // that the layer's work does not account for counts as launch.
  Sourced<Seconds> layer_latency{seconds(0)};
  // The same in steps with prompts, where the host launches kernel by kernel what decoding replays
  // from a recorded graph.
  Sourced<Seconds> prompt_layer_latency{seconds(0)};
  // Exposed once per step, before the engine starts: command queues, drivers.
  Sourced<Seconds> dispatch_overhead{seconds(0)};
  // Goes from step to step by itself, sampling included: the host's work between steps is hidden.
  bool autonomous = false;
  // Side of a weight-stationary systolic array; matrix dimensions are rounded up to multiples of
  // it.  0: no such array.
  std::int64_t systolic_tile = 0;
  // Tokens that products of routed experts compute at least, of each expert that has any.
  Sourced<double> expert_tile{1.0};
  // Activation bytes moved per token, layer and hidden unit by unfused element-wise kernels,
  // counted in activations: bytes = factor * tokens * hidden * activation bytes.
  Sourced<double> activation_traffic{12.0};
};

// models: weights of models that are not being served; serving one of them moves them up.
enum class Holds { weights, kv, models };
constexpr auto enum_names(Holds) {
  return std::array<std::string_view, 3>{"weights", "kv", "models"};
}

struct MemoryTier {
  std::string tier;
  Sourced<Bytes> capacity;
  Sourced<BytesPerSecond> bandwidth;
  Sourced<double> ingress_efficiency{1.0};
  bool compute_in_place = false;
  std::optional<Sourced<JoulesPerByte>> energy;
  std::optional<std::int64_t> stacks;  // of stacked memory, for the bound on its bandwidth
  std::vector<Holds> holds;

  [[nodiscard]] bool can_hold(Holds what) const;
};

struct Link {
  std::string name;
  Sourced<BytesPerSecond> bandwidth;                      // one direction, all ports together
  std::int64_t ports = 1;                                 // to different neighbours
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

// Number formats that `auto` stands for in a deployment: those that the device is usually run in.
struct UsualFormats {
  std::string weights = "bf16";
  std::string kv = "bf16";
  std::string activations = "bf16";
};

// What a model beyond the hard-wired one costs: new silicon.
struct Respin {
  Sourced<Seconds> lead_time;
  Sourced<Usd> cost;  // masks and engineering of one model, however many devices are made of it
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
  UsualFormats usual_formats;
  // Steps are scheduled by a compiler: every step takes the time of a full batch, and a batch is
  // finished before the next one starts.
  bool static_schedule = false;
  std::vector<Link> links;
  DevicePower power;
  std::optional<std::string> hardwired_model;
  std::optional<Respin> respin;
  std::optional<Sourced<double>> die_area_mm2;  // of all its compute dies, for the bound on SRAM
  std::optional<Sourced<Usd>> price;            // absent: unknown, or sold only as part of a node
  Sourced<Seconds> lifetime{years(5)};
  Sourced<double> annual_failure_rate{0.05};

  [[nodiscard]] const Link* find_link(std::string_view link_name) const;
};

void describe(input::Fields& f, Efficiency& e);
void describe(input::Fields& f, Engine& e);
void describe(input::Fields& f, MemoryTier& t);
void describe(input::Fields& f, Link& l);
void describe(input::Fields& f, DevicePower& p);
void describe(input::Fields& f, UsualFormats& u);
void describe(input::Fields& f, Respin& r);
void describe(input::Fields& f, Device& d);

}  // namespace tokenyard::catalog
