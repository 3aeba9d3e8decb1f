// Compaction, samples, tool calls, user turns, tenants and adapters of agents, by pencil.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "trace_files.hpp"
#include "workload/trace_stats.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

using Ids = std::vector<std::int64_t>;

WorkloadSpec agents(const std::string& generator, const std::string& agent) {
  return read_workload("generator: {kind: agents, rate: 1 /s, " + generator + ", agents: {" +
                       agent + "}}\n");
}

Ids inputs(const std::vector<Request>& requests) {
  Ids tokens;
  for (const Request& r : requests) tokens.push_back(r.input_tokens);
  return tokens;
}

// Contexts of 4,000, 7,000 and 10,000 tokens, and 1,000 out each.
WorkloadSpec growing(const std::string& more) {
  return agents("requests: 1, output: 1000",
                "turns: 5, initial_context: 3000, tool_output: 2000, tool_time: 4 s, "
                "shared_system_prompt: 1000, " +
                    more);
}

}  // namespace

TEST_CASE(
    "compaction by hand: at 11,000 tokens a call of 11,000 in and 2,200 out, then 1,000 + 2,200 + "
    "2,000 in") {
  const std::vector<Request> r = all_of(growing("compaction: {limit: 10000, keep: 0.2}"));
  CHECK(inputs(r) == Ids{4000, 7000, 10'000, 11'000, 5200, 8200});
  CHECK(r[3].output_tokens == 2200);
  for (std::size_t i = 1; i < r.size(); ++i) {
    CHECK(r[i].after == Ids{static_cast<std::int64_t>(i) - 1});
    CHECK(r[i].session == 0);
    CHECK(r[i].turn == static_cast<std::int32_t>(i));
    // The call waits for the tool, the turn for the call alone.
    CHECK(r[i].think_s == (i == 4 ? 0.0 : 4.0));
    // Behind the summary only the shared system prompt is as before.
    CHECK(r[i].history_tokens == (i == 4 ? 1000 : -1));
    CHECK(r[i].prefix == std::vector<std::uint64_t>{1});
  }
}

TEST_CASE("after compaction a cache without end finds 1,000 tokens of 5,200, and then all again") {
  const auto stream = open_stream(growing("compaction: {limit: 10000, keep: 0.2}"), {});
  // Reused: 0, 5,000, 8,000, the whole 11,000, 1,000 and 6,200 of 45,400.
  CHECK(compute_stats(*stream).prefix_hit_rate == doctest::Approx(31'200.0 / 45'400.0));
}

