#include "catalog/device.hpp"

#include <algorithm>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {
namespace {

using input::Fields;

// The bound of a map's values, which a Field cannot check.
template <class T>
void require_positive(Fields& f, std::string_view key,
                      const std::map<std::string, Sourced<T>>& values) {
  if (!f.is_reading()) return;
  for (const auto& [name, number] : values) {
    if (number.value > T{}) continue;
    f.problem(key, name + " is " + to_text(number.value) + "; expected more than " + to_text(T{}));
  }
}

void check_memory(Fields& f, const Device& d) {
  if (!f.has("memory")) return;
  if (d.memory.empty()) f.problem("memory", "is empty; a device has at least one memory tier");
  for (std::size_t i = 1; i < d.memory.size(); ++i) {
    const MemoryTier& before = d.memory[i - 1];
    const MemoryTier& tier = d.memory[i];
    if (tier.bandwidth.value <= before.bandwidth.value) continue;
    f.problem("memory", "tiers stand fastest first; '" + tier.tier + "' (" +
                            to_text(tier.bandwidth.value) + ") is faster than '" + before.tier +
                            "' before it (" + to_text(before.bandwidth.value) + ")");
  }
  const bool weights = std::any_of(d.memory.begin(), d.memory.end(), [](const MemoryTier& tier) {
    return tier.can_hold(Holds::weights);
  });
  if (!d.memory.empty() && !weights) {
    f.problem("memory",
              "no tier holds weights; one must say 'holds: [weights, kv]' or 'holds: [weights]'");
  }
}

}  // namespace

bool MemoryTier::can_hold(Holds what) const {
  return std::find(holds.begin(), holds.end(), what) != holds.end();
}

const Link* Device::find_link(std::string_view link_name) const {
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&](const Link& link) { return link.name == link_name; });
  return found != links.end() ? &*found : nullptr;
}

void describe(Fields& f, Efficiency& e) {
  f.optional("prefill", e.prefill, "share of peak FLOP/s that large matrix products reach")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("prefill_by_format", e.prefill_by_format,
             "the same in number formats that reach another share");
  for (const auto& [format, share] : e.prefill_by_format) {
    if (share.value <= 0.0 || share.value > 1.0)
      f.problem("prefill_by_format", format + ": expected more than 0 and at most 1");
  }
  f.optional("experts", e.experts,
             "products of routed experts, relative to what dense products reach")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("decode", e.decode, "share of memory bandwidth reached when reading weights")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("attention_prefill", e.attention_prefill,
             "share of peak FLOP/s in attention over a long prompt")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("attention_decode", e.attention_decode,
             "share of memory bandwidth reached when reading the KV cache")
      .more_than(0.0)
      .at_most(1.0);
}

void describe(Fields& f, Engine& e) {
  f.required("name", e.name, "how scenarios refer to this engine");
  f.required("peak", e.peak, "dense peak by number format of the multiplication");
  f.optional("efficiency", e.efficiency, "what share of the peaks well-tuned kernels reach");
  f.optional("launch_overhead", e.launch_overhead, "exposed time per kernel").at_least(0.0);
  f.optional("sms_for_comm", e.sms_for_comm, "share of compute given up to communication")
      .at_least(0.0)
      .at_most(0.99);
  f.optional("roofline_exponent", e.roofline_exponent,
             "P of the smooth roofline (t_memory^P + t_compute^P)^(1/P)")
      .at_least(1.0);
  f.optional("layer_latency", e.layer_latency, "least time of a layer").at_least(0.0);
  f.optional("prompt_layer_latency", e.prompt_layer_latency,
             "least time of a layer in steps with prompts")
      .at_least(0.0);
  f.optional("dispatch_overhead", e.dispatch_overhead, "exposed time per step").at_least(0.0);
  f.optional("autonomous", e.autonomous, "no host work between steps");
  f.optional("systolic_tile", e.systolic_tile,
             "side of a weight-stationary systolic array; 0: the engine is none")
      .at_least(0)
      .at_most(4096);
  f.optional("expert_tile", e.expert_tile,
             "tokens that products of routed experts compute at least, of each expert that has any")
      .at_least(1.0)
      .at_most(4096.0);
  f.optional("activation_traffic", e.activation_traffic,
             "activations moved per token, layer and hidden unit by element-wise kernels")
      .at_least(0.0);
  if (f.has("peak") && e.peak.empty()) {
    f.problem("peak", "is empty; an engine has a peak for at least one number format");
  }
  require_positive(f, "peak", e.peak);
}

