// `auto` counts of devices and nodes, machines that cannot hold a model, and devices without a node.
//
// Toy model: 4.0 G parameters, 8 GB in bf16, 16 GB in `wide`; KV 64,000 B a token, so 32,768 tokens
// are 2.1 GB; workspace with max_batch_tokens 1000: 1000 * (2 * 8000 + 2 * 15000 / t) * 2 B = 92 MB
// with t = 1.  A toy device has 16 GB, of which 90 % are used: 14.4 GB.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;
using tokenyard::test::kToyScenario;
using tokenyard::test::ToyYard;

const std::string kAuto = kToyScenario +
                          "        tensor_parallel: auto\n"
                          "        pipeline_parallel: auto\n"
                          "serving: {scheduler: {max_batch: 16, max_batch_tokens: 1000}}\n";

const scenario::DeploymentPlan& deployment(const scenario::Plan& plan) {
  return plan.pools.front().deployments.front();
}

std::string with(const std::string& text, const std::string& from, const std::string& to) {
  std::string changed = text;
  return changed.replace(changed.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("8 + 2.1 + 0.1 GB fit one device of 14.4 GB: no parallelism, one replica a device") {
  const ToyYard yard;
  const scenario::Plan plan = yard.plan(kAuto);
  CHECK(deployment(plan).spec.tensor_parallel == 1);
  CHECK(deployment(plan).spec.pipeline_parallel == 1);
  CHECK(deployment(plan).replicas == 2);
}

TEST_CASE("16 GB of weights take two devices") {
  const ToyYard yard;
  const scenario::Plan plan =
      yard.plan(with(kAuto, "model: toy-4b", "model: toy-4b\n        weights: wide"));
  CHECK(deployment(plan).spec.tensor_parallel == 2);
  CHECK(deployment(plan).replicas == 1);
}

TEST_CASE("min_kv_tokens decides: room for 100,000 tokens, 6.4 GB, takes two devices") {
  const ToyYard yard;
  const scenario::Plan plan =
      yard.plan(with(kAuto, "model: toy-4b", "model: toy-4b\n        min_kv_tokens: 100000"));
  CHECK(deployment(plan).spec.tensor_parallel == 2);
}

TEST_CASE("where a node is too small, stages over whole nodes are added; count: auto buys them") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "capacity: 16 GB", "capacity: 3.5 GB");
  // 3.15 GB a device.  Two: 4 GB of weights.  Four: 1.6 of layers, 0.8 of the LM head, 0.5 of KV.
  const scenario::Plan plan =
      yard.plan(with(kAuto, "node: toy-node", "node: toy-node\n      count: auto"));
  CHECK(deployment(plan).spec.tensor_parallel == 2);
  CHECK(deployment(plan).spec.pipeline_parallel == 2);
  CHECK(deployment(plan).devices_per_replica == 4);
  CHECK(plan.pools.front().count == 2);
  CHECK(deployment(plan).replicas == 1);
}

TEST_CASE("machines of working memory alone are tiled: more stages than the model has layers") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "tier: hbm, capacity: 16 GB",
            "tier: sram, capacity: 500 MB");
  const scenario::Plan plan =
      yard.plan(with(kAuto, "node: toy-node", "node: toy-node\n      count: auto"));
  CHECK(deployment(plan).tiled);
  // (8 + 2.1) GB / 0.45 GB = 22.4 devices, and the workspace.
  CHECK(deployment(plan).devices_per_replica > 22);
  CHECK(deployment(plan).spec.pipeline_parallel > 8);
  CHECK(plan.pools.front().count * 2 == deployment(plan).devices_per_replica);
}

TEST_CASE("a model that no number of devices holds is an error that says what is short") {
  const ToyYard yard;
  yard.edit("hardware_catalog/nodes/toy-node.yaml",
            "nics: [{name: nic, bandwidth: 50 GB/s, price: 10 USD}]\n", "");
  yard.edit("hardware_catalog/devices/toy.yaml", "capacity: 16 GB", "capacity: 3 GB");
  const std::string message = yard.refusal(kAuto);
  CHECK_MESSAGE(message.find("toy-4b does not fit toy on 2 devices") != std::string::npos, message);
  CHECK_MESSAGE(message.find("short by") != std::string::npos, message);
  SUBCASE("or a row of the comparison, where the scenario asks for a report") {
    const scenario::Plan plan = yard.plan(kAuto + "unfit: report\n");
    CHECK_MESSAGE(plan.unfit.find("short by") != std::string::npos, plan.unfit);
  }
}

