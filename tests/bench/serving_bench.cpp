// Requests per second and memory of one run on one core, on the workload that the project's speed goal
// is stated for: Poisson arrivals, prompts of 1,000 tokens, geometric outputs of mean 250, 8 replicas of
// Llama 3.1 70B fp8, metrics and energy on, request rows off.
//
//   tokenyard_bench                       the reference case, output 25 and 2,500, 1,000 replicas, the
//                                         reference with every feature on, agents with KV tiers
//
// Each case is a process of its own (SimGrid's engine exists once a process).  The last column compares
// with the reference case of the same invocation: machines are noisy, ratios less so.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "scenario/resolve.hpp"
#include "sim/simulate.hpp"

namespace {

using namespace tokenyard;

struct Case {
  const char* name;
  int nodes;               // two replicas each
  double rate_per_replica;  // requests a second
  int output_tokens;
  long requests;
  const char* features = "";  // more of the scenario
  const char* load = "";      // ... of its generator
  const char* deploy = "";    // ... of its deployment
};

// Everything that a request, a replica or a node can go through; failures and clients that give up are so
// rare that nearly all requests finish.
constexpr const char* kAllFeatures =
    "serving:\n  router: power-of-two\n  router_latency: 1 ms\n"
    "  client: {timeout: 60 s, retries: 2}\n"
    "  overload: {policy: defer, ttft: 20 s}\n"
    "  scheduler: {admission: priority, preemption: swap}\n"
    "  kv_cache: {offload: [dram, ssd], prefetch: true, eviction: cost-aware, between_turns: "
    "cost-aware}\n"
    "  speculation: {kind: mtp, tokens: 2, acceptance: 0.7, draft_cost: 0.05, sampling: per-request}\n"
    "faults: {enabled: true, rate_scale: 100}\n"
    "autoscaling: {policy: queue, min: 6, target_queue: 40}\n"
    "slo: {ttft_p99: 2 s, tpot_p99: 50 ms}\n";

// Sessions of an agent on two nodes whose device memory is too small for their histories.
constexpr const char* kAgents =
    "name: bench\ncalibration: none\nstore_requests: none\nsample_interval: 0 s\n"
    "workload: workloads/agents-tracelab.yaml\nrequests: 100000\n"
    "fleet:\n  fabric: fat-tree-400g\n  pools:\n    - name: main\n      node: hgx-h200\n      count: "
    "2\n      deploy: {model: deepseek-v3, weights: fp8, kv: bf16, tensor_parallel: 2, "
    "attention_data_parallel: 4, expert_parallel: 8}\n"
    "serving:\n  router: session-sticky\n  kv_cache: {offload: [{tier: dram, capacity: 500 GB}, ssd], "
    "prefetch: true}\n";

struct Measured {
  double wall_s = 0.0;
  double cpu_s = 0.0;
  double max_rss_mib = 0.0;
  long events = 0;
};

std::string scenario_text(const Case& c) {
  if (c.nodes == 0) return c.features;
  char text[1024];
  std::snprintf(text, sizeof(text),
                "name: bench\ncalibration: none\nstore_requests: none\nsample_interval: 0 s\n"
                "workload:\n  name: bench\n  generator:\n    kind: poisson\n    rate: %g /s\n    input: 1000\n"
                "    output: {kind: geometric, mean: %d}\n    requests: %ld\n%s"
                "fleet:\n  fabric: fat-tree-400g\n  pools:\n    - name: main\n      node: dgx-h100\n      count: %d\n"
                "      deploy: {model: llama-3.1-70b, weights: fp8, kv: fp8, tensor_parallel: 4%s}\n",
                c.rate_per_replica * 2.0 * c.nodes, c.output_tokens, c.requests, c.load, c.nodes,
                c.deploy);
  return std::string(text) + c.features;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

Measured run_here(const Case& c, const std::string& path) {
  catalog::Catalog catalog(catalog::find_catalog_root(""));
  const auto plans = scenario::load_plans(path, {}, catalog);
  const double cpu_before_s = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  const metrics::RunResult result = sim::simulate(plans.front(), {});
  Measured m;
  m.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  m.cpu_s = cpu_seconds() - cpu_before_s;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  m.max_rss_mib = static_cast<double>(usage.ru_maxrss) / 1024.0;
  m.events = result.events;
  // With every feature on, some clients give up.
  if (result.requests_finished < c.requests - c.requests / 100) std::fprintf(stderr, "%s: requests are missing\n", c.name);
  return m;
}

Measured run_apart(const Case& c) {
  char path[] = "/tmp/tokenyard-bench-XXXXXX.yaml";
  const int file = mkstemps(path, 5);
  const std::string text = scenario_text(c);
  if (write(file, text.data(), text.size()) < 0) std::perror(path);
  close(file);
  int ends[2];
  Measured m;
  if (pipe(ends) != 0) return m;
  if (fork() == 0) {
    const Measured mine = run_here(c, path);
    _exit(write(ends[1], &mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
  }
  close(ends[1]);
  if (read(ends[0], &m, sizeof(m)) != sizeof(m)) std::fprintf(stderr, "%s: failed\n", c.name);
  close(ends[0]);
  wait(nullptr);
  unlink(path);
  return m;
}

}  // namespace

int main() {
  // Short outputs arrive at the reference rate, long ones at the rate that gives the reference batch.
  const std::vector<Case> cases{{"reference", 4, 10.0, 250, 500'000},
                                {"output 25", 4, 10.0, 25, 500'000},
                                {"output 2500", 4, 1.4, 2500, 200'000},
                                {"1,000 replicas", 500, 10.0, 250, 500'000},
                                {"1 M requests", 4, 10.0, 250, 1'000'000},
                                {"all features", 4, 10.0, 250, 500'000, kAllFeatures,
                                 "    tenants: 4\n    adapters: 16\n    patience: {kind: logistic, median: 60 s, scale: 2 s}\n",
                                 ", lora: {adapters: 16, resident: 14}"},
                                {"agents, tiers", 0, 0.0, 0, 100'000, kAgents}};
  std::printf("%-16s %12s %12s %10s %12s %10s\n", "case", "requests", "requests/s", "us each", "events each", "peak MiB");
  double reference_us = 0.0;
  for (const Case& c : cases) {
    const Measured m = run_apart(c);
    const double us = 1e6 * m.cpu_s / static_cast<double>(c.requests);
    if (reference_us == 0.0) reference_us = us;
    std::printf("%-16s %12ld %12.0f %10.2f %12.2f %10.1f   x %.2f\n", c.name, c.requests,
                static_cast<double>(c.requests) / m.wall_s, us,
                static_cast<double>(m.events) / static_cast<double>(c.requests), m.max_rss_mib, us / reference_us);
    std::fflush(stdout);
  }
  return 0;
}
