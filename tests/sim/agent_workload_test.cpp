// What generated agents do to a fleet: samples that share their prompt, contexts that are compacted.
#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::row_of;

metrics::RunResult run_one_session(const std::string& agent) {
  return test::run_here(test::plan_of(
      "name: t\nworkload:\n  name: w\n  generator: {kind: agents, rate: 1 /s, requests: 1, output: "
      "200, agents: {tool_time: 1 s, " +
      agent +
      "}}\nfleet:\n  pools:\n    - {name: main, node: dgx-h100, deploy: {model: llama-3.1-8b, "
      "replicas: 1}}\n"));
}

}  // namespace

TEST_CASE(
    "the samples after two of 1,300 + 200 tokens find 1,488 and 1,024 of their 2,100 in the "
    "cache") {
  const auto result = run_one_session(
      "turns: 2, initial_context: 1300, tool_output: 600, sample_probability: 1, samples: 2");
  // Side by side neither of the first finds anything.
  CHECK(row_of(result, 0).cached_tokens == 0);
  CHECK(row_of(result, 1).cached_tokens == 0);
  // Two blocks of 512 are there for both; the rest of the 1,499 tokens that were stored, in blocks of
  // 16 tokens 464, goes to the first to be admitted.
  CHECK(row_of(result, 2).cached_tokens == 1488);
  CHECK(row_of(result, 3).cached_tokens == 1024);
}

TEST_CASE(
    "behind a summary the shared prompt is found and no more: 1,088 tokens of 1,100 in blocks") {
  const auto result = run_one_session(
      "turns: 3, initial_context: 900, tool_output: 600, shared_system_prompt: 1100, compaction: "
      "{limit: 2800, summary: 300}");
  // 2,000 in; then 2,800, of which the 2,199 tokens that were stored are there in blocks of 16.
  CHECK(row_of(result, 1).input_tokens == 2800);
  CHECK(row_of(result, 1).cached_tokens == 2192);
  // The call for the summary repeats 3,000 tokens, of which 2,999 were stored.
  CHECK(row_of(result, 2).input_tokens == 3000);
  CHECK(row_of(result, 2).output_tokens == 300);
  CHECK(row_of(result, 2).cached_tokens == 2992);
  // 1,100 + 300 + 600 in: two shared blocks of 512, and of 76 tokens more four blocks of 16.
  CHECK(row_of(result, 3).input_tokens == 2000);
  CHECK(row_of(result, 3).cached_tokens == 1088);
}
