#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyScenario;
using test::ToyYard;

// Ten good lines before, so what is appended starts on line 11.
std::string appended(const std::string& text) {
  const ToyYard yard;
  return yard.refusal(kToyScenario + text);
}

// The toy deployment with more keys, on line 11.
std::string deploying(const std::string& keys) {
  return appended("        " + keys + "\n");
}

// A message about column `column` of line 11.
std::string at_11(int column, const std::string& text, const std::string& message) {
  return "s.yaml:11:" + std::to_string(column) + ": error: " + message + "\n   11 | " + text +
         "\n      | " + std::string(static_cast<std::size_t>(column - 1), ' ') + "^";
}

// Line 11 is `text`; the caret stands under the only `at` in it.
void refused(const std::string& text, const std::string& at, const std::string& message) {
  CAPTURE(text);
  const auto column = static_cast<int>(text.find(at)) + 1;
  CHECK(appended(text + '\n') == at_11(column, text, message));
}

}  // namespace

TEST_CASE("a scenario that is right is not refused") {
  CHECK(appended("") == "");
}

TEST_CASE("an unknown key is refused with the nearest known one, wherever it stands") {
  refused("sede: 1", "sede", "unknown key 'sede'; did you mean 'seed'?");
  refused("serving: {ruoter: random}", "ruoter",
          "serving: unknown key 'ruoter'; did you mean 'router'?");
  refused("serving: {scheduler: {max_batchs: 8}}", "max_batchs",
          "serving.scheduler: unknown key 'max_batchs'; did you mean 'max_batch'?");
  refused("economics: {market: {usd_per_gpu_hour: 2}}", "usd_per_gpu_hour",
          "economics.market: unknown key 'usd_per_gpu_hour'; accepted: usd_per_device_hour, "
          "usd_per_mtok_input, usd_per_mtok_output");
  refused("        tensor_paralel: 2", "tensor_paralel",
          "fleet.pools[0].deploy: unknown key 'tensor_paralel'; did you mean 'tensor_parallel'?");
}

TEST_CASE("a quantity without a unit, with the wrong one or with an unknown one is refused") {
  refused("warmup: 300", "300", "warmup: '300' has no unit; expected a time, such as '1.5 ms'");
  refused("duration: 5 GB", "5 GB",
          "duration: '5 GB' is an amount of data; expected a time, such as '1.5 ms'");
  refused("duration: 5 mn", "5 mn", "duration: '5 mn': unknown unit 'mn'; did you mean 'min'?");
  refused("economics: {horizon: 4}", "4}",
          "economics.horizon: '4' has no unit; expected a time, such as '1.5 ms'");
}

TEST_CASE("values out of range, of the wrong kind or not among the names are refused") {
  refused("seed: 1.5", "1.5", "seed: '1.5' is not a whole number; expected one, such as '8'");
  refused("scale: 0", "0", "scale: '0' is out of range; expected more than 0");
  refused("duration: 0 s", "0 s", "duration: '0 s' is out of range; expected more than 0 s");
  refused("warmup: -1 s", "-1 s", "warmup: '-1 s' is out of range; expected at least 0 s");
  refused("requests: 0", "0", "requests: '0' is out of range; expected at least 1");
  refused("serving: {router: prefix}", "prefix",
          "serving.router: 'prefix' is not known here; did you mean 'prefix-affinity'?");
  refused("store_requests: some", "some",
          "store_requests: 'some' is not known here; did you mean 'none'?");
  refused("economics: {utilization: 120 %}", "120",
          "economics.utilization: '120 %' is out of range; expected 'from-simulation' or a share "
          "up to 100 %");
  refused("        memory_utilization: 1.1", "1.1",
          "fleet.pools[0].deploy.memory_utilization: '1.1' is out of range; expected at most 1");
  refused("        replicas: 0", "0",
          "fleet.pools[0].deploy.replicas: '0' is out of range; expected 'auto' or at least 1");
  refused("fleet: 5", "fleet", "key 'fleet' is given twice");
}

