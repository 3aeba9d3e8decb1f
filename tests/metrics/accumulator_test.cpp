#include "metrics/accumulator.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "metrics/metric_values.hpp"

using namespace tokenyard;
using namespace tokenyard::metrics;
using namespace tokenyard::test;

TEST_CASE("queue 0.5 s, ttft 1 s, e2el 3 s and tpot (13 - 11) / 4 = 0.5 s of the worked example") {
  const RequestLatency l = latency_of(finished_request(10, 10.5, 11, 13, 5));
  CHECK(l.queue_s == 0.5);
  CHECK(l.ttft_s == 1.0);
  CHECK(l.e2el_s == 3.0);
  CHECK(l.tpot_s == 0.5);
  CHECK(latency_of(finished_request(10, 10.5, 11, 11, 1)).tpot_s == -1.0);
}

TEST_CASE("a request that finished before it started breaks an invariant") {
  CHECK_THROWS_AS((void)latency_of(finished_request(10, 10.5, 11, 10.9, 5)), InternalError);
  CHECK_THROWS_AS((void)latency_of(finished_request(10, 9, 11, 12, 5)), InternalError);
}

TEST_CASE("warm-up: throughput counts what finished after it, latencies what arrived after it") {
  const Slo none;
  RunAccumulator run(10.0);
  run.on_finished(finished_request(1, 1, 2, 3, 50), none);   // before the window
  run.on_finished(finished_request(5, 5, 6, 12, 50), none);  // A: arrives before it, finishes in it
  run.on_finished(finished_request(11, 12, 13, 15, 50), none);  // B
  run.on_unfinished(request_with_status(19, RequestStatus::unfinished), 20, none);
  const auto metrics = run.metrics({.measured_s = 10.0, .devices = 4}, none);
  CHECK(value(metrics, "requests_per_s") == 0.2);
  CHECK(value(metrics, "output_tokens_per_s") == 10.0);
  CHECK(value(metrics, "input_tokens_per_s") == 20.0);
  CHECK(value(metrics, "total_tokens_per_s") == 30.0);
  CHECK(value(metrics, "output_tokens_per_s_per_device") == 2.5);
  CHECK(value(metrics, "prefix_hit_rate") == 0.25);
  CHECK(value(metrics, "ttft_mean_s") == 2.0);
  CHECK(value(metrics, "e2el_p99_s") == 4.0);
  CHECK(value(metrics, "queue_p50_s") == 1.0);
  // B: (15 - 13) / 49
  CHECK(*value(metrics, "output_tokens_per_s_per_user") == doctest::Approx(24.5));
  CHECK(value(metrics, "requests_finished") == 3.0);
  CHECK(value(metrics, "requests_unfinished") == 1.0);
  CHECK_FALSE(value(metrics, "slo_attainment"));
  CHECK_FALSE(value(metrics, "mfu"));
  CHECK_FALSE(value(metrics, "itl_mean_s"));
}

TEST_CASE(
    "attainment counts a rejected request as missed: 2 met of 3 finished and 1 rejected is 1/2") {
  const Slo slo({{"ttft_p99", seconds(2)}, {"tpot_p99", milliseconds(50)}});
  RunAccumulator run(0.0);
  run.on_finished(finished_request(0, 0, 1, 1.4, 11), slo);    // 1 s, 40 ms: met
  run.on_finished(finished_request(0, 0, 2, 2.0, 1), slo);     // 2 s exactly, one token: met
  run.on_finished(finished_request(0, 0, 1, 1.625, 11), slo);  // 62.5 ms: missed
  run.on_rejected(request_with_status(0, RequestStatus::rejected));
  const auto metrics = run.metrics({.measured_s = 10.0}, slo);
  CHECK(value(metrics, "slo_attainment") == 0.5);
  CHECK(value(metrics, "goodput_requests_per_s") == 0.2);
  CHECK(*value(metrics, "goodput_output_tokens_per_s") == doctest::Approx(1.2));
  CHECK(value(metrics, "requests_rejected") == 1.0);
}

TEST_CASE(
    "an unfinished request counts as missed without a token or past a limit, else not at all") {
  const Slo slo({{"ttft_p99", seconds(2)}, {"e2el_p99", seconds(5)}});
  RunAccumulator run(0.0);
  run.on_finished(finished_request(0, 0, 1, 5, 11), slo);
  RequestRow streaming = request_with_status(8.5, RequestStatus::unfinished);
  streaming.admitted_s = streaming.first_token_s = 9.0;
  run.on_unfinished(streaming, 10.0, slo);  // 0.5 s to its first token, 1.5 s so far
  CHECK(value(run.metrics({.measured_s = 10.0}, slo), "slo_attainment") == 1.0);
  run.on_unfinished(request_with_status(8.5, RequestStatus::unfinished), 10.0,
                    slo);  // no token yet
  CHECK(value(run.metrics({.measured_s = 10.0}, slo), "slo_attainment") == 0.5);
  streaming.arrival_s = 4.5;
  streaming.admitted_s = streaming.first_token_s = 5.0;
  run.on_unfinished(streaming, 10.0, slo);  // 5.5 s so far
  CHECK(*value(run.metrics({.measured_s = 10.0}, slo), "slo_attainment") ==
        doctest::Approx(1.0 / 3.0));
}

TEST_CASE("a percentile of the SLO is not met by serving few fast: 2 of 101 rejected break a p99") {
  const Slo slo({{"ttft_p99", seconds(2)}, {"ttft_p50", seconds(2)}});
  RunAccumulator run(0.0);
  for (int i = 0; i < 99; ++i) run.on_finished(finished_request(0, 0, 1, 5, 11), slo);
  run.on_rejected(request_with_status(0, RequestStatus::rejected));
  for (const SloCheck& check : run.slo_checks(slo)) CHECK(check.met);  // the 99th of 100
  run.on_rejected(request_with_status(0, RequestStatus::rejected));
  for (const SloCheck& check : run.slo_checks(slo))
    CHECK(check.met == (check.metric == "ttft_p50_s"));
}

