#include "metrics/accumulator.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace tokenyard::metrics {

void RunAccumulator::on_finished(const RequestRow& row, const Slo& slo) {
  check(row.status == RequestStatus::finished, "a request counted as finished has finished");
  ++finished_;
  const RequestLatency latency = latency_of(row);
  const bool met = slo.met_by(latency);
  if (row.finished_s >= warmup_s_) {
    ++window_.requests;
    window_.preemptions += row.preemptions;
    window_.input_tokens += row.input_tokens;
    window_.cached_tokens += row.cached_tokens;
    window_.output_tokens += row.output_tokens;
    if (met) {
      ++window_.good_requests;
      window_.good_output_tokens += row.output_tokens;
    }
  }
  if (row.arrival_s < warmup_s_) return;
  ++judged_;
  if (met) ++met_;
  const auto add = [&](Latency which, double value_s) {
    latencies_[static_cast<std::size_t>(which)].add(value_s);
  };
  add(Latency::ttft, latency.ttft_s);
  add(Latency::e2el, latency.e2el_s);
  add(Latency::queue, latency.queue_s);
  if (latency.tpot_s >= 0.0) add(Latency::tpot, latency.tpot_s);
}

void RunAccumulator::on_rejected(const RequestRow& row) {
  check(row.status == RequestStatus::rejected, "a request counted as rejected was rejected");
  ++rejected_;
  if (row.arrival_s < warmup_s_) return;
  ++judged_;
  ++unserved_;
}

void RunAccumulator::on_unfinished(const RequestRow& row, double end_s, const Slo& slo) {
  check(row.status == RequestStatus::unfinished,
        "a request counted as unfinished has not finished");
  ++unfinished_;
  if (row.arrival_s < warmup_s_ || !slo.broken_by(row, end_s)) return;
  ++judged_;
  ++unserved_;
}

void RunAccumulator::on_gap_run(const GapRun& run) {
  if (run.start_s < warmup_s_) return;
  latencies_[static_cast<std::size_t>(Latency::itl)].add_range(run.first_gap_s, run.last_gap_s,
                                                               run.steps, run.sequences);
}

double RunAccumulator::share_in_window(double start_s, double end_s) const {
  if (start_s >= warmup_s_) return 1.0;
  if (end_s <= warmup_s_) return 0.0;
  return (end_s - warmup_s_) / (end_s - start_s);
}

void RunAccumulator::on_steps(const StepSpan& span) {
  const double share = share_in_window(span.start_s, span.end_s);
  const double busy_s = share * (span.end_s - span.start_s);
  busy_s_ += busy_s;
  sequence_seconds_ += span.sequences * busy_s;
  flops_ += share * span.flops;
  bytes_ += share * span.bytes;
  if (span.capacity_blocked) capacity_blocked_s_ += busy_s;
}

void RunAccumulator::on_kv_held(double start_s, double end_s, double blocks) {
  kv_block_seconds_ += share_in_window(start_s, end_s) * (end_s - start_s) * blocks;
}

double RunAccumulator::statistic(Latency latency, Statistic which) const {
  const QuantileSketch& sketch = latencies_[static_cast<std::size_t>(latency)];
  if (sketch.count() == 0) return std::numeric_limits<double>::quiet_NaN();
  return which == Statistic::mean ? sketch.mean() : sketch.quantile(quantile_of(which));
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
  add_throughput(out, totals, slo);
  add_utilisation(out, totals);
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
  if (!slo.empty()) {
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
  out.push_back({"requests_finished", static_cast<double>(finished_)});
  out.push_back({"requests_rejected", static_cast<double>(rejected_)});
  out.push_back({"requests_unfinished", static_cast<double>(unfinished_)});
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
  const Transfers& kv = totals.transfers;
  if (kv.count == 0) return;
  const auto count = static_cast<double>(kv.count);
  out.push_back({"kv_transfer_mean_s", kv.seconds / count});
  out.push_back({"kv_transfer_wait_mean_s", kv.wait_seconds / count});
  out.push_back({"kv_transfer_bytes_per_s", kv.bytes / totals.measured_s});
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
