#include <doctest/doctest.h>

#include "trace_files.hpp"
#include "workload/recorded_session.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

const std::string kHeader =
    "session_id,agent,round_idx,t_s,model,input_tokens,prefix_hit_tokens,new_input_tokens,output_"
    "tokens,api_time_s,"
    "think_time_s,stop,from_tool,tool_tokens,system_tokens\n";

struct Row {
  std::string session = "trace_1";
  std::string agent = "main";
  double t_s = 0.0;
  int input = 1000;
  int output = 100;
  std::string api = "5";
  std::string think = "0";
  int from_tool = 1;
};

std::string text_of(const std::vector<Row>& rows) {
  std::string text = kHeader;
  for (const Row& r : rows) {
    text += r.session + ',' + r.agent + ",0," + std::to_string(r.t_s) + ",m," +
            std::to_string(r.input) + ",0,0," + std::to_string(r.output) + ',' + r.api + ',' +
            r.think + ",tool_use," + std::to_string(r.from_tool) + ",300,40\n";
  }
  return text;
}

std::vector<Request> read(const std::vector<Row>& rows) {
  const TemporaryFolder folder;
  return all_of(trace_of(folder.write("c.csv", text_of(rows)), TraceFormat::coding_agents));
}

std::string first_complaint(const std::vector<Row>& rows) {
  const TemporaryFolder folder;
  const std::string path = folder.write("c.csv", text_of(rows));
  const std::string message =
      message_of([&] { all_of(trace_of(path, TraceFormat::coding_agents)); });
  return message.substr(path.size(), message.find('\n') - path.size());
}

}  // namespace

TEST_CASE(
    "a round waits for the one before it and its think time; its history is prompt and answer") {
  const std::vector<Request> r = read({{}, {.t_s = 17, .input = 1300, .think = "12"}});
  REQUIRE(r.size() == 2);
  CHECK(r[0].after.empty());
  CHECK(r[0].arrival_s > 0.0);
  CHECK(r[0].history_tokens == 0);
  CHECK(r[1].after == std::vector<std::int64_t>{0});
  CHECK(r[1].think_s == 12.0);
  CHECK(r[1].turn == 1);
  CHECK(r[1].session == r[0].session);
  CHECK(r[1].history_tokens == 1100);
}

TEST_CASE(
    "a prompt that grew by less than the answer repeats no more than itself: 1050 of 1000 + 100") {
  CHECK(read({{}, {.t_s = 17, .input = 1050}}).at(1).history_tokens == 1050);
}

TEST_CASE("a prompt that shrank was compacted and repeats system prompt and tools only: 300 + 40") {
  CHECK(read({{}, {.t_s = 17, .input = 999}}).at(1).history_tokens == 340);
}

TEST_CASE(
    "after an untimed call the wait is the gap less 1.9 s and 16.6 ms a token: 20 - 1.9 - 1.66 = "
    "16.44 s") {
  const std::vector<Request> r = read({{.api = ""}, {.t_s = 20, .think = "77"}});
  CHECK(r.at(1).think_s == doctest::Approx(16.44));
}

TEST_CASE("a call that was broken off counts as one token out") {
  CHECK(read({{.output = 0}}).at(0).output_tokens == 1);
}

TEST_CASE(
    "the worked example of the linking rule: start 127 s after round 0, join 42 s after the "
    "sub-agent") {
  // Main at 0, 153 and 298 s; the sub-agent from 134 s, its second and last round ends at 256 s.
  const std::vector<Request> r =
      read({{.api = "7"},
            {.t_s = 153, .api = "5", .think = "145"},
            {.t_s = 298, .think = "140"},
            {.agent = "agent_001", .t_s = 134, .api = "3"},
            {.agent = "agent_001", .t_s = 250, .api = "6", .think = "113"}});
  REQUIRE(r.size() == 5);
  // In the order of the recording: main 0, sub 0, main 1, sub 1, main 2.
  CHECK(r[1].session == 1);
  CHECK(r[1].turn == 0);
  CHECK(r[1].class_id == 1);
  CHECK(r[1].after == std::vector<std::int64_t>{0});
  CHECK(r[1].think_s == 127.0);
  CHECK(r[2].after == std::vector<std::int64_t>{0});
  CHECK(r[2].think_s == 145.0);
  CHECK(r[3].after == std::vector<std::int64_t>{1});
  CHECK(r[3].think_s == 113.0);
  CHECK(r[4].after == std::vector<std::int64_t>{2, 3});
  CHECK(r[4].think_s == 42.0);
}

