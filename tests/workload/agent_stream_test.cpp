#include <doctest/doctest.h>

#include <map>
#include <set>

#include "trace_files.hpp"
#include "workload/trace_stats.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

const std::string kAgents =
    "generator:\n  kind: agents\n  rate: 1 /s\n  requests: 200\n  output: {kind: geometric, mean: "
    "50}\n  agents:\n"
    "    turns: {kind: uniform, min: 1, max: 12}\n    initial_context: {kind: uniform, min: 100, "
    "max: 900}\n"
    "    tool_output: {kind: geometric, mean: 300}\n    tool_time: {kind: exponential, mean: 3 s}\n"
    "    shared_system_prompt: 1100\n";
const std::string kFanOut =
    "    fan_out_probability: 0.3\n    sub_agents: {kind: uniform, min: 2, max: 4}\n"
    "    sub_agent_turns: {kind: uniform, min: 1, max: 5}\n    sub_agent_context: 400\n";

std::map<std::int64_t, std::vector<Request>> by_session(const std::vector<Request>& requests) {
  std::map<std::int64_t, std::vector<Request>> sessions;
  for (const Request& r : requests) sessions[r.session].push_back(r);
  return sessions;
}

}  // namespace

TEST_CASE(
    "fixed agent sessions by hand: 1,000 + 200 + 50 shared and own tokens in, then + 10 + 300 each "
    "turn") {
  const std::vector<Request> r =
      all_of(read_workload("generator:\n  kind: agents\n  rate: 1 /s\n  requests: 2\n  output: "
                           "10\n  agents: {turns: 3, initial_context: 250,"
                           " tool_output: 300, tool_time: 4 s, shared_system_prompt: 1000}\n"));
  REQUIRE(r.size() == 6);
  CHECK(r[0].input_tokens == 1250);
  CHECK(r[1].input_tokens == 1560);
  CHECK(r[2].input_tokens == 1870);
  CHECK(r[0].after.empty());
  CHECK(r[1].after == std::vector<std::int64_t>{0});
  CHECK(r[2].after == std::vector<std::int64_t>{1});
  CHECK(r[2].think_s == 4.0);
  CHECK(r[2].turn == 2);
  CHECK(r[2].history_tokens == -1);
  // 1,000 shared tokens fill one block of 512.
  CHECK(r[2].prefix == std::vector<std::uint64_t>{1});
  CHECK(r[3].session == 1);
  CHECK(r[3].prefix == r[0].prefix);
  CHECK(r[3].arrival_s > r[0].arrival_s);
}

TEST_CASE("every turn's prompt is the one before, its answer, and at least one new token") {
  for (const auto& [session, turns] : by_session(all_of(read_workload(kAgents)))) {
    for (std::size_t i = 1; i < turns.size(); ++i) {
      CHECK(turns[i].turn == static_cast<std::int32_t>(i));
      CHECK(turns[i].input_tokens > turns[i - 1].input_tokens + turns[i - 1].output_tokens);
      CHECK(turns[i].after == std::vector<std::int64_t>{turns[i - 1].id});
    }
  }
}

TEST_CASE(
    "a turn after a fan-out waits for the last turn of every sub-agent, and takes in their last "
    "answers") {
  const std::vector<Request> requests = all_of(read_workload(kAgents + kFanOut));
  const auto sessions = by_session(requests);
  std::map<std::int64_t, std::set<std::int64_t>> last_turns;  // of the sub-agents a turn started
  std::map<std::int64_t, std::int64_t> answers;
  for (const auto& [session, turns] : sessions) {
    if (turns.front().after.empty()) continue;
    REQUIRE(turns.front().after.size() == 1);
    last_turns[turns.front().after[0]].insert(turns.back().id);
    answers[turns.front().after[0]] += turns.back().output_tokens;
  }
  CHECK(last_turns.size() > 100);
  std::size_t joined = 0;
  for (const auto& [session, turns] : sessions) {
    for (std::size_t i = 1; i < turns.size(); ++i) {
      const Request& before = turns[i - 1];
      if (!last_turns.contains(before.id)) continue;
      ++joined;
      CHECK(std::set<std::int64_t>(turns[i].after.begin(), turns[i].after.end()) ==
            last_turns[before.id]);
      CHECK(turns[i].input_tokens ==
            before.input_tokens + before.output_tokens + answers[before.id]);
    }
  }
  CHECK(joined == last_turns.size());
}

TEST_CASE(
    "requests come in order: ids increase, roots do not go back in time, none waits for a later "
    "one") {
  std::int64_t last_id = -1;
  double last_arrival_s = 0.0;
  std::int64_t last_session = -1;
  for (const Request& r : all_of(read_workload(kAgents + kFanOut))) {
    CHECK(r.id == last_id + 1);
    last_id = r.id;
    CHECK(r.session <= last_session + 1);
    last_session = std::max(last_session, r.session);
    for (const std::int64_t id : r.after) CHECK(id < r.id);
    if (!r.after.empty()) continue;
    CHECK(r.arrival_s >= last_arrival_s);
    last_arrival_s = r.arrival_s;
  }
}

TEST_CASE(
    "a session ends before prompt and answer exceed max_context; without the bound it would go "
    "on") {
  const std::string fixed =
      "generator:\n  kind: agents\n  rate: 1 /s\n  requests: 1\n  output: 10\n  agents: {turns: 9, "
      "initial_context: 100,"
      " tool_output: 90, tool_time: 1 s, max_context: ";
  // Turn i has 100 + 100 i in and 10 out: the third needs 310.
  CHECK(all_of(read_workload(fixed + "310}\n")).size() == 3);
  CHECK(all_of(read_workload(fixed + "309}\n")).size() == 2);
  CHECK(all_of(read_workload(fixed + "5000}\n")).size() == 9);
}

TEST_CASE("a first prompt too long for max_context is cut: 99 in and 1 out of 100") {
  const std::vector<Request> r =
      all_of(read_workload("generator:\n  kind: agents\n  rate: 1 /s\n  requests: 1\n  output: "
                           "10\n  agents: {turns: 2, initial_context: 500,"
                           " tool_output: 90, tool_time: 1 s, max_context: 100}\n"));
  REQUIRE(r.size() == 1);
  CHECK(r[0].input_tokens == 99);
  CHECK(r[0].output_tokens == 1);
}

TEST_CASE("a quarter of the turns wait for a person when the share is 0.25") {
  const std::vector<Request> requests = all_of(read_workload(
      "generator:\n  kind: agents\n  rate: 1 /s\n  requests: 1000\n  output: 10\n  agents: {turns: "
      "11, initial_context:"
      " 100, tool_output: 90, tool_time: 1 s, user_time: 60 s, user_turn_share: 0.25}\n"));
  std::int64_t by_user = 0;
  std::int64_t further = 0;
  for (const Request& r : requests) {
    further += r.after.empty() ? 0 : 1;
    by_user += r.think_s == 60.0 ? 1 : 0;
  }
  CHECK(further == 10'000);
  CHECK(static_cast<double>(by_user) ==
        doctest::Approx(2500).epsilon(4 * 43.3 / 2500));  // sqrt(n p q) = 43.3
}

TEST_CASE("the same seed gives the same sessions") {
  const WorkloadSpec spec = read_workload(kAgents + kFanOut);
  CHECK(all_of(spec) == all_of(spec));
}