TEST_CASE("unfit: report covers models and formats that the machine cannot run") {
  const ToyYard yard;
  const std::string scenario =
      with(kAuto, "model: toy-4b", "model: toy-4b\n        weights: alien") + "unfit: report\n";
  CHECK(yard.plan(scenario).unfit.find("'alien' cannot be computed with on toy") == 0);
  yard.edit("hardware_catalog/devices/toy.yaml", "price: 1000 USD",
            "price: 1000 USD\nhardwired_model: toy-moe");
  CHECK(yard.plan(kAuto + "unfit: report\n").unfit ==
        "toy is built for toy-moe and runs no other model");
}

TEST_CASE("formats `auto` are those that the device is usually run in") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "price: 1000 USD",
            "price: 1000 USD\nusual_formats: {weights: fp8, kv: fp8}");
  const scenario::Plan plan = yard.plan(
      with(kAuto, "model: toy-4b", "model: toy-4b\n        weights: auto\n        kv: auto"));
  CHECK(deployment(plan).weights.name == "fp8");
  CHECK(deployment(plan).kv.name == "fp8");
  CHECK(deployment(plan).lm_head.name == "fp8");
  CHECK(deployment(plan).activations.name == "bf16");
}

TEST_CASE("an engine for each phase; a name that no device has is said with the nearest") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "    peak: {bf16: 100 TFLOP/s}",
            "    peak: {bf16: 100 TFLOP/s}\n"
            "  - name: npu\n    peak: {fp8: 50 TFLOP/s, bf16: 10 TFLOP/s}\n"
            "  - name: gpu\n    peak: {bf16: 60 TFLOP/s}");
  const auto choose = [&](const std::string& engine) {
    return with(kAuto, "model: toy-4b",
                "model: toy-4b\n        weights: fp8\n        engine: " + engine);
  };
  const scenario::Plan plan = yard.plan(choose("{prefill: npu, decode: gpu}"));
  CHECK(deployment(plan).prefill_engine == 1);
  CHECK(deployment(plan).engine == 2);
  CHECK(deployment(plan).prefill_linear_math == "fp8");
  CHECK(deployment(plan).linear_math == "bf16");
  const std::string message = yard.refusal(choose("{prefill: nqu, decode: gpu}"));
  CHECK_MESSAGE(
      message.find("no engine 'nqu' in node toy-node; did you mean 'npu'?") != std::string::npos,
      message);
}

TEST_CASE("a new device is one file: named as a node, it stands alone in a bare host") {
  const ToyYard yard;
  yard.write(
      "hardware_catalog/devices/brand-new.yaml",
      "name: brand-new\nsource: imagined\nconfidence: assumed\nkind: asic\n"
      "engines:\n  - {name: array, peak: {bf16: 50 TFLOP/s}, layer_latency: 2 us,"
      " systolic_tile: 128}\n"
      "memory:\n"
      "  - {tier: sram, capacity: 20 GB, bandwidth: 50 TB/s, holds: [weights]}\n"
      "  - {tier: hbm, capacity: {value: unknown, low: 20 GB, high: 40 GB}, bandwidth: 2 TB/s,"
      " holds: [kv]}\n"
      "power: {idle: 50 W, tdp: 400 W}\nprice: 9 kUSD\n");
  const scenario::Plan plan = yard.plan(with(kAuto, "node: toy-node", "node: brand-new"));
  CHECK(plan.unfit.empty());
  CHECK(plan.pools.front().devices.front().name == "brand-new");
  CHECK(deployment(plan).replicas == 1);
  const auto is_unknown = [](const scenario::Assumption& a) {
    return a.key == "device brand-new: memory[1].capacity" && a.confidence == "unknown" &&
           a.band == "20.0 GB to 40.0 GB";
  };
  CHECK(std::any_of(plan.assumptions.begin(), plan.assumptions.end(), is_unknown));
  const auto is_marked = [](const scenario::Assumption& a) {
    return a.confidence == "marked" && a.value.find("20.0 GB takes at least") != std::string::npos;
  };
  CHECK(std::any_of(plan.assumptions.begin(), plan.assumptions.end(), is_marked));
}
