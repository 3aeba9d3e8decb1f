// What the shipped rules make of a run of each who publishes numbers: machines, number formats, load
// and what is compared.  The rows are made up in the words of their sources.
#include <doctest/doctest.h>

#include "study/published_rows.hpp"

namespace tokenyard::study {
namespace {

// The only case of the rows.
MeasuredCase case_of(const std::vector<Row>& rows) {
  std::vector<MeasuredCase> cases = cases_of(rows);
  REQUIRE(cases.size() == 1);
  REQUIRE_MESSAGE(!cases.front().plans.empty(), cases.front().problem);
  return std::move(cases.front());
}

const scenario::ScenarioFile& scenario_of(const MeasuredCase& found) {
  return found.plans.front().scenario;
}

// "2 dgx-h100 with 4 replicas of 4"
std::string machines(const MeasuredCase& found) {
  std::string text;
  for (const scenario::PoolPlan& pool : found.plans.front().pools) {
    const scenario::DeploymentPlan& d = pool.deployments.front();
    text += (text.empty() ? "" : ", ") + std::to_string(pool.count) + ' ' + pool.node.name +
            " with " + std::to_string(d.replicas) + " of " + std::to_string(d.devices_per_replica);
  }
  return text;
}

// "weights fp8, experts fp4, kv fp8"
std::string formats(const MeasuredCase& found) {
  const scenario::DeploySpec& d = found.plans.front().pools.front().deployments.front().spec;
  return "weights " + d.weights + (d.expert_weights ? ", experts " + *d.expert_weights : "") +
         ", kv " + d.kv;
}

// "3000 of 3000: 128 in, 64 out"
std::string load(const MeasuredCase& found) {
  const workload::GeneratorSpec& g = *scenario_of(found).workload.spec.generator;
  return std::to_string(g.concurrency.value_or(0)) + " of " +
         std::to_string(g.requests.value_or(0)) + ": " + std::to_string(g.input.value) + " in, " +
         std::to_string(g.output.value) + " out";
}

std::int64_t batch(const MeasuredCase& found) {
  return scenario_of(found).serving.scheduler.max_batch;
}

bool is_static(const MeasuredCase& found) {
  return scenario_of(found).serving.scheduler.policy == scenario::BatchPolicy::static_batch;
}

// Whether requests cost the host something before the scheduler sees them.
bool has_front_end(const MeasuredCase& found) {
  const scenario::HostOverhead& host = scenario_of(found).serving.host;
  return host.per_request > Seconds() || host.per_input_token > Seconds();
}

void check_measured(const MeasuredCase& found, const std::string& metric, double value) {
  REQUIRE(found.measurements.size() == 1);
  CHECK(found.measurements.front().metric == metric);
  CHECK(found.measurements.front().value == doctest::Approx(value));
}

}  // namespace

TEST_CASE(
    "MLPerf offline: 8 H100 are four pairs with 4,096 requests a device; at 24,000 tokens/s the "
    "6,000 * 8 requests of 300 tokens take 600 s, and the first third is left out") {
  const MeasuredCase found = case_of(
      {{"A", "MLPerf made up", "NVIDIA H100-SXM-80GB x8/node", "8", "llama2-70b-99", "fp8",
        "Offline", "OpenOrca", "300", "offline", "output_throughput", "24000", "Tokens/s"}});
  CHECK(machines(found) == "1 dgx-h100 with 4 of 2");
  CHECK(formats(found) == "weights fp8, kv fp8");
  CHECK(scenario_of(found).workload.spec.generator->concurrency == 4096 * 8);
  CHECK(*scenario_of(found).workload.spec.generator->output.mean == doctest::Approx(300.0));
  CHECK(scenario_of(found).duration->base() == doctest::Approx(600.0));
  CHECK(scenario_of(found).warmup.base() == doctest::Approx(200.0));
  CHECK(batch(found) == 2048);
  CHECK_FALSE(has_front_end(found));
  CHECK(label(found, "benchmark") == "MLPerf offline");
  check_measured(found, "output_tokens_per_s", 24'000.0);
}

TEST_CASE("MLPerf on machines of two kinds: 32 MI300X and 16 MI325X, a replica on each device") {
  const MeasuredCase found = case_of(
      {{"A", "MLPerf made up",
        "AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16) x8/node", "48",
        "llama2-70b-99", "fp8", "Offline", "OpenOrca", "300", "offline", "output_throughput",
        "150000", "Tokens/s"}});
  CHECK(machines(found) == "4 hgx-mi300x with 32 of 1, 2 hgx-mi325x with 16 of 1");
  CHECK(label(found, "device") == "amd-mi300x-192gb and others");
}

TEST_CASE("TensorRT-LLM: one replica of all devices, and the number of requests of its lengths") {
  Row row{"A",
          "TensorRT-LLM made up",
          "H200",
          "8",
          "Llama-3.1-405B",
          "fp8",
          "trtllm-bench",
          "1000",
          "1000",
          "infinite rate",
          "output_throughput",
          "3300",
          "tok/s (all GPUs)"};
  const MeasuredCase found = case_of({row});
  CHECK(machines(found) == "1 hgx-h200 with 1 of 8");
  CHECK(formats(found) == "weights fp8, kv fp8");
  CHECK(load(found) == "3000 of 3000: 1000 in, 1000 out");
  CHECK(batch(found) == 4096);
  CHECK_FALSE(has_front_end(found));
  check_measured(found, "output_tokens_per_s", 3300.0);
  row.isl = row.osl = "128";
  CHECK(load(case_of({row})) == "30000 of 30000: 128 in, 128 out");
  row.isl = "20000";
  row.osl = "2000";
  CHECK(load(case_of({row})) == "1000 of 1000: 20000 in, 2000 out");
}

TEST_CASE("Gaudi 3: one batch of the stated size, which all go through together") {
  const MeasuredCase found =
      case_of({{"A", "Intel Gaudi 3 made up", "Gaudi 3 HL-325L", "2", "Llama-3.1-70B", "fp8",
                "offline throughput", "128", "2048", "batch 450", "output_throughput", "5776"}});
  CHECK(machines(found) == "1 gaudi3-x8 with 1 of 2");
  CHECK(load(found) == "450 of 450: 128 in, 2048 out");
  CHECK(is_static(found));
  CHECK(batch(found) == 450);
  CHECK_FALSE(has_front_end(found));
}

TEST_CASE("Arc Pro B60 behind vLLM's server: as many requests as are in flight, experts in mxfp4") {
  const MeasuredCase found =
      case_of({{"A", "vLLM on Intel Arc made up", "Intel Arc Pro B60 24GB", "4", "gpt-oss-120b",
                "mxfp4", "SLA", "1024", "1024", "concurrency 100", "ttft", "8040", "ms"}});
  CHECK(machines(found) == "1 arc-pro-b60-x4 with 1 of 4");
  CHECK(formats(found) == "weights bf16, experts mxfp4, kv bf16");
  CHECK(load(found) == "100 of 100: 1024 in, 1024 out");
  CHECK(has_front_end(found));
  check_measured(found, "ttft_mean_s", 8.04);
}

TEST_CASE("Xeon: SGLang on both sockets behind a server, llama.cpp on one of them without") {
  Row row{"A",
          "Intel/SGLang Xeon 6980P",
          "Xeon 6980P (MRDIMM) 2S",
          "2",
          "Qwen3-235B-A22B",
          "int8",
          "single request, SGLang CPU",
          "1024",
          "1024",
          "1",
          "tpot",
          "52",
          "ms"};
  const MeasuredCase both = case_of({row});
  CHECK(machines(both) == "1 xeon-6-2p with 1 of 2");
  CHECK(formats(both) == "weights int8, kv bf16");
  CHECK(load(both) == "1 of 1: 1024 in, 1024 out");
  CHECK(has_front_end(both));
  check_measured(both, "tpot_mean_s", 0.052);
  row.source += " (llama.cpp baseline)";
  row.precision = "q8";
  const MeasuredCase one = case_of({row});
  CHECK(machines(one) == "1 xeon-6-2p with 1 of 1");
  CHECK(formats(one) == "weights q8-0, kv bf16");
  CHECK(one.plans.front().pools.front().deployments.front().spec.memory_utilization == 0.98);
  CHECK_FALSE(has_front_end(one));
}

TEST_CASE("Tenstorrent's table: speed per user among all, first token of one alone, no products") {
  Row speed{"A",
            "Tenstorrent tt-metal model table",
            "QuietBox Wormhole TP8",
            "8",
            "Llama-3.1-70B",
            "bfp8/bfp4 mix",
            "model demo",
            "128",
            "",
            "batch 32",
            "decode_speed_per_user",
            "20",
            "tok/s/user"};
  Row first = speed;
  first.id = "B";
  first.metric = "ttft";
  first.value = "159";
  first.unit = "ms";
  Row product = speed;
  product.id = "C";
  product.metric = "output_throughput";
  product.value = "640";
  product.unit = "tok/s";
  const auto cases = cases_of({speed, first, product});
  REQUIRE(cases.size() == 3);
  REQUIRE_MESSAGE(!cases[0].plans.empty(), cases[0].problem);
  REQUIRE_MESSAGE(!cases[1].plans.empty(), cases[1].problem);
  CHECK(machines(cases[0]) == "1 wormhole-quietbox with 1 of 8");
  CHECK(formats(cases[0]) == "weights bfp8-bfp4, kv bfp8");
  CHECK(load(cases[0]) == "32 of 32: 128 in, 9 out");
  CHECK_FALSE(has_front_end(cases[0]));
  check_measured(cases[0], "itl_p50_s", 1.0 / 20);
  CHECK(load(cases[1]) == "1 of 1: 128 in, 9 out");
  check_measured(cases[1], "ttft_mean_s", 0.159);
  CHECK(cases[2].problem == "its source derives it from the speed per user, times the users");
}

TEST_CASE("Tenstorrent: two cards are two replicas of half the users; 32 at 256 tokens/s: 125 ms") {
  const MeasuredCase pair =
      case_of({{"A", "Tenstorrent tt-metal model table", "2x Blackhole p150 DP2", "2",
                "Llama-3.1-8B", "bfp8/bfp4 mix", "model demo", "128", "", "batch 64",
                "decode_speed_per_user", "18.6", "tok/s/user"}});
  CHECK(machines(pair) == "1 p150-x2 with 2 of 1");
  CHECK(load(pair) == "64 of 64: 128 in, 9 out");
  CHECK(batch(pair) == 32);
  const MeasuredCase old =
      case_of({{"A", "Tenstorrent tt-metal README 2024", "T3000 (8x Wormhole)", "8", "Llama-3-70B",
                "bfp8", "decode TP8", "129", "", "batch 32", "output_throughput", "256"}});
  CHECK(formats(old) == "weights bfp8, kv bfp8");
  check_measured(old, "itl_p50_s", 0.125);
}

TEST_CASE(
    "large-scale EP, prompts: 32 H100 at 50,000 tokens/s a node of eight are 200,000; eight steps "
    "of "
    "16,384 tokens a device are 2,048 prompts of 2,048") {
  const MeasuredCase found =
      case_of({{"A", "LMSYS/SGLang large-scale EP on 96 H100", "H100-SXM x8/node", "32",
                "DeepSeek-V3", "fp8", "prefill only, EP32 4 nodes", "2048", "0", "16384 tok/device",
                "prefill_throughput_per_node", "50000", "tok/s/node"}});
  CHECK(machines(found) == "4 dgx-h100 with 1 of 32");
  CHECK(label(found, "parallelism") == "tp1 ep32 adp32");
  CHECK(load(found) == "2048 of 2048: 2048 in, 1 out");
  CHECK(scenario_of(found).serving.scheduler.max_batch_tokens == 16'384 * 32);
  CHECK(has_front_end(found));
  check_measured(found, "input_tokens_per_s", 200'000.0);
}

TEST_CASE("GB200: four ranks of a rack's 72 devices, attention in bf16 beside weights in fp8") {
  const MeasuredCase found =
      case_of({{"A", "LMSYS/SGLang GB200 made up", "GB200 NVL72", "4", "DeepSeek-V3/R1",
                "BF16 attn + FP8", "prefill, 4 ranks/instance", "2000", "0", "",
                "prefill_throughput_per_gpu", "18000", "tok/s/GPU"}});
  CHECK(machines(found) == "1 gb200-nvl72 with 1 of 4");
  CHECK(formats(found) == "weights fp8, kv bf16");
  // 8 * 16,384 / 2,000 * 4 = 262.1.
  CHECK(load(found) == "262 of 262: 2000 in, 1 out");
  CHECK(label(found, "benchmark") == "LMSYS GB200");
  check_measured(found, "input_tokens_per_s", 72'000.0);
}

TEST_CASE(
    "1,408 sequences a device at 14,080 tokens/s are a token each in 100 ms as measured, though "
    "only "
    "65,536 of the 67,584 are simulated") {
  const MeasuredCase found =
      case_of({{"A", "LMSYS/SGLang GB200 made up", "GB200 NVL72", "48", "DeepSeek-V3/R1",
                "FP8 attn + NVFP4", "decode, 48 ranks EP", "2000", "", "1408 req/GPU",
                "decode_throughput_per_gpu", "14080", "tok/s/GPU"}});
  CHECK(machines(found) == "1 gb200-nvl72 with 1 of 48");
  CHECK(formats(found) == "weights fp8, experts fp4, kv fp8");
  CHECK(load(found) == "65536 of 65536: 2000 in, 33 out");
  CHECK(is_static(found));
  check_measured(found, "itl_p50_s", 0.1);
  CHECK(found.assumptions.back().find("67,584") != std::string::npos);
}

TEST_CASE(
    "DeepSeek's day: prompts on four nodes, answers on eighteen, where 12,686 sequences at 14,800 "
    "tokens/s a node get a token each in 47.6 ms; its counts are conditions") {
  Row row{"A",
          "DeepSeek-V3/R1 made up",
          "H800-SXM x8/node",
          "1814 avg",
          "DeepSeek-V3/R1",
          "fp8+bf16 MLA",
          "production 24h",
          "",
          "",
          "production",
          "prefill_throughput_per_node",
          "73700",
          "tok/s/node"};
  const MeasuredCase prompts = case_of({row});
  CHECK(machines(prompts) == "4 hgx-h800 with 1 of 32");
  CHECK(formats(prompts) == "weights fp8, kv bf16");
  CHECK(scenario_of(prompts).workload.spec.generator->agents->shared_system_prompt == 2464);
  CHECK(has_front_end(prompts));
  check_measured(prompts, "input_tokens_per_s", 4 * 73'700.0);
  row.metric = "decode_throughput_per_node";
  row.value = "14800";
  const MeasuredCase answers = case_of({row});
  CHECK(machines(answers) == "18 hgx-h800 with 1 of 144");
  CHECK(load(answers) == "12686 of 12686: 4973 in, 33 out");
  check_measured(answers, "itl_p50_s", 12'686.0 / (18 * 14'800.0));
  row.metric = "nodes_peak";
  CHECK(cases_of({row}).front().problem ==
        "a condition of that day, or counted from others, not an outcome of a simulation");
}

}  // namespace tokenyard::study