TEST_CASE("what a scenario must have is missed at the map that lacks it") {
  const ToyYard yard;
  CHECK(yard.refusal("name: x\n") ==
        "s.yaml:1:1: error: key 'workload' is missing\n"
        "    1 | name: x\n"
        "      | ^\n"
        "s.yaml:1:1: error: key 'fleet' is missing\n"
        "    1 | name: x\n"
        "      | ^");
  CHECK(yard.refusal("name: x\nworkload: workloads/ten.yaml\n"
                     "fleet: {site: toy-site, fabric: toy-switch, pools: [{count: 2}]}\n") ==
        "s.yaml:3:53: error: fleet.pools[0]: key 'name' is missing\n"
        "    3 | fleet: {site: toy-site, fabric: toy-switch, pools: [{count: 2}]}\n"
        "      |                                                     ^\n"
        "s.yaml:3:53: error: fleet.pools[0]: key 'node' is missing\n"
        "    3 | fleet: {site: toy-site, fabric: toy-switch, pools: [{count: 2}]}\n"
        "      |                                                     ^\n"
        "s.yaml:3:53: error: fleet.pools[0]: key 'deploy' is missing\n"
        "    3 | fleet: {site: toy-site, fabric: toy-switch, pools: [{count: 2}]}\n"
        "      |                                                     ^");
  CHECK(yard.refusal("name: x\nworkload: workloads/ten.yaml\n"
                     "fleet: {site: toy-site, fabric: toy-switch, pools: []}\n") ==
        "s.yaml:3:52: error: fleet.pools: the list is empty; expected at least one pool\n"
        "    3 | fleet: {site: toy-site, fabric: toy-switch, pools: []}\n"
        "      |                                                    ^");
}

TEST_CASE("a file that is empty, no YAML or not there is refused") {
  const ToyYard yard;
  CHECK(yard.refusal("") == "s.yaml:1:1: error: nothing is written here");
  CHECK(yard.refusal("- 1\n") ==
        "s.yaml:1:1: error: a list stands here; expected a map\n    1 | - 1\n      | ^");
  catalog::Catalog catalog(yard.file(""));
  CHECK(yard.message_of([&] { load_plans(yard.file("gone.yaml"), {}, catalog); }) ==
        "gone.yaml: error: there is no such file");
}

TEST_CASE("unknown nodes, sites, fabrics, models and formats are refused with the nearest name") {
  const ToyYard yard;
  const auto spoilt = [&](const std::string& from, const std::string& to) {
    std::string text = kToyScenario;
    return yard.refusal(text.replace(text.find(from), from.size(), to));
  };
  CHECK(spoilt("node: toy-node", "node: toynode") ==
        "s.yaml:8:13: error: fleet.pools[0].node: no node 'toynode' in the catalog; did you mean "
        "'toy-node'?\n"
        "    8 |       node: toynode\n"
        "      |             ^");
  CHECK(spoilt("site: toy-site", "site: us-ohio") ==
        "s.yaml:4:9: error: fleet.site: no site 'us-ohio' in the catalog; accepted: toy-site\n"
        "    4 |   site: us-ohio\n"
        "      |         ^");
  CHECK(spoilt("fabric: toy-switch", "fabric: switch") ==
        "s.yaml:5:11: error: fleet.fabric: no fabric 'switch' in the catalog; did you mean "
        "'toy-switch'?\n"
        "    5 |   fabric: switch\n"
        "      |           ^");
  CHECK(spoilt("model: toy-4b", "model: toy-7b") ==
        "s.yaml:10:16: error: fleet.pools[0].deploy.model: no model 'toy-7b' in the catalog; did "
        "you mean 'toy-4b'?\n"
        "   10 |         model: toy-7b\n"
        "      |                ^");
  for (const std::string key : {"weights", "kv", "activations"}) {
    const std::string text = "        " + key + ": fp9";
    refused(text, "fp9",
            "fleet.pools[0].deploy." + key + ": no number format 'fp9'; did you mean 'fp8'?");
  }
  refused("        engine: nain", "nain",
          "fleet.pools[0].deploy.engine: no engine 'nain' in node toy-node; did you mean 'main'?");
  refused("        placement: sram", "sram",
          "fleet.pools[0].deploy.placement: no tier 'sram' of toy holds weights; accepted: hbm");
}

