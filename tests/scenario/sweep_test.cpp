#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyScenario;
using test::ToyYard;

std::vector<std::string> variants(const std::vector<Plan>& plans) {
  std::vector<std::string> names;
  for (const Plan& plan : plans) names.push_back(plan.variant);
  return names;
}

}  // namespace

TEST_CASE("a scenario without a sweep is its own only variant") {
  const ToyYard yard;
  CHECK(variants(yard.plans(kToyScenario)) == std::vector<std::string>{""});
  CHECK(variants(yard.plans(kToyScenario + "sweep: null\n")) == std::vector<std::string>{""});
}

TEST_CASE("a sweep is the cartesian product of its lists, the last key turning fastest") {
  const ToyYard yard;
  const std::vector<Plan> plans = yard.plans(kToyScenario +
                                             "sweep:\n"
                                             "  seed: [1, 2]\n"
                                             "  fleet.pools[main].count: [1, 2, 4]\n");
  CHECK(variants(plans) ==
        std::vector<std::string>{
            "seed=1, fleet.pools[main].count=1", "seed=1, fleet.pools[main].count=2",
            "seed=1, fleet.pools[main].count=4", "seed=2, fleet.pools[main].count=1",
            "seed=2, fleet.pools[main].count=2", "seed=2, fleet.pools[main].count=4"});
  CHECK(plans[5].scenario.seed == 2);
  CHECK(plans[5].node_count() == 4);
  CHECK(plans[5].parameters == std::vector<std::pair<std::string, std::string>>{
                                   {"seed", "2"}, {"fleet.pools[main].count", "4"}});
}

TEST_CASE("keys under zip go in step: 2 x (2 in step) = 4 variants") {
  const ToyYard yard;
  const std::vector<Plan> plans = yard.plans(kToyScenario +
                                             "sweep:\n"
                                             "  zip:\n"
                                             "    scale: [1, 2]\n"
                                             "    serving.scheduler.max_batch: [128, 256]\n"
                                             "  seed: [7, 8]\n");
  CHECK(variants(plans) ==
        std::vector<std::string>{"scale=1, serving.scheduler.max_batch=128, seed=7",
                                 "scale=1, serving.scheduler.max_batch=128, seed=8",
                                 "scale=2, serving.scheduler.max_batch=256, seed=7",
                                 "scale=2, serving.scheduler.max_batch=256, seed=8"});
  CHECK(plans[3].scenario.serving.scheduler.max_batch == 256);
  CHECK(plans[3].scenario.scale == 2.0);
}

TEST_CASE("a swept value may be a map or a list, and a pool may be named by its number") {
  const ToyYard yard;
  const std::vector<Plan> plans = yard.plans(kToyScenario +
                                             "sweep:\n"
                                             "  fleet.pools[0].deploy:\n"
                                             "    - {model: toy-4b, tensor_parallel: 2}\n"
                                             "    - [{model: toy-moe}]\n");
  CHECK(variants(plans) ==
        std::vector<std::string>{"fleet.pools[0].deploy={model: toy-4b, tensor_parallel: 2}",
                                 "fleet.pools[0].deploy=[{model: toy-moe}]"});
  CHECK(plans[0].pools[0].deployments[0].spec.tensor_parallel == 2);
  CHECK(plans[1].pools[0].deployments[0].model.name == "toy-moe");
}

TEST_CASE("a sweep of one value, twice, is the scenario with that value") {
  const ToyYard yard;
  const std::vector<Plan> plans = yard.plans(kToyScenario + "sweep: {seed: [5, 1]}\n");
  CHECK(plans[0].hash == yard.plan(kToyScenario + "seed: 5\n").hash);
  CHECK(plans[1].hash == yard.plan(kToyScenario).hash);
}

TEST_CASE("lists in step must have equal lengths, and every list at least one value") {
  const ToyYard yard;
  CHECK(
      yard.refusal(kToyScenario + "sweep:\n"
                                  "  zip:\n"
                                  "    scale: [1, 2]\n"
                                  "    seed: [1, 2, 3]\n"
                                  "  warmup: []\n"
                                  "  requests: 5\n") ==
      "s.yaml:14:11: error: sweep.zip.seed: 3 values beside lists of 2; lists in step have equal "
      "lengths\n"
      "   14 |     seed: [1, 2, 3]\n"
      "      |           ^\n"
      "s.yaml:15:11: error: sweep.warmup: expected a list of at least one value, such as [1, 2, "
      "4]\n"
      "   15 |   warmup: []\n"
      "      |           ^\n"
      "s.yaml:16:13: error: sweep.requests: expected a list of at least one value, such as [1, 2, "
      "4]\n"
      "   16 |   requests: 5\n"
      "      |             ^");
}

