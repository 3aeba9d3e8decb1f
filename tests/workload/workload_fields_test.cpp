#include <doctest/doctest.h>

#include "trace_files.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

TEST_CASE("a plain number is a fixed length, a plain time a fixed wait") {
  const WorkloadSpec spec = read_workload(
      "generator:\n  kind: agents\n  rate: 2 /s\n  output: 200\n  agents:\n    turns: 3\n    "
      "initial_context: 1000\n"
      "    tool_output: {kind: lognormal, median: 215, sigma: 1.33, min: 1, max: 32000}\n    "
      "tool_time: 10 s\n");
  const AgentSpec& agents = *spec.generator->agents;
  CHECK(spec.generator->rate.base() == 2.0);
  CHECK(agents.turns.kind == LengthKind::fixed);
  CHECK(agents.turns.value == 3);
  CHECK(agents.tool_time.kind == TimeKind::fixed);
  CHECK(agents.tool_time.value == seconds(10));
  CHECK(agents.tool_output.kind == LengthKind::lognormal);
  CHECK(agents.tool_output.median == 215.0);
  CHECK(agents.tool_output.max == 32000);
}

TEST_CASE("a trace's keys are read, with what is left out at its default") {
  const WorkloadSpec spec = read_workload(
      "name: t\ntrace: {file: a.csv, format: coding-agents, time_scale: 2, limit: 10, "
      "sessions_per_hour: 30}\n");
  CHECK(spec.trace->format == TraceFormat::coding_agents);
  CHECK(spec.trace->time_scale == 2.0);
  CHECK(spec.trace->limit == 10);
  CHECK_FALSE(spec.trace->skip_bad_lines);
  CHECK(spec.trace->sessions_per_hour == 30.0);
}

TEST_CASE("what is read can be dumped and read again to the same dump") {
  const WorkloadSpec spec = read_workload(
      "generator: {kind: gamma, rate: 2 /s, cv: 3, input: {kind: uniform, min: 1, max: 5},"
      " output: {kind: empirical, values: [1, 2]}}\n");
  const std::string dump = input::dump_json(spec);
  CHECK(dump.find(R"("input":{"kind":"uniform","min":1,"max":5})") != std::string::npos);
  CHECK(dump.find(R"("output":{"kind":"empirical","values":[1,2]})") != std::string::npos);
  CHECK(dump.find(R"("rate":"2 /s")") != std::string::npos);
}

TEST_CASE("the schema offers both forms of a length") {
  const std::string schema = input::schema_of<LengthSpec>();
  CHECK(schema.starts_with(R"({"anyOf":[{"type":"integer"},{"type":"object")"));
}

TEST_CASE("a rate without a unit is refused where it stands") {
  CHECK(message_of([] {
          read_workload("generator:\n  kind: poisson\n  rate: 2\n  input: 1\n  output: 1\n");
        }).starts_with("w.yaml:3:9: error: generator.rate: "));
}

TEST_CASE("a workload that is both a trace and a generator, or neither, is refused") {
  CHECK(message_of([] { read_workload("name: n\n"); }) ==
        "w.yaml:1:1: error: a workload is one of 'trace' and 'generator'\n"
        "    1 | name: n\n"
        "      | ^");
  CHECK(message_of([] {
          read_workload(
              "trace: {file: a}\ngenerator: {kind: poisson, rate: 1 /s, input: 1, output: 1}\n");
        }) ==
        "w.yaml:2:12: error: generator: a workload is one of 'trace' and 'generator'\n"
        "    2 | generator: {kind: poisson, rate: 1 /s, input: 1, output: 1}\n"
        "      |            ^");
}