TEST_CASE("each stated percentile is compared: the median may be met while the 99th is not") {
  const Slo slo({{"ttft_p50", seconds(1.01)}, {"ttft_p99", seconds(5)}, {"itl_p99", seconds(1)}});
  RunAccumulator run(0.0);
  for (int i = 0; i < 98; ++i) run.on_finished(finished_request(0, 0, 1, 2, 2), slo);
  for (int i = 0; i < 2; ++i) run.on_finished(finished_request(0, 0, 6, 7, 2), slo);
  const auto checks = run.slo_checks(slo);
  REQUIRE(checks.size() == 3);
  std::map<std::string, bool> met;
  for (const SloCheck& c : checks) met[c.metric] = c.met;
  CHECK(met["ttft_p50_s"]);
  CHECK_FALSE(met["ttft_p99_s"]);
  CHECK_FALSE(met["itl_p99_s"]);  // no gap was ever seen
  const auto metrics = run.metrics({.measured_s = 10.0}, slo);
  CHECK(value(metrics, "slo_met") == 0.0);
  // Requests are bound by the limit of the highest percentile, 5 s.
  CHECK(value(metrics, "slo_attainment") == 0.98);
}

TEST_CASE("an unknown limit names the nearest") {
  CHECK_THROWS_WITH_AS(Slo({{"tfft_p99", seconds(1)}}),
                       "error: slo: unknown limit 'tfft_p99'; did you mean 'ttft_p99'?",
                       InputError);
}

TEST_CASE("gaps are pooled over sequences: 3 steps of 8 and 1 step of 2 sequences") {
  RunAccumulator run(10.0);
  run.on_gap_run({.start_s = 9.9, .first_gap_s = 7, .last_gap_s = 7, .steps = 9, .sequences = 9});
  run.on_gap_run(
      {.start_s = 10, .first_gap_s = 0.1, .last_gap_s = 0.3, .steps = 3, .sequences = 8});
  run.on_gap_run(
      {.start_s = 11, .first_gap_s = 1.5, .last_gap_s = 1.5, .steps = 1, .sequences = 2});
  const auto metrics = run.metrics({.measured_s = 10.0}, Slo());
  // (0.1 + 0.2 + 0.3) * 8 + 1.5 * 2 = 7.8 over 26 gaps
  CHECK(*value(metrics, "itl_mean_s") == doctest::Approx(0.3));
  CHECK(*value(metrics, "itl_p50_s") == doctest::Approx(0.2).epsilon(0.001));
  CHECK(*value(metrics, "itl_p99_s") == doctest::Approx(1.5).epsilon(0.001));
}

TEST_CASE("utilisation counts only the part of a run of steps after the warm-up") {
  RunAccumulator run(10.0);
  // Half of it in the window: 1 s busy with 4 sequences, 50 FLOP, 200 bytes.
  run.on_steps({.start_s = 9, .end_s = 11, .sequences = 4, .flops = 100, .bytes = 400});
  run.on_steps({.start_s = 11, .end_s = 14, .sequences = 8, .flops = 150, .bytes = 600});
  run.on_steps({.start_s = 2, .end_s = 3, .sequences = 99, .flops = 1e9, .bytes = 1e9});
  run.on_kv_held(5, 15, 60);  // 5 s of it in the window
  const auto metrics = run.metrics({.measured_s = 10.0,
                                    .replicas = 1,
                                    .peak_flops_per_s = 100,
                                    .peak_bytes_per_s = 200,
                                    .kv_blocks = 100},
                                   Slo());
  CHECK(value(metrics, "mfu") == 0.2);  // 200 / 1000
  CHECK(value(metrics, "mbu") == 0.4);  // 800 / 2000
  CHECK(value(metrics, "busy_share") == 0.4);
  CHECK(value(metrics, "batch_mean") == 7.0);      // (4 * 1 + 8 * 3) / 4
  CHECK(value(metrics, "kv_utilization") == 0.3);  // 60 * 5 / (100 * 10)
}

TEST_CASE("energy per token: 1000 J of the facility over 50 output tokens is 20 J") {
  RunAccumulator run(0.0);
  run.on_finished(finished_request(0, 0, 1, 2, 50), Slo());
  const auto metrics = run.metrics(
      {.measured_s = 10, .it_energy_j = 800, .facility_energy_j = 1000, .it_power_peak_w = 120},
      Slo());
  CHECK(value(metrics, "energy_per_output_token_j") == 20.0);
  CHECK(value(metrics, "it_energy_per_output_token_j") == 16.0);
  CHECK(value(metrics, "output_tokens_per_j") == 0.05);
  CHECK(value(metrics, "it_power_mean_w") == 80.0);
  CHECK(value(metrics, "it_power_peak_w") == 120.0);
}

TEST_CASE("how long counting a finished request takes") {
  const Slo slo({{"ttft_p99", seconds(1)}, {"tpot_p99", milliseconds(50)}});
  RunAccumulator run(0.0);
  constexpr int kRequests = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRequests; ++i) {
    const double t = 1e-3 * i;
    const double x = 0.01 + 1e-6 * (i % 9973);
    run.on_finished(finished_request(t, t + x, t + 2 * x, t + 50 * x, 100), slo);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  MESSAGE("on_finished: " << elapsed.count() / kRequests * 1e9 << " ns");
  CHECK(run.finished() == kRequests);
}
