// Requests between their arrival and the scheduler.
#include <doctest/doctest.h>

#include "support/in_process.hpp"
#include "support/toy.hpp"

namespace {

using namespace tokenyard;
using test::ListStream;
using test::request_at;
using test::row_of;
using test::run_here;
using test::toy_plan;
using test::ToyOptions;

// 30 ms a request and 4 us a token of its prompt.
ToyOptions with_front_end() {
  ToyOptions options;
  options.serving.host.per_request = milliseconds(30);
  options.serving.host.per_input_token = microseconds(4);
  return options;
}

}  // namespace

TEST_CASE("front end: 5,000 tokens that arrive at 1 s reach the scheduler at 1.05 s") {
  ListStream stream({request_at(0, 1.0, 5000, 2)});
  const auto result = run_here(toy_plan(with_front_end()), stream);
  CHECK(row_of(result, 0).arrival_s == 1.0);
  CHECK(row_of(result, 0).admitted_s == doctest::Approx(1.05).epsilon(1e-12));
}

TEST_CASE("front end: a short prompt overtakes a long one; equal ones keep their order") {
  ListStream stream({request_at(0, 1.0, 10'000, 1), request_at(1, 1.01, 10, 1)});
  const auto result = run_here(toy_plan(with_front_end()), stream);
  CHECK(row_of(result, 1).admitted_s == doctest::Approx(1.04004).epsilon(1e-12));
  CHECK(row_of(result, 0).admitted_s == doctest::Approx(1.07).epsilon(1e-12));
}

TEST_CASE("front end: who is inside is counted as queued") {
  ListStream stream(
      {request_at(0, 1.0, 16, 1000), request_at(1, 1.1, 16, 1), request_at(2, 1.1, 16, 1)});
  scenario::Plan plan = toy_plan(with_front_end());
  plan.scenario.sample_interval = milliseconds(10);
  const auto result = run_here(plan, stream);
  bool seen = false;
  for (const metrics::Sample& s : result.samples) {
    if (s.t_s < 1.105 || s.t_s > 1.125) continue;
    seen = true;
    CHECK(s.running == 1);
    CHECK(s.queued == 2);
  }
  CHECK(seen);
}

TEST_CASE("front end: who is still inside when the time is over is unfinished, not lost") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_at(1, 1.0, 16, 2)});
  scenario::Plan plan = toy_plan(with_front_end());
  plan.scenario.duration = seconds(1.02);
  const auto result = run_here(plan, stream);
  CHECK(result.requests_seen == 2);
  CHECK(result.requests_finished == 1);
  CHECK(result.requests_unfinished == 1);
}