TEST_CASE("a sweep that is no map, a path that leads nowhere, and a key swept twice are errors") {
  const ToyYard yard;
  CHECK(yard.refusal(kToyScenario + "sweep: [1, 2]\n") ==
        "s.yaml:11:8: error: sweep: expected a map of paths and lists of values\n"
        "   11 | sweep: [1, 2]\n"
        "      |        ^");
  CHECK(yard.refusal(kToyScenario + "sweep: {zip: [1]}\n") ==
        "s.yaml:11:14: error: sweep.zip: expected a map of paths and lists of values\n"
        "   11 | sweep: {zip: [1]}\n"
        "      |              ^");
  CHECK(yard.refusal(kToyScenario + "sweep: {'fleet.pools[mian].count': [1, 2]}\n") ==
        "s.yaml:11:9: error: sweep: 'fleet.pools' has no element 'mian'; did you mean 'main'?\n"
        "   11 | sweep: {'fleet.pools[mian].count': [1, 2]}\n"
        "      |         ^");
  CHECK(yard.refusal(kToyScenario + "sweep: {seed: [1, 2], zip: {seed: [3, 4]}}\n") ==
        "s.yaml:11:29: error: sweep.zip.seed: stands in the sweep twice\n"
        "   11 | sweep: {seed: [1, 2], zip: {seed: [3, 4]}}\n"
        "      |                             ^");
}

TEST_CASE("more than 100,000 variants are refused before any is made") {
  const ToyYard yard;
  std::string list = "[0";
  for (int i = 1; i < 318; ++i) list += ", " + std::to_string(i);  // 318^2 = 101,124
  const std::string message =
      yard.refusal(kToyScenario + "sweep:\n  seed: " + list + "]\n  requests: " + list + "]\n");
  CHECK(message.substr(0, message.find('\n')) ==
        "s.yaml:12:3: error: sweep: more than 100000 variants");
}

TEST_CASE("what is wrong with a swept value is shown where the value stands in the sweep") {
  const ToyYard yard;
  CHECK(yard.refusal(kToyScenario + "sweep:\n  fleet.pools[main].deploy.weights: [fp8, fp9]\n") ==
        "s.yaml:12:43: error: fleet.pools[0].deploy.weights: no number format 'fp9'; did you mean "
        "'fp8'?\n"
        "   12 |   fleet.pools[main].deploy.weights: [fp8, fp9]\n"
        "      |                                           ^");
  CHECK(yard.refusal(kToyScenario + "sweep:\n  serving.schduler.max_batch: [8]\n") ==
        "s.yaml:12:32: error: serving: unknown key 'schduler'; did you mean 'scheduler'?\n"
        "   12 |   serving.schduler.max_batch: [8]\n"
        "      |                                ^");
}

TEST_CASE("--set replaces a value, the last one of a path holds, and the runs are told apart") {
  const ToyYard yard;
  const Plan plan =
      yard.plan(kToyScenario, {{"seed", "3"}, {"fleet.pools[main].count", "2"}, {"seed", "4"}});
  CHECK(plan.scenario.seed == 4);
  CHECK(plan.node_count() == 2);
  CHECK(plan.variant == "fleet.pools[main].count=2, seed=4");
  CHECK(plan.hash == yard.plan(kToyScenario + "seed: 4\n", {{"fleet.pools[0].count", "2"}}).hash);
}

TEST_CASE("--set comes before the parameters of a sweep, and leaves it out with sweep=null") {
  const ToyYard yard;
  const std::string swept = kToyScenario + "sweep: {seed: [1, 2]}\n";
  CHECK(variants(yard.plans(swept, {{"scale", "2"}})) ==
        std::vector<std::string>{"scale=2, seed=1", "scale=2, seed=2"});
  CHECK(variants(yard.plans(swept, {{"sweep", "null"}, {"seed", "9"}})) ==
        std::vector<std::string>{"seed=9"});
}

TEST_CASE("--set of a value that the scenario sweeps over is an error, not a silent nothing") {
  const ToyYard yard;
  CHECK(yard.refusal(kToyScenario + "sweep: {seed: [1, 2]}\n", {{"seed", "9"}}) ==
        "s.yaml:11:15: error: sweep: the scenario sweeps over seed, which --set sets to '9'; --set "
        "sweep=null leaves the sweep out\n"
        "   11 | sweep: {seed: [1, 2]}\n"
        "      |               ^");
  CHECK(yard.refusal(kToyScenario + "sweep: {zip: {seed: [1, 2]}}\n", {{"seed", "9"}}) ==
        "s.yaml:11:21: error: sweep: the scenario sweeps over seed, which --set sets to '9'; --set "
        "sweep=null leaves the sweep out\n"
        "   11 | sweep: {zip: {seed: [1, 2]}}\n"
        "      |                     ^");
}

TEST_CASE("a --set that leads nowhere, is no YAML or has the wrong kind says so") {
  const ToyYard yard;
  CHECK(yard.refusal(kToyScenario, {{"fleet.pools[spare].count", "2"}}) ==
        "--set fleet.pools[spare].count:1:1: error: fleet.pools[spare].count: 'fleet.pools' has no "
        "element 'spare'; accepted: main\n"
        "    1 | 2\n"
        "      | ^");
  CHECK(yard.refusal(kToyScenario, {{"warmup", "5"}}) ==
        "--set warmup:1:1: error: warmup: '5' has no unit; expected a time, such as '1.5 ms'\n"
        "    1 | 5\n"
        "      | ^");
  CHECK(yard.refusal(kToyScenario, {{"sed", "5"}}) ==
        "--set sed:1:1: error: unknown key 'sed'; did you mean 'seed'?\n"
        "    1 | 5\n"
        "      | ^");
}

}  // namespace tokenyard::scenario
