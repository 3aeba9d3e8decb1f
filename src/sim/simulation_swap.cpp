// Models that share devices: which one is loaded, and when another one takes its place.
//
// A replica of each model stands on the same devices, its slot; the weights of one of them are there.
// Requests for the others wait in line.  The model whose requests have waited longest is next:
//
//   at once         when the loaded one has no requests
//   residence       when the loaded one was there for its min_residence (by itself ten times as long as
//                   it took to load, so that no more than one part in eleven of the time is loading): it
//                   takes nothing new out of its line and finishes what runs first
//
// Its KV cache is dropped, prefixes and histories included, and the slot waits for the weights of the
// other (perf/parking.hpp says from where).  At the start slot i has model i of the list, and again from
// the first one on.
//
// A request goes where the router says, if the weights are there; else to the least loaded of the replicas
// that have them, while one of these has less than a full batch outstanding; else to the slot that has the
// least to do in all.
//
// Worked example: two models of 8 GB on one device, parked in DDR at 200 GB/s (40 ms, so a residence of
// 0.4 s).  The first one answers a request of 1,000 + 100 tokens from 0 s to 0.86 s.  A request for the
// second one comes at 0.1 s: from 0.4 s on the first takes nothing new, at 0.86 s it is done, at 0.90 s the
// second begins.
//
// Leaves out: models loaded layer by layer while the first layers compute, two models at once where both
// would fit, KV caches that are kept for a model's return, and prefetching.
// Sources: Prabhakar et al., "SambaNova SN40L", 2024 (composition of experts, switched from DDR); Fu et
// al., "ServerlessLLM", OSDI 2024 (loading times by tier).
#include <algorithm>

#include "perf/parking.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::sim {

namespace {

constexpr double kResidencePerLoad = 10.0;

}  // namespace

// The slots of a pool whose replicas are the last ones, deployment by deployment.
void Simulation::build_slots(std::size_t pool_index) {
  const scenario::PoolPlan& pool = plan_->pools[pool_index];
  const std::size_t models = pool.deployments.size();
  const auto each = static_cast<std::size_t>(pool.deployments.front().replicas);
  const std::size_t first = servers_.size() - models * each;
  const perf::Parking parking = perf::park_models(pool, plan_->scenario.serving);
  check(parking.problem.empty(), "models that share devices have no place");
  for (std::size_t i = 0; i < each; ++i) {
    Slot& slot = *slots_of_models_.emplace_back(std::make_unique<Slot>());
    for (std::size_t m = 0; m < models; ++m) {
      const std::size_t s = first + m * each + i;
      Server& server = *servers_[s];
      const double load_s = parking.load_s(server.deployment->model.placement());
      const auto& stated = pool.sharing->min_residence;
      slot.models.push_back({s, load_s, stated ? stated->base() : kResidencePerLoad * load_s});
      server.slot = &slot;
      server.replica.set_admitting(0.0, false);
    }
    slot.loaded = i % models;
    Server& there = *servers_[slot.current().server];
    there.replica.set_admitting(0.0, true);
    meter_.set_power(there.metered, there.deployment->power);
    slot.until_s = slot.current().residence_s;
  }
}

bool Simulation::is_loaded(std::size_t s) const {
  const Slot* slot = servers_[s]->slot;
  return slot == nullptr || slot->current().server == s;
}

// Of the models that are not there, the one whose requests have waited longest; kNobody: none waits.
std::size_t Simulation::longest_waiting(const Slot& slot) const {
  std::size_t next = kNobody;
  for (std::size_t m = 0; m < slot.models.size(); ++m) {
    const Server& server = *servers_[slot.models[m].server];
    if (m == slot.loaded || server.replica.waiting() == 0) continue;
    if (next == kNobody || server.waited_for_s < servers_[slot.models[next].server]->waited_for_s)
      next = m;
  }
  return next;
}