TEST_CASE("a kind's missing keys and keys without effect are all reported at once") {
  CHECK(message_of(
            [] { read_workload("generator: {kind: gamma, rate: 1 /s, input: 1, output: 1}\n"); }) ==
        "w.yaml:1:12: error: generator: kind 'gamma' needs 'cv', such as 'cv: 2.5'\n"
        "    1 | generator: {kind: gamma, rate: 1 /s, input: 1, output: 1}\n"
        "      |            ^");
  CHECK(message_of([] {
          read_workload(
              "generator:\n  kind: fixed-concurrency\n  rate: 1 /s\n  input: 1\n  output: 1\n");
        }) ==
        "w.yaml:2:3: error: generator: kind 'fixed-concurrency' needs 'concurrency', such as "
        "'concurrency: 64'\n"
        "    2 |   kind: fixed-concurrency\n"
        "      |   ^\n"
        "w.yaml:3:9: error: generator.rate: 'rate' has no effect with kind 'fixed-concurrency'\n"
        "    3 |   rate: 1 /s\n"
        "      |         ^");
}

TEST_CASE("a misspelt kind is one mistake, not one for every key that depends on it") {
  CHECK(message_of([] {
          read_workload("generator:\n  kind: gama\n  rate: 1 /s\n  input: 1\n  output: 1\n");
        }) ==
        "w.yaml:2:9: error: generator.kind: 'gama' is not known here; did you mean 'gamma'?\n"
        "    2 |   kind: gama\n"
        "      |         ^");
}

TEST_CASE("lengths are refused that no prompt can have") {
  const auto with_input = [](const std::string& input) {
    return message_of([&] {
      read_workload("generator:\n  kind: poisson\n  rate: 1 /s\n  output: 1\n  input: " + input +
                    "\n");
    });
  };
  CHECK(with_input("0").starts_with(
      "w.yaml:5:10: error: generator.input: '0' is out of range; expected 1 to 10000000 tokens\n"));
  CHECK(with_input("{kind: lognormal, sigma: 1}")
            .starts_with("w.yaml:5:10: error: generator.input: kind 'lognormal' needs one of "
                         "'median' and 'mean'\n"));
  CHECK(with_input("{kind: uniform, min: 5, max: 4}")
            .starts_with("w.yaml:5:31: error: generator.input.min: min is above max\n"));
  CHECK(with_input("{kind: fixed, value: 5, sigma: 4}")
            .starts_with("w.yaml:5:41: error: generator.input.sigma: 'sigma' has no effect with "
                         "kind 'fixed'\n"));
  CHECK(with_input("{kind: empirical, values: []}")
            .starts_with("w.yaml:5:36: error: generator.input.values: the list is empty\n"));
  CHECK(with_input("{kind: empirical, values: [3, 0]}")
            .starts_with("w.yaml:5:36: error: generator.input.values: '0' is out of range; "
                         "expected 1 to 10000000\n"));
  CHECK(
      with_input("[1]").starts_with("w.yaml:5:10: error: generator.input: a list stands here; "
                                    "expected a whole number of tokens or a map with "
                                    "'kind'\n"));
}

TEST_CASE("coding-agents needs a rate of sessions, and only it does") {
  CHECK(
      message_of([] { read_workload("trace: {file: a, format: coding-agents}\n"); })
          .starts_with("w.yaml:1:8: error: trace: format 'coding-agents' needs one of "
                       "'sessions_per_hour' and 'concurrent_sessions': the trace holds no session "
                       "arrivals\n"));
  CHECK(message_of([] {
          read_workload(
              "trace: {file: a, format: coding-agents, sessions_per_hour: 3, "
              "concurrent_sessions: 2}\n");
        }).starts_with("w.yaml:1:8: error: trace: format 'coding-agents' needs one of"));
  const workload::WorkloadSpec spec =
      read_workload("trace: {file: a, format: coding-agents, concurrent_sessions: 2}\n");
  CHECK(spec.trace->concurrent_sessions == 2);
  CHECK(message_of([] { read_workload("trace: {file: a, format: azure, sessions_per_hour: 3}\n"); })
            .starts_with("w.yaml:1:52: error: trace.sessions_per_hour: 'sessions_per_hour' has no "
                         "effect with format "
                         "'azure', which holds arrival times\n"));
}

