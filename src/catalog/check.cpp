#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "catalog/catalog.hpp"

// Bounds that no device of today's processes passes.  An entry that does is marked, not refused: a
// projection may be what the user wants to examine.
//
//   SRAM        at most 1.5 MB per mm2 (5 nm high-density cells with periphery); one exposure of a
//               lithography machine is at most 858 mm2
//   memory      bandwidth per capacity of the densest parts: HBM 1.3 TB/s per 16 GB stack, GDDR7
//   144 GB/s
//               per 2 GB chip, LPDDR5X 43 GB/s per 4 GB package, DDR5 MRDIMM 102 GB/s per 16 GB
//               module
//   energy      half of the lowest published energy per byte of each kind
//   arithmetic  8 TFLOP/s per watt of tdp at 8 bits, in inverse proportion to the bits
//
// Worked example: H100 SXM fp8 1979 TFLOP/s at 700 W is 2.8 TFLOP/s/W; its HBM moves 3.35 TB/s out
// of 80 GB, 42 times its capacity a second, of at most 81.
namespace tokenyard::catalog {
namespace {

constexpr double kSramBytesPerMm2 = 1.5e6;
constexpr double kLargestDieMm2 = 858.0;
constexpr double kFlopsPerWattAt8Bits = 8e12;
constexpr double kAuditTolerance = 0.01;

struct MemoryBound {
  std::string_view prefix;     // of the tier's name
  double capacities_per_s;     // bandwidth / capacity
  double picojoules_per_byte;  // at least
};
constexpr auto kMemoryBounds = std::to_array<MemoryBound>({{"hbm", 1.3e12 / 16e9, 15.0},
                                                           {"gddr", 144e9 / 2e9, 22.0},
                                                           {"lpddr", 43e9 / 4e9, 17.0},
                                                           {"dram", 102.4e9 / 16e9, 80.0},
                                                           {"ddr", 102.4e9 / 16e9, 80.0},
                                                           {"sram", 1e300, 0.4}});

const MemoryBound* bound_of(const MemoryTier& tier) {
  const auto found = std::find_if(
      kMemoryBounds.begin(), kMemoryBounds.end(),
      [&](const MemoryBound& b) { return tier.tier.compare(0, b.prefix.size(), b.prefix) == 0; });
  return found != kMemoryBounds.end() ? &*found : nullptr;
}

// bf16 -> 16, mxfp4 -> 4; 0 for names that do not end in their bits.
int bits_in_name(std::string_view format) {
  std::size_t first = format.size();
  while (first > 0 && format[first - 1] >= '0' && format[first - 1] <= '9') --first;
  int bits = 0;
  std::from_chars(format.data() + first, format.data() + format.size(), bits);
  return bits <= 64 ? bits : 0;
}

void check_tier(const Device& d, const MemoryTier& tier, std::vector<Finding>& findings) {
  const MemoryBound* bound = bound_of(tier);
  const double capacity = tier.capacity.value.base();
  const std::string where = "memory " + tier.tier + ": ";
  if (bound != nullptr && tier.bandwidth.value.base() > bound->capacities_per_s * capacity) {
    findings.push_back(
        {d.name, where + to_text(tier.bandwidth.value) + " out of " + to_text(tier.capacity.value) +
                     "; the fastest " + std::string(bound->prefix) + " of that size moves " +
                     format_quantity(bound->capacities_per_s * capacity, kData / kTime)});
  }
  if (bound != nullptr && bound->prefix == "sram" && capacity > kSramBytesPerMm2 * kLargestDieMm2) {
    const double area_mm2 = capacity / kSramBytesPerMm2;
    findings.push_back({d.name, where + to_text(tier.capacity.value) + " takes at least " +
                                    three_digits(area_mm2) + " mm2 at 1.5 MB/mm2: " +
                                    three_digits(std::ceil(area_mm2 / kLargestDieMm2)) +
                                    " dies of the largest size, 858 mm2"});
  }
  if (!tier.energy) return;
  if (bound != nullptr && tier.energy->value < picojoules_per_byte(bound->picojoules_per_byte)) {
    findings.push_back({d.name, where + to_text(tier.energy->value) + " is less than any " +
                                    std::string(bound->prefix) + " needs, " +
                                    to_text(picojoules_per_byte(bound->picojoules_per_byte))});
  }
  const Watts draw = tier.bandwidth.value * tier.energy->value;
  if (draw > d.power.tdp.value) {
    findings.push_back({d.name, where + "at full bandwidth it alone draws " + to_text(draw) +
                                    ", more than the tdp of " + to_text(d.power.tdp.value)});
  }
}

void check_peaks(const Device& d, const Engine& engine, std::vector<Finding>& findings) {
  for (const auto& [format, peak] : engine.peak) {
    const int bits = bits_in_name(format);
    if (bits == 0) continue;
    const FlopsPerSecond most =
        FlopsPerSecond::from_base(d.power.tdp.value.base() * kFlopsPerWattAt8Bits * 8.0 / bits);
    if (peak.value <= most) continue;
    findings.push_back({d.name, "engine " + engine.name + ": " + to_text(peak.value) + " in " +
                                    format + " at " + to_text(d.power.tdp.value) + "; at most " +
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

}  // namespace tokenyard::catalog
