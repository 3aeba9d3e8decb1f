// The metrics that a run's counts imply, in the order of the metric table.
#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "metrics/accumulator.hpp"

namespace tokenyard::metrics {
namespace {

void add_fleet(std::vector<MetricValue>& out, const RunTotals& totals) {
  const FleetChanges& changes = totals.changes;
  const auto add = [&out](const char* name, const std::optional<std::int64_t>& n) {
    if (n) out.push_back({name, static_cast<double>(*n)});
  };
  add("failures", changes.failures);
  add("scale_ups", changes.scale_ups);
  add("scale_downs", changes.scale_downs);
  const bool come_and_go = changes.failures || changes.scale_ups;
  if (!come_and_go || totals.presence.device_s <= 0.0) return;
  out.push_back({"availability", 1.0 - totals.presence.away_device_s / totals.presence.device_s});
  out.push_back({"replicas_on_mean", totals.presence.replicas_on});
}

}  // namespace

double RunAccumulator::statistic(Latency latency, Statistic which) const {
  const QuantileSketch& sketch = latencies_[static_cast<std::size_t>(latency)];
  if (sketch.count() == 0) return std::numeric_limits<double>::quiet_NaN();
  return statistic_of(sketch, which);
}

// With the unserved as infinitely late.  Gaps between tokens are those that were made.
double RunAccumulator::statistic_of_all(Latency latency, Statistic which) const {
  const QuantileSketch& sketch = latencies_[static_cast<std::size_t>(latency)];
  if (latency == Latency::itl || unserved_ == 0) return statistic(latency, which);
  if (which == Statistic::mean) return std::numeric_limits<double>::infinity();
  const auto served = static_cast<double>(sketch.count());
  const double rank = quantile_of(which) * (served + static_cast<double>(unserved_));
  return rank > served ? std::numeric_limits<double>::infinity() : sketch.quantile(rank / served);
}

std::vector<SloCheck> RunAccumulator::slo_checks(const Slo& slo) const {
  std::vector<SloCheck> checks;
  for (const SloLimit& limit : slo.limits()) {
    const double actual_s = statistic_of_all(limit.latency, limit.statistic);
    // Not a number compares false: without requests the limit is not shown to be met.
    checks.push_back({metric_name(limit.latency, limit.statistic), limit.limit_s, actual_s,
                      actual_s <= limit.limit_s});
  }
  return checks;
}

std::vector<MetricValue> RunAccumulator::metrics(const RunTotals& totals, const Slo& slo) const {
  check(totals.measured_s > 0.0, "a measured window has a length");
  std::vector<MetricValue> out;
  add_latencies(out);
  add_phases(out);
  add_throughput(out, totals, slo);
  add_requests(out, totals);
  sessions_.add_metrics(out, totals.measured_s, !slo.empty());
  add_utilisation(out, totals);
  add_transfers(out, totals);
  add_kv_tiers(out, totals);
  add_fleet(out, totals);
  add_energy(out, totals);
  return out;
}

void RunAccumulator::add_latencies(std::vector<MetricValue>& out) const {
  for (std::size_t l = 0; l < kLatencies; ++l) {
    if (latencies_[l].count() == 0) continue;
    for (std::size_t s = 0; s < kStatistics; ++s) {
      const auto latency = static_cast<Latency>(l);
      const auto which = static_cast<Statistic>(s);
      out.push_back({metric_name(latency, which), statistic(latency, which)});
    }
  }
}

void RunAccumulator::add_phases(std::vector<MetricValue>& out) const {
  const double all_s = std::accumulate(phase_s_.begin(), phase_s_.end(), 0.0);
  if (all_s <= 0.0) return;
  const auto requests =
      static_cast<double>(latencies_[static_cast<std::size_t>(Latency::e2el)].count());
  for (std::size_t p = 0; p < kPhases; ++p) {
    const std::string name = "phase_" + std::string(enum_names(Phase{})[p]);
    out.push_back({name + "_mean_s", phase_s_[p] / requests});
    out.push_back({name + "_share", phase_s_[p] / all_s});
  }
}

void RunAccumulator::add_throughput(std::vector<MetricValue>& out, const RunTotals& totals,
                                    const Slo& slo) const {
  const auto per_second = [&](std::int64_t n) {
    return static_cast<double>(n) / totals.measured_s;
  };
  const double output_rate = per_second(window_.output_tokens);
  out.push_back({"requests_per_s", per_second(window_.requests)});
  out.push_back({"input_tokens_per_s", per_second(window_.input_tokens)});
  out.push_back({"output_tokens_per_s", output_rate});
  out.push_back({"total_tokens_per_s", per_second(window_.input_tokens + window_.output_tokens)});
  if (totals.devices > 0) {
    out.push_back(
        {"output_tokens_per_s_per_device", output_rate / static_cast<double>(totals.devices)});
  }
  const double tpot_mean_s = statistic(Latency::tpot, Statistic::mean);
  if (tpot_mean_s > 0.0) out.push_back({"output_tokens_per_s_per_user", 1.0 / tpot_mean_s});
  if (!slo.empty()) add_goodput(out, totals, slo);
}

void RunAccumulator::add_goodput(std::vector<MetricValue>& out, const RunTotals& totals,
                                 const Slo& slo) const {
  const auto per_second = [&](std::int64_t n) {
    return static_cast<double>(n) / totals.measured_s;
  };
  out.push_back({"goodput_requests_per_s", per_second(window_.good_requests)});
  out.push_back({"goodput_output_tokens_per_s", per_second(window_.good_output_tokens)});
  if (judged_ > 0) {
    out.push_back({"slo_attainment", static_cast<double>(met_) / static_cast<double>(judged_)});
  }
  const std::vector<SloCheck> checks = slo_checks(slo);
  const bool all_met =
      std::all_of(checks.begin(), checks.end(), [](const SloCheck& c) { return c.met; });
  out.push_back({"slo_met", all_met ? 1.0 : 0.0});
}

void RunAccumulator::add_requests(std::vector<MetricValue>& out, const RunTotals& totals) const {
  const auto add = [&out](const char* name, std::int64_t n) {
    out.push_back({name, static_cast<double>(n)});
  };
  add("requests_finished", finished_);
  add("requests_rejected", rejected_);
  if (rejected_ > 0) {
    add("requests_rejected_context", totals.rejected_context);
    add("requests_rejected_overload", totals.rejected_overload);
    add("requests_rejected_follower",
        rejected_ - totals.rejected_context - totals.rejected_overload);
  }
  add("requests_cancelled", cancelled_);
  add("requests_abandoned", abandoned_);
  add("requests_unfinished", unfinished_);
  if (attempted_ > 0) {
    out.push_back(
        {"attempts_mean", static_cast<double>(attempts_) / static_cast<double>(attempted_)});
  }
  add("output_tokens_wasted", output_tokens_wasted_ + totals.tokens_given_up);
}

void RunAccumulator::add_utilisation(std::vector<MetricValue>& out, const RunTotals& totals) const {
  const auto add_share = [&](const char* name, double part, double whole) {
    if (whole > 0.0) out.push_back({name, part / whole});
  };
  add_share("mfu", flops_, totals.peak_flops_per_s * totals.measured_s);
  add_share("mbu", bytes_, totals.peak_bytes_per_s * totals.measured_s);
  add_share("kv_utilization", kv_block_seconds_, totals.kv_blocks * totals.measured_s);
  add_share("kv_retained_ratio", totals.kv_retained_block_s, kv_block_seconds_);
  add_share("prefix_hit_rate", static_cast<double>(window_.cached_tokens),
            static_cast<double>(window_.input_tokens));
  add_share("batch_mean", sequence_seconds_, busy_s_);
  add_share("capacity_blocked_share", capacity_blocked_s_, busy_s_);
  add_share("busy_share", busy_s_, static_cast<double>(totals.replicas) * totals.measured_s);
  out.push_back({"preemptions", static_cast<double>(window_.preemptions)});
  if (totals.model_swaps) out.push_back({"model_swaps", static_cast<double>(*totals.model_swaps)});
  if (totals.role_changes)
    out.push_back({"role_changes", static_cast<double>(*totals.role_changes)});
  if (totals.adapter_loads)
    out.push_back({"adapter_loads", static_cast<double>(*totals.adapter_loads)});
  const std::int64_t computed_tokens = window_.input_tokens - window_.cached_tokens;
  if (totals.recomputed_tokens) {
    add_share("recomputed_tokens_share", static_cast<double>(*totals.recomputed_tokens),
              static_cast<double>(computed_tokens));
  }
}

void RunAccumulator::add_transfers(std::vector<MetricValue>& out, const RunTotals& totals) const {
  const Transfers& kv = totals.transfers;
  if (kv.count == 0) return;
  const auto count = static_cast<double>(kv.count);
  out.push_back({"kv_transfer_mean_s", kv.seconds / count});
  out.push_back({"kv_transfer_wait_mean_s", kv.wait_seconds / count});
  out.push_back({"kv_transfer_bytes_per_s", kv.bytes / totals.measured_s});
}

void RunAccumulator::add_kv_tiers(std::vector<MetricValue>& out, const RunTotals& totals) const {
  if (totals.kv_tiers.empty()) return;
  double bytes_read = 0.0;
  double bytes_written = 0.0;
  const auto input_tokens = static_cast<double>(window_.input_tokens);
  const auto add_rate = [&](const std::string& tier, std::int64_t tokens) {
    if (input_tokens > 0.0)
      out.push_back({"kv_hit_rate_" + tier, static_cast<double>(tokens) / input_tokens});
  };
  add_rate("hbm", window_.cached_tokens - window_.fetched_tokens);
  for (const KvTierResult& tier : totals.kv_tiers) {
    add_rate(tier.tier, tier.hit_tokens);
    bytes_read += tier.bytes_read;
    bytes_written += tier.bytes_written;
  }
  out.push_back({"kv_tier_read_bytes_per_s", bytes_read / totals.measured_s});
  out.push_back({"kv_tier_written_bytes_per_s", bytes_written / totals.measured_s});
}

void RunAccumulator::add_energy(std::vector<MetricValue>& out, const RunTotals& totals) const {
  const auto tokens = static_cast<double>(window_.output_tokens);
  if (tokens > 0.0 && totals.facility_energy_j > 0.0) {
    out.push_back({"energy_per_output_token_j", totals.facility_energy_j / tokens});
    out.push_back({"it_energy_per_output_token_j", totals.it_energy_j / tokens});
    out.push_back({"output_tokens_per_j", tokens / totals.facility_energy_j});
  }
  out.push_back({"it_power_mean_w", totals.it_energy_j / totals.measured_s});
  out.push_back({"it_power_peak_w", totals.it_power_peak_w});
  out.push_back({"it_energy_j", totals.it_energy_j});
  out.push_back({"facility_energy_j", totals.facility_energy_j});
}

std::vector<MetricValue> inventory_metrics(const RunResult& result) {
  std::int64_t nodes = 0;
  std::int64_t devices = 0;
  for (const PoolResult& pool : result.pools) {
    nodes += pool.nodes;
    devices += pool.devices;
  }
  const FabricInventory& fabric = result.fabric;
  return {{"nodes", static_cast<double>(nodes)},
          {"devices", static_cast<double>(devices)},
          {"fabric_switches", static_cast<double>(fabric.switches)},
          {"fabric_cables", static_cast<double>(fabric.cables)},
          {"fabric_diameter_hops", static_cast<double>(fabric.diameter_hops)},
          {"fabric_bisection_bytes_per_s", fabric.bisection_bytes_per_s}};
}

}  // namespace tokenyard::metrics
