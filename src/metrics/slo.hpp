#pragma once
// Service-level objectives: limits on statistics of latencies, "ttft_p99: 2 s".
//
// A limit is used in two ways.
//   - As a percentile: the run's ttft_p99_s against 2 s.  `slo_checks` and `slo_met` report it.
//   - As a bound for each request, which attainment and goodput count: ttft <= 2 s.  Where a
//   latency has
//     several limits, the one of its highest percentile binds requests: "ttft_p50: 0.5 s, ttft_p99:
//     2 s" lets every request have 2 s and half of them 0.5 s.  Gaps between tokens (itl) are
//     pooled over requests, so their limits are percentiles only.
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "metrics/latency.hpp"

namespace tokenyard::metrics {

struct SloLimit {
  Latency latency = Latency::ttft;
  Statistic statistic = Statistic::p99;
  double limit_s = 0.0;
};

class Slo {
 public:
  Slo() = default;
  // Keys as in a scenario: "ttft_p99".  Throws InputError naming the nearest key for an unknown
  // one.
  explicit Slo(const std::map<std::string, Seconds>& limits);

  [[nodiscard]] const std::vector<SloLimit>& limits() const { return limits_; }
  [[nodiscard]] bool empty() const { return limits_.empty(); }
  // A latency that is not defined (-1) is within any limit.
  [[nodiscard]] bool met_by(const RequestLatency& latency) const {
    return latency.ttft_s <= ttft_s_ && latency.tpot_s <= tpot_s_ && latency.e2el_s <= e2el_s_ &&
           latency.queue_s <= queue_s_;
  }
  // Whether a request that is still in the system at end_s counts as missed: it has broken a limit, or
  // has not even a first token.
  [[nodiscard]] bool broken_by(const RequestRow& unfinished, double end_s) const;

 private:
  static constexpr double kUnlimited = std::numeric_limits<double>::infinity();

  std::vector<SloLimit> limits_;
  double ttft_s_ = kUnlimited;
  double tpot_s_ = kUnlimited;
  double e2el_s_ = kUnlimited;
  double queue_s_ = kUnlimited;
};

}  // namespace tokenyard::metrics