TEST_CASE("a default that the catalog lacks is refused where it would stand") {
  const ToyYard yard;
  CHECK(yard.refusal("name: x\nworkload: workloads/ten.yaml\n"
                     "fleet: {fabric: toy-switch, pools: [{name: a, node: toy-node, deploy: "
                     "{model: toy-4b}}]}\n") ==
        "s.yaml:3:8: error: fleet.site: no site 'us-average' in the catalog; accepted: toy-site\n"
        "    3 | fleet: {fabric: toy-switch, pools: [{name: a, node: toy-node, deploy: {model: "
        "toy-4b}}]}\n"
        "      |        ^");
}

TEST_CASE("a node with a device that the catalog lacks is refused where the node is named") {
  const ToyYard yard;
  yard.edit("hardware_catalog/nodes/toy-node.yaml", "device: toy,", "device: toi,");
  CHECK(yard.refusal(kToyScenario) ==
        "s.yaml:8:13: error: fleet.pools[0].node: node toy-node has the device 'toi', which is not "
        "in the catalog\n"
        "    8 |       node: toy-node\n"
        "      |             ^");
}

TEST_CASE("mistakes in a catalog entry or workload that a scenario uses are shown in that file") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "idle: 100 W", "idle: 100");
  yard.edit("workloads/ten.yaml", "ten.jsonl", "ten.jsonl, limit: 0");
  CHECK(yard.refusal(kToyScenario) ==
        "workloads/ten.yaml:2:33: error: trace.limit: '0' is out of range; expected at least 1\n"
        "    2 | trace: {file: ten.jsonl, limit: 0}\n"
        "      |                                 ^\n"
        "hardware_catalog/devices/toy.yaml:16:15: error: power.idle: '100' has no unit; expected a "
        "power, such as '700 W'\n"
        "   16 | power: {idle: 100, tdp: 300 W, energy_per_flop: {bf16: 1 pJ/FLOP}}\n"
        "      |               ^");
}

TEST_CASE("a format that the device cannot compute in is refused, with those it can") {
  refused("        weights: alien", "alien",
          "fleet.pools[0].deploy.weights: 'alien' cannot be computed with on toy, whose engine "
          "main offers bf16");
  refused("        activations: alien", "alien",
          "fleet.pools[0].deploy.activations: 'alien' cannot be computed with on toy, whose engine "
          "main offers bf16");
}

TEST_CASE("a device that is one model runs no other") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "kind: gpu",
            "kind: asic\nhardwired_model: toy-moe");
  CHECK(yard.refusal(kToyScenario) ==
        "s.yaml:10:16: error: fleet.pools[0].deploy.model: toy is built for toy-moe and runs no "
        "other model\n"
        "   10 |         model: toy-4b\n"
        "      |                ^");
}

TEST_CASE("parallelism must divide what it splits: 64 heads, 8 layers, 8 experts") {
  refused("        tensor_parallel: 3", "3",
          "fleet.pools[0].deploy.tensor_parallel: 3 does not divide the 64 attention heads of "
          "toy-4b");
  refused("        pipeline_parallel: 9", "9",
          "fleet.pools[0].deploy.pipeline_parallel: 9 stages for the 8 layers of toy-4b");
  refused("        expert_parallel: 2", "2",
          "fleet.pools[0].deploy.expert_parallel: toy-4b has no experts; use replicas instead");
  const ToyYard yard;
  std::string text = kToyScenario;
  text.replace(text.find("toy-4b"), 6, "toy-moe");
  CHECK(yard.refusal(text + "        expert_parallel: 2\n") ==
        at_11(26, "        expert_parallel: 2",
              "fleet.pools[0].deploy.expert_parallel: 2 does not divide both the 1 devices of a "
              "stage and the 8 experts"));
}

