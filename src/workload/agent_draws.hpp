#pragma once
// What is drawn at random in agent sessions; every quantity has a random stream of its own, so that a
// key that is added to a workload leaves the others' draws alone.
#include <algorithm>
#include <cstdint>

#include "base/random.hpp"
#include "workload/dealer.hpp"
#include "workload/distributions.hpp"

namespace tokenyard::workload {

struct AgentDraws {
  AgentDraws(const GeneratorSpec& g, const AgentSpec& a, std::uint64_t seed)
      : turns(a.turns, seed, "agent turns"),
        user_turns(a.user_turns.value_or(LengthSpec{}), seed, "agent user turns"),
        initial_context(a.initial_context, seed, "agent initial context"),
        tool_output(a.tool_output, seed, "agent tool output"),
        tool_calls(a.tool_calls, seed, "agent tool calls"),
        output(g.output, seed, "output lengths"),
        sub_agents(a.sub_agents, seed, "sub-agents"),
        sub_agent_turns(a.sub_agent_turns, seed, "sub-agent turns"),
        sub_agent_context(a.sub_agent_context, seed, "sub-agent context"),
        samples(a.samples, seed, "samples"),
        summary(a.compaction ? a.compaction->summary.value_or(LengthSpec{}) : LengthSpec{}, seed,
                "summaries"),
        tool_time(a.tool_time, seed, "tool time"),
        user_time(a.user_time, seed, "user time"),
        patience(g.patience, seed),
        choices(seed, "agent choices"),
        single_turns(seed, "single-turn sessions"),
        sampled_turns(seed, "sampled turns"),
        tenants(g.tenants, g.tenant_skew, seed, "tenants"),
        adapters(g.adapters, g.adapter_skew, seed, "adapters") {}

  // Tools that are called at once: the slowest is waited for, the outputs of all are taken in.
  struct ToolCalls {
    double time_s = 0.0;
    std::int64_t output_tokens = 0;
  };
  ToolCalls call_tools() {
    ToolCalls calls;
    for (std::int64_t left = tool_calls.draw(); left > 0; --left) {
      calls.time_s = std::max(calls.time_s, tool_time.draw_s());
      calls.output_tokens = std::min(kMaxTokens, calls.output_tokens + tool_output.draw());
    }
    return calls;
  }

  LengthSampler turns, user_turns, initial_context, tool_output, tool_calls, output, sub_agents,
      sub_agent_turns, sub_agent_context, samples, summary;
  TimeSampler tool_time, user_time;
  PatienceSampler patience;
  RandomStream choices, single_turns, sampled_turns;
  Dealer tenants, adapters;
};

}  // namespace tokenyard::workload
