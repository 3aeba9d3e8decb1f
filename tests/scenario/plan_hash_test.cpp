#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyScenario;
using test::ToyYard;

std::string hash_with(const std::string& more) {
  const ToyYard yard;
  return yard.plan(kToyScenario + more).hash;
}

}  // namespace

TEST_CASE("plans of equal meaning have equal hashes: order of keys, spelling of units, style") {
  const std::string hash = hash_with(
      "duration: 1 h\nwarmup: 90 s\nseed: 2\nslo: {ttft_p99: 1.5 s, tpot_p50: 20 ms}\n"
      "serving: {scheduler: {max_batch: 64}}\n");
  CHECK(hash.size() == 64);
  CHECK(hash == hash_with("# a remark\n"
                          "serving:\n  scheduler:\n    max_batch: 64\n    max_batch_tokens: 8192\n"
                          "slo:\n  tpot_p50: 0.02 s\n  ttft_p99: 1500 ms\n"
                          "seed: 2\nwarmup: 1.5 min\nduration: 60 min\n"));
  CHECK(hash_with("        memory_utilization: 85 %\n") ==
        hash_with("        memory_utilization: 0.85\n"));
  CHECK(hash_with("scale: 1.5\n") == hash_with("scale: 150 %\n"));
}

TEST_CASE("what is written out and equals the default does not change the hash") {
  CHECK(hash_with("seed: 1\nwarmup: 0 s\nsample_interval: 10 s\neconomics: {horizon: 4 years}\n") ==
        hash_with(""));
}

TEST_CASE("the hash does not depend on where the files lie") {
  const ToyYard here, there;
  CHECK(here.file("") != there.file(""));
  CHECK(here.plan().hash == there.plan().hash);
  CHECK(here.plan().trace_hash == there.plan().trace_hash);
}

TEST_CASE("a context that replaces the models' own is in the plan and its hash") {
  const ToyYard yard;
  const Plan usual = yard.plan();
  catalog::Catalog catalog(yard.file(""));
  const Plan longer =
      load_plans(yard.file("s.yaml"), {}, catalog, {.max_context = 3'000'000}).front();
  CHECK(longer.pools.front().deployments.front().model.max_context == 3'000'000);
  CHECK(longer.json.find(R"("max_context":3000000)") != std::string::npos);
  CHECK(longer.hash != usual.hash);
}

TEST_CASE("every number of a scenario changes the hash") {
  const std::string hash = hash_with("");
  for (const char* change : {"seed: 2",
                             "duration: 1 h",
                             "requests: 5",
                             "scale: 2",
                             "warmup: 1 s",
                             "slo: {e2el_p99: 9 s}",
                             "serving: {router: random}",
                             "serving: {scheduler: {max_batch: 255}}",
                             "serving: {scheduler: {max_batch_tokens: 8191}}",
                             "serving: {scheduler: {policy: "
                             "prefill-first}}",
                             "serving: {kv_cache: {capacity: unlimited}}",
                             "serving: {kv_cache: {block_tokens: 32}}",
                             "serving: {kv_cache: {prefix_reuse: false}}",
                             "serving: {kv_cache: {between_turns: drop}}",
                             "serving: {activation_sparsity: 1 %}",
                             "serving: {host: {per_step: 1 ms}}",
                             "serving: {host: {per_sequence: 6 us}}",
                             "economics: {horizon: 5 years}",
                             "economics: {utilization: 50 %}",
                             "economics: {market: {usd_per_device_hour: 2}}",
                             "store_requests: none",
                             "sample_interval: 5 s",
                             "expect: [{metric: mfu, value: 0.5}]",
                             "        weights: fp8",
                             "        kv: fp8",
                             "        tensor_parallel: 2",
                             "        pipeline_parallel: 2",
                             "        replicas: 1",
                             "        memory_utilization: 80 %",
                             "        placement: hbm",
                             "      count: 2"}) {
    CAPTURE(change);
    CHECK(hash_with(std::string(change) + '\n') != hash);
  }
}

