#include "sim/shared_channel.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "support/heap_calendar.hpp"

namespace {

using namespace tokenyard;

struct Ends final : sim::Sleeper {
  explicit Ends(sim::Calendar& c) : calendar(&c) {}
  void wake(std::size_t what) override { at_s.emplace_back(what, calendar->now()); }
  sim::Calendar* calendar;
  std::vector<std::pair<std::size_t, double>> at_s;
};

struct Starts final : sim::Sleeper {
  std::function<void(std::size_t)> start;
  void wake(std::size_t what) override { start(what); }
};

}  // namespace

TEST_CASE("channel: 1 GB and 2 GB together over 1 GB/s end after 2 s and 3 s") {
  test::HeapCalendar calendar;
  sim::SharedChannel channel(calendar, 1e9);
  Ends ends(calendar);
  Starts starts;
  starts.start = [&](std::size_t) {
    channel.send(1e9, ends, 1);
    channel.send(2e9, ends, 2);
  };
  calendar.at(5.0, starts, 0);
  calendar.run();
  REQUIRE(ends.at_s.size() == 2);
  CHECK(ends.at_s[0].first == 1);
  CHECK(ends.at_s[0].second == doctest::Approx(7.0).epsilon(1e-12));
  CHECK(ends.at_s[1].second == doctest::Approx(8.0).epsilon(1e-12));
}

TEST_CASE("channel: one that comes later takes half of what is left of the first") {
  test::HeapCalendar calendar;
  sim::SharedChannel channel(calendar, 1e9);
  Ends ends(calendar);
  Starts starts;
  starts.start = [&](std::size_t what) { channel.send(1e9, ends, what); };
  calendar.at(0.0, starts, 1);
  calendar.at(0.5, starts, 2);
  calendar.run();
  // At 0.5 s the first has 0.5 GB left, which takes 1 s; then the second has 0.5 GB for itself.
  CHECK(ends.at_s[0].second == doctest::Approx(1.5).epsilon(1e-12));
  CHECK(ends.at_s[1].second == doctest::Approx(2.0).epsilon(1e-12));
}

TEST_CASE("channel: free again, it is as fast as at first; without limit nothing takes time") {
  test::HeapCalendar calendar;
  sim::SharedChannel channel(calendar, 2e9);
  sim::SharedChannel unlimited(calendar, std::numeric_limits<double>::infinity());
  Ends ends(calendar);
  Starts starts;
  starts.start = [&](std::size_t what) { (what == 3 ? unlimited : channel).send(1e9, ends, what); };
  calendar.at(0.0, starts, 1);
  calendar.at(10.0, starts, 2);
  calendar.at(20.0, starts, 3);
  calendar.run();
  CHECK(ends.at_s[0].second == doctest::Approx(0.5));
  CHECK(ends.at_s[1].second == doctest::Approx(10.5));
  CHECK(ends.at_s[2].second == 20.0);
}
