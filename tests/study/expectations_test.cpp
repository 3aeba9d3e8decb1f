#include <doctest/doctest.h>

#include <cmath>

#include "metrics/metric_table.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {
namespace {

scenario::Plan plan_with(const std::string& metric, double expected, double tolerance) {
  scenario::Plan plan;
  scenario::ExpectSpec& expect = plan.scenario.expect.emplace_back();
  expect.metric = metric;
  expect.value.ends = {{.number = expected}};
  expect.tolerance = tolerance;
  expect.claim = "who says so";
  expect.source = "where";
  return plan;
}

store::ExpectationRow checked(const std::string& metric, double expected, double tolerance,
                              double actual) {
  return check_expectations(plan_with(metric, expected, tolerance), {{metric, actual}}).at(0);
}

}  // namespace

TEST_CASE("100 token/s within 10 % hold from 90 to 110, and not beside them") {
  CHECK(checked("output_tokens_per_s", 100, 0.10, 90).verdict == "holds");
  CHECK(checked("output_tokens_per_s", 100, 0.10, 110).verdict == "holds");
  CHECK(checked("output_tokens_per_s", 100, 0.10, 89.9).verdict == "optimistic");
  CHECK(checked("output_tokens_per_s", 100, 0.10, 110.1).verdict == "pessimistic");
}

TEST_CASE("where less is better, a claim below what is simulated is optimistic") {
  CHECK(checked("ttft_p99_s", 1.0, 0.5, 0.5).verdict == "holds");
  CHECK(checked("ttft_p99_s", 1.0, 0.5, 1.5).verdict == "holds");
  CHECK(checked("ttft_p99_s", 1.0, 0.5, 1.6).verdict == "optimistic");
  CHECK(checked("ttft_p99_s", 1.0, 0.5, 0.4).verdict == "pessimistic");
}

TEST_CASE("where neither way is better, a claim deviates") {
  REQUIRE(metrics::find_metric("devices")->better == metrics::Better::neither);
  CHECK(checked("devices", 8, 0.0, 8).verdict == "holds");
  CHECK(checked("devices", 8, 0.0, 9).verdict == "deviates");
  CHECK(checked("devices", 8, 0.0, 7).verdict == "deviates");
}

TEST_CASE("without a tolerance only the very number holds") {
  CHECK(checked("preemptions", 0, 0.0, 0).verdict == "holds");
  CHECK(checked("preemptions", 0, 0.0, 1).verdict == "optimistic");
}

TEST_CASE("a metric that the run does not have, or that is not defined, leaves a claim unknown") {
  const store::ExpectationRow row =
      check_expectations(plan_with("mfu", 0.5, 1.0), {{"mbu", 0.5}}).at(0);
  CHECK(row.verdict == "unknown");
  CHECK(std::isnan(row.actual));
  CHECK(checked("mfu", 0.5, 1.0, std::nan("")).verdict == "unknown");
}

TEST_CASE("an expectation keeps its band, its ratio, and who claimed it") {
  const store::ExpectationRow row = checked("output_tokens_per_s", 200, 0.25, 250);
  CHECK((row.expected == 200 && row.low == 150 && row.high == 250));
  CHECK((row.actual == 250 && row.ratio == 1.25));
  CHECK((row.claim == "who says so" && row.source == "where"));
  CHECK(row.verdict == "holds");
}

}  // namespace tokenyard::study
