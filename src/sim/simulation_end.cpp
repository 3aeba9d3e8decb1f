// The ends of the warm-up and of a run: what is unfinished, the conservation laws, the result.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

// A run that began in the warm-up ends with the step that its end falls into, and of that run only
// this step counts: what is measured does not depend on how steps are put together.
void Simulation::cut_runs_at_warmup() {
  const double now_s = plan_->scenario.warmup.base();
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    Server& server = *servers_[s];
    if (server.replica.idle()) continue;
    const serving::Replica::StepUnderWay step = server.replica.step_under_way(now_s);
    server.replica.end_at_boundary(now_s);
    if (server.replica.run_end() > now_s) server.straddling = step;
    arm(s);
  }
}

void Simulation::stop_at_duration() {
  // A workload that ended before has nothing left to cut off; its run ends with its last event.
  stopped_ = work_left();
}

// What the runs under way have done, and the requests still in the system.
void Simulation::finish_unfinished(double end_s) {
  littles_law_.end(end_s);
  for (auto& server : servers_) {
    if (server->rests) account_resting(*server, end_s);
    if (!server->replica.idle()) abort_run(*server, end_s);
  }
  for (std::size_t h = 0; h < in_flight_.size(); ++h) {
    if (in_flight_[h] == 0) continue;
    const auto handle = static_cast<serving::Handle>(h);
    serving::ActiveRequest& r = slots_[handle];
    if (r.stage == serving::Stage::decoding)
      r.produced = servers_[static_cast<std::size_t>(r.replica)]->replica.produced_by(handle);
    tokens_accounted_ += r.produced;
    metrics::RequestRow row = row_of(r);
    accumulator_.on_unfinished(row, end_s, slo_);
    littles_law_.remains(r.arrival_s);
    emit(row);
  }
}

// The run under way is cut: its whole steps count in full, the step that end_s falls into with its time
// alone.  Returns when that step began.
double Simulation::abort_run(Server& server, double end_s) {
  serving::Replica& replica = server.replica;
  const serving::Replica::StepUnderWay last = replica.stop(end_s);
  if (last.whole_steps > 0) {
    check(replica.end_run().empty(), "a request finished within a run");
    account(server, replica.report());
  }
  const double share = (end_s - last.start_s) / (last.end_s - last.start_s);
  perf::StepCost part;
  part.add(last.cost, share);
  account_steps(server, {.start_s = last.start_s, .end_s = end_s, .sequences = last.sequences},
                part, share * last.decode_s);
  const serving::KvCache& kv = replica.kv();
  accumulator_.on_kv_held(last.start_s, end_s, static_cast<double>(kv.total() - kv.available()));
  return last.start_s;
}

void Simulation::check_conservation() const {
  const std::int64_t unfinished = accumulator_.unfinished();
  check(seen_ == accumulator_.finished() + accumulator_.rejected() + accumulator_.cancelled() +
                     accumulator_.abandoned() + unfinished,
        "requests released differ from those that ended and those that have not");
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
  r.requests_cancelled = accumulator_.cancelled();
  r.requests_abandoned = accumulator_.abandoned();
  r.requests_unfinished = accumulator_.unfinished();
  r.skipped_lines = stream_->skipped_lines();
  r.events = events_;
  r.requests = std::move(rows_);
  r.samples = std::move(samples_);
  r.pools = meter_.take_pools();
  r.kv_tiers = std::move(kv_tiers_);
  r.classes = stream_->classes();
  r.tenants = stream_->tenants();
  r.fabric = fabric_;
  r.request_digest = digest_.hex();
  metrics::RunTotals totals;
  totals.measured_s = r.measured_s;
  totals.devices = plan_->device_count();
  for (const metrics::PoolResult& pool : r.pools) totals.replicas += pool.replicas;
  if (!slots_of_models_.empty()) totals.model_swaps = model_swaps_;
  if (plan_->scenario.serving.role_switch) totals.role_changes = role_changes_;
  const auto has_adapters = [](const auto& d) { return d->model.adapters() > 0; };
  if (std::any_of(deployments_.begin(), deployments_.end(), has_adapters))
    totals.adapter_loads = adapter_loads_;
  for (const auto& d : deployments_) {
    // Of devices that several models share, the mean of theirs.
    const scenario::PoolPlan& pool = plan_->pools[d->pool];
    const double share = pool.sharing ? 1.0 / static_cast<double>(pool.deployments.size()) : 1.0;
    const double replicas = share * static_cast<double>(d->plan_of->replicas);
    const double devices = replicas * static_cast<double>(d->plan_of->devices_per_replica);
    totals.peak_flops_per_s += devices * d->model.peak_flops_per_s();
    // Two engines that work apart read over one bus.
    if (d->plan_of->side != scenario::EngineSide::decoding)
      totals.peak_bytes_per_s += devices * d->model.peak_bytes_per_s();
    totals.kv_blocks += replicas * static_cast<double>(d->model.placement().kv_blocks);
    r.deployments.push_back({plan_->pools[d->pool].name, d->plan_of->model.name});
  }
  for (const auto& server : servers_)
    totals.kv_retained_block_s += server->replica.kv().retained_block_s(end_s);
  totals.transfers = transfers_;
  if (computed_before_) totals.recomputed_tokens = recomputed_tokens_;
  totals.it_energy_j = meter_.it_energy_j();
  totals.facility_energy_j = meter_.facility_energy_j();
  totals.it_power_peak_w = meter_.it_power_peak_w();
  totals.rejected_context = rejected_context_;
  totals.rejected_overload = rejected_overload_;
  totals.tokens_given_up = tokens_given_up_;
  totals.kv_tiers = r.kv_tiers;
  if (faults_) totals.changes.failures = failures_;
  if (autoscaler_) {
    totals.changes.scale_ups = scale_ups_;
    totals.changes.scale_downs = scale_downs_;
  }
  totals.presence = metrics::presence_of(r.pools, r.measured_s);
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
