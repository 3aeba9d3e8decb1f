// How a fleet cannot be run.
#include "refusal.hpp"

namespace tokenyard::scenario {

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
  refused("serving: {scheduler: {ageing: 30 s}}", "30 s",
          "serving.scheduler.ageing: has no effect without 'admission: priority' or "
          "'shortest-job-first'");
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
  refused(
      drawn("tokens: 2, tokens_per_step: [1.5, 1.4]"), "[1.5",
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

}  // namespace tokenyard::scenario
