#include "study/error_stats.hpp"

#include <doctest/doctest.h>

#include "study/validation_tables.hpp"

namespace {

using namespace tokenyard;
using study::ValidationPoint;

ValidationPoint point(double measured, std::optional<double> predicted,
                      const std::string& metric = "tpot_mean_s") {
  ValidationPoint p;
  p.measured.metric = metric;
  p.measured.value = measured;
  p.predicted = predicted;
  if (!predicted) p.problem = "no machine";
  return p;
}

ValidationPoint repeated(double measured, double low, double high, double predicted) {
  ValidationPoint p = point(measured, predicted);
  p.measured.low = low;
  p.measured.high = high;
  return p;
}

study::ErrorStats stats_of(const std::vector<ValidationPoint>& points) {
  std::vector<const ValidationPoint*> all;
  for (const ValidationPoint& p : points) all.push_back(&p);
  return study::error_stats(all);
}

// One case for each point, with its group as the only label.
study::Validation validation_of(
    const std::vector<std::pair<std::string, ValidationPoint>>& points) {
  study::Validation v;
  for (const auto& [group, p] : points) {
    study::MeasuredCase c;
    c.id = "c" + std::to_string(v.cases.size());
    c.labels = {{"group", group}};
    c.conditions = {{"users", std::to_string(v.cases.size() + 1)}};
    c.source = "pencil";
    v.points.push_back(p);
    v.points.back().at = v.cases.size();
    v.cases.push_back(std::move(c));
  }
  return v;
}

const double kTight = 1e-12;

}  // namespace

TEST_CASE("errors of -10 %, +20 % and +30 %: median 20 %, p90 30 %, bias +20 %") {
  const auto s = stats_of({point(10, 9), point(10, 12), point(10, 13)});
  CHECK(s.points == 3);
  CHECK(*s.median == doctest::Approx(0.2).epsilon(kTight));
  CHECK(*s.p90 == doctest::Approx(0.3).epsilon(kTight));
  CHECK(*s.bias == doctest::Approx(0.2).epsilon(kTight));
  CHECK_FALSE(s.inside.has_value());
}

TEST_CASE(
    "of ten errors the ninth smallest is the p90, and the median lies between fifth and sixth") {
  std::vector<ValidationPoint> points;
  for (int i = 10; i >= 1; --i) points.push_back(point(100, 100 - i));
  const auto s = stats_of(points);
  CHECK(*s.median == doctest::Approx(0.055).epsilon(kTight));
  CHECK(*s.p90 == doctest::Approx(0.09).epsilon(kTight));
  CHECK(*s.bias == doctest::Approx(-0.055).epsilon(kTight));
}

TEST_CASE("only what was measured more than once has a spread to be inside of, ends included") {
  // Half spreads of 2/10 and 1/20; one of the three repeated ones is outside.
  const auto s = stats_of({repeated(10, 8, 12, 12), repeated(20, 19, 21, 19),
                           repeated(10, 9, 11, 11.01), point(10, 10)});
  CHECK(s.with_spread == 3);
  CHECK(*s.inside == doctest::Approx(2.0 / 3.0).epsilon(kTight));
  CHECK(*s.floor_median == doctest::Approx(0.1).epsilon(kTight));
  CHECK(*s.floor_p90 == doctest::Approx(0.2).epsilon(kTight));
}

TEST_CASE("what has no prediction is in no statistic") {
  const auto s = stats_of({point(10, std::nullopt)});
  CHECK(s.points == 0);
  CHECK_FALSE(s.median.has_value());
  CHECK_FALSE(s.floor_median.has_value());
}

TEST_CASE("values of a label stand in the order of their numbers, and each metric by itself") {
  const auto v = validation_of({{"129+", point(1, 2)},
                                {"17-64", point(1, 2)},
                                {"5-16", point(1, 2, "ttft_mean_s")},
                                {"5-16", point(1, 2)},
                                {"word", point(1, 2)}});
  const auto groups = study::errors_by_label(v, 0);
  std::string order;
  for (const auto& g : groups) order += g.value + ' ' + g.metric + '\n';
  CHECK(order ==
        "5-16 ttft_mean_s\n5-16 tpot_mean_s\n17-64 tpot_mean_s\n129+ tpot_mean_s\n"
        "word tpot_mean_s\n");
  const auto metrics = study::errors_by_metric(v);
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[0].metric == "tpot_mean_s");
  CHECK(metrics[0].stats.points == 4);
  CHECK(metrics[1].stats.points == 1);
}

TEST_CASE("a tenth is worse than nine times as much") {
  const auto v = validation_of(
      {{"a", point(1, 9)}, {"a", point(10, 1)}, {"a", point(1, 1)}, {"a", point(1, {})}});
  const auto worst = study::worst_points(v, 2);
  REQUIRE(worst.size() == 2);
  CHECK(worst[0]->at == 1);
  CHECK(worst[1]->at == 0);
}

TEST_CASE(
    "tables for people: in all, by labels that differ, the worst, and what is not simulated") {
  auto good = repeated(0.010, 0.008, 0.012, 0.0115);
  good.causes = {{Cause::weight_bw, 0.75}, {Cause::host, 0.25}};
  const auto v = validation_of({{"a", good}, {"b", point(0.02, {})}});
  const auto tables = study::error_tables(v);
  REQUIRE(tables.size() == 4);
  CHECK(tables[0].title == "errors by metric");
  CHECK(tables[1].title == "errors by group");
  // The group without a prediction has no row.
  REQUIRE(tables[1].table.rows.size() == 1);
  CHECK(tables[2].title == "worst predictions");
  CHECK(tables[2].table.rows.front() == std::vector<Cell>{"c0", "a, users 1", "tpot_mean_s",
                                                          "10.0 ms", "11.5 ms", "+15.0 %",
                                                          "weight_bw 75 %, host 25 %"});
  CHECK(tables[3].title == "not simulated");
  CHECK(tables[3].table.rows.front() ==
        std::vector<Cell>{std::int64_t{1}, std::int64_t{1}, "c1", "no machine"});
  CHECK(study::error_tables(validation_of({{"a", good}})).size() == 2);
}

TEST_CASE("the table of points has a row a measurement, with the labels of all files") {
  auto other = validation_of({{"x", point(1, {})}});
  other.cases.front().labels = {{"kind", "x"}};
  auto good = repeated(10, 8, 12, 12);
  good.causes = {{Cause::host, 1.0}};
  const Table table =
      study::point_table({{"one.csv", validation_of({{"a", good}})}, {"two.csv", other}});
  CHECK(table.columns ==
        std::vector<std::string>{
            "file",          "case",     "group",         "users",   "kind",          "metric",
            "unit",          "measured", "low",           "high",    "predicted",     "error",
            "inside_spread", "cause_1",  "cause_share_1", "cause_2", "cause_share_2", "cause_3",
            "cause_share_3", "source",   "assumptions",   "problem"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0][2] == Cell{"a"});
  CHECK(table.rows[0][4] == Cell{});
  CHECK(table.rows[0][12] == Cell{std::int64_t{1}});
  CHECK(table.rows[0][13] == Cell{"host"});
  CHECK(table.rows[0][15] == Cell{});
  CHECK(table.rows[1][2] == Cell{});
  CHECK(table.rows[1][10] == Cell{});
  CHECK(table.rows[1][21] == Cell{"no machine"});
}
