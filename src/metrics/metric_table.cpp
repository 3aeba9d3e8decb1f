#include "metrics/metric_table.hpp"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "metrics/latency.hpp"
#include "metrics/metric_rows.hpp"

namespace tokenyard::metrics {
namespace {

constexpr Dim kRate = kNone / kTime;
constexpr Dim kTokenRate = kToken / kTime;
constexpr Dim kPower = kEnergy / kTime;

// Latency statistics cover the requests that arrived after the warm-up and finished.
void add_latencies(std::vector<MetricInfo>& table) {
  static constexpr std::array<std::string_view, kLatencies> kWhat{
      "time to first token: first token at the client minus arrival; includes routing, queueing, "
      "prefill and KV transfer",
      "time per output token: (last token - first token) / (output tokens - 1), one value per "
      "request; "
      "undefined for 1 token",
      "inter-token latency: each gap between consecutive tokens, pooled over requests",
      "end-to-end latency: last token minus arrival",
      "queueing time: arrival to first scheduled; includes the front end "
      "(serving.host.per_request)"};
  for (std::size_t l = 0; l < kLatencies; ++l) {
    for (std::size_t s = 0; s < kStatistics; ++s) {
      table.push_back({metric_name(static_cast<Latency>(l), static_cast<Statistic>(s)), "s",
                       std::string(statistic_words(s)) + std::string(kWhat[l]), Better::lower,
                       kTime});
    }
  }
}

void add_throughput(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"requests_per_s", "1/s",
       "requests finished per second of the measured window (warm-up excluded)", higher, kRate});
  add({"input_tokens_per_s", "token/s",
       "prompt tokens, cached ones included, of the requests finished in the measured window, per "
       "second",
       higher, kTokenRate});
  add({"output_tokens_per_s", "token/s",
       "output tokens of the requests finished in the measured window, per second", higher,
       kTokenRate});
  add({"total_tokens_per_s", "token/s", "input_tokens_per_s plus output_tokens_per_s", higher,
       kTokenRate});
  add({"output_tokens_per_s_per_device", "token/s",
       "output_tokens_per_s over all devices of the fleet, idle ones included", higher,
       kTokenRate});
  add({"output_tokens_per_s_per_user", "token/s",
       "1 / tpot_mean_s: the speed at which a user's answer grows after its first token", higher,
       kTokenRate});
  add({"goodput_requests_per_s", "1/s",
       "requests finished in the measured window that met every request-level limit, per second",
       higher, kRate});
  add({"goodput_output_tokens_per_s", "token/s",
       "output tokens of the requests that count as goodput, per second", higher, kTokenRate});
  add({"slo_attainment", "ratio",
       "share of the requests that arrived after the warm-up and met every request-level limit; "
       "rejected and abandoned ones, and unfinished ones past a limit or without a token, count as "
       "missed, cancelled ones not at all",
       higher, kNone});
  add({"slo_met", "ratio",
       "1 when every percentile that the SLO states is within its limit, else 0", higher, kNone});
  add({"requests_finished", "count", "requests finished, warm-up included", neither, kNone});
  add({"requests_rejected", "count",
       "requests that no replica could ever hold or that would have been served too late, and "
       "those that waited for one of them",
       lower, kNone});
  add({"requests_rejected_context", "count",
       "of the rejected: longer than the model's context or the KV cache of any replica", lower,
       kNone});
  add({"requests_rejected_overload", "count",
       "of the rejected: turned away because their first token would have come too late", lower,
       kNone});
  add({"requests_rejected_follower", "count",
       "of the rejected: later turns of a session whose earlier request was rejected", lower,
       kNone});
  add({"requests_cancelled", "count",
       "samples of a group that were stopped because another of it was first", neither, kNone});
  add({"requests_abandoned", "count",
       "requests whose client left before it was served, or timed out too often, and those that "
       "would have followed them",
       lower, kNone});
  add({"requests_unfinished", "count", "requests still waiting or running at the end", lower,
       kNone});
  add({"attempts_mean", "count",
       "attempts by clients and, after failures, by the fleet, mean over the requests that arrived "
       "after the warm-up and finished or were abandoned",
       lower, kNone});
  add({"output_tokens_wasted", "count",
       "output tokens of cancelled and abandoned requests and of attempts that clients gave up, "
       "warm-up included",
       lower, kNone});
}

