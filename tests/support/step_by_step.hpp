#pragma once
// A plan simulated in runs of steps and step by step, and every time, token and joule compared.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "support/in_process.hpp"

namespace tokenyard::test {

// Both sum the same terms in another order: n steps of a run as n a + n (n-1)/2 b.
inline constexpr double kRounding = 1e-9;

inline void require_near(double a, double b, const std::string& what) {
  if (relative_difference(a, b) <= kRounding || std::abs(a - b) < 1e-12) return;
  FAIL(what, ": ", a, " in runs of steps, ", b, " step by step, a relative difference of ",
       relative_difference(a, b));
}

inline void compare_requests(const metrics::RunResult& fast, const metrics::RunResult& slow) {
  REQUIRE(fast.requests.size() == slow.requests.size());
  for (const metrics::RequestRow& a : fast.requests) {
    CAPTURE(a.id);
    const metrics::RequestRow& b = row_of(slow, a.id);
    REQUIRE(a.status == b.status);
    REQUIRE(a.deployment == b.deployment);
    REQUIRE(a.replica == b.replica);
    REQUIRE(a.output_tokens == b.output_tokens);
    REQUIRE(a.cached_tokens == b.cached_tokens);
    REQUIRE(a.preemptions == b.preemptions);
    require_near(a.arrival_s, b.arrival_s, "arrival");
    require_near(a.admitted_s, b.admitted_s, "admission");
    require_near(a.first_token_s, b.first_token_s, "first token");
    require_near(a.finished_s, b.finished_s, "end");
    REQUIRE(a.attempts == b.attempts);
    double in_all_s = 0.0;
    for (std::size_t p = 0; p < kPhases; ++p) {
      in_all_s += a.phase_s[p];
      // Phases are differences of times: rounding is that of the times.
      if (std::abs(a.phase_s[p] - b.phase_s[p]) > kRounding * std::max(1.0, a.finished_s))
        FAIL("phase ", enum_names(Phase{})[p], ": ", a.phase_s[p], " and ", b.phase_s[p]);
    }
    if (a.status == metrics::RequestStatus::finished) {
      REQUIRE(in_all_s == doctest::Approx(a.finished_s - a.arrival_s).epsilon(1e-9));
    }
  }
}

inline void compare_pools(const metrics::RunResult& fast, const metrics::RunResult& slow) {
  REQUIRE(fast.pools.size() == slow.pools.size());
  for (std::size_t p = 0; p < fast.pools.size(); ++p) {
    const metrics::PoolResult& a = fast.pools[p];
    const metrics::PoolResult& b = slow.pools[p];
    // A cause that takes a share of 1e-6 of the time is a difference of larger numbers.
    const double wall = static_cast<double>(a.devices) * fast.measured_s;
    for (std::size_t c = 0; c < kCauses; ++c) {
      if (std::abs(a.device_seconds[c] - b.device_seconds[c]) < kRounding * 1e-3 * wall) continue;
      require_near(a.device_seconds[c], b.device_seconds[c],
                   "device seconds of " + std::string(enum_names(Cause{})[c]));
    }
    for (std::size_t c = 0; c < metrics::kEnergyComponents; ++c)
      require_near(a.joules[c], b.joules[c],
                   "joules of " + std::string(enum_names(metrics::EnergyComponent{})[c]));
    require_near(a.prefill_device_s, b.prefill_device_s, "prefill time");
    require_near(a.decode_device_s, b.decode_device_s, "decode time");
  }
}

struct Compared {
  metrics::RunResult fast, slow;
};

inline Compared compared(metrics::RunResult fast, metrics::RunResult slow) {
  Compared c{std::move(fast), std::move(slow)};
  CHECK(c.fast.requests_finished > 0);
  CHECK(c.fast.events < c.slow.events);
  REQUIRE(c.fast.requests_finished == c.slow.requests_finished);
  REQUIRE(c.fast.requests_unfinished == c.slow.requests_unfinished);
  compare_requests(c.fast, c.slow);
  compare_pools(c.fast, c.slow);
  for (const char* name :
       {"mfu", "mbu", "batch_mean", "kv_utilization", "busy_share", "output_tokens_per_s",
        "prefix_hit_rate", "it_energy_j", "ttft_mean_s", "kv_retained_ratio"}) {
    CAPTURE(name);
    require_near(metric_of(c.fast, name), metric_of(c.slow, name), name);
  }
  const auto has_gaps = [](const metrics::RunResult& r) {
    return std::any_of(r.metrics.begin(), r.metrics.end(),
                       [](const auto& m) { return m.name == "itl_mean_s"; });
  };
  REQUIRE(has_gaps(c.fast) == has_gaps(c.slow));
  if (has_gaps(c.fast)) {
    require_near(metric_of(c.fast, "itl_mean_s"), metric_of(c.slow, "itl_mean_s"), "mean gap");
    // A quantile falls into the same bucket or, by rounding, the next one: 0.2 %.
    for (const char* name : {"itl_p50_s", "itl_p99_s"})
      CHECK(relative_difference(metric_of(c.fast, name), metric_of(c.slow, name)) < 2.1e-3);
  }
  return c;
}

inline Compared compare(const scenario::Plan& plan) {
  return compared(run_here(plan, false), run_here(plan, true));
}

}  // namespace tokenyard::test
