#pragma once
// A workload file (workloads/NAME.yaml or inline in a scenario): a trace or a generator.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "input/fields.hpp"
#include "workload/request.hpp"

namespace tokenyard::workload {

enum class TraceFormat { native, mooncake, azure, coding_agents };
constexpr auto enum_names(TraceFormat) {
  return std::array<std::string_view, 4>{"native", "mooncake", "azure", "coding-agents"};
}

struct TraceSpec {
  std::string file;  // searched for as trace_path() says
  TraceFormat format = TraceFormat::native;
  double time_scale = 1.0;            // multiplies arrival times
  std::optional<std::int64_t> limit;  // requests; for coding-agents: sessions
  bool skip_bad_lines = false;
  // coding-agents holds no session arrivals.  Either sessions start as a Poisson process of this rate,
  // or so many are at work at any time: when one has ended, the next of the trace starts.
  std::optional<double> sessions_per_hour;
  std::optional<std::int64_t> concurrent_sessions;
};

enum class LengthKind { fixed, uniform, lognormal, geometric, empirical };
constexpr auto enum_names(LengthKind) {
  return std::array<std::string_view, 5>{"fixed", "uniform", "lognormal", "geometric", "empirical"};
}
// Token counts.  fixed: value; uniform: min..max; lognormal: median or mean, and sigma of the
// logarithm; geometric: mean; empirical: values, each equally likely.  What lognormal and geometric
// draw outside min..max is set to the bound.  In a file `input: 1000` is short for fixed.
struct LengthSpec {
  LengthKind kind = LengthKind::fixed;
  std::int64_t value = 1;
  std::optional<double> mean, median;
  double sigma = 1.0;
  std::int64_t min = 1;
  std::int64_t max = 1'000'000;
  std::vector<std::int64_t> values;
};
// Waiting times, likewise; exponential: mean; logistic: median, and scale or p90, the time that nine of
// ten do not exceed.  In a file `tool_time: 10 s` is short for fixed.
enum class TimeKind { fixed, uniform, lognormal, exponential, logistic };
constexpr auto enum_names(TimeKind) {
  return std::array<std::string_view, 5>{"fixed", "uniform", "lognormal", "exponential",
                                         "logistic"};
}
struct TimeSpec {
  TimeKind kind = TimeKind::fixed;
  Seconds value;
  std::optional<Seconds> mean, median;
  double sigma = 1.0;
  std::optional<Seconds> scale, p90;
  Seconds min;
  Seconds max{hours(24)};
};

// When the next prompt would be longer than `limit`, the context is compacted first: a call whose prompt
// is the whole context, and whose answer takes its place behind the shared system prompt.  The answer
// is `keep` of the context, or drawn.
struct CompactionSpec {
  std::int64_t limit = 0;  // tokens of a prompt
  double keep = 0.2;
  std::optional<LengthSpec> summary;
};

// Sessions of an agent that calls tools.  A turn's prompt is the whole conversation so far: with c
// tokens in and o tokens out, the next turn has c + o + tool_output tokens in.  A turn may call
// several tools at once: the next turn waits for the slowest and takes in the output of all.  A turn
// may start sub-agents, each a session of its own with the same shared system prompt; the next turn
// then waits for the last turn of all of them, and the tool output is their last answers together.
// A turn may be asked several times, and the session goes on with the sample that is there first.
struct AgentSpec {
  LengthSpec turns;  // per session; with user_turns: per user turn, itself included
  std::optional<LengthSpec> user_turns;   // per session: turns that a person starts
  double single_turn_share = 0.0;         // of sessions with one user turn (without them: one turn)
  LengthSpec initial_context;             // of the first turn, beyond the shared system prompt
  LengthSpec tool_output;                 // new tokens per further turn, or tool call
  LengthSpec tool_calls;                  // at once, before a turn that answers tools
  TimeSpec tool_time;                     // of a tool call
  TimeSpec user_time;                     // before a turn that answers a person
  double user_turn_share = 0.0;           // share of turns that a person starts
  std::int64_t shared_system_prompt = 0;  // tokens at the front of every session's prompt
  double fan_out_probability = 0.0;       // that a turn starts sub-agents
  LengthSpec sub_agents;                  // how many, when it does
  LengthSpec sub_agent_turns;
  LengthSpec sub_agent_context;     // own tokens of a sub-agent's first prompt
  double sample_probability = 0.0;  // that a turn is asked `samples` times
  LengthSpec samples;
  std::optional<CompactionSpec> compaction;
  // A session ends before the turn that would take prompt and answer beyond this many tokens.
  std::optional<std::int64_t> max_context;
};

enum class GeneratorKind { poisson, gamma, fixed_concurrency, agents, diurnal, mmpp };
constexpr auto enum_names(GeneratorKind) {
  return std::array<std::string_view, 6>{"poisson", "gamma",   "fixed-concurrency",
                                         "agents",  "diurnal", "mmpp"};
}
// See arrivals.hpp.
enum class ArrivalKind { poisson, gamma, diurnal, mmpp };
constexpr auto enum_names(ArrivalKind) {
  return std::array<std::string_view, 4>{"poisson", "gamma", "diurnal", "mmpp"};
}

struct GeneratorSpec {
  GeneratorKind kind = GeneratorKind::poisson;
  ArrivalKind arrivals = ArrivalKind::poisson;  // of agents' sessions
  PerSecond rate = PerSecond::from_base(1);     // of requests (agents: sessions)
  double cv = 1.0;            // gamma, diurnal: coefficient of variation of the gaps
  double peak_to_mean = 1.0;  // diurnal: highest rate over `rate`
  Seconds period{hours(24)};
  std::optional<Seconds> peak_at;           // absent: half a period
  std::vector<PerSecond> rates;             // mmpp: in its two states
  std::vector<Seconds> dwell;               // mmpp: mean times in them
  std::optional<std::int64_t> concurrency;  // fixed-concurrency
  LengthSpec input;                         // not for agents
  LengthSpec output;
  std::optional<std::int64_t> requests;  // stop after this many (agents: sessions)
  std::optional<AgentSpec> agents;
  // A client leaves when it has no first token after so long; drawn anew for every turn.
  std::optional<TimeSpec> patience;
  // Requests (agents: sessions) are dealt to so many, by rank as dealer.hpp says.
  std::optional<std::int64_t> tenants, adapters;
  double tenant_skew = 0.0;
  double adapter_skew = 0.0;
  std::string request_class = "default";  // key `class`
};

struct WorkloadSpec {
  std::string name;
  std::string description;
  std::string source;  // origin and licence of the numbers
  std::optional<TraceSpec> trace;
  std::optional<GeneratorSpec> generator;  // exactly one of the two
};

void describe(input::Fields& f, TraceSpec& x);
void describe(input::Fields& f, LengthSpec& x);
void describe(input::Fields& f, TimeSpec& x);
void describe(input::Fields& f, CompactionSpec& x);
void describe(input::Fields& f, AgentSpec& x);
void describe(input::Fields& f, GeneratorSpec& x);
void describe(input::Fields& f, WorkloadSpec& x);

// Opens the stream.  `directory`: where a relative trace file is looked for first; `fallback`:
// then. rate_scale multiplies the arrival rate.  Throws InputError when a file is missing.
struct OpenOptions {
  std::string directory;
  std::string fallback;
  std::uint64_t seed = 1;
  double rate_scale = 1.0;
};
std::unique_ptr<RequestStream> open_stream(const WorkloadSpec& spec, const OpenOptions& options);

// The trace file as it will be opened, or "" for a generator.
//
// Tried in this order: the path itself when it is absolute; else below options.directory,
// options.fallback, $TOKENYARD_DATA/traces and $TOKENYARD_DATA.  Throws InputError, with every
// place tried and the workload's `source`, when there is no such file.
std::string trace_path(const WorkloadSpec& spec, const OpenOptions& options);

}  // namespace tokenyard::workload

namespace tokenyard::input {

// Short (a number) or long (a map) in a file.
template <>
struct Codec<workload::LengthSpec> {
  static bool read(ReadContext& context, const Node& node, workload::LengthSpec& out);
  static void write(JsonWriter& json, const workload::LengthSpec& spec);
  static std::string schema();
};
template <>
struct Codec<workload::TimeSpec> {
  static bool read(ReadContext& context, const Node& node, workload::TimeSpec& out);
  static void write(JsonWriter& json, const workload::TimeSpec& spec);
  static std::string schema();
};

}  // namespace tokenyard::input
