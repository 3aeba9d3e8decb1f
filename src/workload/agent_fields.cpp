// The keys of agent sessions.
#include "workload/workload.hpp"

namespace tokenyard::workload {
namespace {

using input::Fields;

void check_agents(Fields& f, const AgentSpec& x) {
  if (x.user_turn_share > 0 && !f.has("user_time")) {
    f.problem("user_turn_share", "needs 'user_time', such as 'user_time: 90 s'");
  }
  if (x.user_turns && !f.has("user_time"))
    f.problem("user_turns", "needs 'user_time', such as 'user_time: 90 s'");
  if (x.user_turns && f.has("user_turn_share"))
    f.problem("user_turn_share", "'user_turn_share' has no effect with 'user_turns'");
  if (x.sample_probability > 0 && !f.has("samples"))
    f.problem("sample_probability", "needs 'samples', such as 'samples: 4'");
  for (const char* key : {"sub_agents", "sub_agent_turns", "sub_agent_context"}) {
    if (x.fan_out_probability > 0 && !f.has(key)) {
      f.problem("fan_out_probability", "needs '" + std::string(key) + "'");
    }
  }
  if (x.max_context && x.shared_system_prompt + 2 > *x.max_context) {
    f.problem("max_context", "leaves no room beyond the " + std::to_string(x.shared_system_prompt) +
                                 " tokens of shared_system_prompt");
  }
  if (!x.compaction || x.compaction->limit < 1) return;
  if (x.compaction->limit <= x.shared_system_prompt) {
    f.problem("compaction", "the limit leaves no room beyond the " +
                                std::to_string(x.shared_system_prompt) +
                                " tokens of shared_system_prompt");
  }
  if (x.max_context && x.compaction->limit >= *x.max_context) {
    f.problem("compaction", "the limit of " + std::to_string(x.compaction->limit) +
                                " tokens is not below max_context, where sessions end");
  }
}

}  // namespace

void describe(Fields& f, CompactionSpec& x) {
  f.required("limit", x.limit, "the longest prompt; one that would be longer is compacted before")
      .at_least(2)
      .at_most(static_cast<double>(kMaxTokens));
  f.optional("keep", x.keep, "the summary's share of the context").more_than(0).at_most(1);
  f.optional("summary", x.summary, "tokens of the summary, instead of keep");
  if (f.is_reading() && f.has("keep") && f.has("summary"))
    f.problem("keep", "'keep' has no effect with 'summary'");
}

void describe(Fields& f, AgentSpec& x) {
  f.required("turns", x.turns,
             "turns of a session; with user_turns: of each of them, itself included");
  f.optional("user_turns", x.user_turns, "turns of a session that a person starts");
  f.optional("single_turn_share", x.single_turn_share,
             "share of sessions with one user turn (without user_turns: with one turn)")
      .at_least(0)
      .at_most(1);
  f.required("initial_context", x.initial_context,
             "tokens of the first prompt beyond the shared one");
  f.required("tool_output", x.tool_output,
             "new tokens of every further prompt, for each tool call");
  f.optional("tool_calls", x.tool_calls, "tools called at once; the slowest is waited for");
  f.required("tool_time", x.tool_time, "wait for a tool call");
  f.optional("user_turn_share", x.user_turn_share,
             "share of the further turns that a person starts")
      .at_least(0)
      .at_most(1);
  f.optional("user_time", x.user_time, "wait before a turn that a person starts");
  f.optional("shared_system_prompt", x.shared_system_prompt,
             "tokens at the front of every prompt, the same in all")
      .at_least(0)
      .at_most(static_cast<double>(kMaxTokens));
  f.optional("fan_out_probability", x.fan_out_probability, "that a turn starts sub-agents")
      .at_least(0)
      .at_most(1);
  f.optional("sub_agents", x.sub_agents, "how many a turn starts, when it does");
  f.optional("sub_agent_turns", x.sub_agent_turns, "turns of a sub-agent");
  f.optional("sub_agent_context", x.sub_agent_context,
             "a sub-agent's first prompt beyond the shared one");
  f.optional("sample_probability", x.sample_probability, "that a turn is asked several times")
      .at_least(0)
      .at_most(1);
  f.optional("samples", x.samples, "how many times, when it is; the first answer is taken");
  f.optional("compaction", x.compaction, "what becomes of a context that grows too long");
  f.optional("max_context", x.max_context, "a session ends before it needs more tokens than this")
      .at_least(2)
      .at_most(static_cast<double>(kMaxTokens));
  if (f.is_reading()) check_agents(f, x);
}

}  // namespace tokenyard::workload
