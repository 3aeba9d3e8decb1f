// Models that share the devices of a pool: what they must have in common.
#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::ToyYard;

std::string scenario(const std::string& deploy, const std::string& sharing,
                     const std::string& rest = "") {
  return "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 1 /s, input: 100, "
         "output: 10, requests: 5}\nfleet:\n  site: toy-site\n  fabric: toy-switch\n  pools:\n"
         "    - name: main\n      node: toy-node\n      deploy: [" +
         deploy + "]\n      sharing: " + sharing + "\n" + rest;
}

std::string complaint(const std::string& text) {
  const ToyYard yard;
  return yard.complaint(text);
}

const std::string kTwo = "{model: toy-4b}, {model: toy-moe}";

}  // namespace

TEST_CASE(
    "sharing: each model of the list has all devices of the pool, without a word on replicas") {
  const ToyYard yard;
  const Plan plan = yard.plan(scenario(kTwo, "{}"));
  REQUIRE(plan.pools[0].sharing.has_value());
  for (const DeploymentPlan& d : plan.pools[0].deployments) CHECK(d.replicas == 2);
}

TEST_CASE("sharing: one model has nobody to share with, and none is there twice") {
  CHECK(complaint(scenario("{model: toy-4b}", "{}")) ==
        "fleet.pools[0].sharing: one model has nobody to share with; expected a list of models in "
        "'deploy'");
  CHECK(
      complaint(scenario("{model: toy-4b}, {model: toy-4b, weights: fp8}", "{}")) ==
      "fleet.pools[0].deploy[1].model: toy-4b is in the list twice; models that share devices are "
      "distinct");
}

TEST_CASE("sharing: a slot is as many devices for each of its models, and each has as many slots") {
  CHECK(complaint(scenario("{model: toy-4b}, {model: toy-moe, tensor_parallel: 2}", "{}")) ==
        "fleet.pools[0].deploy[1].tensor_parallel: models that share devices need as many each: 1 "
        "for toy-4b, 2 for toy-moe");
  CHECK(
      complaint(scenario("{model: toy-4b}, {model: toy-moe, replicas: 1}", "{}")) ==
      "fleet.pools[0].deploy[1].replicas: models that share devices have as many replicas each: 2 "
      "of toy-4b, 1 of toy-moe");
}

TEST_CASE(
    "sharing: roles, failures and fleets that grow are for models with devices of their own") {
  CHECK(complaint(scenario("{model: toy-4b}, {model: toy-moe, role: decode}", "{}"))
            .find("fleet.pools[0].deploy[1].role: ") == 0);
  CHECK(complaint(scenario(kTwo, "{}", "faults: {enabled: true}\n")) ==
        "fleet.pools[0].sharing: failures of devices that several models share are not simulated");
  CHECK(complaint(scenario(kTwo, "{}", "autoscaling: {}\n")) ==
        "fleet.pools[0].sharing: replicas of models that share devices do not come and go; give "
        "'autoscaling' the 'pool' that it is for");
}

TEST_CASE("sharing: keys without effect, and times that would let nobody work") {
  CHECK(complaint(scenario(kTwo, "{swap_after: idle, min_residence: 5 s}")) ==
        "fleet.pools[0].sharing.min_residence: has no effect with 'swap_after: idle'");
  CHECK(complaint(scenario(kTwo, "{min_residence: 1 us}")) ==
        "fleet.pools[0].sharing.min_residence: '1 us' is out of range; expected at least 1.00 ms");
  CHECK(complaint(scenario(kTwo, "{swap_after: ilde}")) ==
        "fleet.pools[0].sharing.swap_after: 'ilde' is not known here; did you mean 'idle'?");
}

}  // namespace tokenyard::scenario
