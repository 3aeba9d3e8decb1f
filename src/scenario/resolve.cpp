#include "scenario/resolve.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/hash.hpp"
#include "scenario/assumptions.hpp"
#include "scenario/calibrate_plan.hpp"
#include "scenario/engines_apart.hpp"
#include "scenario/operation_checks.hpp"
#include "scenario/place_deployment.hpp"
#include "scenario/place_of.hpp"
#include "scenario/roles.hpp"
#include "scenario/sharing.hpp"
#include "scenario/sweep.hpp"

namespace tokenyard::scenario {
namespace {

namespace fs = std::filesystem;

// A file named in a scenario: beside the scenario, else below the catalog root.
std::string find_file(const std::string& name, const std::string& scenario_path,
                      const std::string& root) {
  std::error_code error;
  const fs::path given(name);
  if (given.is_absolute()) return fs::exists(given, error) ? name : "";
  for (const fs::path& base : {fs::path(scenario_path).parent_path(), fs::path(root)}) {
    if (fs::exists(base / given, error)) return (base / given).string();
  }
  return "";
}

void read_workload(Plan& plan, const std::string& scenario_path, const std::string& root,
                   Diagnostics& diagnostics) {
  WorkloadRef& ref = plan.scenario.workload;
  plan.workload_options.directory = fs::path(scenario_path).parent_path().string();
  plan.workload_options.fallback = root;
  plan.workload_options.seed = static_cast<std::uint64_t>(plan.scenario.seed);
  plan.workload_options.rate_scale = plan.scenario.scale.value_or(1.0);
  if (!ref.file) {
    if (ref.spec.name.empty()) ref.spec.name = plan.scenario.name;
    return;
  }
  const std::string path = find_file(*ref.file, scenario_path, root);
  if (path.empty()) {
    diagnostics.add(ref.where, "workload",
                    "there is no file '" + *ref.file + "' beside the scenario or in " + root);
    return;
  }
  plan.workload_options.directory = fs::path(path).parent_path().string();
  const input::Node node = input::load_yaml(path, diagnostics);
  if (node.kind == input::Node::Kind::null) return;
  input::ReadContext context{&diagnostics, "", std::nullopt};
  input::read_value(context, node, ref.spec);
  if (ref.spec.name.empty()) ref.spec.name = fs::path(path).stem().string();
}

// The named catalog entry, or nullptr with a message where the scenario names it.
template <class T>
const T* find_entry(catalog::Catalog& catalog, catalog::EntryKind kind,
                    const T* (catalog::Catalog::*load)(const std::string&, Diagnostics&),
                    const std::string& name, const input::Node& root, const std::string& path,
                    Diagnostics& diagnostics) {
  if (name.empty() && is_no_scalar(root, path)) return nullptr;
  if (!catalog.exists(kind, name)) {
    diagnostics.add(place_of(root, path), path,
                    "no " + std::string(input::name_of(kind)) + " '" + name + "' in the catalog" +
                        suggestion(name, catalog.names(kind)));
    return nullptr;
  }
  return (catalog.*load)(name, diagnostics);
}

// A device that no node is written for stands alone: one of it in a host that costs and draws
// nothing, towards no network.
catalog::NodeSpec alone(const catalog::Device& device) {
  catalog::NodeSpec node;
  node.name = device.name;
  node.description = "one " + device.name + "; its host is left out";
  node.source = "default of tokenyard";
  node.confidence = input::Confidence::assumed;
  node.devices = {{.device = device.name, .count = 1}};
  node.host.price = usd(0);
  return node;
}

// Node and devices of a pool; without devices when one of them is not known.
void resolve_hardware(const PoolSpec& spec, PoolPlan& pool, catalog::Catalog& catalog,
                      const input::Node& root, Diagnostics& diagnostics) {
  const std::string path = pool.path + ".node";
  using catalog::EntryKind;
  if (!catalog.exists(EntryKind::node, spec.node) && catalog.exists(EntryKind::device, spec.node)) {
    const catalog::Device* device = catalog.device(spec.node, diagnostics);
    if (device == nullptr) return;
    pool.node = alone(*device);
    pool.devices = {*device};
    return;
  }
  const auto* node = find_entry(catalog, catalog::EntryKind::node, &catalog::Catalog::node,
                                spec.node, root, path, diagnostics);
  if (node == nullptr) return;
  pool.node = *node;
  for (const catalog::DeviceSlots& slots : node->devices) {
    const catalog::Device* device = catalog.device(slots.device, diagnostics);
    if (device == nullptr) {
      if (!catalog.exists(catalog::EntryKind::device, slots.device)) {
        diagnostics.add(place_of(root, path), path,
                        "node " + node->name + " has the device '" + slots.device +
                            "', which is not in the catalog");
      }
      pool.devices.clear();
      return;
    }
    pool.devices.push_back(*device);
  }
}

struct Source {
  std::string path;  // of the scenario
  const LoadOptions& options;
};

// Nodes that the replicas fill, where the file says auto.
std::int64_t nodes_filled(const PoolPlan& pool) {
  const std::int64_t in_node = std::max<std::int64_t>(1, pool.node.device_count());
  const DeploymentPlan& d = pool.deployments.front();
  if (d.devices_per_replica > in_node) return d.replicas * (d.devices_per_replica / in_node);
  const std::int64_t in_one = in_node / d.devices_per_replica;
  return (d.replicas + in_one - 1) / in_one;
}

void resolve_pool(const PoolSpec& spec, Plan& plan, PoolPlan& pool, const Source& source,
                  catalog::Catalog& catalog, const input::Node& root, Diagnostics& diagnostics) {
  pool.name = spec.name;
  pool.count = spec.count;
  pool.where = spec.where;
  pool.sharing = spec.sharing;
  resolve_hardware(spec, pool, catalog, root, diagnostics);
  std::int64_t free_devices = pool.device_count();
  // Who shares its devices has all of them.
  const bool alone = spec.deploy.list.size() == 1 || spec.sharing;
  for (std::size_t i = 0; i < spec.deploy.list.size(); ++i) {
    DeploymentPlan& d = pool.deployments.emplace_back();
    d.spec = spec.deploy.list[i];
    d.path = spec.deploy.paths[i];
    d.where = place_of(root, d.path);
    resolve_deployment(d,
                       {.pool = pool,
                        .free_devices = free_devices,
                        .alone = alone,
                        .scenario = root,
                        .serving = plan.scenario.serving,
                        .fits = source.options.fits,
                        .report_unfit = plan.scenario.unfit == Unfit::report},
                       catalog, diagnostics);
    if (source.options.max_context) d.model.max_context = *source.options.max_context;
    if (!spec.sharing) free_devices -= d.replicas * d.devices_per_replica;
    if (plan.unfit.empty()) plan.unfit = d.unfit;
    split_engines(pool);
  }
  if (spec.count != kAuto) return;
  if (!alone) {
    diagnostics.add(place_of(root, pool.path + ".count"), pool.path + ".count",
                    "several deployments share the pool; give it its number of nodes");
  }
  pool.count = spec.deploy.list.empty() ? 1 : nodes_filled(pool);
}

void check_whole(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  const ScenarioFile& s = plan.scenario;
  const auto add = [&](const std::string& path, const std::string& message) {
    diagnostics.add(place_of(root, path), path, message);
  };
  std::set<std::string> names;
  for (const PoolPlan& pool : plan.pools) {
    if (!pool.name.empty() && !names.insert(pool.name).second)
      add(pool.path + ".name", "two pools have the name '" + pool.name + "'");
  }
  if (s.serving.scheduler.max_batch_tokens <= s.serving.scheduler.max_batch) {
    add("serving.scheduler.max_batch_tokens", std::to_string(s.serving.scheduler.max_batch_tokens) +
                                                  " must be more than max_batch, " +
                                                  std::to_string(s.serving.scheduler.max_batch) +
                                                  ", or a full batch leaves no room for prompts");
  }
  check_roles(plan, root, diagnostics);
  check_engines_apart(plan, root, diagnostics);
  check_sharing(plan, root, diagnostics);
  const auto& generator = s.workload.spec.generator;
  if (generator && !generator->requests && !s.duration && !s.requests) {
    add("workload",
        "the generator never ends; give the scenario a duration or a number of requests");
  }
  if (s.duration && s.warmup >= *s.duration && s.warmup > seconds(0)) {
    add("warmup",
        to_text(s.warmup) + " is not shorter than the duration of " + to_text(*s.duration));
  }
}

// Everything that decides the result, as canonical JSON.
std::string plan_json(const Plan& plan) {
  JsonWriter json;
  const auto write = [&]<class T>(std::string_view key, const T& value) {
    json.key(key);
    input::Codec<T>::write(json, value);
  };
  json.begin_object();
  write("scenario", plan.scenario);
  write("site", plan.site);
  write("fabric", plan.fabric);
  json.key("pools").begin_array();
  for (const PoolPlan& pool : plan.pools) {
    json.begin_object().key("name").value(pool.name);
    write("node", pool.node);
    write("devices", pool.devices);
    write("calibrations", pool.calibrations);
    json.key("deployments").begin_array();
    for (const DeploymentPlan& d : pool.deployments) {
      json.begin_object();
      write("spec", d.spec);
      write("model", d.model);
      write("weights", d.weights);
      write("kv", d.kv);
      write("activations", d.activations);
      write("lm_head", d.lm_head);
      write("expert_weights", d.expert_weights);
      json.key("prefill_linear_math").value(d.prefill_linear_math);
      json.key("prefill_expert_math").value(d.prefill_expert_math);
      json.key("prefill_attention_math").value(d.prefill_attention_math);
      json.key("expert_math").value(d.expert_math);
      json.key("linear_math").value(d.linear_math).key("attention_math").value(d.attention_math);
      json.key("devices_per_replica")
          .value(d.devices_per_replica)
          .key("replicas")
          .value(d.replicas);
      json.key("kv_share").value(d.kv_share);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.text();
}

// The trace's hash, or "" for a generator.
std::string hash_of_trace(const Plan& plan, const input::Node& root, Diagnostics& diagnostics) {
  try {
    const std::string trace =
        workload::trace_path(plan.scenario.workload.spec, plan.workload_options);
    return trace.empty() ? "" : sha256_file(trace);
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics())
      diagnostics.add(place_of(root, "workload"), "workload", d.message);
    return "";
  }
}

Plan resolve(const Variant& variant, const Source& source, catalog::Catalog& catalog,
             Diagnostics& diagnostics) {
  using catalog::Catalog;
  Plan plan;
  plan.parameters = variant.parameters;
  plan.where = variant.root.place;
  for (const auto& [key, value] : variant.parameters) {
    plan.variant += (plan.variant.empty() ? "" : ", ") + key + '=' + value;
  }
  input::ReadContext context{&diagnostics, "", std::nullopt};
  input::read_value(context, variant.root, plan.scenario);
  read_workload(plan, source.path, catalog.root(), diagnostics);
  auto& trace = plan.scenario.workload.spec.trace;
  if (source.options.skip_bad_lines && trace) trace->skip_bad_lines = true;
  const input::Node* fleet_node = variant.root.find("fleet");
  if (fleet_node == nullptr || fleet_node->kind != input::Node::Kind::map) return plan;
  const FleetSpec& fleet = plan.scenario.fleet;
  const auto* site = find_entry(catalog, catalog::EntryKind::site, &Catalog::site, fleet.site,
                                variant.root, "fleet.site", diagnostics);
  if (site != nullptr) plan.site = *site;
  const auto* fabric = find_entry(catalog, catalog::EntryKind::fabric, &Catalog::fabric,
                                  fleet.fabric, variant.root, "fleet.fabric", diagnostics);
  if (fabric != nullptr) plan.fabric = *fabric;
  for (std::size_t i = 0; i < fleet.pools.size(); ++i) {
    PoolPlan& pool = plan.pools.emplace_back();
    pool.path = "fleet.pools[" + std::to_string(i) + "]";
    resolve_pool(fleet.pools[i], plan, pool, source, catalog, variant.root, diagnostics);
  }
  if (const input::Node* serving = variant.root.find("serving")) {
    if (const input::Node* host = serving->find("host")) {
      for (const input::Node::Entry& entry : host->entries) plan.stated_host.push_back(entry.key);
    }
  }
  calibrate_plan(plan, catalog, variant.root, diagnostics);
  check_operation(plan, variant.root, diagnostics);
  check_whole(plan, variant.root, diagnostics);
  if (!diagnostics.empty()) return plan;
  plan.assumptions = collect_assumptions(plan);
  plan.json = plan_json(plan);
  plan.hash = sha256_text(plan.json);
  plan.trace_hash = hash_of_trace(plan, variant.root, diagnostics);
  return plan;
}

// A sweep would take the value of the command line away again.
void refuse_swept(const input::Node& root, const Overrides& overrides, Diagnostics& diagnostics) {
  const input::Node* sweep = root.find("sweep");
  if (sweep == nullptr) return;
  const input::Node* zip = sweep->find("zip");
  for (const auto& [path, text] : overrides) {
    for (const input::Node* axes : {sweep, zip}) {
      if (axes == nullptr || axes->find(path) == nullptr) continue;
      diagnostics.add(axes->find(path)->place, "sweep",
                      "the scenario sweeps over " + path + ", which --set sets to '" + text +
                          "'; --set sweep=null leaves the sweep out");
    }
  }
}

// What was overridden, each path once with the value that holds.
Parameters parameters_of(const Overrides& overrides) {
  Parameters parameters;
  for (const auto& override : overrides) {
    std::erase_if(parameters, [&](const auto& earlier) { return earlier.first == override.first; });
    if (override.first != "sweep") parameters.push_back(override);
  }
  return parameters;
}

}  // namespace

std::int64_t Plan::node_count() const {
  std::int64_t nodes = 0;
  for (const PoolPlan& pool : pools) nodes += pool.count;
  return nodes;
}

std::int64_t Plan::device_count() const {
  std::int64_t devices = 0;
  for (const PoolPlan& pool : pools) devices += pool.device_count();
  return devices;
}

std::vector<Plan> load_plans(const std::string& scenario_path, const Overrides& overrides,
                             catalog::Catalog& catalog, const LoadOptions& options) {
  Diagnostics diagnostics;
  input::Node root = input::load_yaml(scenario_path, diagnostics);
  diagnostics.throw_if_any();
  return plans_of(std::move(root), scenario_path, overrides, catalog, options);
}

std::vector<Plan> plans_of(input::Node root, const std::string& scenario_path,
                           const Overrides& overrides, catalog::Catalog& catalog,
                           const LoadOptions& options) {
  Diagnostics diagnostics;
  for (const auto& [path, text] : overrides) {
    const input::Node value = input::parse_yaml(text, "--set " + path, diagnostics);
    const std::string problem = input::set_path(root, path, value);
    if (!problem.empty()) diagnostics.add(value.place, path, problem);
  }
  refuse_swept(root, overrides, diagnostics);
  diagnostics.throw_if_any();
  const std::vector<Variant> variants = expand_sweep(root, parameters_of(overrides), diagnostics);
  diagnostics.throw_if_any();
  std::vector<Plan> plans;
  for (const Variant& variant : variants) {
    Diagnostics of_variant;
    Plan plan = resolve(variant, {scenario_path, options}, catalog, of_variant);
    // The first variant with problems says them; the others would mostly repeat them.
    of_variant.throw_if_any();
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace tokenyard::scenario
