#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "catalog/catalog.hpp"

// Bounds that no device of today's processes passes.  An entry that does is marked, not refused: a
// projection may be what the user wants to examine.
//
//   SRAM        at most 1.5 MB per mm2 (5 nm high-density cells with periphery), all tiers of it
//               together, on the stated area of the compute dies; where none is stated, on one
//               die of 858 mm2, the most that a lithography machine exposes at once
//   memory      where the stacks are counted, 1.3 TB/s a stack of HBM (HBM3E at 10 Gb/s a pin),
//               2.8 TB/s of HBM4 (as announced for 2026); else bandwidth per capacity of the
//               densest parts: HBM 1.3 TB/s per 16 GB stack, HBM4 2.8 TB/s per 24 GB stack, GDDR7
//               144 GB/s per 2 GB chip, LPDDR5X 43 GB/s per 4 GB package, DDR5 MRDIMM 102 GB/s per
//               16 GB module
//   energy      half of the lowest published energy per byte of each kind (HBM4: as HBM, less the
//               40 % that its makers claim); no tier draws more than the tdp
//   arithmetic  8 TFLOP/s per watt of tdp at 8 bits, in inverse proportion to the bits
//
// Tiers called rom have no bound: weights that are wired into the multipliers are not read.  A
// number that nobody has published stands for the end of its band that passes more easily.
//
// Worked example: H100 SXM fp8 1979 TFLOP/s at 700 W is 2.8 TFLOP/s/W; its HBM moves 3.35 TB/s out
// of 80 GB, 42 times its capacity a second, of at most 81.
namespace tokenyard::catalog {
namespace {

using input::BandEnd;

constexpr double kSramBytesPerMm2 = 1.5e6;
constexpr double kLargestDieMm2 = 858.0;
constexpr double kFlopsPerWattAt8Bits = 8e12;
constexpr double kAuditTolerance = 0.01;
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct MemoryBound {
  std::string_view prefix;     // of the tier's name
  double capacities_per_s;     // bandwidth / capacity
  double stack_bytes_per_s;    // 0: not made of stacks
  double picojoules_per_byte;  // at least
};
// A longer prefix stands before those that it begins with.
constexpr auto kMemoryBounds = std::to_array<MemoryBound>({{"hbm4", 2.8e12 / 24e9, 2.8e12, 9.0},
                                                           {"hbm", 1.3e12 / 16e9, 1.3e12, 15.0},
                                                           {"gddr", 144e9 / 2e9, 0.0, 22.0},
                                                           {"lpddr", 43e9 / 4e9, 0.0, 17.0},
                                                           {"dram", 102.4e9 / 16e9, 0.0, 80.0},
                                                           {"ddr", 102.4e9 / 16e9, 0.0, 80.0},
                                                           {"sram", kUnbounded, 0.0, 0.4}});

bool is_called(const MemoryTier& tier, std::string_view prefix) {
  return tier.tier.compare(0, prefix.size(), prefix) == 0;
}

const MemoryBound* bound_of(const MemoryTier& tier) {
  const auto found = std::find_if(kMemoryBounds.begin(), kMemoryBounds.end(),
                                  [&](const MemoryBound& b) { return is_called(tier, b.prefix); });
  return found != kMemoryBounds.end() ? &*found : nullptr;
}

// What an unknown number is taken for; a known one is itself.
template <class T>
T at_best(const Sourced<T>& number, BandEnd best) {
  if (!number.unknown) return number.value;
  return (best == BandEnd::low ? number.low : number.high).value_or(number.value);
}

std::string unknown_note(bool unknown, BandEnd best) {
  if (!unknown) return "";
  return " (unknown; the " + std::string(input::name_of(best)) + " end of its band)";
}

template <Dim D>
std::string text_at_best(const Sourced<Quantity<D>>& number, BandEnd best) {
  return to_text(at_best(number, best)) + unknown_note(number.unknown, best);
}

// bf16 -> 16, mxfp4 -> 4; 0 for names that do not end in their bits.
int bits_in_name(std::string_view format) {
  std::size_t first = format.size();
  while (first > 0 && format[first - 1] >= '0' && format[first - 1] <= '9') --first;
  int bits = 0;
  std::from_chars(format.data() + first, format.data() + format.size(), bits);
  return bits <= 64 ? bits : 0;
}

void check_sram_area(const Device& d, std::vector<Finding>& findings) {
  Bytes capacity;
  bool unknown = false;
  std::string names;
  for (const MemoryTier& tier : d.memory) {
    if (!is_called(tier, "sram")) continue;
    capacity += at_best(tier.capacity, BandEnd::low);
    unknown = unknown || tier.capacity.unknown;
    names += (names.empty() ? "" : " + ") + tier.tier;
  }
  const double area_mm2 = d.die_area_mm2 ? at_best(*d.die_area_mm2, BandEnd::high) : kLargestDieMm2;
  const Bytes most = Bytes::from_base(kSramBytesPerMm2 * area_mm2);
  if (capacity <= most) return;
  const std::string what =
      "memory " + names + ": " + to_text(capacity) + unknown_note(unknown, BandEnd::low);
  if (d.die_area_mm2) {
    findings.push_back({d.name, what + " on " + three_digits(area_mm2) + " mm2" +
                                    unknown_note(d.die_area_mm2->unknown, BandEnd::high) + " is " +
                                    three_digits(capacity.base() / area_mm2 / 1e6) +
                                    " MB/mm2; at most 1.5 MB/mm2, " + to_text(most)});
    return;
  }
  const double needed_mm2 = capacity.base() / kSramBytesPerMm2;
  const double dies = std::ceil(needed_mm2 / kLargestDieMm2);
  findings.push_back(
      {d.name, what + " takes at least " + three_digits(needed_mm2) +
                   " mm2 at 1.5 MB/mm2: " + std::to_string(static_cast<std::int64_t>(dies)) +
                   " dies of the largest size, 858 mm2"});
}

void check_bandwidth(const Device& d, const MemoryTier& tier, const MemoryBound& bound,
                     std::vector<Finding>& findings) {
  const BytesPerSecond bandwidth = at_best(tier.bandwidth, BandEnd::low);
  const std::string kind(bound.prefix);
  const std::string what =
      "memory " + tier.tier + ": " + text_at_best(tier.bandwidth, BandEnd::low);
  if (tier.stacks && bound.stack_bytes_per_s > 0.0) {
    const auto a_stack = BytesPerSecond::from_base(bound.stack_bytes_per_s);
    const BytesPerSecond most = static_cast<double>(*tier.stacks) * a_stack;
    if (bandwidth <= most) return;
    findings.push_back({d.name, what + " out of " + std::to_string(*tier.stacks) +
                                    (*tier.stacks == 1 ? " stack" : " stacks") + "; the fastest " +
                                    kind + " moves " + to_text(a_stack) + " a stack, " +
                                    to_text(most) + " in all"});
    return;
  }
  const BytesPerSecond most = BytesPerSecond::from_base(
      bound.capacities_per_s * at_best(tier.capacity, BandEnd::high).base());
  if (bandwidth <= most) return;
  findings.push_back({d.name, what + " out of " + text_at_best(tier.capacity, BandEnd::high) +
                                  "; the fastest " + kind + " of that size moves " +
                                  to_text(most)});
}

// `bound` is nullptr for kinds of memory that have none; then only a stated energy is looked at.
void check_energy(const Device& d, const MemoryTier& tier, const MemoryBound* bound,
                  std::vector<Finding>& findings) {
  const std::string where = "memory " + tier.tier + ": ";
  const JoulesPerByte least =
      picojoules_per_byte(bound != nullptr ? bound->picojoules_per_byte : 0);
  const std::string kind(bound != nullptr ? bound->prefix : "");
  if (tier.energy && at_best(*tier.energy, BandEnd::high) < least) {
    findings.push_back({d.name, where + text_at_best(*tier.energy, BandEnd::high) +
                                    " is less than any " + kind + " needs, " + to_text(least)});
  }
  const JoulesPerByte stated = tier.energy ? at_best(*tier.energy, BandEnd::low) : JoulesPerByte{};
  const bool by_kind = stated < least;
  const Watts draw = at_best(tier.bandwidth, BandEnd::low) * (by_kind ? least : stated);
  if (draw <= at_best(d.power.tdp, BandEnd::high)) return;
  const std::string reason = by_kind ? "at least " + to_text(draw) + " (" + to_text(least) +
                                           ", the least of any " + kind + ")"
                                     : to_text(draw);
  findings.push_back({d.name, where + "at full bandwidth it alone draws " + reason +
                                  ", more than the tdp of " +
                                  text_at_best(d.power.tdp, BandEnd::high)});
}

void check_tier(const Device& d, const MemoryTier& tier, std::vector<Finding>& findings) {
  if (is_called(tier, "rom")) return;
  const MemoryBound* bound = bound_of(tier);
  if (bound != nullptr) check_bandwidth(d, tier, *bound, findings);
  check_energy(d, tier, bound, findings);
}

void check_peaks(const Device& d, const Engine& engine, std::vector<Finding>& findings) {
  const Watts tdp = at_best(d.power.tdp, BandEnd::high);
  for (const auto& [format, peak] : engine.peak) {
    const int bits = bits_in_name(format);
    if (bits == 0) continue;
    const FlopsPerSecond most =
        FlopsPerSecond::from_base(tdp.base() * kFlopsPerWattAt8Bits * 8.0 / bits);
    if (at_best(peak, BandEnd::low) <= most) continue;
    findings.push_back({d.name, "engine " + engine.name + ": " + text_at_best(peak, BandEnd::low) +
                                    " in " + format + " at " +
                                    text_at_best(d.power.tdp, BandEnd::high) + "; at most " +
                                    to_text(most) + " (8 TFLOP/s per watt at 8 bits)"});
  }
}

// Publishers count the rows of the input embedding as active, or not; the nearer counting is
// compared.
double nearer(double published, double a, double b) {
  return std::abs(a - published) < std::abs(b - published) ? a : b;
}

void audit(const Model& m, std::string_view key, double counted, double published,
           std::vector<Finding>& findings) {
  const double off = counted / published - 1.0;
  if (std::abs(off) <= kAuditTolerance) return;
  findings.push_back({m.name,
                      std::string(key) + ": the architecture adds up to " +
                          three_digits(counted / 1e9) + " G, the file says " +
                          three_digits(published / 1e9) + " G (" + (off > 0 ? "+" : "") +
                          three_digits(100.0 * off) + " %); at most 1 % apart",
                      true});
}

void check_slots(const NodeSpec& node, const DeviceSlots& slots, Catalog& catalog,
                 Diagnostics& diagnostics, std::vector<Finding>& findings) {
  if (!catalog.exists(EntryKind::device, slots.device)) {
    findings.push_back({node.name,
                        "no device '" + slots.device + "' in the catalog" +
                            suggestion(slots.device, catalog.names(EntryKind::device)),
                        true});
    return;
  }
  const Device* device = catalog.device(slots.device, diagnostics);
  if (device == nullptr || node.topology == NodeTopology::none ||
      device->find_link(node.link) != nullptr)
    return;
  std::vector<std::string> links;
  for (const Link& link : device->links) links.push_back(link.name);
  findings.push_back(
      {node.name,
       "link: " + slots.device + " has no link '" + node.link + "'" + suggestion(node.link, links),
       true});
}

}  // namespace

std::vector<Finding> check_model(const Model& model) {
  std::vector<Finding> findings;
  const ParameterCount n = count_parameters(model);
  audit(model, "parameters", n.total, model.parameters.value, findings);
  const double active = model.active_parameters.value;
  audit(model, "active_parameters", nearer(active, n.active, n.active + n.embedding), active,
        findings);
  return findings;
}

std::vector<Finding> check_device(const Device& device) {
  std::vector<Finding> findings;
  check_sram_area(device, findings);
  for (const MemoryTier& tier : device.memory) check_tier(device, tier, findings);
  for (const Engine& engine : device.engines) check_peaks(device, engine, findings);
  return findings;
}

std::vector<Finding> check_node(const NodeSpec& node, Catalog& catalog, Diagnostics& diagnostics) {
  std::vector<Finding> findings;
  bool all_cpu = true;
  bool all_priced = true;
  double devices_usd = 0.0;
  for (const DeviceSlots& slots : node.devices) {
    check_slots(node, slots, catalog, diagnostics, findings);
    const Device* device = catalog.device(slots.device, diagnostics);
    if (device == nullptr) continue;
    all_cpu = all_cpu && device->kind == DeviceKind::cpu;
    all_priced = all_priced && device->price.has_value();
    if (device->price) {
      const Usd low = device->price->low.value_or(device->price->value);
      devices_usd += low.base() * static_cast<double>(slots.count);
    }
  }
  // The memory of a processor that serves models is its device's, not the host's.
  if (!node.host.dram && !all_cpu) {
    findings.push_back({node.name, "host: no dram; a KV cache cannot be offloaded here"});
  }
  if (!node.price && !(all_priced && node.host.price)) {
    findings.push_back(
        {node.name,
         "no price, and devices and host do not all have one; this node costs an unknown sum"});
  }
  if (node.price && node.price->value.base() < devices_usd) {
    findings.push_back({node.name, "price: " + to_text(node.price->value) +
                                       " is less than its devices at their lowest, " +
                                       format_quantity(devices_usd, kMoney)});
  }
  return findings;
}

std::vector<Finding> check_calibration(const Calibration& calibration, Catalog& catalog,
                                       Diagnostics& diagnostics) {
  std::vector<Finding> findings;
  const auto add = [&](std::string message) {
    findings.push_back({calibration.name, std::move(message), true});
  };
  for (const CalibratedDevice& calibrated : calibration.devices) {
    if (!catalog.exists(EntryKind::device, calibrated.device)) {
      add("no device '" + calibrated.device + "' in the catalog" +
          suggestion(calibrated.device, catalog.names(EntryKind::device)));
      continue;
    }
    for (const std::string& model : calibrated.models) {
      if (catalog.exists(EntryKind::model, model)) continue;
      add(calibrated.device + ": no model '" + model + "' in the catalog" +
          suggestion(model, catalog.names(EntryKind::model)));
    }
    const Device* device = catalog.device(calibrated.device, diagnostics);
    if (device == nullptr) continue;
    for (std::string& problem : misfits(calibrated, *device)) add(std::move(problem));
  }
  return findings;
}

}  // namespace tokenyard::catalog