TEST_CASE("agents that fan out say how, and the shared prompt must leave room in the context") {
  const std::string start =
      "generator:\n  kind: agents\n  rate: 1 /s\n  output: 1\n  agents:\n    turns: 1\n    "
      "initial_context: 1\n"
      "    tool_output: 1\n    tool_time: 1 s\n    sub_agents: 2\n    sub_agent_turns: 2\n";
  CHECK(message_of([&] { read_workload(start + "    fan_out_probability: 0.5\n"); }) ==
        "w.yaml:12:26: error: generator.agents.fan_out_probability: needs 'sub_agent_context'\n"
        "   12 |     fan_out_probability: 0.5\n"
        "      |                          ^");
  CHECK(
      message_of([&] {
        read_workload(start + "    shared_system_prompt: 1000\n    max_context: 1001\n");
      }) ==
      "w.yaml:13:18: error: generator.agents.max_context: leaves no room beyond the 1000 tokens of "
      "shared_system_prompt\n"
      "   13 |     max_context: 1001\n"
      "      |                  ^");
}

TEST_CASE("diurnal and mmpp say what they need, and agents by what they arrive") {
  CHECK(message_of([] {
          read_workload("generator: {kind: diurnal, rate: 1 /s, input: 1, output: 1}\n");
        }) ==
        "w.yaml:1:12: error: generator: kind 'diurnal' needs 'peak_to_mean', such as "
        "'peak_to_mean: 1.6'\n"
        "    1 | generator: {kind: diurnal, rate: 1 /s, input: 1, output: 1}\n"
        "      |            ^");
  CHECK(message_of([] {
          read_workload(
              "generator:\n  kind: mmpp\n  rate: 1 /s\n  rates: [1 /s]\n  input: 1\n  output: 1\n");
        }) ==
        "w.yaml:2:3: error: generator: kind 'mmpp' needs 'dwell', such as 'dwell: [5 min, 30 s]'\n"
        "    2 |   kind: mmpp\n"
        "      |   ^\n"
        "w.yaml:3:9: error: generator.rate: 'rate' has no effect with kind 'mmpp'\n"
        "    3 |   rate: 1 /s\n"
        "      |         ^\n"
        "w.yaml:4:10: error: generator.rates: a list of 1 stands here; expected two rates, such as "
        "'[1 /s, 10 /s]'\n"
        "    4 |   rates: [1 /s]\n"
        "      |          ^");
  const auto agents = [](const std::string& how) {
    return message_of([&] {
      read_workload(
          "generator:\n  kind: agents\n  output: 1\n  agents: {turns: 1, "
          "initial_context: 1, tool_output: 1, tool_time: 1 s}\n" +
          how);
    });
  };
  CHECK(agents("").starts_with(
      "w.yaml:2:3: error: generator: kind 'agents' needs 'rate', such as 'rate: 60 /h'\n"));
  CHECK(agents("  rate: 1 /s\n  arrivals: gamma\n") ==
        "w.yaml:2:3: error: generator: arrivals 'gamma' needs 'cv', such as 'cv: 2.5'\n"
        "    2 |   kind: agents\n"
        "      |   ^");
  CHECK(agents("  rate: 1 /s\n  arrivals: mmpp\n  rates: [1 /s, 2 /s]\n  dwell: [1 s, 0 s]\n") ==
        "w.yaml:5:9: error: generator.rate: 'rate' has no effect with arrivals 'mmpp'\n"
        "    5 |   rate: 1 /s\n"
        "      |         ^\n"
        "w.yaml:8:10: error: generator.dwell: expected two times above 0\n"
        "    8 |   dwell: [1 s, 0 s]\n"
        "      |          ^");
  CHECK(agents("  rate: 1 /s\n  arrivals: poison\n") ==
        "w.yaml:6:13: error: generator.arrivals: 'poison' is not known here; did you mean "
        "'poisson'?\n"
        "    6 |   arrivals: poison\n"
        "      |             ^");
  CHECK(agents("  rate: 1 /s\n  peak_at: 1 h\n")
            .starts_with("w.yaml:6:12: error: generator.peak_at: 'peak_at' has no effect with kind "
                         "'agents'\n"));
}