TEST_CASE("replicas: one too many for the 2 devices is refused, as is one that never fits") {
  refused("        replicas: 3", "3",
          "fleet.pools[0].deploy.replicas: 3 replicas of 1 device each; 2 of 2 devices of pool "
          "main are free");
  CHECK(deploying("replicas: 2") == "");
  CHECK(appended("        tensor_parallel: 4\n") ==
        "s.yaml:10:9: error: fleet.pools[0].deploy.replicas: not one replica fits: 4 devices each; "
        "2 of 2 devices of pool main are free\n"
        "   10 |         model: toy-4b\n"
        "      |         ^");
}

TEST_CASE("deployments that share a pool need their number of replicas, and room for all") {
  const ToyYard yard;
  const std::string head =
      "name: x\nworkload: workloads/ten.yaml\n"
      "fleet: {site: toy-site, fabric: toy-switch, pools: [{name: a, node: toy-node, deploy: [\n";
  CHECK(yard.refusal(head + "{model: toy-4b, replicas: 1},\n{model: toy-moe}]}]}\n") ==
        "s.yaml:5:1: error: fleet.pools[0].deploy[1].replicas: several deployments share the pool; "
        "give each its number of replicas\n"
        "    5 | {model: toy-moe}]}]}\n"
        "      | ^");
  CHECK(yard.refusal(head + "{model: toy-4b, replicas: 1},\n{model: toy-moe, replicas: 2}]}]}\n") ==
        "s.yaml:5:28: error: fleet.pools[0].deploy[1].replicas: 2 replicas of 1 device each; 1 of "
        "2 devices of pool a are free\n"
        "    5 | {model: toy-moe, replicas: 2}]}]}\n"
        "      |                            ^");
  CHECK(
      yard.refusal(head + "]}]}\n") ==
      "s.yaml:3:87: error: fleet.pools[0].deploy: the list is empty; expected at least one "
      "deployment\n"
      "    3 | fleet: {site: toy-site, fabric: toy-switch, pools: [{name: a, node: toy-node, "
      "deploy: [\n"
      "      |                                                                                     "
      "  ^");
}

TEST_CASE("a replica of several devices needs wires: in the node, between nodes, whole nodes") {
  const ToyYard yard;
  const std::string two = kToyScenario + "        tensor_parallel: 2\n";
  const std::string four = kToyScenario + "        tensor_parallel: 4\n      count: 2\n";
  CHECK(yard.refusal(four) == "");
  yard.edit("hardware_catalog/nodes/toy-node.yaml",
            "nics: [{name: nic, bandwidth: 50 GB/s, price: 10 USD}]\n", "");
  CHECK(yard.refusal(two) == "");
  CHECK(yard.refusal(four) ==
        at_11(26, "        tensor_parallel: 4",
              "fleet.pools[0].deploy.tensor_parallel: a replica of 4 devices spans nodes, and node "
              "toy-node has no NIC"));
  yard.edit("hardware_catalog/nodes/toy-node.yaml", "topology: all-to-all-switch\nlink: wire\n",
            "topology: none\n");
  CHECK(yard.refusal(two) ==
        at_11(26, "        tensor_parallel: 2",
              "fleet.pools[0].deploy.tensor_parallel: the devices of node toy-node are not "
              "connected"));
  const ToyYard other;
  other.edit("hardware_catalog/nodes/toy-node.yaml", "count: 2}", "count: 3}");
  CHECK(other.refusal(four) ==
        at_11(26, "        tensor_parallel: 4",
              "fleet.pools[0].deploy.tensor_parallel: a replica of 4 devices fills no whole number "
              "of nodes of 3"));
}

TEST_CASE("two pools of one name are refused at the second's name") {
  CHECK(appended("    - name: main\n      node: toy-node\n      deploy: {model: toy-4b}\n") ==
        at_11(13, "    - name: main", "fleet.pools[1].name: two pools have the name 'main'"));
}

TEST_CASE("a warm-up as long as the run is refused, one that is shorter is not") {
  CHECK(appended("warmup: 10 s\nduration: 10 s\n") ==
        at_11(9, "warmup: 10 s", "warmup: 10.0 s is not shorter than the duration of 10.0 s"));
  CHECK(appended("warmup: 9 s\nduration: 10 s\n") == "");
}

