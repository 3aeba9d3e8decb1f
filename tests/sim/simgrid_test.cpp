// The calendar and the network on SimGrid, each test in a child of its own.
#include <doctest/doctest.h>
#include <simgrid/s4u.hpp>

#include <utility>
#include <vector>

#include "sim/platform.hpp"
#include "sim/simgrid_calendar.hpp"
#include "sim/simulate.hpp"
#include "support/in_child.hpp"
#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::in_child;

std::string fingerprint(const metrics::RunResult& result) {
  return result.request_digest + ' ' + std::to_string(result.events) + ' ' +
         std::to_string(result.requests_finished);
}

std::string on_simgrid(const scenario::Plan& plan) {
  return in_child([&] { return fingerprint(sim::simulate(plan, {})); });
}

scenario::Plan llama(const std::string& workload, const std::string& rest = "") {
  return test::plan_of("name: t\nworkload:\n  name: w\n  generator: " + workload +
                       "\nfleet:\n  pools:\n    - {name: main, node: dgx-h100, deploy: {model: "
                       "llama-3.1-8b, replicas: 4, memory_utilization: 0.3}}\n" +
                       rest);
}

// Records when it was woken, and for what.
class Recorder final : public sim::Sleeper {
 public:
  explicit Recorder(sim::Calendar& calendar) : calendar_(&calendar) {}
  void wake(std::size_t what) override {
    text_ += std::to_string(what) + '@' + std::to_string(calendar_->now()) + ' ';
    if (what == 1) calendar_->cancel(to_cancel);
    if (what == 2) calendar_->at(4.5, *this, 5);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  sim::Calendar::Timer to_cancel = nullptr;

 private:
  sim::Calendar* calendar_;
  std::string text_;
};

std::string wake_ups(sim::Calendar& calendar) {
  Recorder recorder(calendar);
  calendar.at(2.0, recorder, 2);
  calendar.at(1.0, recorder, 1);
  recorder.to_cancel = calendar.at(3.0, recorder, 3);
  calendar.at(4.0, recorder, 4);
  calendar.run();
  return recorder.text();
}

// Seconds until each of the flows of `gigabytes` GB has arrived, on nodes of one 50 GB/s NIC at one
// switch.
std::string arrivals(const std::vector<std::pair<int, int>>& flows, double gigabytes) {
  return in_child([&] {
    test::ToyOptions options;
    options.nodes = 4;
    const scenario::Plan plan = test::toy_plan(options);
    const topology::FleetGraph fleet(plan);
    sim::SimgridCalendar calendar;
    const sim::Platform platform(fleet);
    std::vector<double> seconds(flows.size(), -1.0);
    for (std::size_t i = 0; i < flows.size(); ++i) {
      simgrid::s4u::Host* from = platform.host(flows[i].first);
      simgrid::s4u::Host* to = platform.host(flows[i].second);
      simgrid::s4u::Actor::create(
          "sender-" + std::to_string(i), from, [&seconds, i, from, to, gigabytes] {
            simgrid::s4u::Comm::sendto(from, to, static_cast<std::uint64_t>(gigabytes * 1e9));
            seconds[i] = simgrid::s4u::Engine::get_clock();
          });
    }
    calendar.run();
    std::string text;
    for (const double s : seconds) text += (text.empty() ? "" : " ") + std::to_string(s);
    return text;
  });
}

}  // namespace

TEST_CASE("the calendar on SimGrid wakes as the plain one does, cancelled timers not at all") {
  const std::string simgrid = in_child([] {
    const scenario::Plan plan = test::toy_plan();
    const topology::FleetGraph fleet(plan);
    sim::SimgridCalendar calendar;
    const sim::Platform platform(fleet);
    return wake_ups(calendar);
  });
  test::HeapCalendar heap;
  CHECK(wake_ups(heap) == "1@1.000000 2@2.000000 4@4.000000 5@4.500000 ");
  CHECK(simgrid == "1@1.000000 2@2.000000 4@4.000000 5@4.500000 ");
}

