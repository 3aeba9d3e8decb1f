#pragma once
// Turns what happens during a run into its metrics, in a memory that does not grow with the run.
//
// The measured window is from the end of the warm-up to the end of the run.  Two sets of requests
// matter, as the field's benchmarks have it:
//   - throughput, hit rate, preemptions and goodput count the requests that FINISHED in the window,
//     with all their tokens, and divide by the window's length;
//   - latencies and attainment describe the requests that ARRIVED in the window, so that none is
//     measured that the empty system of the beginning served; of these, the ones still unfinished
//     at the end have no latency but count as missed when they have already broken a limit or have
//     no token yet.  A request whose client left was not served: it counts as missed, as a rejected
//     one does.  A sample that was cancelled because another of its group was first counts neither
//     way: what its client wanted is the group's answer, whose latency is the winner's.
// A percentile of the SLO is checked over all that were judged: what was rejected or missed without
// a latency is later than any limit, so a fleet that serves few requests fast does not meet its SLO.
// What goes on between two moments (steps, KV blocks held) counts with the share of it that lies in
// the window.
//
// Worked example: warm-up 10 s, end 20 s, three requests of 50 output tokens each: A arrives at 5 s
// and finishes at 12 s, B arrives at 11 s and finishes at 15 s, C arrives at 19 s and is
// unfinished. requests_per_s = 2 / 10 s = 0.2 /s, output_tokens_per_s = 100 / 10 s = 10 /s, and the
// latencies are those of B alone.
#include <array>
#include <cstdint>
#include <vector>

#include "metrics/latency.hpp"
#include "metrics/quantile_sketch.hpp"
#include "metrics/run_result.hpp"
#include "metrics/run_totals.hpp"
#include "metrics/sessions.hpp"
#include "metrics/slo.hpp"

namespace tokenyard::metrics {

// Gaps between tokens in a run of steps: from first_gap_s to last_gap_s in even increments, one gap
// a step for each of `sequences` requests.
struct GapRun {
  double start_s =
      0.0;  // when the run begins; runs that begin before the warm-up's end are left out
  double first_gap_s = 0.0;
  double last_gap_s = 0.0;
  std::int64_t steps = 1;
  std::int64_t sequences = 1;
};

// A run of steps of one replica: what it did between start_s and end_s in all.
struct StepSpan {
  double start_s = 0.0;
  double end_s = 0.0;
  double sequences = 0.0;         // in the batch
  double replicas = 1.0;          // that it keeps busy: half of one, of two engines that work apart
  double flops = 0.0;             // of the model, over the replica's devices
  double bytes = 0.0;             // weights and KV that had to move
  bool capacity_blocked = false;  // the next request in line did not fit the KV cache
};

class RunAccumulator {
 public:
  explicit RunAccumulator(double warmup_s) : warmup_s_(warmup_s), sessions_(warmup_s) {}

  // Contract: each request comes once, with the status that the function's name says.
  void on_finished(const RequestRow& row, const Slo& slo);
  void on_rejected(const RequestRow& row);
  void on_unfinished(const RequestRow& row, double end_s, const Slo& slo);
  void on_cancelled(const RequestRow& row);
  void on_abandoned(const RequestRow& row);
  // A session has ended; or is lost with this request, for which nothing stands in.
  void on_session(const SessionRow& session) { sessions_.on_session(session); }
  void on_session_lost(const RequestRow& row) { sessions_.on_lost_request(row); }

  void on_gap_run(const GapRun& run);
  void on_steps(const StepSpan& span);
  // A replica held so many KV blocks from start_s to end_s.
  void on_kv_held(double start_s, double end_s, double blocks);

  [[nodiscard]] std::int64_t finished() const { return finished_; }
  [[nodiscard]] std::int64_t rejected() const { return rejected_; }
  [[nodiscard]] std::int64_t unfinished() const { return unfinished_; }
  [[nodiscard]] std::int64_t cancelled() const { return cancelled_; }
  [[nodiscard]] std::int64_t abandoned() const { return abandoned_; }

  // Every metric that is defined, in the order of the metric table: without finished requests there
  // are no latencies, without an SLO no attainment, without a capacity no utilisation of it.
  [[nodiscard]] std::vector<MetricValue> metrics(const RunTotals& totals, const Slo& slo) const;

  // The stated percentiles against their limits; those without a value (no request) are not met.
  [[nodiscard]] std::vector<SloCheck> slo_checks(const Slo& slo) const;

 private:
  [[nodiscard]] double share_in_window(double start_s, double end_s) const;
  [[nodiscard]] double statistic(Latency latency, Statistic statistic) const;
  [[nodiscard]] double statistic_of_all(Latency latency, Statistic statistic) const;
  void add_latencies(std::vector<MetricValue>& out) const;
  void add_phases(std::vector<MetricValue>& out) const;
  void add_throughput(std::vector<MetricValue>& out, const RunTotals& totals, const Slo& slo) const;
  void add_goodput(std::vector<MetricValue>& out, const RunTotals& totals, const Slo& slo) const;
  void add_requests(std::vector<MetricValue>& out, const RunTotals& totals) const;
  void add_utilisation(std::vector<MetricValue>& out, const RunTotals& totals) const;
  void add_transfers(std::vector<MetricValue>& out, const RunTotals& totals) const;
  void add_kv_tiers(std::vector<MetricValue>& out, const RunTotals& totals) const;
  void add_energy(std::vector<MetricValue>& out, const RunTotals& totals) const;

  double warmup_s_;
  std::array<QuantileSketch, kLatencies> latencies_;  // indexed by Latency
  PhaseSeconds phase_s_{};                            // of all requests that the latencies describe
  SessionStatistics sessions_;

  std::int64_t finished_ = 0, rejected_ = 0, unfinished_ = 0;  // of the whole run
  std::int64_t cancelled_ = 0, abandoned_ = 0;
  std::int64_t output_tokens_wasted_ = 0;  // of the cancelled and abandoned

  struct Window {  // of the requests finished in the measured window
    std::int64_t requests = 0, good_requests = 0, preemptions = 0;
    std::int64_t input_tokens = 0, cached_tokens = 0, fetched_tokens = 0;
    std::int64_t output_tokens = 0, good_output_tokens = 0;
  };
  Window window_;
  std::int64_t judged_ = 0, met_ = 0;  // of the requests that arrived in the measured window
  std::int64_t unserved_ = 0;          // of these, rejected, abandoned or missed without a latency
  std::int64_t attempts_ = 0, attempted_ = 0;  // ... by requests that finished or were abandoned

  double busy_s_ = 0.0;            // of replicas
  double sequence_seconds_ = 0.0;  // batch integrated over busy time
  double flops_ = 0.0;
  double bytes_ = 0.0;
  double kv_block_seconds_ = 0.0;
  double capacity_blocked_s_ = 0.0;
};

// Metrics that a finished result implies: sizes of the fleet and of its network.
std::vector<MetricValue> inventory_metrics(const RunResult& result);

}  // namespace tokenyard::metrics
