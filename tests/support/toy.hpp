#pragma once
// A fleet of which every answer can be worked out with a pencil.
//
//   device   100 TFLOP/s bf16, 200 fp8; 16 GB at 1 TB/s; every efficiency 1, the roofline a hard
//            maximum, no launch, host or activation overheads; a switched link of 100 GB/s and 1
//            us; 100 W idle, 300 W TDP, 1 pJ/FLOP bf16 and 100 pJ/B: 100 W each at full speed; 1000
//            USD
//   model    8 layers, hidden 8,000; 64 heads of 125, 16 KV heads; ungated FFN of 15,000;
//            vocabulary 100,000, tied.  A layer has 160 M + 240 M parameters, the LM head 800 M:
//            4.0 G in all, 8 GB in bf16.  KV: 64,000 B a token.  Attention: 256,000 FLOP a pair.
//   serving  all of the memory usable, 16 sequences, 1,000 tokens a step, blocks of 16 tokens
//
// On one device a decode step of B <= 16 sequences that attend to c tokens together takes
// 8 ms + 64 ns (B + c): 8 GB of weights, B tokens' KV written, c tokens' read.  A prompt of 1,000
// tokens computed at once takes 64 ms linear + 1.28128 ms attention (500,500 pairs) + 1.6 ms LM
// head.
#include <optional>
#include <string>

#include "perf/placement.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::test {

inline catalog::Device toy_device() {
  catalog::Device device;
  device.name = "toy";
  device.vendor = "pencil";
  device.source = "pencil";
  catalog::Engine engine;
  engine.name = "main";
  engine.peak["bf16"] = teraflops_per_second(100);
  engine.peak["fp8"] = teraflops_per_second(200);
  engine.efficiency.prefill = engine.efficiency.decode = 1.0;
  engine.efficiency.attention_prefill = engine.efficiency.attention_decode = 1.0;
  engine.launch_overhead = seconds(0);
  engine.roofline_exponent = 1000.0;
  engine.activation_traffic = 0.0;
  device.engines = {engine};
  catalog::MemoryTier hbm;
  hbm.tier = "hbm";
  hbm.capacity = gigabytes(16);
  hbm.bandwidth = terabytes_per_second(1);
  hbm.energy = picojoules_per_byte(100);
  hbm.holds = {catalog::Holds::weights, catalog::Holds::kv};
  device.memory = {hbm};
  catalog::Link wire;
  wire.name = "wire";
  wire.bandwidth = gigabytes_per_second(100);
  wire.latency = microseconds(1);
  wire.collective_latency = seconds(0);
  wire.efficiency = 1.0;
  device.links = {wire};
  device.power.idle = watts(100);
  device.power.tdp = watts(300);
  device.power.energy_per_flop["bf16"] = picojoules_per_flop(1.0);
  device.power.energy_per_flop["fp8"] = picojoules_per_flop(0.5);
  device.price = usd(1000);
  return device;
}

inline catalog::Model toy_model() {
  catalog::Model model;
  model.name = "toy-4b";
  model.source = "pencil";
  model.layers = 8;
  model.hidden = 8000;
  model.vocabulary = 100'000;
  model.attention.kind = catalog::AttentionKind::gqa;
  model.attention.heads = 64;
  model.attention.kv_heads = 16;
  model.attention.head_dim = 125;
  model.ffn.kind = catalog::FfnKind::dense;
  model.ffn.gated = false;
  model.ffn.hidden = 15'000;
  model.parameters = 4.0e9;
  model.active_parameters = 4.0e9;
  model.max_context = 100'000;
  model.tied_embeddings = true;
  return model;
}

inline scenario::ServingSpec toy_serving() {
  scenario::ServingSpec serving;
  serving.scheduler.max_batch = 16;
  serving.scheduler.max_batch_tokens = 1000;
  serving.host = {.per_step = seconds(0),
                  .per_sequence = seconds(0),
                  .per_request = seconds(0),
                  .per_input_token = seconds(0)};
  return serving;
}

// `requests` of `input` and `output` tokens at Poisson arrivals.
inline workload::WorkloadSpec toy_workload(double requests_per_s = 1.0, std::int64_t requests = 100,
                                           std::int64_t input = 1000, std::int64_t output = 100) {
  workload::GeneratorSpec generator;
  generator.rate = PerSecond::from_base(requests_per_s);
  generator.input.value = input;
  generator.output.value = output;
  generator.requests = requests;
  workload::WorkloadSpec workload;
  workload.name = "toy";
  workload.generator = generator;
  return workload;
}

struct ToyOptions {
  catalog::Device device = toy_device();
  catalog::Model model = toy_model();
  scenario::ServingSpec serving = toy_serving();
  workload::WorkloadSpec workload = toy_workload();
  std::string weights = "bf16", kv = "bf16";  // bf16 or fp8
  std::int64_t nodes = 1;
  std::int64_t devices_per_node = 1;
  std::int64_t tensor_parallel = 1;
  std::int64_t pipeline_parallel = 1;
  std::int64_t expert_parallel = 1;
  std::int64_t attention_data_parallel = 1;
  std::optional<std::int64_t> replicas;   // absent: as many as the devices allow
  std::optional<std::int64_t> kv_blocks;  // memory cut so that a replica has exactly this many
  double memory_utilization = 1.0;
  std::int64_t seed = 1;
};

inline catalog::NumberFormat toy_format(const std::string& name) {
  catalog::NumberFormat format;
  format.name = name;
  format.bits = name == "fp8" ? 8.0 : 16.0;
  format.math = {name, "bf16"};
  return format;
}

