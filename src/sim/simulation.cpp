#include "sim/simulation.hpp"

#include "sim/token_gaps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>

namespace tokenyard::sim {
namespace {

constexpr std::int64_t kEventsPerProgress = 20'000;

}  // namespace

Simulation::Simulation(const scenario::Plan& plan, workload::RequestStream& stream,
                       Calendar& calendar, const metrics::FabricInventory& fabric,
                       SimulationOptions options, Fabric* network)
    : plan_(&plan),
      stream_(&stream),
      calendar_(&calendar),
      fabric_(fabric),
      options_(std::move(options)),
      slo_(plan.scenario.slo),
      source_(stream, plan.scenario.requests),
      front_end_(plan.scenario.serving.host, plan.scenario.serving.router_latency.base()),
      accumulator_(plan.scenario.warmup.base()),
      meter_(plan, plan.scenario.warmup.base()),
      network_(network),
      between_runs_(kNobody),
      store_(plan.scenario.store_requests.value_or(scenario::StoreRequests::all)),
      sampled_tokens_(plan.pools.size(), 0.0),
      in_front_by_pool_(plan.pools.size(), 0.0),
      tokens_by_pool_(plan.pools.size(), 0.0) {
  const scenario::KvCacheSpec& kv = plan.scenario.serving.kv_cache;
  if (kv.prefix_reuse && stream.block_tokens() % kv.block_tokens != 0) {
    throw InputError("serving.kv_cache.block_tokens: " + std::to_string(kv.block_tokens) +
                     " does not divide the workload's prefix blocks of " +
                     std::to_string(stream.block_tokens()) + " tokens");
  }
  build_deployments();
  build_choices();
  build_decoders();
  if (plan.scenario.serving.scheduler.admission == scenario::Admission::shortest_job_first) {
    predictions_.emplace(static_cast<std::uint64_t>(plan.scenario.seed), "predicted answers");
  }
  handoff_ = std::make_unique<Handoff>(*calendar_, network,
                                       [this](std::size_t transfer) { on_arrived(transfer); });
}

Simulation::~Simulation() = default;

metrics::RunResult Simulation::run() {
  const auto& duration = plan_->scenario.duration;
  if (duration) calendar_->at(duration->base(), *this, kStop);
  if (plan_->scenario.sample_interval.base() > 0.0) {
    // The first sample, and any other, comes after the first request.
    const double interval_s = plan_->scenario.sample_interval.base();
    const double first_s = source_.next_arrival_s();
    const double skipped = std::isfinite(first_s) ? std::floor(first_s / interval_s) : 0.0;
    calendar_->at((skipped + 1.0) * interval_s, *this, kSample);
  }
  const double warmup_s = plan_->scenario.warmup.base();
  if (warmup_s > 0.0) calendar_->at(warmup_s, *this, kWarm);
  start_faults(options_.fleet);
  start_role_switch();
  arm_arrivals();
  calendar_->run();
  if (!stopped_ && work_left())
    throw InternalError("the run ended while requests were still waiting");
  if (seen_ == 0 && !stopped_) throw InputError("workload: there is not one request in it");
  // All rejected at time 0: nothing was measured, and a window of a second says so with rates of 0.
  const double end_s = stopped_ ? duration->base() : last_event_s_ > 0.0 ? last_event_s_ : 1.0;
  if (warmup_s > 0.0 && warmup_s >= end_s) {
    throw InputError("warmup: " + to_text(plan_->scenario.warmup) +
                     " leaves nothing to measure of a run of " + to_text(seconds(end_s)));
  }
  finish_unfinished(end_s);
  const double fabric_w =
      static_cast<double>(fabric_.switches) * plan_->fabric.switches.power.value.base() +
      static_cast<double>(fabric_.cables) * plan_->fabric.cable.power.value.base();
  kv_tiers_ = account_tiers(end_s);
  meter_.finish(end_s, fabric_w);
  metrics::RunResult r = result(end_s);
  check_conservation();
  return r;
}

bool Simulation::work_left() const {
  return !source_.exhausted() || slots_.in_use() > 0;
}

void Simulation::wake(std::size_t what) {
  switch (what) {
    case kArrivals:
      arrival_timer_ = nullptr;
      on_arrivals();
      break;
    case kReady:
      ready_timer_ = nullptr;
      on_ready();
      break;
    case kSample:
      on_sample();
      break;
    case kWarm:
      cut_runs_at_warmup();
      break;
    case kStop:
      stop_at_duration();
      break;
    case kAppointments:
      appointment_timer_ = nullptr;
      on_appointments();
      break;
    case kFault:
      on_fault();
      break;
    case kScale:
      on_scale();
      break;
    case kRoles:
      on_roles();
      break;
    default:
      wake_server(what - kFirstServer);
  }
}

void Simulation::arm_arrivals() {
  const double next_s = source_.next_arrival_s();
  if (arrival_timer_ != nullptr) {
    if (next_s == arrival_armed_s_) return;
    calendar_->cancel(arrival_timer_);
    arrival_timer_ = nullptr;
  }
  if (!std::isfinite(next_s)) return;
  arrival_armed_s_ = next_s;
  arrival_timer_ = calendar_->at(next_s, *this, kArrivals);
}

void Simulation::on_arrivals() {
  if (stopped_) return;
  const double now_s = arrival_armed_s_;
  workload::Request request;
  while (source_.take_due(now_s, request)) arrive(std::move(request), now_s);
  begin_touched(now_s);
  arm_arrivals();
}

// Replicas start after all arrivals of the same moment are in, so that these share the first batch.
void Simulation::begin_touched(double now_s) {
  // More of them may come while these begin; some may have begun already.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (servers_[touched_[i]]->replica.idle()) begin(touched_[i], now_s);
  }
  touched_.clear();
}