TEST_CASE("a generator without an end needs one: its own, or requests, or a duration") {
  const ToyYard yard;
  const auto with = [&](const std::string& generator, const std::string& end) {
    return yard.refusal(
        "name: x\nworkload: {generator: {kind: poisson, rate: 1 /s, input: 1, "
        "output: 1" +
        generator + "}}\n" + end +
        "fleet: {site: toy-site, fabric: toy-switch, pools: [{name: a, node: "
        "toy-node, deploy: {model: toy-4b}}]}\n");
  };
  CHECK(with("", "") ==
        "s.yaml:2:11: error: workload: the generator never ends; give the scenario a duration or a "
        "number of requests\n"
        "    2 | workload: {generator: {kind: poisson, rate: 1 /s, input: 1, output: 1}}\n"
        "      |           ^");
  CHECK(with(", requests: 5", "") == "");
  CHECK(with("", "requests: 5\n") == "");
  CHECK(with("", "duration: 5 s\n") == "");
}

TEST_CASE("max_batch_tokens must leave room for prompts beside a full batch: 256 no, 257 yes") {
  refused("serving: {scheduler: {max_batch_tokens: 256}}", "256",
          "serving.scheduler.max_batch_tokens: 256 must be more than max_batch, 256, or a full "
          "batch leaves no room for prompts");
  CHECK(appended("serving: {scheduler: {max_batch_tokens: 257}}\n") == "");
}

TEST_CASE("what an operator asks for must exist and have what it needs") {
  refused("serving: {routes: [{pool: mian}]}", "mian",
          "serving.routes[0].pool: there is no pool 'mian'; did you mean 'main'?");
  refused("autoscaling: {pool: spare}", "spare",
          "autoscaling.pool: there is no pool 'spare'; accepted: main");
  refused("autoscaling: {policy: slo}", "slo",
          "autoscaling.policy: 'slo' needs a 'target_ttft', or an 'slo' with a limit on ttft");
  refused("serving: {overload: {policy: reject}}", "{policy",
          "serving.overload: what is too late? Give it a 'ttft', or the SLO a limit on ttft");
  refused("faults: {enabled: true, events: [{at: 1 s, pool: main, node: 7}]}", "7",
          "faults.events[0].node: '7' is out of range; pool 'main' has the nodes 0 to 0");
  refused("faults: {events: [{at: 1 s, pool: main}]}", "{events",
          "faults: nothing fails and nothing is maintained without 'enabled: true'");
  refused("serving: {client: {retries: 2}}", "2",
          "serving.client.retries: has no effect without a 'timeout'");
  refused("serving: {scheduler: {priorities: {gold: 1}}}", "{gold",
          "serving.scheduler.priorities: has no effect without 'admission: priority'");
  refused("serving: {router_load_cap: 2}", "2",
          "serving.router_load_cap: has no effect without 'router: prefix-affinity' or "
          "'session-sticky'");
}

TEST_CASE("tiers below device memory are asked for in their order, and as they can be used") {
  refused("serving: {kv_cache: {offload: [ssd, dram]}}", "[ssd",
          "serving.kv_cache.offload: tiers come once each, the fastest first: dram, ssd, remote");
  refused("serving: {kv_cache: {offload: [remote]}}", "remote",
          "serving.kv_cache.offload[0]: 'remote' needs a capacity, as in {tier: remote, capacity: "
          "100 TB}");
  refused("serving: {kv_cache: {between_turns: offload}}", "offload",
          "serving.kv_cache.between_turns: 'offload' needs a tier in 'offload'");
  refused(
      "serving: {scheduler: {policy: static}, kv_cache: {offload: [dram]}}", "[dram]",
      "serving.kv_cache.offload: static batches are not joined by what comes back: expected []");
}

