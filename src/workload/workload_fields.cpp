// The keys of a workload file.
#include <array>

#include "workload/kind_rules.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {
namespace {

using input::Fields;
using input::name_of;

constexpr unsigned kPoisson = kind_bit(GeneratorKind::poisson);
constexpr unsigned kGamma = kind_bit(GeneratorKind::gamma);
constexpr unsigned kFixed = kind_bit(GeneratorKind::fixed_concurrency);
constexpr unsigned kAgents = kind_bit(GeneratorKind::agents);

constexpr auto kGeneratorRules = std::to_array<KindRule>({
    {"rate", kPoisson | kGamma | kAgents, kPoisson | kGamma | kAgents, "2 /s"},
    {"cv", kGamma, kGamma, "2.5"},
    {"concurrency", kFixed, kFixed, "64"},
    {"input", kPoisson | kGamma | kFixed, kPoisson | kGamma | kFixed, "1000"},
    {"output", kPoisson | kGamma | kFixed | kAgents, kPoisson | kGamma | kFixed | kAgents, "200"},
    {"agents", kAgents, kAgents, ""},
});

}  // namespace

void describe(Fields& f, TraceSpec& x) {
  f.required("file", x.file,
             "the trace, beside this file, in the catalog's folder or in $TOKENYARD_DATA");
  f.optional("format", x.format, "native, mooncake, azure or coding-agents");
  f.optional("time_scale", x.time_scale, "multiplies arrival times; 2 halves the rate")
      .more_than(0);
  f.optional("limit", x.limit, "read no more than this many requests; coding-agents: sessions")
      .at_least(1);
  f.optional("skip_bad_lines", x.skip_bad_lines,
             "count malformed lines instead of stopping at the first");
  f.optional("sessions_per_hour", x.sessions_per_hour,
             "coding-agents: sessions start as a Poisson process")
      .more_than(0);
  f.optional("concurrent_sessions", x.concurrent_sessions,
             "coding-agents: so many sessions are at work at any time, their waits included")
      .at_least(1);
  if (!f.is_reading()) return;
  const bool is_agents = x.format == TraceFormat::coding_agents;
  int given = 0;
  for (const char* key : {"sessions_per_hour", "concurrent_sessions"}) {
    if (!f.has(key)) continue;
    ++given;
    if (is_agents) continue;
    f.problem(key, "'" + std::string(key) + "' has no effect with format '" +
                       std::string(name_of(x.format)) + "', which holds arrival times");
  }
  if (is_agents && given != 1) {
    f.problem("", "format 'coding-agents' needs one of 'sessions_per_hour' and "
                  "'concurrent_sessions': the trace holds no session arrivals");
  }
}

void describe(Fields& f, AgentSpec& x) {
  f.required("turns", x.turns, "turns of a session");
  f.required("initial_context", x.initial_context,
             "tokens of the first prompt beyond the shared one");
  f.required("tool_output", x.tool_output, "new tokens of every further prompt");
  f.required("tool_time", x.tool_time, "wait before a turn that answers a tool");
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
  f.optional("max_context", x.max_context, "a session ends before it needs more tokens than this")
      .at_least(2)
      .at_most(static_cast<double>(kMaxTokens));
  if (!f.is_reading()) return;
  if (x.user_turn_share > 0 && !f.has("user_time")) {
    f.problem("user_turn_share", "needs 'user_time', such as 'user_time: 90 s'");
  }
  for (const char* key : {"sub_agents", "sub_agent_turns", "sub_agent_context"}) {
    if (x.fan_out_probability > 0 && !f.has(key)) {
      f.problem("fan_out_probability", "needs '" + std::string(key) + "'");
    }
  }
  if (x.max_context && x.shared_system_prompt + 2 > *x.max_context) {
    f.problem("max_context", "leaves no room beyond the " + std::to_string(x.shared_system_prompt) +
                                 " tokens of shared_system_prompt");
  }
}

void describe(Fields& f, GeneratorSpec& x) {
  f.required("kind", x.kind, "poisson, gamma, fixed-concurrency or agents");
  f.optional("rate", x.rate, "requests per time; agents: sessions per time").more_than(0);
  f.optional("cv", x.cv,
             "gamma: coefficient of variation of the gaps; above 1 is burstier than Poisson")
      .at_least(0.01)
      .at_most(100);
  f.optional("concurrency", x.concurrency, "fixed-concurrency: requests kept in flight")
      .at_least(1);
  f.optional("input", x.input, "prompt tokens of a request");
  f.optional("output", x.output, "output tokens of a request");
  f.optional("requests", x.requests, "stop after this many; agents: sessions").at_least(1);
  f.optional("agents", x.agents, "the shape of agent sessions");
  f.optional("class", x.request_class, "name of the request class in the results");
  if (!f.is_reading()) return;
  if (kind_was_read(f, x.kind)) {
    check_kind_rules(f, name_of(x.kind), kind_bit(x.kind), kGeneratorRules);
  }
  if (x.request_class.empty()) f.problem("class", "the name is empty");
}

void describe(Fields& f, WorkloadSpec& x) {
  f.optional("name", x.name, "how results refer to this workload");
  f.optional("description", x.description, "one line");
  f.optional("source", x.source,
             "origin and licence of the numbers; of a trace also where to get it");
  f.optional("trace", x.trace, "requests read from a file");
  f.optional("generator", x.generator, "requests made at random");
  if (f.is_reading() && f.has("trace") == f.has("generator")) {
    f.problem(f.has("trace") ? "generator" : "", "a workload is one of 'trace' and 'generator'");
  }
}

}  // namespace tokenyard::workload
