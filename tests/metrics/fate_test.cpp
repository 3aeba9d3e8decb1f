// What becomes of requests that do not simply finish, and where the time of the others goes.
#include <doctest/doctest.h>

#include "metrics/accumulator.hpp"
#include "metrics/metric_table.hpp"
#include "metrics/metric_values.hpp"

using namespace tokenyard;
using namespace tokenyard::metrics;
using namespace tokenyard::test;

namespace {

RequestRow ended(double arrival_s, RequestStatus status, std::int32_t attempts,
                 std::int64_t output_tokens) {
  RequestRow row = request_with_status(arrival_s, status);
  row.attempts = attempts;
  row.output_tokens = output_tokens;
  return row;
}

RequestRow with_phases(RequestRow row, double queue_arrival_s, double prefill_s, double decode_s) {
  row.phase_s[static_cast<std::size_t>(Phase::queue_arrival)] = queue_arrival_s;
  row.phase_s[static_cast<std::size_t>(Phase::prefill)] = prefill_s;
  row.phase_s[static_cast<std::size_t>(Phase::decode)] = decode_s;
  return row;
}

}  // namespace

TEST_CASE("an abandoned request is missed, a cancelled one counts neither way: 2 of 3 are 2/3") {
  const Slo slo({{"ttft_p99", seconds(2)}, {"ttft_p50", seconds(2)}});
  RunAccumulator run(10.0);
  run.on_finished(finished_request(11, 11, 12, 13, 11), slo);
  run.on_finished(finished_request(12, 12, 13, 14, 11), slo);
  run.on_cancelled(ended(12, RequestStatus::cancelled, 1, 7));
  run.on_abandoned(ended(9, RequestStatus::abandoned, 1, 0));  // came in the warm-up
  CHECK(value(run.metrics({.measured_s = 10.0}, slo), "slo_attainment") == 1.0);
  run.on_abandoned(ended(13, RequestStatus::abandoned, 1, 0));
  const auto metrics = run.metrics({.measured_s = 10.0}, slo);
  CHECK(*value(metrics, "slo_attainment") == doctest::Approx(2.0 / 3.0));
  CHECK(value(metrics, "requests_cancelled") == 1.0);
  CHECK(value(metrics, "requests_abandoned") == 2.0);
  CHECK(value(metrics, "goodput_requests_per_s") == 0.2);
  // Whoever left is later than any limit: of three, the 99th percentile is the last.
  for (const SloCheck& check : run.slo_checks(slo))
    CHECK(check.met == (check.metric == "ttft_p50_s"));
}

TEST_CASE("attempts: one that finished at the third and one abandoned at the second are 2.5") {
  RunAccumulator run(0.0);
  RequestRow third = finished_request(0, 1, 2, 3, 11);
  third.attempts = 3;
  run.on_finished(third, Slo());
  run.on_abandoned(ended(0, RequestStatus::abandoned, 2, 40));
  run.on_abandoned(ended(0, RequestStatus::abandoned, 0, 0));  // what waited for it never came
  run.on_cancelled(ended(0, RequestStatus::cancelled, 1, 7));
  const auto metrics = run.metrics({.measured_s = 10.0, .tokens_given_up = 100}, Slo());
  CHECK(value(metrics, "attempts_mean") == 2.5);
  CHECK(value(metrics, "output_tokens_wasted") == 147.0);
}

TEST_CASE("of ten rejected, three too long and two too late, five waited for those") {
  RunAccumulator run(0.0);
  for (int i = 0; i < 10; ++i) run.on_rejected(request_with_status(1, RequestStatus::rejected));
  const auto metrics =
      run.metrics({.measured_s = 10.0, .rejected_context = 3, .rejected_overload = 2}, Slo());
  CHECK(value(metrics, "requests_rejected_context") == 3.0);
  CHECK(value(metrics, "requests_rejected_overload") == 2.0);
  CHECK(value(metrics, "requests_rejected_follower") == 5.0);
  CHECK_FALSE(value(RunAccumulator(0.0).metrics({.measured_s = 10.0}, Slo()),
                    "requests_rejected_overload"));
}

TEST_CASE("phases: 1 + 3 s of 20 s in line are a mean of 2 s and a share of 20 %") {
  RunAccumulator run(10.0);
  run.on_finished(with_phases(finished_request(10, 11, 12, 18, 5), 1, 1, 6), Slo());
  run.on_finished(with_phases(finished_request(10, 13, 14, 22, 5), 3, 1, 8), Slo());
  run.on_finished(with_phases(finished_request(1, 5, 9, 22, 5), 4, 4, 13), Slo());  // in warm-up
  const auto metrics = run.metrics({.measured_s = 12.0}, Slo());
  CHECK(value(metrics, "phase_queue_arrival_mean_s") == 2.0);
  CHECK(value(metrics, "phase_queue_arrival_share") == 0.2);
  CHECK(value(metrics, "phase_decode_mean_s") == 7.0);
  CHECK(value(metrics, "phase_decode_share") == 0.7);
  CHECK(value(metrics, "phase_fetch_mean_s") == 0.0);
  CHECK(value(metrics, "e2el_mean_s") == 10.0);  // 2 + 1 + 7
}

TEST_CASE("every phase has its two metrics, and rows without phases have none") {
  for (const std::string_view phase : enum_names(Phase{})) {
    CHECK(find_metric("phase_" + std::string(phase) + "_mean_s") != nullptr);
    CHECK(find_metric("phase_" + std::string(phase) + "_share") != nullptr);
  }
  RunAccumulator run(0.0);
  run.on_finished(finished_request(0, 1, 2, 3, 11), Slo());
  CHECK_FALSE(value(run.metrics({.measured_s = 10.0}, Slo()), "phase_decode_mean_s"));
}
