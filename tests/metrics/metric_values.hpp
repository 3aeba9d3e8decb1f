#pragma once
// Rows and values for the tests of metrics.
#include <optional>
#include <string>
#include <vector>

#include "metrics/run_result.hpp"

namespace tokenyard::test {

inline std::optional<double> value(const std::vector<metrics::MetricValue>& values,
                                   const std::string& name) {
  for (const metrics::MetricValue& m : values) {
    if (m.name == name) return m.value;
  }
  return std::nullopt;
}

inline metrics::RequestRow finished_request(double arrival_s, double admitted_s,
                                            double first_token_s, double finished_s,
                                            std::int64_t output_tokens) {
  metrics::RequestRow row;
  row.arrival_s = arrival_s;
  row.admitted_s = admitted_s;
  row.first_token_s = first_token_s;
  row.finished_s = finished_s;
  row.input_tokens = 100;
  row.cached_tokens = 25;
  row.output_tokens = output_tokens;
  row.status = metrics::RequestStatus::finished;
  return row;
}

inline metrics::RequestRow request_with_status(double arrival_s, metrics::RequestStatus status) {
  metrics::RequestRow row;
  row.arrival_s = arrival_s;
  row.status = status;
  return row;
}

}  // namespace tokenyard::test