TEST_CASE("tenants, adapters and patience are refused that mean nothing") {
  const auto with = [](const std::string& more) {
    return message_of([&] {
      read_workload("generator:\n  kind: poisson\n  rate: 1 /s\n  input: 1\n  output: 1\n  " +
                    more + "\n");
    });
  };
  CHECK(with("tenant_skew: 1") ==
        "w.yaml:6:16: error: generator.tenant_skew: has no effect without 'tenants'\n"
        "    6 |   tenant_skew: 1\n"
        "      |                ^");
  CHECK(with("adapters: 0").starts_with("w.yaml:6:13: error: generator.adapters: "));
  CHECK(with("patience: 0 s") ==
        "w.yaml:6:13: error: generator.patience: is not more than 0 s; nobody would be served\n"
        "    6 |   patience: 0 s\n"
        "      |             ^");
  CHECK(with("patience: {kind: logistic, median: 9 s}")
            .starts_with("w.yaml:6:13: error: generator.patience: kind 'logistic' needs one of "
                         "'scale' and 'p90'\n"));
  CHECK(with("patience: {kind: logistic, median: 9 s, p90: 8 s}")
            .starts_with("w.yaml:6:48: error: generator.patience.p90: p90 is not above the "
                         "median\n"));
  CHECK(with("patience: {kind: exponential, mean: 9 s, scale: 1 s}")
            .starts_with("w.yaml:6:51: error: generator.patience.scale: 'scale' has no effect with "
                         "kind 'exponential'\n"));
  const WorkloadSpec spec = read_workload(
      "generator: {kind: poisson, rate: 1 /s, input: 1, output: 1, patience: {kind: logistic, "
      "median: 9 s, p90: 20 s, min: 1 s, max: 60 s}}\n");
  CHECK(
      input::dump_json(spec).find(
          R"("patience":{"kind":"logistic","median":"9 s","p90":"20 s","min":"1 s","max":"60 s"})") !=
      std::string::npos);
}

TEST_CASE(
    "agents are refused that compact what cannot be compacted, or sample without saying how") {
  const auto with = [](const std::string& more) {
    return message_of([&] {
      read_workload(
          "generator:\n  kind: agents\n  rate: 1 /s\n  output: 1\n  agents:\n    turns: 1\n    "
          "initial_context: 1\n    tool_output: 1\n    tool_time: 1 s\n    shared_system_prompt: "
          "1000\n    max_context: 9000\n    " +
          more + "\n");
    });
  };
  CHECK(with("compaction: {limit: 9000}") ==
        "w.yaml:12:17: error: generator.agents.compaction: the limit of 9000 tokens is not below "
        "max_context, where sessions end\n"
        "   12 |     compaction: {limit: 9000}\n"
        "      |                 ^");
  CHECK(
      with("compaction: {limit: 1000}") ==
      "w.yaml:12:17: error: generator.agents.compaction: the limit leaves no room beyond the 1000 "
      "tokens of shared_system_prompt\n"
      "   12 |     compaction: {limit: 1000}\n"
      "      |                 ^");
  CHECK(with("compaction: {limit: 8000, keep: 0.2, summary: 9}") ==
        "w.yaml:12:37: error: generator.agents.compaction.keep: 'keep' has no effect with "
        "'summary'\n"
        "   12 |     compaction: {limit: 8000, keep: 0.2, summary: 9}\n"
        "      |                                     ^");
  CHECK(with("compaction: {keep: 0.2}")
            .starts_with("w.yaml:12:17: error: generator.agents.compaction: "));
  CHECK(with("sample_probability: 0.5") ==
        "w.yaml:12:25: error: generator.agents.sample_probability: needs 'samples', such as "
        "'samples: 4'\n"
        "   12 |     sample_probability: 0.5\n"
        "      |                         ^");
  CHECK(with("user_turns: 2") ==
        "w.yaml:12:17: error: generator.agents.user_turns: needs 'user_time', such as 'user_time: "
        "90 s'\n"
        "   12 |     user_turns: 2\n"
        "      |                 ^");
  CHECK(
      with("user_turns: 2\n    user_time: 1 s\n    user_turn_share: 0.1") ==
      "w.yaml:14:22: error: generator.agents.user_turn_share: 'user_turn_share' has no effect with "
      "'user_turns'\n"
      "   14 |     user_turn_share: 0.1\n"
      "      |                      ^");
}