TEST_CASE("every number of a catalog entry that the plan uses changes the hash") {
  struct Change {
    const char* file;
    const char* from;
    const char* to;
  };
  const std::string hash = ToyYard().plan().hash;
  for (const Change& change : std::initializer_list<Change>{
           {"hardware_catalog/devices/toy.yaml", "capacity: 16 GB", "capacity: 17 GB"},
           {"hardware_catalog/devices/toy.yaml", "bf16: 100 TFLOP/s", "bf16: 101 TFLOP/s"},
           {"hardware_catalog/devices/toy.yaml", "attention_decode: 1}", "attention_decode: 0.9}"},
           {"hardware_catalog/devices/toy.yaml", "idle: 100 W", "idle: 101 W"},
           {"hardware_catalog/devices/toy.yaml", "price: 1000 USD", "price: 1001 USD"},
           {"hardware_catalog/nodes/toy-node.yaml", "price: 10 USD", "price: 11 USD"},
           {"hardware_catalog/nodes/toy-node.yaml", "bandwidth: 50 GB/s", "bandwidth: 51 GB/s"},
           {"hardware_catalog/fabrics/toy-switch.yaml", "latency: 1 us", "latency: 2 us"},
           {"hardware_catalog/sites/toy-site.yaml", "pue: 1", "pue: 1.1"},
           {"hardware_catalog/sites/toy-site.yaml", "0.10 USD/kWh", "0.11 USD/kWh"},
           {"workloads/models/toy-4b.yaml", "max_context: 100000", "max_context: 100001"},
           {"workloads/formats.yaml", "{name: bf16, bits: 16,", "{name: bf16, bits: 16.5,"},
           {"workloads/ten.yaml", "ten.jsonl", "ten.jsonl, time_scale: 2"}}) {
    CAPTURE(change.file);
    CAPTURE(change.to);
    const ToyYard yard;
    yard.edit(change.file, change.from, change.to);
    CHECK(yard.plan().hash != hash);
  }
}

TEST_CASE("entries that the plan does not use leave the hash alone") {
  const ToyYard yard;
  const std::string hash = yard.plan().hash;
  yard.edit("workloads/models/toy-moe.yaml", "max_context: 100000", "max_context: 5");
  yard.edit("workloads/formats.yaml", "{name: wide, bits: 32,", "{name: wide, bits: 33,");
  CHECK(yard.plan().hash == hash);
}

TEST_CASE("a changed trace changes the trace's hash and not the plan's") {
  const ToyYard yard;
  const Plan before = yard.plan();
  yard.edit("workloads/ten.jsonl", "\"id\":9,\"arrival_s\":9", "\"id\":9,\"arrival_s\":10");
  const Plan after = yard.plan();
  CHECK(after.hash == before.hash);
  CHECK(after.trace_hash != before.trace_hash);
}

TEST_CASE(
    "a plan's JSON parses and holds every default, with provenance of the catalog's numbers") {
  const ToyYard yard;
  const nlohmann::json plan =
      nlohmann::json::parse(yard.plan(kToyScenario + "duration: 1 h\n").json);
  const nlohmann::json& s = plan.at("scenario");
  for (const char* key :
       {"name",     "description", "seed",           "workload",        "scale",       "duration",
        "requests", "warmup",      "fleet",          "serving",         "autoscaling", "faults",
        "slo",      "economics",   "store_requests", "sample_interval", "expect",      "source",
        "given",    "unfit",       "calibration"}) {
    CAPTURE(key);
    CHECK(s.contains(key));
  }
  CHECK(s.size() == 21);
  CHECK(s.at("duration") == "3600 s");
  CHECK(s.at("warmup") == "0 s");
  CHECK(s.at("scale").is_null());
  CHECK(s.at("workload").at("trace").at("time_scale") == 1.0);
  CHECK(s.at("workload").at("trace").at("skip_bad_lines") == false);
  CHECK(s.at("serving").at("scheduler") == nlohmann::json{{"policy", "chunked-prefill"},
                                                          {"max_batch", 256},
                                                          {"max_batch_tokens", 8192},
                                                          {"admission", "fcfs"},
                                                          {"preemption", "recompute"},
                                                          {"priorities", nlohmann::json::object()},
                                                          {"length_error", 0.3},
                                                          {"ageing", nullptr}});
  CHECK(s.at("serving").at("speculation").is_null());
  CHECK(s.at("fleet").at("pools").at(0).at("deploy").at(0).at("replicas") == "auto");
  CHECK(s.at("economics").at("utilization") == "from-simulation");
  const nlohmann::json& pool = plan.at("pools").at(0);
  CHECK(pool.at("deployments").at(0).at("replicas") == 2);
  CHECK(pool.at("deployments").at(0).at("linear_math") == "bf16");
  CHECK(pool.at("deployments").at(0).at("model").at("layers") == 8);
  const nlohmann::json& capacity = pool.at("devices").at(0).at("memory").at(0).at("capacity");
  CHECK(capacity ==
        nlohmann::json{{"value", "1.6e+10 B"}, {"source", "pencil"}, {"confidence", "assumed"}});
  CHECK(plan.at("site").at("discount_rate").contains("value"));
  CHECK(plan.at("fabric").at("oversubscription").contains("value"));
}

}  // namespace tokenyard::scenario
