#pragma once
// A recorded agent session turned into requests that wait for each other.
//
// A recording holds times; a replay on another machine must not.  What it needs is who waited for
// whom, and how long they waited for something else than the model: a tool or a person.  The rule:
//
//   - Every agent of a session is a session thread of its own, with its own context.
//   - A round waits for the round before it of the same agent, and then think_time_s.  The recorder
//     measured that from the last round it timed: where the round before was not timed, the wait is
//     what is left of the gap between the two starts after the untimed call, taken to have lasted
//     1.9 s + 16.6 ms a token (a line through the medians of the 41,906 timed calls of the Claude
//     coding-agent sessions: 3.7 s at 103 tokens out, 30.5 s at 1,719).
//   - A sub-agent's first round waits for the latest main round that had finished when it started.
//   - The first main round that starts after a sub-agent's last round had finished waits for that
//     as well, when a tool result brought it about: that is how the sub-agent's answer comes back.  A
//     round that a person brought about does not wait.  A joining round then waits as long as it
//     did in the recording after the last of all that it waits for.
//
// Worked example, one sub-agent: main round 0 at 0 s lasts 7 s; the sub-agent runs 134 s to 256 s;
// main round 1 (tool) starts at 153 s with 145 s think time, main round 2 (tool) at 298 s.  The
// sub-agent starts 127 s after round 0, round 1 waits 145 s after round 0, round 2 for round 1 and
// the sub-agent, and 42 s.
//
// History: a prompt at least as long as the one before it repeats that prompt and its answer; a
// shorter one was compacted or cleared, and repeats only the system prompt and the tool
// definitions. What the provider's cache happened to hold is not used: the simulated cache decides.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tokenyard::workload {

struct RecordedRound {
  double start_s = 0.0;  // since the session began
  std::int64_t input_tokens = 1;
  std::int64_t output_tokens = 1;
  std::int64_t fixed_tokens = 0;   // system prompt and tool definitions
  std::optional<double> call_s{};  // how long the model took
  std::optional<double> think_s{};
  bool from_tool = false;
};

struct RecordedThread {
  std::string agent;
  std::vector<RecordedRound> rounds;
};

struct LinkedRound {
  std::size_t thread = 0;
  std::size_t round = 0;               // within the thread
  std::vector<std::size_t> waits_for;  // positions in the list of linked rounds
  double think_s = 0.0;
  std::int64_t history_tokens = 0;
};

// The rounds of all threads in an order in which each comes after those it waits for; the first is
// the first round of threads[0], the main agent, and waits for none.
std::vector<LinkedRound> link_rounds(const std::vector<RecordedThread>& threads);

}  // namespace tokenyard::workload
