#pragma once
// What a trace or generator is like, in numbers: for `trace stats`, and for fitting a generator to
// a trace.
//
// Memory grows with the number of distinct lengths, sessions and prefix blocks, not with requests.
// Quantiles are exact: the smallest value that at least that share of the values does not exceed.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "workload/request.hpp"

namespace tokenyard::workload {

// NaN where there is nothing to average.
struct Summary {
  std::int64_t count = 0;
  double mean = 0.0, p50 = 0.0, p90 = 0.0, p95 = 0.0, p99 = 0.0, max = 0.0;
};

struct StatsRow {
  std::string name;  // unit last
  double value = 0.0;
  std::string unit;  // "1" for counts and ratios
};

struct TraceStats {
  std::int64_t requests = 0;
  std::int64_t arrivals = 0;  // requests that wait for no other
  std::int64_t skipped_lines = 0;
  // Of the arrivals; what waits for others has no time of its own.
  double duration_s = 0.0;      // from the first to the last
  double arrivals_per_s = 0.0;  // one over the mean gap
  double gap_mean_s = 0.0;
  double gap_cv = 0.0;        // coefficient of variation: 1 is Poisson
  double burstiness = 0.0;    // (cv - 1) / (cv + 1): -1 regular, 0 Poisson, towards 1 bursty
  double peak_to_mean = 0.0;  // the busiest minute over the mean minute
  Summary input_tokens;
  Summary output_tokens;
  double input_per_output = 0.0;  // all input tokens over all output tokens
  std::int64_t sessions = 0;
  Summary turns_per_session;
  Summary context_growth_tokens;  // a turn's prompt over that of the turn before
  Summary new_tokens;             // of a further turn's prompt, what its session had not had yet
  Summary think_s;                // of requests that wait for others; to the millisecond
  std::int64_t joins = 0;         // requests that wait for more than one other
  Summary fan_in;                 // of the joins: how many they wait for
  // With a cache that never forgets: input tokens found in it over all input tokens.
  double prefix_hit_rate = 0.0;
  std::int64_t distinct_blocks = 0;
  std::int64_t groups = 0;  // of samples of one prompt; they are one turn of their session
  Summary samples_per_group;
  std::int64_t tenants = 0;  // 0: the trace says nothing of tenants
  double largest_tenant_share = std::numeric_limits<double>::quiet_NaN();  // of the requests
  std::int64_t adapters = 0;
  Summary patience_s;          // of requests whose clients may leave; to the millisecond
  double patient_share = 0.0;  // of requests whose clients never leave, where others do

  // As a table; what is not defined for this trace is left out.
  [[nodiscard]] std::vector<StatsRow> rows() const;
};

// Reads the stream to its end or up to `limit` requests.  Throws InputError for an endless stream
// without a limit.
TraceStats compute_stats(RequestStream& stream, std::optional<std::int64_t> limit = {});

}  // namespace tokenyard::workload
