#include "metrics/latency.hpp"

#include "base/error.hpp"

namespace tokenyard::metrics {

double quantile_of(Statistic statistic) {
  check(statistic != Statistic::mean, "the mean is not a quantile");
  static constexpr std::array<double, kStatistics> kQuantiles{0.0, 0.50, 0.90, 0.95, 0.99};
  return kQuantiles[static_cast<std::size_t>(statistic)];
}

double statistic_of(const QuantileSketch& sketch, Statistic statistic) {
  return statistic == Statistic::mean ? sketch.mean() : sketch.quantile(quantile_of(statistic));
}

std::string metric_name(Latency latency, Statistic statistic) {
  return metric_name(enum_names(latency)[static_cast<std::size_t>(latency)], statistic);
}

std::string metric_name(std::string_view what, Statistic statistic) {
  std::string name(what);
  name += '_';
  name += enum_names(statistic)[static_cast<std::size_t>(statistic)];
  return name + "_s";
}

RequestLatency latency_of(const RequestRow& row) {
  check(row.arrival_s <= row.admitted_s && row.admitted_s <= row.first_token_s &&
            row.first_token_s <= row.finished_s,
        "a finished request was scheduled, answered and finished in this order");
  RequestLatency latency;
  latency.ttft_s = row.first_token_s - row.arrival_s;
  latency.e2el_s = row.finished_s - row.arrival_s;
  latency.queue_s = row.admitted_s - row.arrival_s;
  if (row.output_tokens >= 2) {
    latency.tpot_s =
        (row.finished_s - row.first_token_s) / static_cast<double>(row.output_tokens - 1);
  }
  return latency;
}

}  // namespace tokenyard::metrics
