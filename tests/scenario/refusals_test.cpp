// Files, keys and values, and names that the catalog lacks.
#include "refusal.hpp"

namespace tokenyard::scenario {

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