void describe(Fields& f, MemoryTier& t) {
  f.required("tier", t.tier, "name of the tier: sram, hbm, dram ...");
  f.required("capacity", t.capacity, "of one device").more_than(0.0);
  f.required("bandwidth", t.bandwidth, "peak, of one device").more_than(0.0);
  f.optional("ingress_efficiency", t.ingress_efficiency,
             "share of the bandwidth at which data enters the compute array")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("compute_in_place", t.compute_in_place, "no weight traffic leaves the tier");
  f.optional("energy", t.energy, "per data read or written").at_least(0.0);
  f.optional("stacks", t.stacks, "of stacked memory").at_least(1);
  f.optional("holds", t.holds,
             "weights, kv, models (those not being served); empty: working memory only");
}

void describe(Fields& f, Link& l) {
  f.required("name", l.name, "how nodes refer to this link");
  f.required("bandwidth", l.bandwidth, "one direction, of one device, all ports together")
      .more_than(0.0);
  f.optional("ports", l.ports, "to different neighbours; the bandwidth is split over them")
      .at_least(1)
      .at_most(4096);
  f.optional("latency", l.latency, "per hop of a collective").at_least(0.0);
  f.optional("collective_latency", l.collective_latency,
             "once per collective: launch, synchronisation")
      .at_least(0.0);
  f.optional("efficiency", l.efficiency, "share of the bandwidth that large messages reach")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("energy", l.energy, "per data sent").at_least(0.0);
}

void describe(Fields& f, UsualFormats& u) {
  f.optional("weights", u.weights, "number format, from workloads/formats.yaml");
  f.optional("kv", u.kv, "number format");
  f.optional("activations", u.activations, "number format");
}

void describe(Fields& f, Respin& r) {
  f.required("lead_time", r.lead_time, "from a model to its silicon").more_than(0.0);
  f.required("cost", r.cost, "masks and engineering of one model").at_least(0.0);
}

void describe(Fields& f, DevicePower& p) {
  f.required("idle", p.idle, "with nothing to do").at_least(0.0);
  f.required("tdp", p.tdp, "the most it may draw").more_than(0.0);
  f.optional("active", p.active, "added whenever a step runs").at_least(0.0);
  f.optional("energy_per_flop", p.energy_per_flop, "by number format of the multiplication");
  require_positive(f, "energy_per_flop", p.energy_per_flop);
  if (f.has("idle") && f.has("tdp") && p.tdp.value > watts(0) &&
      p.tdp.value < p.idle.value + p.active.value) {
    f.problem("tdp", "idle " + to_text(p.idle.value) + " + active " + to_text(p.active.value) +
                         " is more than the tdp of " + to_text(p.tdp.value));
  }
}

void describe(Fields& f, Device& d) {
  describe_head(f, d.name, d.source, d.confidence, d.description);
  f.required("kind", d.kind, "gpu, cpu, mpu, asic or apu");
  f.optional("vendor", d.vendor, "who makes it");
  f.optional("status", d.status, "shipping, announced or projected");
  f.required("engines", d.engines, "what computes; most devices have one");
  f.required("memory", d.memory, "tiers, fastest first");
  f.optional("tier_overlap", d.tier_overlap,
             "max: tiers work at the same time; sum: one after the other");
  f.optional("usual_formats", d.usual_formats, "what `auto` formats of a deployment stand for");
  f.optional("static_schedule", d.static_schedule,
             "steps take the time of a full batch, and a batch is finished before the next");
  f.optional("links", d.links, "to other devices and to the host");
  f.required("power", d.power, "electrical");
  f.optional("hardwired_model", d.hardwired_model, "the one model that this silicon is");
  f.optional("respin", d.respin, "what silicon for another model takes");
  f.optional("die_area_mm2", d.die_area_mm2, "of all its compute dies").more_than(0.0);
  f.optional("price", d.price, "of one device; absent when sold only as part of a node")
      .at_least(0.0);
  f.optional("lifetime", d.lifetime, "until it is replaced").more_than(0.0);
  f.optional("annual_failure_rate", d.annual_failure_rate, "failures per device and year")
      .at_least(0.0);
  if (!f.is_reading()) return;
  if (f.has("engines") && d.engines.empty()) {
    f.problem("engines", "is empty; a device has at least one engine");
  }
  check_memory(f, d);
  refuse_twins(f, "engines", names_in(d.engines, &Engine::name));
  refuse_twins(f, "memory", names_in(d.memory, &MemoryTier::tier));
  refuse_twins(f, "links", names_in(d.links, &Link::name));
}

}  // namespace tokenyard::catalog
