// Deployments that only compute prompts, and those that only decode.
#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::ToyYard;

std::string scenario(const std::string& pools, const std::string& rest = "") {
  return "name: t\nworkload:\n  name: w\n  generator: {kind: poisson, rate: 1 /s, input: 100, "
         "output: 10, requests: 5}\nfleet:\n  site: toy-site\n  fabric: toy-switch\n  pools:\n" +
         pools + rest;
}

std::string pool(const std::string& name, const std::string& deploy) {
  return "    - {name: " + name + ", node: toy-node, deploy: {model: toy-4b, " + deploy + "}}\n";
}

std::string complaint(const std::string& text) {
  const ToyYard yard;
  return yard.complaint(text);
}

const std::string kPrefill = pool("p", "role: prefill");
const std::string kDecode = pool("d", "role: decode");

}  // namespace

TEST_CASE("roles: prompts need somebody to decode them, and the other way round") {
  CHECK(complaint(scenario(kPrefill + kDecode)) == "");
  CHECK(complaint(scenario(kPrefill)) ==
        "fleet.pools[0].deploy.role: no pool decodes toy-4b; give a deployment of it the role "
        "'decode'");
  CHECK(complaint(scenario(kDecode)) ==
        "fleet.pools[0].deploy.role: no pool computes prompts for toy-4b; give a deployment of it "
        "the role 'prefill'");
}

TEST_CASE("roles: a KV cache does not change its format on its way") {
  CHECK(complaint(scenario(kPrefill + pool("d", "role: decode, kv: fp8"))) ==
        "fleet.pools[1].deploy.kv: the KV cache comes in bf16 and cannot become fp8 on its way");
}

TEST_CASE("roles: no estimate of the transfer beside the simulated one") {
  CHECK(complaint(scenario(kPrefill + kDecode, "serving: {kv_transfer: {overlap: 0.5}}\n")) ==
        "serving.kv_transfer: stands for the transfer between pools that are not simulated; with "
        "roles it is simulated");
}

TEST_CASE("roles that may change need somebody who says when, and the other way round") {
  const std::string kMay = pool("p", "role: prefill, role_may_change: true");
  const std::string kSwitch = "serving: {role_switch: {interval: 5 s}}\n";
  CHECK(complaint(scenario(kMay + kDecode, kSwitch)) == "");
  CHECK(complaint(scenario(kMay + kDecode)) ==
        "fleet.pools[0].deploy.role_may_change: has no effect without serving.role_switch");
  CHECK(complaint(scenario(kPrefill + kDecode, kSwitch)) ==
        "serving.role_switch: no deployment says 'role_may_change: true'");
  CHECK(complaint(scenario(pool("b", "role_may_change: true"), kSwitch)) ==
        "fleet.pools[0].deploy.role_may_change: has no effect without 'role: prefill' or 'role: "
        "decode'");
  CHECK(complaint(scenario(kMay + kDecode, kSwitch + "autoscaling: {}\n")) ==
        "serving.role_switch: replicas that come and go ('autoscaling') do not change roles");
}

TEST_CASE("roles: prompts and answers run with the same adapters") {
  CHECK(complaint(scenario(pool("p", "role: prefill, lora: {adapters: 4}") + kDecode)) ==
        "fleet.pools[1].deploy.lora: prompts are computed with 4 adapters and decoded with 0");
}

}  // namespace tokenyard::scenario