// Decides who has the slot.  Asked whenever that may change: at the boundaries of the loaded model, when
// requests for others come or leave, and when its residence is over.
void Simulation::settle(Slot& slot, double now_s) {
  if (slot.loading) return;
  const std::size_t s = slot.current().server;
  Server& there = *servers_[s];
  const std::size_t next = longest_waiting(slot);
  const scenario::SharingSpec& sharing = *plan_->pools[there.deployment->pool].sharing;
  const bool may_expire = next != kNobody && sharing.swap_after == scenario::SwapAfter::residence;
  const bool expired = may_expire && now_s >= slot.until_s;
  if (there.replica.admits() == expired) {
    there.replica.set_admitting(now_s, !expired);
    if (!there.replica.idle()) {
      arm(s);
    } else if (there.replica.waiting() > 0) {
      touch(s);
    }
  }
  if (next == kNobody) return;
  if (there.replica.runs_nothing() && (expired || there.replica.waiting() == 0)) {
    swap_models(slot, next, now_s);
  } else if (may_expire && !expired && slot.armed_s != slot.until_s) {
    slot.armed_s = slot.until_s;
    calendar_->at(slot.until_s, *this, wake_of(kResidenceOver, s));
  }
}

void Simulation::swap_models(Slot& slot, std::size_t next, double now_s) {
  Server& old = *servers_[slot.current().server];
  forget_caches(old, now_s);
  old.replica.set_admitting(now_s, false);
  old.rests = true;
  old.rests_since_s = now_s;
  old.waited_for_s = now_s;
  slot.loaded = next;
  slot.loading = true;
  const Server& fresh = *servers_[slot.current().server];
  meter_.on_idle(fresh.metered, now_s, Cause::loading);
  meter_.set_power(fresh.metered, fresh.deployment->power);
  calendar_->at(now_s + slot.current().load_s, *this, wake_of(kSwapped, slot.current().server));
}

// The weights of the model that its slot waits for are there.
void Simulation::on_swapped(std::size_t s) {
  if (stopped_) return;
  ++events_;
  Server& server = *servers_[s];
  Slot& slot = *server.slot;
  const double now_s = calendar_->now();
  if (meter_.share_measured(now_s, now_s) > 0.0) ++model_swaps_;
  slot.loading = false;
  slot.until_s = now_s + slot.current().residence_s;
  server.rests_since_s = now_s;
  server.replica.set_admitting(now_s, true);
  meter_.on_idle(server.metered, now_s, Cause::arrival_idle);
  touch(s);
  begin_touched(now_s);
}

void Simulation::on_residence_over(std::size_t s) {
  if (stopped_) return;
  settle(*servers_[s]->slot, calendar_->now());
  begin_touched(calendar_->now());
}

// Where a request goes that the router sends to `chosen`.
std::size_t Simulation::near_weights(const Group& group, std::size_t chosen,
                                     const workload::Request& request, std::int64_t produced) {
  const auto ready = [&](std::size_t s) {
    const Slot* slot = servers_[s]->slot;
    return is_loaded(s) && (slot == nullptr || slot->loading || servers_[s]->replica.admits());
  };
  if (ready(group.servers[chosen])) return chosen;
  const std::int64_t full = plan_->scenario.serving.scheduler.max_batch;
  std::size_t there = kNobody;
  std::size_t free = chosen;
  for (std::size_t place = 0; place < group.servers.size(); ++place) {
    const std::size_t s = group.servers[place];
    if (!group.router.available(place) || !can_serve(group, *servers_[s], request, produced, false))
      continue;
    if (outstanding_of_slot(s) < outstanding_of_slot(group.servers[free])) free = place;
    if (!ready(s) || servers_[s]->routed >= full) continue;
    if (there == kNobody || servers_[s]->routed < servers_[group.servers[there]]->routed)
      there = place;
  }
  return there != kNobody ? there : free;
}

std::int64_t Simulation::outstanding_of_slot(std::size_t s) const {
  const Slot* slot = servers_[s]->slot;
  if (slot == nullptr) return servers_[s]->routed;
  std::int64_t requests = 0;
  for (const Slot::Model& model : slot->models) requests += servers_[model.server]->routed;
  return requests;
}

}  // namespace tokenyard::sim
