#pragma once
// One model on every machine of the catalog: how tightly each couples memory to arithmetic, and
// what that buys.
//
// What a machine is: of the smallest automatic parallelism that holds the weights and the KV cache
// of one sequence of `context` tokens,
//
//   bytes per FLOP     bandwidth at which the weights are read / dense peak of their number format
//   USD per bandwidth  a device's share of the price of its node / that bandwidth
//   USD per capacity   the same share / capacity of the tiers that may hold weights or KV
//
// The share is that of everything in the node, host and NICs included: the node's own price, or the
// sum of its parts where it is not sold as a system.
//
// What it does: of every split of the model that is tried,
//
//   one                a decode step of one sequence: tokens/s = 1 / step; the fastest split among
//                      those over the fewest nodes
//   best               the batch B of the largest B / step, among those whose KV cache fits with
//                      `context` tokens each, of at most max_batch, with steps of at most tpot; the
//                      split with the most of it per device
//   J per token        devices * (idle power * step + joules of the step's work) / B
//
// Splits that are tried: that smallest one; each power of two that divides the attention heads, and
// all devices of the node, as tensor parallelism; and for models with experts the same numbers of
// devices with attention on whole sequences and the experts dealt out among them.  Each in as few
// pipeline stages as hold the model.
//
// Every batch up to 512 is tried, larger ones in steps of 1/512 of themselves: throughput need not
// rise with the batch everywhere (one fills the stages of a pipeline unevenly, or reads more
// experts).  Machines whose steps a compiler schedules are compiled for each batch that is tried.
//
// Worked example, toy device (100 TFLOP/s, 1 TB/s, 16 GB, no overheads) alone in a node of 1,110
// USD, 8 GB of weights: 0.01 B/FLOP, 1.11 USD per GB/s, 69.4 USD per GB, 1 / 8 ms = 125 tokens/s at
// batch 1.
//
// Assumes sequences of equal length, decoding only: prompts, which the same devices compute, cost
// throughput on top, and their chunks room.  That room is small here, 512 tokens of activations or
// two for each sequence: it is a choice of the scheduler, and large chunks are not for machines of
// little memory.  The energy is that of the devices alone, without hosts, cooling and losses of
// power supplies.  A device with several engines decodes on its first.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/cause.hpp"
#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "scenario/scenario_file.hpp"

namespace tokenyard::study {

using BytesPerFlop = Quantity<kData / kFlop>;
using UsdPerByte = Quantity<kMoney / kData>;
using UsdPerBytePerSecond = Quantity<kMoney * kTime / kData>;

// What a scenario allows as well.
inline constexpr std::int64_t kMostSequences = 65'536;
inline constexpr std::int64_t kMostStepTokens = 10'000'000;

struct CompareSpec {
  std::string model;
  std::vector<std::string> nodes;       // each once; empty: all of the catalog
  std::optional<std::int64_t> context;  // tokens; absent: 8,192 or the model's longest, if shorter
  std::string weights = "auto";         // number formats; auto: the device's usual ones
  std::string kv = "auto";
  std::optional<Seconds> tpot;  // longest step of the best batch
  std::int64_t max_batch = 256;
  std::optional<std::int64_t> max_batch_tokens;  // in a step; absent: 512, or two for each sequence
  std::string fabric;  // between nodes; empty: that of scenarios that name none
  scenario::HostOverhead host;
};

// How a replica is spread over devices.
struct Split {
  std::int64_t devices = 0;  // of the replica; 0: none holds the model
  std::int64_t tensor = 1;   // devices that share each layer
  std::int64_t expert = 1;   // ... that share the experts, with attention on whole sequences
  std::int64_t pipeline = 1;
};
// "8x2": tensor by pipeline; "EP8", "EP8x2" where experts are dealt out.
std::string text_of(const Split& split);

// A decode step of a replica.
struct OperatingPoint {
  Split split;
  std::int64_t batch = 0;
  Seconds step;
  double tokens_per_s = 0.0;        // of the replica
  double joules_per_token = 0.0;    // all its devices, idle power included
  Cause bound_by = Cause::compute;  // the largest part of the step
};

struct MachineRow {
  std::string node;
  std::string device;
  std::string weights, kv;  // number formats
  std::string tier;         // that holds the weights; most of them, where several do
  catalog::DeviceStatus status = catalog::DeviceStatus::shipping;
  Split fewest;  // devices that hold the model
  std::optional<BytesPerFlop> bytes_per_flop;
  std::optional<UsdPerBytePerSecond> price_per_bandwidth;
  std::optional<UsdPerByte> price_per_capacity;
  std::optional<JoulesPerByte> weight_energy;
  std::optional<OperatingPoint> one, best;
  std::int64_t unknown = 0, marked = 0;  // numbers nobody has published; that pass a physical bound
  std::string cannot;                    // why there is no best batch, with the arithmetic

  [[nodiscard]] double tokens_per_s_per_device() const {
    return best ? best->tokens_per_s / static_cast<double>(best->split.devices) : 0.0;
  }
  // Its numbers are of a machine that there is, and published.
  [[nodiscard]] bool is_known() const {
    return status == catalog::DeviceStatus::shipping && unknown == 0;
  }
};

// The context that the comparison is made with.  Throws InputError for an unknown model, or a
// context beyond what it attends to.
std::int64_t context_of(catalog::Catalog& catalog, const CompareSpec& spec);

// Sorted by tokens/s of a device at the best batch, largest first, in three blocks: machines that
// are known; those announced or projected, or with numbers that nobody has published; by name those
// that cannot.  Throws InputError for names that the catalog does not have, and for entries with
// errors.
std::vector<MachineRow> compare_machines(catalog::Catalog& catalog, const CompareSpec& spec);

}  // namespace tokenyard::study
