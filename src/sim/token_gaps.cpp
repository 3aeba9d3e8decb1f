#include "sim/token_gaps.hpp"

namespace tokenyard::sim {
namespace {

// One gap of that length for each of `sequences` requests.
metrics::GapRun single(const serving::RunReport& report, double gap_s, std::int64_t sequences) {
  return {report.start_s, gap_s, gap_s, 1, sequences};
}

// The first step's gaps are longer for the sequences that had stalled before it.
void record_after_stall(const serving::RunReport& report, metrics::RunAccumulator& accumulator) {
  std::int64_t stalled = 0;
  for (const serving::RunReport::Stall& stall : report.stalls) {
    stalled += stall.sequences;
    accumulator.on_gap_run(single(report, report.first_gap_s + stall.seconds, stall.sequences));
  }
  if (report.decoding > stalled) {
    accumulator.on_gap_run(single(report, report.first_gap_s, report.decoding - stalled));
  }
  if (report.steps == 1) return;
  const double growth_s =
      (report.last_gap_s - report.first_gap_s) / static_cast<double>(report.steps - 1);
  accumulator.on_gap_run({report.start_s, report.first_gap_s + growth_s, report.last_gap_s,
                          report.steps - 1, report.decoding});
}

}  // namespace

void record_gaps(const serving::RunReport& report, metrics::RunAccumulator& accumulator) {
  for (const double gap_s : report.resumed_gaps_s) accumulator.on_gap_run(single(report, gap_s, 1));
  if (report.decoding == 0) return;
  const std::int64_t together = report.decode_tokens - report.steps * report.decoding;
  if (together > 0) accumulator.on_gap_run(single(report, 0.0, together));
  if (!report.step_s.empty()) {
    for (const double step_s : report.step_s) {
      accumulator.on_gap_run(single(report, step_s, report.decoding));
    }
  } else if (report.stalls.empty()) {
    accumulator.on_gap_run(
        {report.start_s, report.first_gap_s, report.last_gap_s, report.steps, report.decoding});
  } else {
    record_after_stall(report, accumulator);
  }
}

}  // namespace tokenyard::sim