void add_utilisation(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"mfu", "ratio",
       "model FLOPs done / (measured time x dense peak, in the format used, of the devices in "
       "replicas)",
       higher, kNone});
  add({"mbu", "ratio",
       "bytes that had to move (weights and KV) / (measured time x peak memory bandwidth of the "
       "devices "
       "in replicas)",
       higher, kNone});
  add({"kv_utilization", "ratio",
       "share of KV blocks that running sequences use, mean over the measured window", neither,
       kNone});
  add({"kv_retained_ratio", "ratio",
       "KV blocks that are cached and used by nobody / KV blocks that running sequences use, means "
       "over the measured window",
       neither, kNone});
  add({"prefix_hit_rate", "ratio",
       "prompt tokens found in the prefix cache / prompt tokens, of the requests finished in the "
       "measured "
       "window",
       higher, kNone});
  add({"batch_mean", "count", "sequences per step, mean over the time in which replicas run steps",
       neither, kNone});
  add({"capacity_blocked_share", "ratio",
       "share of the replicas' busy time in which the next request in line did not fit the KV "
       "cache",
       lower, kNone});
  add({"busy_share", "ratio", "share of the replicas' measured time in which they run steps",
       neither, kNone});
  add({"preemptions", "count",
       "times a running request lost its KV blocks, of the requests finished in the measured "
       "window",
       lower, kNone});
  add({"model_swaps", "count",
       "times that devices which several models share were given to another one, in the measured "
       "window",
       lower, kNone});
  add({"role_changes", "count",
       "times that a replica changed between computing prompts and decoding, in the measured "
       "window",
       neither, kNone});
  add({"adapter_loads", "count",
       "times that a LoRA adapter was brought from the host's memory, in the measured window",
       lower, kNone});
  add({"recomputed_tokens_share", "ratio",
       "prompt tokens computed that some replica had computed before / prompt tokens computed of "
       "the requests finished, in the measured window",
       lower, kNone});
  add({"kv_transfer_mean_s", "s",
       "from a request's first token to the arrival of its KV cache where it decodes, mean over "
       "the "
       "transfers that ended in the measured window",
       lower, kTime});
  add({"kv_transfer_wait_mean_s", "s",
       "of kv_transfer_mean_s, the time before there was room for the cache", lower, kTime});
  add({"kv_transfer_bytes_per_s", "B/s",
       "KV cache brought from where prompts are computed to where they decode", neither,
       kData / kTime});
  add_kv_tier_rows(table);
  add_fleet_rows(table);
  add({"nodes", "count", "nodes of the fleet", neither, kNone});
  add({"devices", "count", "devices of the fleet", neither, kNone});
  add({"fabric_switches", "count", "switches of the network between nodes", neither, kNone});
  add({"fabric_cables", "count", "cables of the network between nodes", neither, kNone});
  add({"fabric_diameter_hops", "count", "switches between the two farthest nodes", lower, kNone});
  add({"fabric_bisection_bytes_per_s", "B/s",
       "bandwidth between the two halves of the nodes, worst even split", higher, kData / kTime});
}

