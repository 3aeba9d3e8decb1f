// What a fleet cannot be.
#include "refusal.hpp"

namespace tokenyard::scenario {

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

}  // namespace tokenyard::scenario
