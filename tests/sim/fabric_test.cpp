// Flows that share cables, on SimGrid and written down.
#include <doctest/doctest.h>

#include <cstdio>
#include <sstream>

#include "sim/simgrid_calendar.hpp"
#include "sim/simgrid_fabric.hpp"
#include "support/fair_fabric.hpp"
#include "support/heap_calendar.hpp"
#include "support/in_child.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;

using catalog::FabricKind;

struct Case {
  std::vector<sim::Flow> sends;
  FabricKind kind = FabricKind::single_switch;
  std::int64_t nics = 1;  // of 50 GB/s, a node
};

// Five nodes.
scenario::Plan plan_of(const Case& c) {
  test::ToyOptions options;
  options.nodes = 5;
  scenario::Plan plan = test::toy_plan(options);
  plan.fabric.kind = c.kind;
  plan.pools.front().node.nics.front().count = c.nics;
  return plan;
}

// Ends of the sends, all begun at 0, less the latency of the way.
class Ends final : public sim::Sleeper {
 public:
  Ends(sim::Calendar& calendar, std::size_t count) : calendar_(&calendar), at_s_(count, -1.0) {}
  void wake(std::size_t what) override { at_s_[what] = calendar_->now(); }
  [[nodiscard]] std::vector<double> less(double latency_s) const {
    std::vector<double> ends = at_s_;
    for (double& end_s : ends) end_s -= latency_s;
    return ends;
  }

 private:
  sim::Calendar* calendar_;
  std::vector<double> at_s_;
};

std::vector<double> run(sim::Calendar& calendar, sim::Fabric& fabric,
                        const topology::FleetGraph& fleet, const std::vector<sim::Flow>& sends) {
  Ends ends(calendar, sends.size());
  for (std::size_t i = 0; i < sends.size(); ++i) fabric.send(sends[i], ends, i);
  calendar.run();
  return ends.less(fleet.route(0, 1).latency.base());
}

std::vector<double> here(const Case& c) {
  const scenario::Plan plan = plan_of(c);
  const topology::FleetGraph fleet(plan);
  test::HeapCalendar calendar;
  test::FairFabric fabric(fleet, calendar);
  return run(calendar, fabric, fleet, c.sends);
}

std::vector<double> on_simgrid(const Case& c) {
  const std::string text = test::in_child([&] {
    const scenario::Plan plan = plan_of(c);
    const topology::FleetGraph fleet(plan);
    sim::SimgridCalendar calendar;
    sim::Platform platform(fleet);
    sim::SimgridFabric fabric(platform, fleet, calendar);
    std::string ends;
    for (const double end_s : run(calendar, fabric, fleet, c.sends)) {
      char number[40];
      std::snprintf(number, sizeof(number), "%.17g ", end_s);
      ends += number;
    }
    return ends;
  });
  std::istringstream in(text);
  std::vector<double> ends;
  for (double end_s = 0.0; in >> end_s;) ends.push_back(end_s);
  return ends;
}

void check_ends(const Case& c, const std::vector<double>& expected_s) {
  for (const std::vector<double>& ends : {here(c), on_simgrid(c)}) {
    REQUIRE(ends.size() == expected_s.size());
    for (std::size_t i = 0; i < ends.size(); ++i)
      CHECK(ends[i] == doctest::Approx(expected_s[i]).epsilon(1e-9));
  }
}

}  // namespace

TEST_CASE("fabric: n flows of 1 GB into one node of 50 GB/s take n times 20 ms") {
  for (std::int64_t n = 1; n <= 4; ++n) {
    CAPTURE(n);
    Case c;
    for (std::int64_t i = 0; i < n; ++i) c.sends.push_back({1e9, i, 4});
    check_ends(c, std::vector<double>(c.sends.size(), 0.020 * static_cast<double>(n)));
  }
}

TEST_CASE("fabric: 1, 1 and 0.5 GB out of one node: the small one takes 30 ms, the others 50") {
  check_ends({{{1e9, 0, 1}, {1e9, 0, 2}, {0.5e9, 0, 3}}}, {0.050, 0.050, 0.030});
}

