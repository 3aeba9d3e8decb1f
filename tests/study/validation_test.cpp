#include "study/validation.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "store/query.hpp"
#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;
using study::MeasuredCase;

// One request at a time, 100 tokens in and 11 out, without work of the host.
const std::string kOneAtATime =
    "name: one\n"
    "workload: {name: w, generator: {kind: fixed-concurrency, concurrency: 1, requests: 10,"
    " input: 100, output: 11}}\n"
    "serving: {host: {per_step: 0 s, per_sequence: 0 s, per_request: 0 s, per_input_token: 0 s}}\n"
    "fleet: {site: toy-site, fabric: toy-switch,"
    " pools: [{name: main, node: toy-node, deploy: {model: toy-4b, replicas: 1}}]}\n";

MeasuredCase case_of(const test::ToyYard& yard, const std::string& id,
                     const std::string& scenario = kOneAtATime) {
  MeasuredCase c;
  c.id = id;
  c.labels = {{"device", "toy"}};
  c.conditions = {{"concurrency", "1"}};
  c.assumptions = {"nothing else runs"};
  c.source = "pencil";
  c.plans.push_back(yard.plan(scenario));
  study::Measurement m;
  m.metric = "tpot_mean_s";
  m.value = 0.010;
  m.low = 0.008;
  m.high = 0.012;
  c.measurements = {m};
  return c;
}

}  // namespace

TEST_CASE("8 GB of weights at 1 TB/s, 10 ms measured: 8 ms predicted, -20 %, inside 8 to 12 ms") {
  const test::ToyYard yard;
  const auto v = study::validate({case_of(yard, "a")}, {});
  REQUIRE(v.points.size() == 1);
  const auto& p = v.points.front();
  REQUIRE(p.predicted.has_value());
  // On average 106 tokens of KV cache, 64 kB each (16 heads * 125 * 2 * 2 B * 8 layers), are read as
  // well: 6.8 us.
  CHECK(*p.predicted == doctest::Approx(0.008 + 106 * 64e3 / 1e12).epsilon(1e-3));
  CHECK(p.error() == doctest::Approx(-0.2).epsilon(0.01));
  CHECK(p.inside_spread());
  CHECK(v.broken.empty());
  CHECK(v.cases.front().plans.empty());
}

TEST_CASE(
    "time goes to what the serving device does: the idle second one of its node is left out") {
  const test::ToyYard yard;
  const auto v = study::validate({case_of(yard, "a")}, {});
  const auto& causes = v.points.front().causes;
  REQUIRE(!causes.empty());
  // Ten steps of 8 ms read weights; the prompt, 100 tokens at 8 GFLOP less the embedding's, takes
  // about as long as one.
  CHECK(causes.front().cause == Cause::weight_bw);
  CHECK(causes.front().share > 0.9);
  double total = 0.0;
  for (const auto& c : causes) {
    CHECK(c.cause != Cause::policy_wait);
    total += c.share;
  }
  CHECK(total <= 1.0 + 1e-9);
}

TEST_CASE("cases that cannot be simulated stay among the points, with the reason") {
  const test::ToyYard yard;
  MeasuredCase lost = case_of(yard, "lost");
  lost.plans.clear();
  lost.problem = "no such machine";
  const auto v = study::validate({lost, case_of(yard, "a")}, {});
  REQUIRE(v.points.size() == 2);
  CHECK_FALSE(v.points[0].predicted.has_value());
  CHECK(v.points[0].problem == "no such machine");
  CHECK(v.points[1].predicted.has_value());
}

TEST_CASE("a case whose requests are turned away has no prediction") {
  const test::ToyYard yard;
  std::string scenario = kOneAtATime;
  scenario.replace(scenario.find("input: 100"), 10, "input: 200000");
  const auto v = study::validate({case_of(yard, "a", scenario)}, {});
  CHECK_FALSE(v.points.front().predicted.has_value());
  CHECK(v.points.front().problem ==
        "10 of 10 requests were rejected: too long for the KV cache or the model");
}

TEST_CASE("a metric that the run does not have is said to be missing") {
  const test::ToyYard yard;
  MeasuredCase c = case_of(yard, "a");
  c.measurements.front().metric = "goodput_requests_per_s";  // only with an SLO
  const auto v = study::validate({c}, {});
  CHECK(v.points.front().problem == "the run has no goodput_requests_per_s");
}

TEST_CASE(
    "every case is a run of the database, though two were measured under one set of "
    "conditions") {
  const test::ToyYard yard;
  const std::string db = yard.file("v.db");
  study::validate({case_of(yard, "a"), case_of(yard, "b")}, {.db_path = db, .jobs = 2});
  // The same once more replaces them.
  study::validate({case_of(yard, "a"), case_of(yard, "b")}, {.db_path = db});
  const Table rows = store::query(
      db, "SELECT claim, metric, expected, low, high, verdict, source FROM expectation ORDER BY 1");
  REQUIRE(rows.rows.size() == 2);
  CHECK(rows.rows[0] ==
        std::vector<Cell>{"a", "tpot_mean_s", 0.010, 0.008, 0.012, "holds", "pencil"});
  CHECK(rows.rows[1].front() == Cell{"b"});
  const Table labels =
      store::query(db, "SELECT key, value FROM parameter WHERE run_id = 1 ORDER BY key");
  CHECK(labels.rows ==
        std::vector<std::vector<Cell>>{{"case", "a"}, {"concurrency", "1"}, {"device", "toy"}});
  CHECK(store::query(db, "SELECT value FROM assumption WHERE key LIKE 'measured%'").rows.size() ==
        2);
}

TEST_CASE("a validation that is interrupted has no points") {
  const test::ToyYard yard;
  const auto v =
      study::validate({case_of(yard, "a")}, {.db_path = {}, .interrupted = [] { return true; }});
  CHECK(v.interrupted);
  CHECK(v.points.empty());
}