TEST_CASE("speculation needs exactly one measure of its gain, and one that can be") {
  refused("serving: {speculation: {kind: mtp}}", "mtp",
          "serving.speculation.kind: needs one of 'acceptance', 'tokens_per_step' and 'speedup'");
  refused("serving: {speculation: {kind: mtp, speedup: 1.7, acceptance: 0.5}}", "mtp",
          "serving.speculation.kind: needs one of 'acceptance', 'tokens_per_step' and 'speedup'");
  refused("serving: {speculation: {kind: mtp, tokens: 3, tokens_per_step: [1.8, 2.3]}}", "[1.8",
          "serving.speculation.tokens_per_step: has 2 values; a draft of 3 tokens needs as many");
  refused("serving: {speculation: {kind: mtp, tokens: 1, tokens_per_step: [2.1]}}", "[2.1",
          "serving.speculation.tokens_per_step: a draft of 1 yields between 1 and 2 tokens, not "
          "2.10");
  CHECK(
      appended("serving: {speculation: {kind: eagle, tokens: 2, tokens_per_step: [1.8, 2.4]}}\n") ==
      "");
}

TEST_CASE("drawn acceptance needs something to draw from") {
  const auto drawn = [](const std::string& rest) {
    return "serving: {speculation: {kind: mtp, sampling: per-request, " + rest + "}}";
  };
  refused(drawn("speedup: 1.7"), "per-request",
          "serving.speculation.sampling: a 'speedup' is a mean, of which nothing can be drawn; "
          "expected 'acceptance' or 'tokens_per_step'");
  refused(drawn("tokens: 2, tokens_per_step: [1.5, 2.3]"), "[1.5",
          "serving.speculation.tokens_per_step: guess 2 yields 0.800 tokens; to be drawn it has to "
          "yield between 0 and the 0.500 of guess 1, without which it counts for nothing");
  refused(drawn("tokens: 2, tokens_per_step: [1.5, 1.4]"), "[1.5",
          "serving.speculation.tokens_per_step: guess 2 yields -0.100 tokens; to be drawn it has to "
          "yield between 0 and the 0.500 of guess 1, without which it counts for nothing");
  refused(drawn("acceptance: 0.8, acceptance_spread: 0.4"), "0.4}",
          "serving.speculation.acceptance_spread: '0.400' is too wide; shares with the mean 0.800 "
          "have a deviation below sqrt(mean (1 - mean))");
  refused(drawn("tokens_per_step: [1.8], acceptance_spread: 0.1"), "0.1}",
          "serving.speculation.acceptance_spread: has no effect without 'acceptance'");
  refused(drawn("acceptance: 0.8, resume_batch: 4"), "4}",
          "serving.speculation.resume_batch: has no effect without 'max_batch'");
  refused(drawn("acceptance: 0.8, max_batch: 8, resume_batch: 9"), "9}",
          "serving.speculation.resume_batch: '9' is out of range; expected at most max_batch, 8");
  refused("serving: {speculation: {kind: mtp, acceptance: 0.8, acceptance_spread: 0.1}}", "0.1}",
          "serving.speculation.acceptance_spread: has no effect without 'sampling: per-request'");
  // Beyond the draft's length a curve may be anything, and the mean takes any.
  CHECK(appended(drawn("tokens: 1, tokens_per_step: [1.5, 2.3]") + "\n") == "");
  CHECK(appended("serving: {speculation: {kind: mtp, tokens: 2, tokens_per_step: [1.5, 2.3]}}\n") ==
        "");
}

TEST_CASE("limits of the SLO are named after latency statistics and more than nothing") {
  refused("slo: {ttft_99: 2 s}", "ttft_99", "slo: unknown key 'ttft_99'; did you mean 'ttft_p99'?");
  refused("slo: {tpot_p99: 0 s}", "0 s",
          "slo.tpot_p99: '0 s' is out of range; expected more than 0 s");
  refused("slo: {tpot_p99: 50}", "50",
          "slo.tpot_p99: '50' has no unit; expected a time, such as '1.5 ms'");
}

TEST_CASE("a trace that is not there is refused with every place where it was looked for") {
  const ToyYard yard;
  yard.write("workloads/ten.yaml", "name: ten\nsource: made by hand\ntrace: {file: gone.jsonl}\n");
  std::string message = yard.refusal(kToyScenario);
  const std::size_t variable = message.find("\nset TOKENYARD_DATA");  // said only when it is unset
  if (variable != std::string::npos) message.erase(variable, message.find("\nits") - variable);
  CHECK(
      message.starts_with("s.yaml:2:11: error: workload: there is no trace 'gone.jsonl'; looked "
                          "for:\n  workloads/gone.jsonl\n  gone.jsonl\n"));
  CHECK(
      message.ends_with("\nits source: made by hand\n"
                        "    2 | workload: workloads/ten.yaml\n"
                        "      |           ^"));
}