TEST_CASE("a prompt as long as the limit is not compacted, one token more is") {
  CHECK(inputs(all_of(growing("compaction: {limit: 9999, keep: 0.5}"))) ==
        Ids{4000, 7000, 8000, 7000, 8000, 7000, 8000, 7000});  // 1,000 + 4,000 + 2,000
  CHECK(inputs(all_of(growing("compaction: {limit: 20000}"))) ==
        inputs(all_of(growing("compaction: {limit: 16000}"))));
  CHECK(inputs(all_of(growing("compaction: {limit: 16000}"))) ==
        Ids{4000, 7000, 10'000, 13'000, 16'000});
}

TEST_CASE(
    "a summary is drawn where it is given, cut to max_context, and left out when it is no gain") {
  CHECK(inputs(all_of(growing("compaction: {limit: 10000, summary: 700}")))[4] ==
        1000 + 700 + 2000);
  // 11,000 of context leave 500 of 11,500.
  const std::vector<Request> cut =
      all_of(growing("max_context: 11500, compaction: {limit: 10000, keep: 0.2}"));
  CHECK(cut[3].output_tokens == 500);
  CHECK(cut[4].input_tokens == 1000 + 500 + 2000);
  // 11,000 of context leave no room at all: the session ends.
  CHECK(all_of(growing("max_context: 11000, compaction: {limit: 10000, keep: 0.2}")).size() == 3);
  // 1,000 + 10,000 tokens are no shorter than 11,000, but shorter than 14,000.
  CHECK(inputs(all_of(growing("compaction: {limit: 10000, summary: 10000}"))) ==
        Ids{4000, 7000, 10'000, 13'000, 14'000, 13'000});
}

TEST_CASE("the slowest of four tool calls is waited for: 25/12 of the mean of exponentials") {
  const std::vector<Request> requests =
      all_of(agents("requests: 2000, output: 10",
                    "turns: 11, initial_context: 100, tool_output: 90, tool_calls: 4, "
                    "tool_time: {kind: exponential, mean: 3 s}"));
  double sum_s = 0.0;
  double count = 0.0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].after.empty()) continue;
    sum_s += requests[i].think_s;
    count += 1.0;
    // All four outputs are taken in.
    CHECK(requests[i].input_tokens == requests[i - 1].input_tokens + 10 + 4 * 90);
  }
  // The variance of the largest of four is 1 + 1/4 + 1/9 + 1/16 = 1.42 squared means.
  CHECK(sum_s / count == doctest::Approx(6.25).epsilon(4 * 3.58 / 6.25 / std::sqrt(20'000.0)));
}

TEST_CASE(
    "samples by hand: two prompts of 1,300 with the same blocks, and the next waits for both") {
  const std::vector<Request> r =
      all_of(agents("requests: 1, output: {kind: uniform, min: 100, max: 300}",
                    "turns: 2, initial_context: 1300, tool_output: 600, tool_time: 4 s, "
                    "sample_probability: 1, samples: 2"));
  REQUIRE(r.size() == 4);
  const std::int64_t answer = std::min(r[0].output_tokens, r[1].output_tokens);
  CHECK(r[0].output_tokens != r[1].output_tokens);
  for (const int i : {0, 1}) {
    CHECK(r[static_cast<std::size_t>(i)].group == 0);
    CHECK(r[static_cast<std::size_t>(i)].turn == 0);
    CHECK(r[static_cast<std::size_t>(i)].input_tokens == 1300);
    CHECK(r[static_cast<std::size_t>(i)].prefix == std::vector<std::uint64_t>{1, 2});
    CHECK(r[static_cast<std::size_t>(i)].history_tokens == 0);
    CHECK(r[static_cast<std::size_t>(i)].after.empty());
  }
  for (const int i : {2, 3}) {
    const Request& next = r[static_cast<std::size_t>(i)];
    CHECK(next.group == 1);
    CHECK(next.turn == 1);
    CHECK(next.session == 0);
    CHECK(next.input_tokens == 1300 + answer + 600);
    CHECK(next.after == Ids{0, 1});
    CHECK(next.think_s == 4.0);
    CHECK(next.history_tokens == 1300 + answer);
    CHECK(next.prefix.size() == static_cast<std::size_t>(next.input_tokens / 512));
    CHECK(next.prefix[1] == 2);
  }
}

TEST_CASE(
    "samples share their prompt in a cache without end: 0 and 1,024 of 1,300, 1,500 and 2,048 of "
    "2,100") {
  const auto stream =
      open_stream(agents("requests: 1, output: 200",
                         "turns: 2, initial_context: 1300, tool_output: 600, tool_time: 4 s, "
                         "sample_probability: 1, samples: 2"),
                  {});
  const TraceStats s = compute_stats(*stream);
  CHECK(s.prefix_hit_rate == doctest::Approx((1024.0 + 1500.0 + 2048.0) / 6800.0));
  CHECK(s.groups == 2);
  CHECK(s.samples_per_group.mean == 2.0);
  // A group is one turn of its session.
  CHECK(s.turns_per_session.mean == 2.0);
  CHECK(s.context_growth_tokens.mean == 800.0);
  CHECK(s.new_tokens.mean == 600.0);
}

TEST_CASE("a compacted context has blocks of its own behind the shared ones") {
  const std::vector<Request> r =
      all_of(growing("compaction: {limit: 10000, keep: 0.2}, sample_probability: 1, samples: 2"));
  REQUIRE(r.size() == 11);
  const Request& call = r[6];
  const Request& after = r[7];
  CHECK(call.input_tokens == 11'000);
  CHECK(call.group == -1);
  CHECK(call.after == Ids{4, 5});
  CHECK(call.history_tokens == 11'000);
  CHECK(after.after == Ids{6});
  CHECK(after.history_tokens == 1000);
  CHECK(after.prefix.size() == 10);
  CHECK(after.prefix[0] == 1);
  CHECK(after.prefix[1] > call.prefix.back());
}

TEST_CASE(
    "a fan-out after samples starts when one of them is there, and joins over sampled answers") {
  const std::vector<Request> r = all_of(
      agents("requests: 1, output: 100",
             "turns: 2, initial_context: 300, tool_output: 90, tool_time: 1 s, "
             "fan_out_probability: 1, sub_agents: 2, sub_agent_turns: 1, sub_agent_context: 50, "
             "sample_probability: 1, samples: 3"));
  REQUIRE(r.size() == 12);
  CHECK(r[3].after == Ids{0, 1, 2});
  CHECK(r[3].session == 1);
  CHECK(r[6].session == 2);
  CHECK(r[6].after == Ids{0, 1, 2});
  CHECK(r[9].session == 0);
  CHECK(r[9].after == Ids{3, 4, 5, 6, 7, 8});
  CHECK(r[9].input_tokens == 300 + 100 + 2 * 100);
  CHECK(r[9].history_tokens == 400);
}

TEST_CASE("three user turns of four turns each: every fourth waits for the person") {
  const std::vector<Request> r = all_of(
      agents("requests: 1, output: 10",
             "user_turns: 3, turns: 4, initial_context: 100, tool_output: 90, tool_time: 1 s, "
             "user_time: 60 s"));
  REQUIRE(r.size() == 12);
  for (std::size_t i = 1; i < r.size(); ++i) CHECK(r[i].think_s == (i % 4 == 0 ? 60.0 : 1.0));
}

TEST_CASE("58.5 % of the sessions have a single user turn when the share says so") {
  const auto count = [](const std::string& turns) {
    const auto stream = open_stream(
        agents("requests: 10000, output: 10",
               "single_turn_share: 0.585, initial_context: 100, tool_output: 90, tool_time: 1 s, "
               "user_time: 60 s, " +
                   turns),
        {});
    return compute_stats(*stream).turns_per_session;
  };
  // 1 or 5 turns: 1 + 0.415 * 4 = 2.66, off by 4 * sqrt(0.585 * 0.415 / 10,000) = 0.020.
  CHECK(std::abs(count("turns: 5").mean - 2.66) < 4 * 0.020);
  // 3 or 15 turns: three times as many.
  CHECK(std::abs(count("user_turns: 5, turns: 3").mean - 3 * 2.66) < 4 * 0.060);
}

TEST_CASE("equal tenants get equal shares, skewed ones as 1 : 1/2 : 1/3, and a session has one") {
  const auto shares = [](const std::string& more) {
    std::map<std::int32_t, double> share;
    for (const Request& r :
         all_of(read_workload("generator: {kind: poisson, rate: 1 /s, requests: 100000, input: 1, "
                              "output: 1, tenants: 3" +
                              more + "}\n"))) {
      share[r.tenant] += 1e-5;
    }
    return share;
  };
  // Binomial: sqrt(p (1 - p) / 100,000) is at most 0.16 %.
  std::map<std::int32_t, double> equal = shares("");
  std::map<std::int32_t, double> skewed = shares(", tenant_skew: 1");
  REQUIRE(equal.size() == 3);
  for (int k = 0; k < 3; ++k) {
    CHECK(std::abs(equal[k] - 1.0 / 3.0) < 4 * 0.0016);
    CHECK(std::abs(skewed[k] - 6.0 / 11.0 / (k + 1)) < 4 * 0.0016);
  }
  const auto stream =
      open_stream(agents("requests: 50, output: 10, tenants: 4, adapters: 2",
                         "turns: 3, initial_context: 100, tool_output: 90, tool_time: 1 s, "
                         "shared_system_prompt: 1100, fan_out_probability: 0.5, sub_agents: 2, "
                         "sub_agent_turns: 2, sub_agent_context: 50"),
                  {});
  CHECK(stream->tenants() == std::vector<std::string>{"t0", "t1", "t2", "t3"});
  CHECK(stream->adapters() == std::vector<std::string>{"a0", "a1"});
  Request root;
  std::set<std::int32_t> tenants;
  for (Request r; stream->next(r);) {
    if (r.after.empty()) root = r;
    CHECK(r.tenant == root.tenant);
    CHECK(r.adapter == root.adapter);
    tenants.insert(r.tenant);
    // 1,100 shared tokens fill two blocks, which an adapter shares with nobody else.
    const std::uint64_t first = r.adapter == 0 ? 1 : 3;
    CHECK(r.prefix == std::vector<std::uint64_t>{first, first + 1});
  }
  CHECK(tenants.size() == 4);
}

TEST_CASE("every turn has a patience, samples the same one, and without the key nobody leaves") {
  const std::string agent =
      "turns: 3, initial_context: 100, tool_output: 90, tool_time: 1 s, sample_probability: 0.5, "
      "samples: 2";
  std::map<std::int64_t, double> of_group;
  std::set<double> drawn;
  for (const Request& r : all_of(agents(
           "requests: 50, output: 10, patience: {kind: uniform, min: 1 s, max: 9 s}", agent))) {
    CHECK(r.patience_s >= 1.0);
    CHECK(r.patience_s <= 9.0);
    drawn.insert(r.patience_s);
    if (r.group >= 0) CHECK(of_group.emplace(r.group, r.patience_s).first->second == r.patience_s);
  }
  CHECK(drawn.size() == 150);
  for (const Request& r : all_of(agents("requests: 5, output: 10", agent)))
    CHECK(std::isinf(r.patience_s));
  for (const Request& r : all_of(read_workload(
           "generator: {kind: poisson, rate: 1 /s, requests: 5, input: 1, output: 1, patience: "
           "{kind: uniform, min: 0 s, max: 0 s}}\n")))
    CHECK(r.patience_s == 0.001);
}

TEST_CASE("all of it together is in order, and the same for the same seed") {
  const WorkloadSpec spec = read_workload(
      "generator: {kind: agents, arrivals: mmpp, rates: [1 /s, 9 /s], dwell: [9 s, 1 s], "
      "requests: 300, output: {kind: geometric, mean: 80}, tenants: 3, tenant_skew: 1, "
      "adapters: 2, patience: {kind: logistic, median: 20 s, p90: 60 s}, agents: {"
      "user_turns: {kind: geometric, mean: 3}, turns: {kind: geometric, mean: 4}, "
      "single_turn_share: 0.5, user_time: 5 s, initial_context: 700, "
      "tool_output: {kind: geometric, mean: 400}, tool_calls: {kind: geometric, mean: 1.5}, "
      "tool_time: {kind: exponential, mean: 1 s}, shared_system_prompt: 1100, "
      "fan_out_probability: 0.1, sub_agents: 2, sub_agent_turns: 3, sub_agent_context: 90, "
      "sample_probability: 0.2, samples: {kind: uniform, min: 2, max: 4}, "
      "compaction: {limit: 6000}, max_context: 9000}}\n");
  const std::vector<Request> requests = all_of(spec);
  CHECK(requests == all_of(spec));
  std::map<std::int64_t, std::vector<const Request*>> groups;
  std::map<std::int64_t, const Request*> by_id;
  std::int64_t last_id = -1;
  int compactions = 0;
  for (const Request& r : requests) {
    CHECK(r.id == ++last_id);
    for (const std::int64_t id : r.after) CHECK(by_id.contains(id));
    by_id[r.id] = &r;
    CHECK(r.input_tokens + r.output_tokens <= 9000);
    CHECK(r.prefix.size() == static_cast<std::size_t>(r.input_tokens / 512));
    compactions += r.history_tokens == 1100 ? 1 : 0;
    if (r.group >= 0) groups[r.group].push_back(&r);
  }
  CHECK(compactions > 20);
  CHECK(groups.size() > 100);
  for (const auto& [group, samples] : groups) {
    CHECK(samples.size() >= 2);
    CHECK(samples.size() <= 4);
    for (const Request* sample : samples) {
      Request like_first = *samples.front();
      like_first.id = sample->id;
      like_first.output_tokens = sample->output_tokens;
      CHECK(*sample == like_first);
    }
  }
  // Whoever waits for one of a group waits for all of it.
  for (const Request& r : requests) {
    const Ids waits = r.after;
    for (const std::int64_t id : waits) {
      if (by_id[id]->group < 0) continue;
      for (const Request* sample : groups[by_id[id]->group])
        CHECK(std::find(waits.begin(), waits.end(), sample->id) != waits.end());
    }
  }
}
