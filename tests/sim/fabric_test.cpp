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

struct Send {
  double bytes;
  std::int64_t from, to;
};

// Five nodes of one NIC of 50 GB/s on a switch.
scenario::Plan five_nodes() {
  test::ToyOptions options;
  options.nodes = 5;
  return test::toy_plan(options);
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
                        const topology::FleetGraph& fleet, const std::vector<Send>& sends) {
  Ends ends(calendar, sends.size());
  for (std::size_t i = 0; i < sends.size(); ++i)
    fabric.send(sends[i].bytes, sends[i].from, sends[i].to, ends, i);
  calendar.run();
  return ends.less(fleet.route(0, 1).latency.base());
}

std::vector<double> here(const std::vector<Send>& sends) {
  const scenario::Plan plan = five_nodes();
  const topology::FleetGraph fleet(plan);
  test::HeapCalendar calendar;
  test::FairFabric fabric(fleet, calendar);
  return run(calendar, fabric, fleet, sends);
}

std::vector<double> on_simgrid(const std::vector<Send>& sends) {
  const std::string text = test::in_child([&] {
    const scenario::Plan plan = five_nodes();
    const topology::FleetGraph fleet(plan);
    sim::SimgridCalendar calendar;
    const sim::Platform platform(fleet);
    sim::SimgridFabric fabric(platform, fleet, calendar);
    std::string ends;
    for (const double end_s : run(calendar, fabric, fleet, sends)) {
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

void check_ends(const std::vector<Send>& sends, const std::vector<double>& expected_s) {
  for (const std::vector<double>& ends : {here(sends), on_simgrid(sends)}) {
    REQUIRE(ends.size() == expected_s.size());
    for (std::size_t i = 0; i < ends.size(); ++i)
      CHECK(ends[i] == doctest::Approx(expected_s[i]).epsilon(1e-9));
  }
}

}  // namespace

TEST_CASE("fabric: n flows of 1 GB into one node of 50 GB/s take n times 20 ms") {
  for (std::int64_t n = 1; n <= 4; ++n) {
    CAPTURE(n);
    std::vector<Send> sends;
    for (std::int64_t i = 0; i < n; ++i) sends.push_back({1e9, i, 4});
    check_ends(sends, std::vector<double>(sends.size(), 0.020 * static_cast<double>(n)));
  }
}

TEST_CASE("fabric: 1, 1 and 0.5 GB out of one node: the small one takes 30 ms, the others 50") {
  check_ends({{1e9, 0, 1}, {1e9, 0, 2}, {0.5e9, 0, 3}}, {0.050, 0.050, 0.030});
}

TEST_CASE("fabric: the two directions of a cable, and other cables, are free") {
  check_ends({{1e9, 0, 1}, {1e9, 1, 0}, {1e9, 2, 3}}, {0.020, 0.020, 0.020});
}

TEST_CASE("fabric: who is held up elsewhere leaves the rest to others") {
  // Three into node 4 get a third each; the fourth has what node 0's cable has left: two thirds.
  check_ends({{1e9, 0, 4}, {1e9, 1, 4}, {1e9, 2, 4}, {1e9, 0, 3}}, {0.060, 0.060, 0.060, 0.030});
}

TEST_CASE("fabric: nothing to send arrives after the latency alone") {
  check_ends({{0.0, 0, 1}}, {0.0});
}
