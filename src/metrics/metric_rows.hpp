#pragma once
// Rows of the metric table: what requests, sessions, KV caches and replicas go through.
#include <vector>

#include "metrics/metric_table.hpp"

namespace tokenyard::metrics {

void add_phase_rows(std::vector<MetricInfo>& table);
void add_session_rows(std::vector<MetricInfo>& table);
void add_kv_tier_rows(std::vector<MetricInfo>& table);
void add_fleet_rows(std::vector<MetricInfo>& table);

// "99th percentile of the "
std::string_view statistic_words(std::size_t statistic);

}  // namespace tokenyard::metrics
