#pragma once
// The latencies of one request, and the names of their statistics.
//
//   ttft   first token minus arrival                                 queue + prefill + transfers
//   tpot   (last token - first token) / (output tokens - 1)          one value a request, needs 2
//   tokens itl    each gap between consecutive tokens                       pooled over requests
//   e2el   last token minus arrival
//   queue  first scheduled minus arrival
//
// Worked example: arrival at 10 s, scheduled at 10.5 s, first token at 11 s, fifth and last token
// at 13 s: queue 0.5 s, ttft 1 s, e2el 3 s, tpot (13 - 11) / 4 = 0.5 s.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "metrics/quantile_sketch.hpp"
#include "metrics/run_result.hpp"

namespace tokenyard::metrics {

enum class Latency { ttft, tpot, itl, e2el, queue };
inline constexpr std::size_t kLatencies = 5;
constexpr auto enum_names(Latency) {
  return std::array<std::string_view, kLatencies>{"ttft", "tpot", "itl", "e2el", "queue"};
}

// Ordered from the middle of the distribution to its tail.
enum class Statistic { mean, p50, p90, p95, p99 };
inline constexpr std::size_t kStatistics = 5;
constexpr auto enum_names(Statistic) {
  return std::array<std::string_view, kStatistics>{"mean", "p50", "p90", "p95", "p99"};
}
// Of p50 to p99: 0.50 to 0.99.
double quantile_of(Statistic statistic);

// Contract: the sketch has values.
double statistic_of(const QuantileSketch& sketch, Statistic statistic);

// "ttft_p99_s", "session_time_p99_s"
std::string metric_name(Latency latency, Statistic statistic);
std::string metric_name(std::string_view what, Statistic statistic);

struct RequestLatency {
  double ttft_s = 0.0;
  double tpot_s = -1.0;  // -1: fewer than two output tokens
  double e2el_s = 0.0;
  double queue_s = 0.0;
};

// Contract: the row's status is finished.
RequestLatency latency_of(const RequestRow& row);

}  // namespace tokenyard::metrics
