// The end of a run: what is unfinished, the conservation laws, the result.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

// Requests still in the system at the end, and the part of the runs under way that has been done.
void Simulation::finish_unfinished(double end_s) {
  littles_law_.end(end_s);
  for (auto& server : servers_) {
    if (server->replica.idle()) continue;
    const double start_s = server->replica.run_begin();
    const double share = (end_s - start_s) / (server->replica.run_end() - start_s);
    perf::StepCost part;
    part.add(server->replica.run_cost(), share);
    meter_.on_run(server->metered, start_s, end_s, part, share * server->replica.run_decode_s());
  }
  for (std::size_t h = 0; h < in_flight_.size(); ++h) {
    if (in_flight_[h] == 0) continue;
    serving::ActiveRequest& r = slots_[static_cast<serving::Handle>(h)];
    if (r.decoding)
      r.produced = servers_[static_cast<std::size_t>(r.replica)]->replica.produced_by(r);
    tokens_accounted_ += r.produced;
    metrics::RequestRow row = row_of(r);
    accumulator_.on_unfinished(row, end_s, slo_);
    littles_law_.remains(r.arrival_s);
    emit(row);
  }
}

void Simulation::check_conservation() const {
  const std::int64_t unfinished = accumulator_.unfinished();
  check(seen_ == accumulator_.finished() + accumulator_.rejected() + unfinished,
        "requests released differ from finished + rejected + unfinished");
  check(tokens_produced_ == tokens_accounted_, "tokens produced differ from tokens of requests");
  check(littles_law_.relative_error() < 1e-9, "Little's law does not hold");
  if (unfinished > 0) return;
  for (const auto& server : servers_) {
    serving::KvCache& kv = server->replica.kv();
    check(kv.private_blocks() == 0, "KV blocks are still held after the last request");
    kv.clear_cached();
    check(kv.free() == kv.total(), "KV blocks did not return");
  }
}

metrics::RunResult Simulation::result(double end_s) {
  metrics::RunResult r;
  r.simulated_s = end_s;
  r.measured_s = std::max(0.0, end_s - plan_->scenario.warmup.base());
  r.requests_seen = seen_;
  r.requests_finished = accumulator_.finished();
  r.requests_rejected = accumulator_.rejected();
  r.requests_unfinished = accumulator_.unfinished();
  r.skipped_lines = stream_->skipped_lines();
  r.events = events_;
  r.requests = std::move(rows_);
  r.samples = std::move(samples_);
  r.pools = meter_.take_pools();
  r.classes = stream_->classes();
  r.fabric = fabric_;
  r.request_digest = digest_.hex();
  metrics::RunTotals totals;
  totals.measured_s = r.measured_s;
  totals.devices = plan_->device_count();
  totals.replicas = static_cast<std::int64_t>(servers_.size());
  for (const auto& d : deployments_) {
    const auto devices =
        static_cast<double>(d->plan_of->devices_per_replica * d->plan_of->replicas);
    totals.peak_flops_per_s += devices * d->model.peak_flops_per_s();
    totals.peak_bytes_per_s += devices * d->model.peak_bytes_per_s();
    totals.kv_blocks += static_cast<double>(d->model.placement().kv_blocks * d->plan_of->replicas);
    r.deployments.push_back({plan_->pools[d->pool].name, d->plan_of->model.name});
  }
  totals.it_energy_j = meter_.it_energy_j();
  totals.facility_energy_j = meter_.facility_energy_j();
  totals.it_power_peak_w = meter_.it_power_peak_w();
  r.metrics = accumulator_.metrics(totals, slo_);
  r.slo_checks = accumulator_.slo_checks(slo_);
  for (const metrics::PoolResult& pool : r.pools) {
    double sum = 0.0;
    for (const double s : pool.device_seconds) sum += s;
    const double wall = static_cast<double>(pool.devices) * r.measured_s;
    check(std::abs(sum - wall) <= 1e-9 * std::max(1.0, wall),
          "device seconds by cause differ from the wall time");
  }
  if (stream_->names_sessions()) {
    std::vector<std::int64_t> sessions;
    for (const metrics::RequestRow& row : r.requests) {
      if (row.session >= 0) sessions.push_back(row.session);
    }
    std::sort(sessions.begin(), sessions.end());
    sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
    for (const std::int64_t session : sessions)
      r.session_names.emplace_back(session, stream_->session_name(session));
  }
  return r;
}

}  // namespace tokenyard::sim
