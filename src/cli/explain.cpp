#include "base/quantity_text.hpp"
#include "cli/command.hpp"
#include "cli/open_catalog.hpp"
#include "cli/output.hpp"
#include "perf/adapters.hpp"
#include "perf/constants.hpp"
#include "perf/model_switch.hpp"
#include "perf/parking.hpp"
#include "perf/step_model.hpp"
#include "scenario/resolve.hpp"
#include "sim/simulate.hpp"
#include "study/run_plan.hpp"
#include "topology/node_graph.hpp"

namespace tokenyard::cli {
namespace {

void add(Table& table, const std::string& what, const std::string& value,
         const std::string& note = "") {
  table.rows.push_back({what, value, note});
}

// Of a part that has a format of its own.
std::string other_format(const std::string& part, const catalog::NumberFormat& format,
                         const catalog::NumberFormat& weights) {
  return format.name == weights.name ? "" : ", " + part + ' ' + format.name;
}

void add_deployment(Table& table, const scenario::Plan& plan, const scenario::PoolPlan& pool,
                    const scenario::DeploymentPlan& d) {
  const perf::StepModel model(pool, d, plan.scenario.serving, plan.fabric);
  const perf::Placement& p = model.placement();
  const scenario::KvCacheSpec& kv = plan.scenario.serving.kv_cache;
  const catalog::Device& device = pool.devices[d.device];
  add(table, pool.name + ": model", d.model.name,
      "weights " + d.weights.name + other_format("experts", d.expert_weights, d.weights) +
          other_format("LM head", d.lm_head, d.weights) + ", KV " + d.kv.name + ", activations " +
          d.activations.name);
  add(table, pool.name + ": replicas", std::to_string(d.replicas),
      std::to_string(d.devices_per_replica) + " x " + device.name + " each (tensor " +
          std::to_string(d.spec.tensor_parallel) + ", pipeline " +
          std::to_string(d.spec.pipeline_parallel) + ", expert " +
          std::to_string(d.spec.expert_parallel) + ", attention data " +
          std::to_string(d.attention_data_parallel) + ")");
  if (d.side != scenario::EngineSide::both) {
    const bool prompts = d.side == scenario::EngineSide::prompts;
    add(table, pool.name + ": engine", device.engines[d.engine].name,
        std::string(prompts ? "prompts" : "decoding") + ", with " +
            three_digits(100.0 * d.kv_share) + " % of the KV blocks; " +
            (prompts ? "another engine of the same devices decodes them"
                     : "on the same devices, over the same memory bus"));
  } else if (d.spec.role != scenario::Role::both) {
    const bool prefill = d.spec.role == scenario::Role::prefill;
    add(table, pool.name + ": role", prefill ? "prefill" : "decode",
        prefill ? "computes prompts; each KV cache goes to a replica that decodes"
                : "decodes prompts that other replicas have computed");
  }
  if (d.prefill_engine != d.engine) {
    add(table, pool.name + ": engines",
        device.engines[d.prefill_engine].name + ", " + device.engines[d.engine].name,
        "prompts on the first, decoding on the second, at the same time on one memory");
  }
  if (device.static_schedule) {
    add(table, pool.name + ": schedule", "static",
        "a batch is finished before the next one starts; every step takes that of " +
            std::to_string(plan.scenario.serving.scheduler.max_batch) + " sequences (max_batch)");
  }
  add(table, pool.name + ": weights", format_quantity(p.weight_bytes, kData), "on each device");
  if (d.spec.lora) {
    add(table, pool.name + ": adapters", std::to_string(d.spec.lora->adapters),
        "rank " + std::to_string(d.spec.lora->rank) + ", " +
            format_quantity(perf::adapter_bytes(d), kData) + " each; " +
            std::to_string(perf::resident_adapters(d)) + " in device memory at a time");
  }
  add(table, pool.name + ": KV cache",
      kv.capacity.unlimited ? "unlimited"
                            : std::to_string(p.kv_blocks * kv.block_tokens) + " tokens",
      "a replica, " + format_quantity(p.kv_bytes_per_token, kData) + " a token and device");
  if (pool.sharing) {
    const perf::Parking parking = perf::park_models(pool, plan.scenario.serving);
    add(table, pool.name + ": loading it", to_text(seconds(parking.load_s(p))),
        "shares its devices; the models are parked in " + parking.where);
  } else if (const auto change = perf::model_switch(pool, d, p)) {
    add(table, pool.name + ": another model", to_text(seconds(change->seconds)),
        change->from == "new silicon" ? "this silicon is its model; from model to silicon"
                                      : "weights from " + change->from);
  }
  constexpr std::int64_t kContext = 1024;
  const perf::AffineCost one = model.decode_run(
      {.sequences = 1,
       .context = static_cast<double>(kContext),
       .window_context = static_cast<double>(std::min(kContext, model.window_tokens()))});
  add(table, pool.name + ": decode step, 1 sequence", to_text(seconds(one.first.total_s())),
      "1,024 tokens of context");
  const perf::PrefillSlice chunk{
      .tokens = std::min<std::int64_t>(plan.scenario.serving.scheduler.max_batch_tokens, 8192),
      .cached = 0,
      .samples = true};
  const perf::StepCost prefill = model.mixed_step({&chunk, 1}, {});
  add(table, pool.name + ": prompt of " + std::to_string(chunk.tokens),
      to_text(seconds(prefill.total_s())),
      three_digits(static_cast<double>(chunk.tokens) / prefill.total_s()) + " tokens/s");
}

// How the devices of a node reach each other and the network.
void add_wiring(Table& table, const scenario::PoolPlan& pool) {
  const topology::NodeGraph node(pool);
  if (node.device_count() < 2) return;
  const auto shown = [](const topology::Route& route) {
    return to_text(route.bandwidth) + " in " + to_text(route.latency);
  };
  const std::int64_t last = node.device_count() - 1;
  const auto direct = node.between_devices(0, last);
  std::string note = "first to last device " + (direct ? shown(*direct) : "through the host only");
  if (node.nic_count() > 0) {
    if (const auto out = node.device_to_nic(0, 0)) note += ", to a NIC " + shown(*out);
  }
  add(table, pool.name + ": bisection of a node", to_text(node.device_bisection()), note);
}

Table overview(const scenario::Plan& plan) {
  Table table{{"what", "value", "note"}, {}};
  add(table, "scenario", plan.scenario.name, plan.scenario.description);
  if (!plan.variant.empty()) add(table, "variant", plan.variant);
  add(table, "plan", plan.hash.substr(0, 16), "SHA-256 of everything that decides the result");
  add(table, "workload", plan.scenario.workload.spec.name, plan.scenario.workload.spec.description);
  add(table, "site", plan.site.name,
      to_text(plan.site.electricity.value) + ", PUE " + three_digits(plan.site.pue.value));
  if (!plan.unfit.empty()) {
    add(table, "cannot run it", plan.unfit);
    return table;
  }
  const metrics::FabricInventory fabric = sim::fabric_inventory(plan);
  add(table, "fabric", plan.fabric.name,
      std::to_string(fabric.switches) + " switches, " + std::to_string(fabric.cables) +
          " cables, diameter " + std::to_string(fabric.diameter_hops) + ", bisection " +
          format_quantity(fabric.bisection_bytes_per_s, kData / kTime));
  for (const scenario::PoolPlan& pool : plan.pools) {
    add(table, pool.name + ": nodes", std::to_string(pool.count) + " x " + pool.node.name,
        std::to_string(pool.device_count()) + " devices");
    add_wiring(table, pool);
    for (const scenario::DeploymentPlan& d : pool.deployments) add_deployment(table, plan, pool, d);
  }
  for (const scenario::Assumption& a : plan.assumptions) {
    const std::string band = a.confidence == "unknown" ? " (stands for " + a.band + ")" : "";
    add(table, a.confidence + ": " + a.key, a.value + band, a.source);
  }
  for (const perf::ModelConstant& c : perf::model_constants()) {
    add(table, c.confidence + ": " + c.name, c.value, c.source);
  }
  return table;
}

int run(const Arguments& arguments) {
  if (arguments.operands().size() != 1)
    throw InputError("explain: expected the path of one scenario file");
  catalog::Catalog catalog = open_catalog(arguments);
  auto plans = scenario::load_plans(arguments.operands().front(), arguments.pairs("set"), catalog,
                                    {.fits = perf::fits});
  std::string json = "[";
  for (scenario::Plan& plan : plans) {
    study::mark_unfit(plan);
    study::check_plan(plan);
    if (arguments.has("json")) {
      json += (json.size() > 1 ? "," : "") + plan.json;
    } else {
      print_table(overview(plan), arguments);
    }
  }
  if (arguments.has("json")) print(json + "]\n");
  return kDone;
}

}  // namespace

Command explain_command() {
  return {"explain",
          "SCENARIO [options]",
          "prints what a scenario means: the plan, with what fits where and what is assumed",
          {set_option(),
           {"json", "", "prints the whole plan as JSON, one a variant", ""},
           format_option(),
           unknowns_option(),
           catalog_option()},
          run};
}

}  // namespace tokenyard::cli
