#include <doctest/doctest.h>

#include <sstream>

#include "trace_files.hpp"
#include "workload/native_format.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

// Writes the workload's stream, reads it back, and compares request by request.
void check_round_trip(const WorkloadSpec& spec, const std::string& file) {
  const TemporaryFolder folder;
  const std::vector<Request> original = all_of(spec);
  const auto stream = open_stream(spec, {});
  CHECK(write_native(*stream, folder.file(file)) == static_cast<std::int64_t>(original.size()));
  const auto copy = open_stream(trace_of(folder.file(file)), {});
  CHECK(copy->block_tokens() == stream->block_tokens());
  CHECK(copy->concurrency() == stream->concurrency());
  CHECK(all_of(*copy) == original);
  CHECK(copy->classes() == stream->classes());
  CHECK(copy->tenants() == stream->tenants());
  CHECK(copy->adapters() == stream->adapters());
  CHECK(copy->names_sessions() == stream->names_sessions());
  if (original.back().session >= 0) {
    CHECK(copy->session_name(original.back().session) ==
          stream->session_name(original.back().session));
  }
}

}  // namespace

TEST_CASE("every generator reads back as it was written, plain and compressed") {
  const std::string lengths =
      ", input: {kind: geometric, mean: 100}, output: {kind: geometric, mean: 10}, requests: 300}";
  for (const std::string kind : {"kind: poisson, rate: 3 /s", "kind: gamma, rate: 3 /s, cv: 4",
                                 "kind: fixed-concurrency, concurrency: 4, class: batch"}) {
    const WorkloadSpec spec = read_workload("generator: {" + kind + lengths + "\n");
    check_round_trip(spec, "t.jsonl");
    check_round_trip(spec, "t.jsonl.zst");
  }
  check_round_trip(
      read_workload("generator: {kind: diurnal, rate: 3 /s, peak_to_mean: 1.5, tenants: 3, "
                    "adapters: 2, patience: {kind: logistic, median: 9 s, scale: 3 s}" +
                    lengths + "\n"),
      "t.jsonl");
  check_round_trip(
      read_workload("generator: {kind: agents, rate: 1 /s, requests: 30, output: {kind: geometric, "
                    "mean: 90}, tenants: 2, adapters: 1, patience: 4 s, agents: {turns: 6, "
                    "initial_context: 600, tool_output: 500, tool_calls: 2, tool_time: 1 s, "
                    "shared_system_prompt: 700, sample_probability: 0.5, samples: 3, "
                    "compaction: {limit: 3000}}}\n"),
      "t.jsonl");
  check_round_trip(read_workload("generator:\n  kind: agents\n  rate: 1 /s\n  requests: 30\n  "
                                 "output: 20\n  class: agent\n  agents:\n"
                                 "    turns: {kind: uniform, min: 2, max: 9}\n    initial_context: "
                                 "700\n    tool_output: 90\n"
                                 "    tool_time: {kind: lognormal, median: 1 s, sigma: 1}\n    "
                                 "shared_system_prompt: 1600\n"
                                 "    fan_out_probability: 0.3\n    sub_agents: 3\n    "
                                 "sub_agent_turns: 2\n    sub_agent_context: 9\n"),
                   "t.jsonl.zst");
}

TEST_CASE("every format of a real trace reads back as it was written") {
  const std::optional<std::string> data = real_data();
  if (!data) {
    MESSAGE("skipped: no public traces; set TOKENYARD_DATA");
    return;
  }
  const std::string traces = *data + "/traces/";
  check_round_trip(trace_of(traces + "mooncake-conversation.jsonl", TraceFormat::mooncake),
                   "t.jsonl.zst");
  check_round_trip(trace_of(traces + "azure-2023-code.csv", TraceFormat::azure), "t.jsonl");
  check_round_trip(trace_of(traces + "coding-agent-sessions.csv", TraceFormat::coding_agents),
                   "t.jsonl.zst");
}

TEST_CASE("names of sessions, models, classes, tenants and adapters survive, quotes included") {
  const TemporaryFolder folder;
  const std::string text =
      R"({"tokenyard_trace":1,"block_tokens":512})"
      "\n"
      R"({"id":4,"session":"a \"b\"","arrival_s":0.1,"input_tokens":5,"output_tokens":2,"model":"m","class":"c","tenant":"t \"u\"","adapter":"l","group":0,"patience_s":0.25})"
      "\n"
      R"({"id":9,"session":"a \"b\"","turn":1,"after":[4],"think_s":0.3,"input_tokens":8,"output_tokens":2,"history_tokens":0})"
      "\n";
  const auto stream = open_stream(trace_of(folder.write("t.jsonl", text)), {});
  std::ostringstream copy;
  CHECK(write_native(*stream, copy) == 2);
  CHECK(copy.str() == text);
}

TEST_CASE("no more than the limit is written") {
  const TemporaryFolder folder;
  const auto stream = open_stream(
      read_workload("generator: {kind: poisson, rate: 1 /s, input: 1, output: 1}\n"), {});
  CHECK(message_of([&] { write_native(*stream, folder.file("t.jsonl")); }) ==
        "error: the workload has no end; say how many requests to write (its key 'requests' or a "
        "limit)");
  CHECK(write_native(*stream, folder.file("t.jsonl"), 7) == 7);
  CHECK(all_of(trace_of(folder.file("t.jsonl"))).size() == 7);
}

TEST_CASE("a file that cannot be written is refused") {
  const auto stream = open_stream(
      read_workload("generator: {kind: poisson, rate: 1 /s, input: 1, output: 1}\n"), {});
  CHECK(message_of([&] { write_native(*stream, "/nowhere/t.jsonl", 7); }) ==
        "error: cannot write '/nowhere/t.jsonl'");
}
