#include <doctest/doctest.h>

#include "trace_files.hpp"
#include "workload/trace_stats.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

TraceStats stats_of(const std::string& text) {
  const TemporaryFolder folder;
  const auto stream = open_stream(trace_of(folder.write("t.jsonl", text)), {});
  return compute_stats(*stream);
}

std::string arrival(int id, double arrival_s, int input, int output, const std::string& more = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"arrival_s":)" + std::to_string(arrival_s) +
         R"(,"input_tokens":)" + std::to_string(input) + R"(,"output_tokens":)" +
         std::to_string(output) + more + "}\n";
}

}  // namespace

TEST_CASE("gaps of 1, 3 and 2 s: mean 2 s, CV sqrt(2/3)/2 = 0.408, burstiness -0.42") {
  const TraceStats s = stats_of(arrival(0, 10, 1, 1) + arrival(1, 11, 1, 1) + arrival(2, 14, 1, 1) +
                                arrival(3, 16, 1, 1));
  CHECK(s.requests == 4);
  CHECK(s.duration_s == 6.0);
  CHECK(s.gap_mean_s == doctest::Approx(2.0));
  CHECK(s.arrivals_per_s == doctest::Approx(0.5));
  CHECK(s.gap_cv == doctest::Approx(0.408248));
  CHECK(s.burstiness == doctest::Approx(-0.420204));
}

TEST_CASE("5 of 6 arrivals in the first of two minutes: the peak is 5/3 of the mean") {
  std::string text;
  for (int i = 0; i < 5; ++i) text += arrival(i, i, 1, 1);
  CHECK(stats_of(text + arrival(5, 120, 1, 1)).peak_to_mean == doctest::Approx(5.0 / 3.0));
}

TEST_CASE(
    "quantiles are values that occur: of 1..100 tokens p50 is 50, p99 is 99, and the mean 50.5") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += arrival(i, i, 100 - i, 2);
  const TraceStats s = stats_of(text);
  CHECK(s.input_tokens.p50 == 50.0);
  CHECK(s.input_tokens.p90 == 90.0);
  CHECK(s.input_tokens.p95 == 95.0);
  CHECK(s.input_tokens.p99 == 99.0);
  CHECK(s.input_tokens.max == 100.0);
  CHECK(s.input_tokens.mean == 50.5);
  CHECK(s.input_per_output == 25.25);
}

TEST_CASE(
    "an infinite cache finds leading blocks only: of 40 + 40 + 35 tokens in blocks of 16, 16 + "
    "35") {
  const TraceStats s = stats_of("{\"tokenyard_trace\":1,\"block_tokens\":16}\n" +
                                arrival(0, 0, 40, 1, R"(,"prefix":[1,2,3])") +
                                arrival(1, 1, 40, 1, R"(,"prefix":[1,9,3])") +
                                arrival(2, 2, 35, 1, R"(,"prefix":[1,2,3])"));
  CHECK(s.prefix_hit_rate == doctest::Approx(51.0 / 115.0));
  CHECK(s.distinct_blocks == 4);
}

TEST_CASE("a session's second turn reuses prompt and answer: of 1000 + 1300 tokens, 1200") {
  const std::string first = arrival(0, 0, 1000, 200, R"(,"session":3)");
  const std::string second =
      R"({"id":1,"session":3,"turn":1,"after":[0],"think_s":1.5,"input_tokens":1300,"output_tokens":9)";
  const TraceStats s = stats_of(first + second + "}\n");
  CHECK(s.prefix_hit_rate == doctest::Approx(1200.0 / 2300.0));
  CHECK(s.sessions == 1);
  CHECK(s.turns_per_session.mean == 2.0);
  CHECK(s.context_growth_tokens.p50 == 300.0);
  CHECK(s.new_tokens.p50 == 100.0);
  CHECK(s.think_s.mean == doctest::Approx(1.5));
  CHECK(s.arrivals == 1);
  // history_tokens bounds it: 340 of the 1,300 are a repetition.
  CHECK(stats_of(first + second + ",\"history_tokens\":340}\n").prefix_hit_rate ==
        doctest::Approx(340.0 / 2300.0));
}

TEST_CASE("a join of three is counted as such") {
  const TraceStats s = stats_of(arrival(0, 0, 1, 1) + arrival(1, 0, 1, 1) + arrival(2, 0, 1, 1) +
                                R"({"id":3,"after":[0,1,2],"input_tokens":1,"output_tokens":1})");
  CHECK(s.joins == 1);
  CHECK(s.fan_in.max == 3.0);
}

TEST_CASE("tenants, groups, adapters and patience are counted where the trace has them") {
  const TraceStats s = stats_of(arrival(0, 0, 1, 1, R"(,"tenant":"x","patience_s":2.5,"group":4)") +
                                arrival(1, 0, 1, 1, R"(,"tenant":"x","patience_s":2.5,"group":4)") +
                                arrival(2, 0, 1, 1, R"(,"tenant":"y","adapter":"sql","group":9)") +
                                arrival(3, 0, 1, 1));
  CHECK(s.groups == 2);
  CHECK(s.samples_per_group.mean == 1.5);
  CHECK(s.tenants == 3);  // x, y and the one of requests that name none
  CHECK(s.largest_tenant_share == 0.5);
  CHECK(s.adapters == 1);
  CHECK(s.patience_s.count == 2);
  CHECK(s.patience_s.p50 == doctest::Approx(2.5));
  CHECK(s.patient_share == 0.5);
}

TEST_CASE("of samples without a history the second finds the first's blocks, not its answer") {
  // 1,000 in and 200 or 150 out; the next has 1,300, of which the shorter answer leaves 1,150.
  const std::string sample = R"(,"session":3,"group":0,"prefix":[7])";
  const TraceStats s = stats_of(
      arrival(0, 0, 1000, 200, sample) + arrival(1, 0, 1000, 150, sample) +
      R"({"id":2,"session":3,"turn":1,"after":[0,1],"input_tokens":1300,"output_tokens":9,"prefix":[7]})");
  CHECK(s.prefix_hit_rate == doctest::Approx((512.0 + 1150.0) / 3300.0));
  CHECK(s.turns_per_session.mean == 2.0);
  CHECK(s.new_tokens.mean == 150.0);
}

TEST_CASE("the table leaves out what the trace does not define, and names end with the unit") {
  const std::vector<StatsRow> rows = stats_of(arrival(0, 0, 7, 1)).rows();
  bool has_input = false;
  for (const StatsRow& row : rows) {
    CHECK(row.name != "gap_cv");
    CHECK(row.name != "think_mean_s");
    for (const char* absent : {"groups", "tenants", "largest_tenant_share", "adapters",
                               "patience_mean_s", "patient_share"})
      CHECK(row.name != absent);
    if (row.name == "input_p99_tokens") {
      has_input = true;
      CHECK(row.value == 7.0);
      CHECK(row.unit == "token");
    }
  }
  CHECK(has_input);
}
