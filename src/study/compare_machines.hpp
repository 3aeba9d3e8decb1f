#pragma once
// One model on every machine of the catalog: how tightly each couples memory to arithmetic, and
// what that buys.
//
// For each node the smallest automatic parallelism that holds the weights and the KV cache of one
// sequence of `context` tokens; then, for that replica,
//
//   bytes per FLOP     bandwidth at which the weights are read / dense peak of their number format
//   USD per bandwidth  price of a device, or its share of the node's, / that bandwidth
//   USD per capacity   the same price / capacity of the tiers that may hold weights or KV
//   one                a decode step of one sequence: tokens/s = 1 / step
//   best               the batch B of the largest B / step, among those whose KV cache fits with
//                      `context` tokens each, of at most max_batch, with steps of at most tpot
//   J per token        devices * (idle power * step + joules of the step's work) / B
//
// Every batch up to 512 is tried, larger ones in steps of 1/512 of themselves: throughput need not
// rise with the batch everywhere (one fills the stages of a pipeline unevenly, or reads more experts).
// Machines whose steps a compiler schedules are compiled for each batch that is tried.
//
// Worked example, toy device (100 TFLOP/s, 1 TB/s, 16 GB, 1,000 USD, no overheads), 8 GB of weights:
// 0.01 B/FLOP, 1 USD per GB/s, 62.5 USD per GB, 1 / 8 ms = 125 tokens/s at batch 1.
//
// Assumes sequences of equal length, decoding only: prompts, which the same devices compute, cost
// throughput on top, and their chunks room.  That room is small here, 512 tokens of activations or
// two for each sequence: it is a choice of the scheduler, and large chunks are not for machines of
// little memory.  The energy is that of the devices alone, without hosts, cooling and losses of
// power supplies.  Experts are split by tensor parallelism.  A device with several engines decodes
// on its first.
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

struct CompareSpec {
  std::string model;
  std::vector<std::string> nodes;       // empty: all of the catalog
  std::optional<std::int64_t> context;  // tokens; absent: 8,192 or the model's longest, if shorter
  std::string weights = "auto";         // number formats; auto: the device's usual ones
  std::string kv = "auto";
  std::optional<Seconds> tpot;  // longest step of the best batch
  std::int64_t max_batch = 256;
  std::optional<std::int64_t> max_batch_tokens;  // in a step; absent: 512, or two for each sequence
  std::string fabric;  // between nodes; empty: that of scenarios that name none
  scenario::HostOverhead host;
};

// A decode step of a replica.
struct OperatingPoint {
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
  // Of a replica; 0 where none holds the model.
  std::int64_t devices = 0, tensor_parallel = 0, pipeline_parallel = 0;
  std::optional<BytesPerFlop> bytes_per_flop;
  std::optional<UsdPerBytePerSecond> price_per_bandwidth;
  std::optional<UsdPerByte> price_per_capacity;
  std::optional<JoulesPerByte> weight_energy;
  std::optional<OperatingPoint> one, best;
  std::int64_t unknown = 0, marked = 0;  // numbers nobody has published; that pass a physical bound
  std::string cannot;                    // why there is no best batch, with the arithmetic

  [[nodiscard]] double tokens_per_s_per_device() const {
    return best ? best->tokens_per_s / static_cast<double>(devices) : 0.0;
  }
};

// The context that the comparison is made with.  Throws InputError for an unknown model, or a
// context beyond what it attends to.
std::int64_t context_of(catalog::Catalog& catalog, const CompareSpec& spec);

// Sorted by tokens/s of a device at the best batch, largest first; machines without one at the end,
// by name.  Throws InputError for names that the catalog does not have, and for entries with
// errors.
std::vector<MachineRow> compare_machines(catalog::Catalog& catalog, const CompareSpec& spec);

}  // namespace tokenyard::study