void add_energy(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"energy_per_output_token_j", "J/token",
       "facility energy of the measured window / output tokens of the requests finished in it",
       lower, kNone});
  add({"it_energy_per_output_token_j", "J/token",
       "IT energy (at the nodes' and switches' inlets) of the measured window / output tokens",
       lower, kNone});
  add({"output_tokens_per_j", "token/J", "1 / energy_per_output_token_j", higher, kNone});
  add({"it_power_mean_w", "W", "IT power, mean over the measured window", lower, kPower});
  add({"it_power_peak_w", "W", "highest IT power of the run", lower, kPower});
  add({"it_energy_j", "J", "energy at the nodes' and switches' inlets in the measured window",
       lower, kEnergy});
  add({"facility_energy_j", "J",
       "IT energy plus cooling and distribution losses in the measured window", lower, kEnergy});
}

void add_costs(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"capex_usd", "USD", "price of everything bought at the start", lower, kMoney});
  add({"opex_usd_per_year", "USD/year",
       "energy, space, maintenance and staff of a year of operation", lower, kMoney});
  add({"tco_usd", "USD",
       "annualised cost of everything, financing and residual value included, times the "
       "horizon",
       lower, kMoney});
  add({"usd_per_mtok_input", "USD/Mtok",
       "cost per million prompt tokens, costs split between input and output by device time", lower,
       kNone});
  add({"usd_per_mtok_output_allocated", "USD/Mtok",
       "cost per million output tokens, costs split between input and output by device time", lower,
       kNone});
  add({"usd_per_mtok_output", "USD/Mtok", "whole cost per million output tokens", lower, kNone});
  add({"usd_per_mtok_blended", "USD/Mtok",
       "whole cost per million tokens, input and output together", lower, kNone});
  add({"usd_per_device_hour", "USD/h", "whole cost per device and hour, used or not", lower,
       kNone});
  add({"kgco2_per_mtok_output", "kg/Mtok", "kilograms of CO2 equivalent per million output tokens",
       lower, kNone});
  add({"break_even_utilization", "ratio",
       "share of the simulated throughput at which owning costs as much as renting the same "
       "devices",
       lower, kNone});
}

std::vector<MetricInfo> build_table() {
  std::vector<MetricInfo> table;
  add_latencies(table);
  add_phase_rows(table);
  add_throughput(table);
  add_session_rows(table);
  add_utilisation(table);
  add_energy(table);
  add_costs(table);
  return table;
}

}  // namespace

const std::vector<MetricInfo>& metric_table() {
  static const std::vector<MetricInfo> table = build_table();
  return table;
}

const MetricInfo* find_metric(std::string_view name) {
  for (const MetricInfo& metric : metric_table()) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

std::string metric_suggestion(std::string_view name) {
  std::vector<std::string> names;
  for (const MetricInfo& metric : metric_table()) names.push_back(metric.name);
  return suggestion(name, names);
}

std::string format_metric(const MetricInfo& metric, double value) {
  if (!std::isfinite(value)) return "n/a";
  if (metric.unit == "ratio") return three_digits(100.0 * value) + " %";
  if (metric.unit == "count") {
    const bool whole = value == std::floor(value) && std::abs(value) < 1e6;
    return whole ? std::to_string(static_cast<long>(value)) : three_digits(value);
  }
  if (metric.dim == kRate) return three_digits(value) + " /s";
  if (metric.dim == kNone) return three_digits(value) + ' ' + metric.unit;
  // An amount of money per year has the dimension of money only; the rest of its unit follows.
  const std::size_t per = metric.dim == kMoney ? metric.unit.find('/') : std::string::npos;
  return format_quantity(value, metric.dim) +
         (per == std::string::npos ? "" : metric.unit.substr(per));
}

Table metric_listing() {
  static constexpr std::array<const char*, 3> kBetter{"lower", "higher", "-"};
  Table table{{"metric", "unit", "better", "definition"}, {}};
  for (const MetricInfo& metric : metric_table()) {
    table.rows.push_back({metric.name, metric.unit,
                          std::string(kBetter[static_cast<std::size_t>(metric.better)]),
                          metric.definition});
  }
  return table;
}

}  // namespace tokenyard::metrics