TEST_CASE("fabric: the two directions of a cable, and other cables, are free") {
  check_ends({{{1e9, 0, 1}, {1e9, 1, 0}, {1e9, 2, 3}}}, {0.020, 0.020, 0.020});
}

TEST_CASE("fabric: who is held up elsewhere leaves the rest to others") {
  // Three into node 4 get a third each; the fourth has what node 0's cable has left: two thirds.
  check_ends({{{1e9, 0, 4}, {1e9, 1, 4}, {1e9, 2, 4}, {1e9, 0, 3}}}, {0.060, 0.060, 0.060, 0.030});
}

TEST_CASE("fabric: nothing to send arrives after the latency alone") {
  check_ends({{{0.0, 0, 1}}}, {0.0});
}

TEST_CASE("fabric: a flow that may have 10 of 50 GB/s leaves 40 to another") {
  check_ends({{{.bytes = 0.1e9, .from = 0, .to = 1, .most_bytes_per_s = 10e9},
               {.bytes = 0.4e9, .from = 0, .to = 2}}},
             {0.010, 0.010});
  // More than its share: it has that and no more.
  check_ends({{{.bytes = 0.5e9, .from = 0, .to = 1, .most_bytes_per_s = 40e9},
               {.bytes = 0.5e9, .from = 0, .to = 2}}},
             {0.020, 0.020});
}

TEST_CASE("fabric: what is followed by more takes no latency of its own") {
  const double latency_s = topology::FleetGraph(plan_of({})).route(0, 1).latency.base();
  check_ends({{{.bytes = 1e9, .from = 0, .to = 1, .followed = true}}}, {0.020 - latency_s});
}

TEST_CASE("fabric: on four rails a node sends with all of its NICs, a quarter of it with one") {
  const sim::NicShare quarter{0.0, 0.25}, next{0.25, 0.5};
  const auto rails = [](std::vector<sim::Flow> sends) {
    return Case{.sends = std::move(sends), .kind = FabricKind::rail_optimized, .nics = 4};
  };
  check_ends(rails({{1e9, 0, 1}}), {0.005});
  check_ends(rails({{1e9, 0, 1, quarter}}), {0.020});
  // Neighbours on rails of their own, and two that share one.
  check_ends(rails({{1e9, 0, 1, quarter}, {1e9, 0, 1, next}}), {0.020, 0.020});
  check_ends(rails({{1e9, 0, 1, quarter}, {1e9, 2, 1, quarter}}), {0.040, 0.040});
  // With the whole node on the way as well, a quarter of which shares the rail of the one.
  check_ends(rails({{1e9, 0, 1}, {0.25e9, 0, 1, quarter}}), {0.010, 0.010});
}

TEST_CASE("fabric: without rails all NICs of a node are one way for each of its flows") {
  check_ends({.sends = {{1e9, 0, 1, {0.0, 0.25}}}, .nics = 4}, {0.005});
}

TEST_CASE("fabric: shares of NICs are whole lanes, at least one") {
  const auto lanes = [](double first, double last, std::int64_t all) {
    const sim::NicShare::Lanes used = sim::NicShare{first, last}.lanes(all);
    return std::pair{used.begin, used.end};
  };
  CHECK(lanes(0.0, 1.0, 8) == std::pair<std::int64_t, std::int64_t>{0, 8});
  CHECK(lanes(3.0 / 8, 5.0 / 8, 8) == std::pair<std::int64_t, std::int64_t>{3, 5});
  // Eight devices on two NICs, and on one.
  CHECK(lanes(3.0 / 8, 4.0 / 8, 2) == std::pair<std::int64_t, std::int64_t>{0, 1});
  CHECK(lanes(7.0 / 8, 1.0, 2) == std::pair<std::int64_t, std::int64_t>{1, 2});
  CHECK(lanes(7.0 / 8, 1.0, 1) == std::pair<std::int64_t, std::int64_t>{0, 1});
  CHECK(lanes(1.0 / 3, 2.0 / 3, 3) == std::pair<std::int64_t, std::int64_t>{1, 2});
}