void Simulation::arrive(workload::Request request, double now_s) {
  ++seen_;
  ++events_;
  last_event_s_ = std::max(last_event_s_, now_s);
  const Chosen chosen = choose(request, 0, false);
  if (chosen.nobody() && choose(request, 0, true).nobody()) {
    reject(request, now_s, rejected_context_);
    return;
  }
  const scenario::Overload overload = plan_->scenario.serving.overload.policy;
  const bool late =
      overload != scenario::Overload::accept && !chosen.nobody() && too_late(chosen, request);
  if (late && overload == scenario::Overload::reject) {
    reject(request, now_s, rejected_overload_);
    return;
  }
  rejected_in_a_row_ = 0;
  littles_law_.enter(now_s);
  const serving::Handle handle = slots_.add();
  if (in_flight_.size() <= static_cast<std::size_t>(handle))
    in_flight_.resize(static_cast<std::size_t>(handle) + 1);
  in_flight_[static_cast<std::size_t>(handle)] = 1;
  serving::ActiveRequest& r = slots_[handle];
  r.request = std::move(request);
  r.arrival_s = now_s;
  r.phase_since_s = now_s;
  r.deferred = late;
  rank(r);
  appoint(r, handle, now_s);
  if (r.request.group >= 0) samples_of_group_[r.request.group].members.push_back(handle);
  go(handle, chosen, now_s);
}

// What its place in line depends on.
void Simulation::rank(serving::ActiveRequest& r) {
  const scenario::SchedulerSpec& scheduler = plan_->scenario.serving.scheduler;
  if (!scheduler.priorities.empty()) {
    const auto found =
        scheduler.priorities.find(stream_->classes()[static_cast<std::size_t>(r.request.class_id)]);
    if (found != scheduler.priorities.end()) r.priority = found->second;
  }
  if (!predictions_) return;
  const double error = std::exp(predictions_->normal(0.0, scheduler.length_error));
  r.predicted_tokens = std::llround(error * static_cast<double>(r.request.output_tokens));
}

// Wakes of replicas: see Wake.
void Simulation::wake_server(std::size_t number) {
  const std::size_t s = number % servers_.size();
  switch (number / servers_.size()) {
    case kRunEnds:
      servers_[s]->timer = nullptr;
      on_run_end(s);
      break;
    case kCondition:
      on_condition(s);
      break;
    case kLoaded:
      on_loaded(s);
      break;
    case kSwapped:
      on_swapped(s);
      break;
    case kResidenceOver:
      on_residence_over(s);
      break;
    case kAdapter:
      on_adapter(s);
      break;
    case kRankBack:
      on_rank_back(s);
      break;
    default:
      on_prefetched(number - kServerWakes * servers_.size());
  }
}

void Simulation::arm(std::size_t s) {
  Server& server = *servers_[s];
  const double end_s = server.replica.run_end();
  if (server.timer != nullptr) {
    if (server.armed_s == end_s) return;
    calendar_->cancel(server.timer);
    server.timer = nullptr;
  }
  if (server.replica.idle()) return;
  server.armed_s = end_s;
  server.timer = calendar_->at(end_s, *this, wake_of(kRunEnds, s));
}

void Simulation::begin(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  if (server.slot != nullptr) {
    settle(*server.slot, now_s);
    if (!is_loaded(s) || server.slot->loading) return;
  }
  if (server.rests) account_resting(server, now_s);
  if (server.bus != nullptr && server.role == scenario::Role::decode) take_over(s, now_s);
  server.replica.begin_run(now_s);
  server.rests = server.replica.idle();
  server.rests_since_s = now_s;
  if (server.replica.idle()) {
    meter_.on_idle(server.metered, now_s, idle_cause(server));
    when_drained(s, now_s);
  } else {
    meter_.on_begin(server.metered, now_s, server.replica.run_cost(),
                    server.replica.run_end() - now_s);
    arm(s);
  }
  if (server.bus != nullptr) share_bus(s, now_s);
  bring_reserved(s);
  if (plan_->scenario.serving.handoff.layer_pipelined) {
    open_promised(s, now_s);
    send_layers(s, now_s);
  }
  for (const serving::Handle handle : server.replica.take_newcomers()) prefetch(handle, s);
  bring_adapters(s, now_s);
}