// Nothing in it costs anything but devices (1,000 USD), a switch (10,000 USD) and power
// (0.10 USD/kWh, PUE 1).
inline catalog::Site toy_site() {
  catalog::Site site;
  site.name = "toy-site";
  site.electricity = usd_per_kilowatt_hour(0.10);
  site.pue = 1.0;
  site.carbon_intensity = KilogramsPerJoule::from_base(0.4 / kJoulesPerKilowattHour);
  site.facility.colo_per_kw_month = UsdPerWattSecond::from_base(0);
  site.rack.power_limit = watts(100e3);
  site.rack.price = usd(0);
  site.staff.cost_per_person_year = usd(0);
  site.discount_rate = 0.10;
  site.maintenance_per_year = 0.0;
  site.install_share = 0.0;
  site.residual_value = 0.0;
  return site;
}

// One switch of 64 ports of 50 GB/s, 1 us, 500 W.
inline catalog::FabricSpec toy_fabric() {
  catalog::FabricSpec fabric;
  fabric.name = "toy-switch";
  fabric.kind = catalog::FabricKind::single_switch;
  fabric.switches.ports = 64;
  fabric.switches.bandwidth = gigabytes_per_second(50);
  fabric.switches.latency = microseconds(1);
  fabric.switches.power = watts(500);
  fabric.switches.price = usd(10e3);
  fabric.cable.price = usd(0);
  fabric.switches.annual_failure_rate = fabric.cable.annual_failure_rate = 0.0;
  return fabric;
}

// Nodes of one NIC of 50 GB/s and 5 us, without a host that draws power or costs money.
inline catalog::NodeSpec toy_node(const catalog::Device& device, std::int64_t devices) {
  catalog::NodeSpec node;
  node.name = "toy-node";
  node.devices = {{.device = device.name, .count = devices}};
  node.topology = catalog::NodeTopology::all_to_all_switch;
  node.link = "wire";
  catalog::Nic nic;
  nic.name = "nic";
  nic.bandwidth = gigabytes_per_second(50);
  nic.latency = microseconds(5);
  nic.price = usd(0);
  node.nics = {nic};
  node.host.price = usd(0);
  node.psu_efficiency = 1.0;
  node.annual_failure_rate = 0.0;
  return node;
}

inline scenario::DeploymentPlan toy_deployment(const ToyOptions& options) {
  scenario::DeploymentPlan d;
  d.spec.model = options.model.name;
  d.spec.weights = options.weights;
  d.spec.kv = options.kv;
  d.spec.tensor_parallel = options.tensor_parallel;
  d.spec.pipeline_parallel = options.pipeline_parallel;
  d.spec.expert_parallel = options.expert_parallel;
  d.spec.memory_utilization = options.memory_utilization;
  d.model = options.model;
  d.weights = toy_format(options.weights);
  d.lm_head = d.expert_weights = d.weights;
  d.kv = toy_format(options.kv);
  d.activations = toy_format("bf16");
  d.linear_math = d.prefill_linear_math = options.weights;
  d.expert_math = d.prefill_expert_math = options.weights;
  d.attention_math = d.prefill_attention_math = "bf16";
  d.attention_data_parallel = options.attention_data_parallel;
  d.devices_per_replica =
      options.tensor_parallel * options.attention_data_parallel * options.pipeline_parallel;
  d.replicas =
      options.replicas.value_or(options.nodes * options.devices_per_node / d.devices_per_replica);
  d.where = {.file = "toy.yaml", .line = 9, .column = 7, .source_line = ""};
  d.path = "fleet.pools[0].deploy";
  return d;
}

inline scenario::PoolPlan toy_pool(const ToyOptions& options) {
  scenario::PoolPlan pool;
  pool.name = "main";
  pool.path = "fleet.pools[0]";
  pool.where = {.file = "toy.yaml", .line = 5, .column = 5, .source_line = ""};
  pool.count = options.nodes;
  pool.node = toy_node(options.device, options.devices_per_node);
  pool.devices = {options.device};
  pool.deployments = {toy_deployment(options)};
  return pool;
}

// Takes memory away until exactly `blocks` KV blocks are left: half a block more than that.
inline void cut_memory(scenario::PoolPlan& pool, const scenario::ServingSpec& serving,
                       std::int64_t blocks) {
  const scenario::DeploymentPlan& d = pool.deployments.front();
  catalog::MemoryTier& tier = pool.devices.front().memory.front();
  tier.capacity = gigabytes(1e6);
  const perf::Placement roomy = perf::place(pool, d, serving);
  const double per_rank =
      static_cast<double>(blocks) / static_cast<double>(d.attention_data_parallel) + 0.5;
  const double block_bytes =
      roomy.kv_bytes_per_token * static_cast<double>(serving.kv_cache.block_tokens);
  tier.capacity = bytes(
      (roomy.weight_bytes + roomy.workspace_bytes + roomy.window_bytes + per_rank * block_bytes) /
      d.spec.memory_utilization);
}

inline scenario::Plan toy_plan(const ToyOptions& options = {}) {
  scenario::Plan plan;
  plan.scenario.name = "toy";
  plan.scenario.seed = options.seed;
  plan.scenario.serving = options.serving;
  plan.scenario.workload.spec = options.workload;
  plan.scenario.economics.horizon = years(4);
  plan.scenario.fleet.site = "toy-site";
  plan.scenario.fleet.fabric = "toy-switch";
  plan.site = toy_site();
  plan.fabric = toy_fabric();
  plan.pools = {toy_pool(options)};
  if (options.kv_blocks) cut_memory(plan.pools.front(), options.serving, *options.kv_blocks);
  plan.workload_options.seed = static_cast<std::uint64_t>(options.seed);
  plan.json = "{}";
  plan.hash = "toy";
  return plan;
}

}  // namespace tokenyard::test
