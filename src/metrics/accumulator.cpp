#include "metrics/accumulator.hpp"

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
    window_.fetched_tokens += row.fetched_tokens;
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
  for (std::size_t p = 0; p < kPhases; ++p) phase_s_[p] += row.phase_s[p];
  attempts_ += row.attempts;
  ++attempted_;
  sessions_.on_finished_request(row, latency.ttft_s);
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

void RunAccumulator::on_cancelled(const RequestRow& row) {
  check(row.status == RequestStatus::cancelled, "a request counted as cancelled was cancelled");
  ++cancelled_;
  output_tokens_wasted_ += row.output_tokens;
}

void RunAccumulator::on_abandoned(const RequestRow& row) {
  check(row.status == RequestStatus::abandoned, "a request counted as abandoned was abandoned");
  ++abandoned_;
  output_tokens_wasted_ += row.output_tokens;
  if (row.arrival_s < warmup_s_) return;
  ++judged_;
  ++unserved_;
  if (row.attempts == 0) return;
  attempts_ += row.attempts;
  ++attempted_;
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
  const double busy_s = share * span.replicas * (span.end_s - span.start_s);
  busy_s_ += busy_s;
  sequence_seconds_ += span.sequences * busy_s;
  flops_ += share * span.flops;
  bytes_ += share * span.bytes;
  if (span.capacity_blocked) capacity_blocked_s_ += busy_s;
}

void RunAccumulator::on_kv_held(double start_s, double end_s, double blocks) {
  kv_block_seconds_ += share_in_window(start_s, end_s) * (end_s - start_s) * blocks;
}

}  // namespace tokenyard::metrics