TEST_CASE("a workload file that is not there is refused with where it was looked for") {
  const ToyYard yard;
  CHECK(yard.refusal(kToyScenario, {{"workload", "workloads/none.yaml"}}) ==
        "--set workload:1:1: error: workload: there is no file 'workloads/none.yaml' beside the "
        "scenario or in YARD\n"
        "    1 | workloads/none.yaml\n"
        "      | ^");
}

TEST_CASE("all mistakes of a scenario are shown at once, in the order of the file") {
  const ToyYard yard;
  CHECK(
      yard.refusal(R"(name: x
workload: workloads/none.yaml
warmup: 5
fleet:
  site: nowhere
  fabric: toy-switch
  pools:
    - name: a
      node: nothing
      deploy: {model: gpt, weights: fp9, tensor_parallel: 0}
    - name: a
      node: toy-node
      deploy: {model: toy-4b, tensor_parallel: 3, speed: 5}
slo: {ttft: 2 s}
serving: {scheduler: {max_batch_tokens: 10}}
)") ==
      R"(s.yaml:2:11: error: workload: there is no file 'workloads/none.yaml' beside the scenario or in YARD
    2 | workload: workloads/none.yaml
      |           ^
s.yaml:3:9: error: warmup: '5' has no unit; expected a time, such as '1.5 ms'
    3 | warmup: 5
      |         ^
s.yaml:5:9: error: fleet.site: no site 'nowhere' in the catalog; accepted: toy-site
    5 |   site: nowhere
      |         ^
s.yaml:9:13: error: fleet.pools[0].node: no node 'nothing' in the catalog; accepted: toy-node
    9 |       node: nothing
      |             ^
s.yaml:10:23: error: fleet.pools[0].deploy.model: no model 'gpt' in the catalog; accepted: toy-4b, toy-moe
   10 |       deploy: {model: gpt, weights: fp9, tensor_parallel: 0}
      |                       ^
s.yaml:10:37: error: fleet.pools[0].deploy.weights: no number format 'fp9'; did you mean 'fp8'?
   10 |       deploy: {model: gpt, weights: fp9, tensor_parallel: 0}
      |                                     ^
s.yaml:10:59: error: fleet.pools[0].deploy.tensor_parallel: '0' is out of range; expected 'auto' or at least 1
   10 |       deploy: {model: gpt, weights: fp9, tensor_parallel: 0}
      |                                                           ^
s.yaml:11:13: error: fleet.pools[1].name: two pools have the name 'a'
   11 |     - name: a
      |             ^
s.yaml:13:48: error: fleet.pools[1].deploy.tensor_parallel: 3 does not divide the 64 attention heads of toy-4b
   13 |       deploy: {model: toy-4b, tensor_parallel: 3, speed: 5}
      |                                                ^
s.yaml:13:51: error: fleet.pools[1].deploy: unknown key 'speed'; accepted: model, role, role_may_change, engine, weights, kv, activations, expert_weights, lm_head, placement, tensor_parallel, pipeline_parallel, expert_parallel, redundant_experts, expert_skew, data_parallel_attention, attention_data_parallel, replicas, lora, min_kv_tokens, memory_utilization
   13 |       deploy: {model: toy-4b, tensor_parallel: 3, speed: 5}
      |                                                   ^
s.yaml:14:7: error: slo: unknown key 'ttft'; did you mean 'ttft_p50'?
   14 | slo: {ttft: 2 s}
      |       ^
s.yaml:15:41: error: serving.scheduler.max_batch_tokens: 10 must be more than max_batch, 256, or a full batch leaves no room for prompts
   15 | serving: {scheduler: {max_batch_tokens: 10}}
      |                                         ^)");
}

}  // namespace tokenyard::scenario