TEST_CASE("a round that a person brought about does not wait for the sub-agent") {
  const std::vector<Request> r = read({{.api = "7"},
                                       {.t_s = 298, .think = "291", .from_tool = 0},
                                       {.agent = "agent_001", .t_s = 134, .api = "3"}});
  REQUIRE(r.size() == 3);
  CHECK(r[2].after == std::vector<std::int64_t>{0});
  CHECK(r[2].think_s == 291.0);
}

TEST_CASE("every agent of a session is a session of its own, named after both") {
  const TemporaryFolder folder;
  const auto stream = open_stream(
      trace_of(
          folder.write("c.csv",
                       text_of({{}, {.agent = "agent_001", .t_s = 9}, {.session = "trace_2"}})),
          TraceFormat::coding_agents),
      {});
  const std::vector<Request> r = all_of(*stream);
  REQUIRE(r.size() == 3);
  CHECK(stream->session_name(r[0].session) == "trace_1");
  CHECK(stream->session_name(r[1].session) == "trace_1/agent_001");
  CHECK(stream->session_name(r[2].session) == "trace_2");
  CHECK(r[2].arrival_s > r[0].arrival_s);
  CHECK(r[2].after.empty());
}

TEST_CASE("with so many sessions at once, sessions have no times of their own") {
  const TemporaryFolder folder;
  WorkloadSpec spec = trace_of(folder.write("c.csv", text_of({{}, {.session = "trace_2"}})),
                               TraceFormat::coding_agents);
  spec.trace->sessions_per_hour.reset();
  spec.trace->concurrent_sessions = 3;
  const auto stream = open_stream(spec, {});
  CHECK(stream->concurrency() == 3);
  Request request;
  while (stream->next(request)) CHECK(request.arrival_s == 0.0);
}

TEST_CASE("limit counts sessions, not rounds") {
  const TemporaryFolder folder;
  WorkloadSpec spec =
      trace_of(folder.write("c.csv", text_of({{}, {.t_s = 9}, {.session = "b"}, {.session = "c"}})),
               TraceFormat::coding_agents);
  spec.trace->limit = 2;
  CHECK(all_of(spec).size() == 3);
}

TEST_CASE("what is wrong with a row of sessions") {
  CHECK(
      first_complaint({{}, {.session = "b"}, {}}) ==
      ":4:1: error: session_id: 'trace_1' came before; the rows of a session must stand together");
  CHECK(first_complaint({{.agent = "agent_1"}}) ==
        ":2:9: error: agent: 'agent_1' comes first in its session; expected 'main'");
  CHECK(first_complaint({{.t_s = 5}, {.t_s = 4}}) ==
        ":3:16: error: t_s: comes before the round above it of the same agent");
  CHECK(first_complaint({{.api = "-1"}}) ==
        ":2:40: error: api_time_s: '-1' is out of range; expected at least 0");
  CHECK(first_complaint({{.from_tool = 2}}) == ":2:53: error: from_tool: expected 0 or 1");
}

TEST_CASE("sub-agents that start before any main round has finished still wait for the first one") {
  const std::vector<RecordedThread> threads{
      {"main",
       {{.start_s = 0, .call_s = 30.0},
        {.start_s = 60, .call_s = 1.0, .think_s = 30.0, .from_tool = true}}},
      {"agent_001", {{.start_s = 2, .call_s = 10.0}}}};
  const std::vector<LinkedRound> linked = link_rounds(threads);
  REQUIRE(linked.size() == 3);
  CHECK(linked[1].thread == 1);
  CHECK(linked[1].waits_for == std::vector<std::size_t>{0});
  CHECK(linked[1].think_s == 0.0);
  CHECK(linked[2].waits_for == std::vector<std::size_t>{0, 1});
  CHECK(linked[2].think_s == 30.0);
}