TEST_CASE("a second SimGrid engine in a process is refused") {
  const std::string text = in_child([] {
    { const sim::SimgridCalendar first; }
    const sim::SimgridCalendar second;
    return std::string("accepted");
  });
  CHECK(text == "threw: a second SimGrid engine in one process would keep the first one's clock");
}

TEST_CASE("every request of a run is the same on SimGrid and on the plain calendar") {
  const std::vector<scenario::Plan> plans{
      llama("{kind: poisson, rate: 60 /s, input: {kind: lognormal, median: 700, sigma: 1, max: "
            "9000}, "
            "output: {kind: geometric, mean: 200}, requests: 1000}"),
      llama("{kind: gamma, rate: 40 /s, cv: 4, input: {kind: uniform, min: 1, max: 3000}, output: "
            "{kind: geometric, mean: 200}}",
            "duration: 15 s\nwarmup: 3 s\nserving: {router: power-of-two, scheduler: {policy: "
            "prefill-first}}\n"),
      llama(
          "{kind: agents, rate: 3 /s, output: {kind: lognormal, median: 100, sigma: 0.8}, "
          "requests: "
          "40, agents: {turns: {kind: uniform, min: 2, max: 8}, initial_context: {kind: lognormal, "
          "median: 1500, sigma: 0.8}, tool_output: {kind: lognormal, median: 700, sigma: 1.0}, "
          "tool_time: {kind: lognormal, median: 2 s, sigma: 1.2}, shared_system_prompt: 2100, "
          "max_context: 60000, fan_out_probability: 0.4, sub_agents: {kind: uniform, min: 2, max: "
          "4}, "
          "sub_agent_turns: {kind: uniform, min: 1, max: 4}, sub_agent_context: 2000}}",
          "serving: {router: prefix-affinity}\n"),
      llama("{kind: fixed-concurrency, concurrency: 40, input: {kind: uniform, min: 10, max: 900}, "
            "output: {kind: uniform, min: 10, max: 300}, requests: 400}")};
  for (const scenario::Plan& plan : plans) {
    CAPTURE(&plan - plans.data());
    CHECK(on_simgrid(plan) == fingerprint(test::run_here(plan)));
  }
}

TEST_CASE(
    "where replicas end at the same moments, and the calendars may take either first, the "
    "latencies are the same all the same") {
  const auto latencies = [](const metrics::RunResult& result) {
    std::string text;
    for (const char* name : {"ttft_mean_s", "e2el_mean_s", "e2el_p99_s", "output_tokens_per_s"})
      text += std::to_string(test::metric_of(result, name)) + ' ';
    return text;
  };
  const scenario::Plan plan =
      llama("{kind: fixed-concurrency, concurrency: 32, input: 500, output: 100, requests: 200}");
  CHECK(in_child([&] { return latencies(sim::simulate(plan, {})); }) ==
        latencies(test::run_here(plan)));
}

TEST_CASE("one flow of 50 GB over a 50 GB/s cable takes 1 s, n flows on it n times as long") {
  CHECK(arrivals({{0, 1}}, 50) == "1.000000");
  CHECK(arrivals({{0, 1}, {0, 1}}, 50) == "2.000000 2.000000");
  CHECK(arrivals({{0, 1}, {0, 1}, {0, 1}, {0, 1}}, 50) == "4.000000 4.000000 4.000000 4.000000");
}

TEST_CASE(
    "flows share the cable they have in common and no other: two senders to one node, 2 s; to "
    "two nodes, 1 s") {
  CHECK(arrivals({{0, 2}, {1, 2}}, 50) == "2.000000 2.000000");
  CHECK(arrivals({{0, 1}, {2, 3}}, 50) == "1.000000 1.000000");
}

TEST_CASE("a cable carries its bandwidth each way at once") {
  CHECK(arrivals({{0, 1}, {1, 0}}, 50) == "1.000000 1.000000");
}

TEST_CASE("a flow that is alone on its cables takes what another, held up elsewhere, leaves") {
  // 0 -> 2 and 1 -> 2 have half of 2's cable; 1 -> 3 gets the other half of 1's: all 2 s.
  CHECK(arrivals({{0, 2}, {1, 2}, {1, 3}}, 50) == "2.000000 2.000000 2.000000");
}
