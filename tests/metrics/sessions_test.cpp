#include "metrics/sessions.hpp"

#include <doctest/doctest.h>

#include "metrics/accumulator.hpp"
#include "metrics/metric_values.hpp"

using namespace tokenyard;
using namespace tokenyard::metrics;
using namespace tokenyard::test;

namespace {

RequestRow of_session(RequestRow row, std::int64_t session, std::int32_t turn) {
  row.session = session;
  row.turn = turn;
  return row;
}

std::vector<MetricValue> metrics_of(const SessionStatistics& sessions, double measured_s,
                                    bool has_slo = true) {
  std::vector<MetricValue> out;
  sessions.add_metrics(out, measured_s, has_slo);
  return out;
}

}  // namespace

TEST_CASE("the session of the worked example takes 6 s, 3 s of them served") {
  SessionStatistics sessions(0.0);
  sessions.on_session({.start_s = 10, .end_s = 16, .serving_s = 3, .requests = 2});
  const auto metrics = metrics_of(sessions, 20.0);
  CHECK(value(metrics, "sessions_finished") == 1.0);
  CHECK(value(metrics, "requests_per_session") == 2.0);
  CHECK(value(metrics, "session_time_mean_s") == 6.0);
  CHECK(*value(metrics, "session_time_p99_s") == doctest::Approx(6.0).epsilon(0.001));
  CHECK(value(metrics, "session_serving_time_mean_s") == 3.0);
  CHECK(value(metrics, "goodput_sessions_per_s") == 0.05);
}

TEST_CASE("sessions: rates count what ended after the warm-up, times what began after it") {
  SessionStatistics sessions(10.0);
  sessions.on_session({.start_s = 1, .end_s = 9, .serving_s = 1, .requests = 9});
  sessions.on_session({.start_s = 5, .end_s = 12, .serving_s = 1, .requests = 3});
  sessions.on_session({.start_s = 11, .end_s = 15, .serving_s = 2, .requests = 1, .good = false});
  const auto metrics = metrics_of(sessions, 10.0);
  CHECK(value(metrics, "sessions_finished") == 3.0);
  CHECK(value(metrics, "requests_per_session") == 2.0);
  CHECK(value(metrics, "session_slo_attainment") == 0.5);
  CHECK(value(metrics, "goodput_sessions_per_s") == 0.1);
  CHECK(value(metrics, "session_time_mean_s") == 4.0);
}

TEST_CASE("a lost session counts once, however many of its requests are lost with it") {
  SessionStatistics sessions(10.0);
  sessions.on_session({.start_s = 11, .end_s = 15, .serving_s = 2, .requests = 1});
  for (int turn = 0; turn < 3; ++turn)
    sessions.on_lost_request(
        of_session(request_with_status(12, RequestStatus::abandoned), 7, turn));
  sessions.on_lost_request(of_session(request_with_status(2, RequestStatus::rejected), 8, 0));
  sessions.on_lost_request(request_with_status(12, RequestStatus::rejected));  // of no session
  const auto metrics = metrics_of(sessions, 10.0);
  CHECK(value(metrics, "sessions_lost") == 2.0);
  CHECK(value(metrics, "session_slo_attainment") == 0.5);  // the other was lost in the warm-up
  CHECK_FALSE(value(metrics_of(sessions, 10.0, false), "session_slo_attainment"));
}

TEST_CASE("a run without sessions has no metrics of them") {
  RunAccumulator run(0.0);
  run.on_finished(finished_request(0, 1, 2, 3, 11), Slo());
  run.on_abandoned(request_with_status(1, RequestStatus::abandoned));
  for (const MetricValue& m : run.metrics({.measured_s = 10.0}, Slo()))
    CHECK_MESSAGE(m.name.find("session") == std::string::npos, m.name);
}

TEST_CASE("the return TTFT is of the later turns alone: 1 s and 3 s are 2 s") {
  RunAccumulator run(10.0);
  run.on_finished(of_session(finished_request(11, 11, 16, 17, 5), 1, 0), Slo());
  run.on_finished(of_session(finished_request(20, 20, 21, 22, 5), 1, 1), Slo());
  run.on_finished(of_session(finished_request(30, 30, 33, 34, 5), 1, 2), Slo());
  run.on_finished(of_session(finished_request(8, 8, 17, 18, 5), 2, 1), Slo());  // in the warm-up
  const auto metrics = run.metrics({.measured_s = 30.0}, Slo());
  CHECK(value(metrics, "session_return_ttft_mean_s") == 2.0);
  CHECK(value(metrics, "ttft_mean_s") == 3.0);  // 5, 1 and 3
}