void Simulation::on_run_end(std::size_t s) {
  if (stopped_) return;
  ++events_;
  Server& server = *servers_[s];
  const double now_s = server.armed_s;
  last_event_s_ = std::max(last_event_s_, now_s);
  const std::vector<serving::Handle>& finished = server.replica.end_run();
  account(server, server.replica.report());
  // What arrives at this very moment, released by these completions or not, may join the next
  // batch.
  between_runs_ = s;
  bool news = !finished.empty() || !server.replica.left().empty();
  take_left(server, now_s);
  for (const serving::Handle handle : finished) complete(handle, now_s);
  for (const serving::Handle handle : server.replica.sent()) send_on(handle, now_s);
  workload::Request request;
  while (source_.take_due(now_s, request)) {
    arrive(std::move(request), now_s);
    news = true;
  }
  between_runs_ = kNobody;
  begin(s, now_s);
  begin_touched(now_s);
  if (news) arm_arrivals();
  if (options_.on_progress && events_ % kEventsPerProgress == 0)
    options_.on_progress({now_s, done_});
}

void Simulation::account(Server& server, const serving::RunReport& report) {
  const std::int64_t tokens = report.decode_tokens + report.first_tokens;
  tokens_produced_ += tokens;
  server.busy_s += report.end_s - report.start_s;
  tokens_by_pool_[server.deployment->pool] += static_cast<double>(tokens);
  if (server.straddling) {
    account_steps(
        server,
        {server.straddling->start_s, report.end_s, report.sequences, report.capacity_blocked},
        server.straddling->cost, server.straddling->decode_s);
    accumulator_.on_kv_held(server.straddling->start_s, report.end_s, report.kv_blocks_last);
    server.straddling.reset();
  } else {
    account_steps(server, {report.start_s, report.end_s, report.sequences, report.capacity_blocked},
                  report.cost, report.decode_s);
    accumulator_.on_kv_held(report.start_s, report.end_s, report.kv_blocks);
  }
  record_gaps(report, accumulator_);
}

void Simulation::account_steps(Server& server, const Steps& steps, const perf::StepCost& cost,
                               double decode_s) {
  using perf::Work;
  meter_.on_run(server.metered, steps.start_s, steps.end_s, cost, decode_s);
  const auto devices = static_cast<double>(server.deployment->plan_of->devices_per_replica);
  accumulator_.on_steps({.start_s = steps.start_s,
                         .end_s = steps.end_s,
                         .sequences = static_cast<double>(steps.sequences),
                         .replicas = server.bus != nullptr ? 0.5 : 1.0,
                         .flops = devices * server.deployment->model.flops(cost),
                         .bytes = devices * (cost[Work::bytes_weights] + cost[Work::bytes_kv]),
                         .capacity_blocked = steps.capacity_blocked});
}

void Simulation::complete(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  r.enter(r.phase, now_s);
  metrics::RequestRow row = row_of(r);
  row.finished_s = now_s;
  row.status = metrics::RequestStatus::finished;
  check(r.produced == r.request.output_tokens, "a finished request lacks tokens");
  tokens_accounted_ += r.produced;
  accumulator_.on_finished(row, slo_);
  count_recomputed(r, now_s);
  if (autoscaler_) autoscaler_->on_finished(r.deployment, row.first_token_s - row.arrival_s);
  littles_law_.leave(now_s, r.arrival_s);
  ++done_;
  emit(row);
  forget_routing(r);
  const bool awaited = source_.on_finished(row.id, now_s);
  const bool is_first = r.request.group < 0 || !samples_of_group_.at(r.request.group).decided;
  if (row.session >= 0 && is_first) note_session(row, !awaited);
  if (r.request.group >= 0) cancel_losers(r.request, now_s);
  vacate(handle);
}

void Simulation::count_recomputed(const serving::ActiveRequest& r, double now_s) {
  if (r.request.session < 0 && r.request.prefix.empty()) return;
  if (!computed_before_) computed_before_.emplace(stream_->block_tokens());
  const std::int64_t before = computed_before_->note(r.request);
  if (now_s >= plan_->scenario.warmup.base())
    recomputed_tokens_ +=
        std::max<std::int64_t>(0, before - std::max<std::int64_t>(0, r.cached_tokens));
}

}  // namespace tokenyard::sim
