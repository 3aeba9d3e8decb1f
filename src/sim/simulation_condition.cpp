// Replicas that come and go: failures, maintenance, the autoscaler.
//
//   on -> down       a failure: what runs there is lost and computed again elsewhere
//   on -> draining   maintenance or a smaller fleet: it finishes what it has, then it is down or off
//   down -> loading  repaired, or replaced by devices of the pool that no replica uses
//   off -> loading   wanted again: it boots
//   loading -> on    its weights have come
//
// Weights come from another node that has them, over the fabric, whose flows share its cables; where
// there is none, from a store at the bandwidth that the scenario says.  A pool that has more devices than
// its replicas use has spares: as many replicas as these could carry are replaced at once when they
// fail, and what failed is a spare when it is repaired.
//
// Worked example: a replica with 8 GB of weights fails at 10 s, for 4 s: it is down until 14 s and on again at
// 14.16 s, over NICs of 50 GB/s.  With a spare it is on at 10.16 s.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::start_faults(const topology::FleetGraph* fleet) {
  const scenario::ScenarioFile& s = plan_->scenario;
  if (s.faults.enabled) {
    std::vector<Standing> standings;
    for (const auto& server : servers_) {
      const Deployment& d = *server->deployment;
      const catalog::Device& device = plan_->pools[d.pool].devices[d.plan_of->device];
      standings.push_back({.place = server->place,
                           .devices = d.plan_of->devices_per_replica,
                           .failures_per_year = device.annual_failure_rate.value,
                           .beside = is_beside(*server)});
    }
    faults_.emplace(*plan_, std::move(standings), fleet);
    spares_.assign(plan_->pools.size(), 0);
    for (std::size_t p = 0; p < plan_->pools.size(); ++p) {
      const scenario::PoolPlan& pool = plan_->pools[p];
      std::int64_t unused = pool.device_count();
      std::int64_t largest = 1;
      for (const scenario::DeploymentPlan& d : pool.deployments) {
        if (d.side == scenario::EngineSide::decoding) continue;
        unused -= d.replicas * d.devices_per_replica;
        largest = std::max(largest, d.devices_per_replica);
      }
      spares_[p] = unused / largest;
    }
    arm_fault();
  }
  if (!s.autoscaling) return;
  autoscaler_.emplace(*s.autoscaling, deployments_.size());
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (scales(*servers_[i]) &&
        servers_[i]->index >= s.autoscaling->initial.value_or(s.autoscaling->min))
      switch_off(i, 0.0);
  }
  calendar_->at(s.autoscaling->interval.base(), *this, kScale);
}

void Simulation::arm_fault() {
  next_fault_ = faults_->next();
  if (next_fault_) calendar_->at(std::max(next_fault_->at_s, calendar_->now()), *this, kFault);
}

void Simulation::on_fault() {
  if (stopped_ || !work_left()) return;
  const double now_s = calendar_->now();
  apply(*next_fault_, now_s);
  begin_touched(now_s);
  arm_fault();
}

void Simulation::apply(const Fault& fault, double now_s) {
  ++events_;
  for (const std::int64_t node : fault.nodes) {
    for (const auto& [model, pool] : remote_pools_) {
      pool->note(now_s, plan_->scenario.warmup.base());
      pool->lose_home(node);
    }
  }
  for (const std::size_t s : fault.replicas) {
    if (fault.drains) {
      drain(s, fault.duration_s, now_s);
    } else if (!(fault.of_device && lose_rank(s, fault.duration_s, now_s))) {
      fail(s, fault.duration_s, now_s);
      if (fault.of_device && servers_[s]->bus != nullptr)
        fail(servers_[s]->beside, fault.duration_s, now_s);
    }
  }
}

// Of two engines that work apart, the one that decodes on the devices of the other.
bool Simulation::is_beside(const Server& server) {
  return server.deployment->plan_of->side == scenario::EngineSide::decoding;
}

void Simulation::fail(std::size_t s, double duration_s, double now_s) {
  Server& server = *servers_[s];
  if (server.condition == Condition::off) return;
  if (!is_beside(server)) ++failures_;
  server.changes_role = false;
  server.booted_s = -1.0;
  const bool worked = server.condition == Condition::on || server.condition == Condition::draining;
  if (server.condition == Condition::loading && server.loads > 0) {
    --server.loads;
    ++server.stale_loads;
  }
  set_condition(s, Condition::down, now_s);
  if (worked) lose_work(s, now_s);
  meter_.on_idle(server.metered, now_s, Cause::down);
  if (server.bus != nullptr) share_bus(s, now_s);
  std::int64_t& spares = spares_[server.deployment->pool];
  double back_s = now_s + duration_s;
  if (is_beside(server)) {
    back_s = servers_[server.beside]->down_until_s;
  } else if (spares > 0) {
    --spares;
    returning_spares_.push({now_s + duration_s, server.deployment->pool});
    back_s = now_s;
  }
  server.down_until_s = std::max(server.down_until_s, back_s);
  calendar_->at(server.down_until_s, *this, wake_of(kCondition, s));
}

// The step under way and all KV caches are lost; the requests are not.
void Simulation::lose_work(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  double boundary_s = now_s;
  if (server.rests) {
    account_resting(server, now_s);
  } else {
    boundary_s = abort_run(server, now_s);
    calendar_->cancel(server.timer);
    server.timer = nullptr;
    server.straddling.reset();
  }
  std::erase(touched_, s);
  const serving::Replica::Evacuees out = server.replica.evacuate(now_s, boundary_s);
  lose_adapters(server);
  server.rests = true;
  server.rests_since_s = now_s;
  for (const serving::Handle handle : out.held) {
    if (slots_[handle].leaving == serving::Leaving::no)
      withdraw(handle, serving::Leaving::restarted, now_s);
  }
  for (const serving::Handle handle : out.promised) forget_promise(slots_[handle]);
  for (const serving::Handle handle : out.requests) {
    serving::ActiveRequest& r = slots_[handle];
    break_promise(handle, now_s);
    void_transfer(r);
    forget_routing(r);
    if (r.leaving != serving::Leaving::no) {
      gone(handle, now_s);
    } else if (r.brings != serving::Brings::sent) {
      restart(handle, now_s);
    } else {
      r.group = -1;
      r.replica = r.sender;
      send_on(handle, now_s);
    }
  }
}

void Simulation::drain(std::size_t s, double away_s, double now_s) {
  Server& server = *servers_[s];
  if (server.condition != Condition::on) return;
  server.away_s = away_s;
  set_condition(s, Condition::draining, now_s);
  when_drained(s, now_s);
}

void Simulation::when_drained(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  if (server.condition != Condition::draining || !server.replica.empty() || s == between_runs_)
    return;
  if (std::find(touched_.begin(), touched_.end(), s) != touched_.end()) return;
  if (server.changes_role) {
    // Some may be on their way to it.
    if (server.routed == 0) take_other_role(s, now_s);
    return;
  }
  if (server.away_s < 0.0) {
    switch_off(s, now_s);
    return;
  }
  forget_caches(server, now_s);
  set_condition(s, Condition::down, now_s);
  meter_.on_idle(server.metered, now_s, Cause::down);
  server.down_until_s = now_s + server.away_s;
  calendar_->at(server.down_until_s, *this, wake_of(kCondition, s));
}

// The end of being down, or of booting.
void Simulation::on_condition(std::size_t s) {
  if (stopped_) return;
  Server& server = *servers_[s];
  const double now_s = calendar_->now();
  while (!returning_spares_.empty() && returning_spares_.top().first <= now_s) {
    ++spares_[returning_spares_.top().second];
    returning_spares_.pop();
  }
  if (server.condition == Condition::down && now_s >= server.down_until_s) {
    set_condition(s, Condition::loading, now_s);
    meter_.on_idle(server.metered, now_s, Cause::loading);
    load_weights(s, now_s);
  } else if (server.condition == Condition::loading && now_s == server.booted_s) {
    load_weights(s, now_s);
  }
}

void Simulation::load_weights(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  if (is_beside(server)) {
    // They come with those of the other engine, if they are not there.
    const Condition other = servers_[server.beside]->condition;
    if (other == Condition::on || other == Condition::draining) switch_on(s, now_s);
    return;
  }
  const Deployment& d = *server.deployment;
  const double bytes =
      d.model.placement().weight_bytes * static_cast<double>(d.plan_of->devices_per_replica);
  ++server.loads;
  const std::size_t loaded = wake_of(kLoaded, s);
  const auto peer = std::find_if(servers_.begin(), servers_.end(), [&](const auto& other) {
    return other->deployment == server.deployment && other->condition == Condition::on &&
           other->place.first_node != server.place.first_node;
  });
  if (network_ != nullptr && peer != servers_.end()) {
    network_->send({.bytes = bytes,
                    .from = (*peer)->place.first_node,
                    .to = server.place.first_node,
                    .nics = server.place.nics},
                   *this, loaded);
    return;
  }
  const scenario::AutoscalingSpec defaults;
  const auto& scaling = plan_->scenario.autoscaling;
  const double bytes_per_s = (scaling ? *scaling : defaults).load_bandwidth.base();
  calendar_->at(now_s + bytes / bytes_per_s, *this, loaded);
}

void Simulation::on_loaded(std::size_t s) {
  if (stopped_) return;
  Server& server = *servers_[s];
  if (server.stale_loads > 0) {
    --server.stale_loads;
    return;
  }
  --server.loads;
  if (server.bus != nullptr && servers_[server.beside]->condition == Condition::loading)
    switch_on(server.beside, calendar_->now());
  switch_on(s, calendar_->now());
}

void Simulation::switch_on(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  set_condition(s, Condition::on, now_s);
  meter_.on_idle(server.metered, now_s, Cause::arrival_idle);
  server.rests = true;
  server.rests_since_s = now_s;
  send_parked(now_s);
  begin_touched(now_s);
}

void Simulation::forget_caches(Server& server, double now_s) {
  server.replica.kv().advance(now_s);
  server.replica.kv().clear_cached();
  lose_adapters(server);
}

void Simulation::switch_off(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  forget_caches(server, now_s);
  set_condition(s, Condition::off, now_s);
  const bool unpowered = plan_->scenario.autoscaling->scaled_down == scenario::ScaledDown::off;
  meter_.on_idle(server.metered, now_s, unpowered ? Cause::powered_off : Cause::policy_wait);
}

void Simulation::set_condition(std::size_t s, Condition condition, double now_s) {
  Server& server = *servers_[s];
  server.condition = condition;
  last_event_s_ = std::max(last_event_s_, now_s);
  for (const auto& [group, place] : server.memberships)
    group->router.set_available(place, available_in(*group, server));
}

bool Simulation::scales(const Server& server) const {
  const auto& pool = plan_->scenario.autoscaling->pool;
  return !pool || plan_->pools[server.deployment->pool].name == *pool;
}

void Simulation::on_scale() {
  if (stopped_ || !work_left()) return;
  const double now_s = calendar_->now();
  for (std::size_t d = 0; d < deployments_.size(); ++d) {
    Seen seen;
    std::vector<std::size_t> members;
    for (std::size_t s = 0; s < servers_.size(); ++s) {
      const Server& server = *servers_[s];
      if (server.deployment_index != d || !scales(server)) continue;
      members.push_back(s);
      seen.most += server.condition != Condition::down ? 1 : 0;
      seen.outstanding += server.replica.outstanding();
      seen.busy_s += server.busy_s;
      if (!server.replica.idle()) seen.busy_s += now_s - server.replica.run_begin();
      if (server.condition == Condition::on || server.condition == Condition::loading)
        ++seen.running;
    }
    if (members.empty()) continue;
    seen.outstanding += static_cast<std::int64_t>(parked_.size());
    std::int64_t more = autoscaler_->wanted(d, seen, now_s) - seen.running;
    for (const std::size_t s : members) {
      if (more <= 0) break;
      if (servers_[s]->condition == Condition::draining && servers_[s]->away_s < 0.0) {
        set_condition(s, Condition::on, now_s);  // it had not gone yet
        send_parked(now_s);
      } else if (servers_[s]->condition == Condition::off) {
        boot(s, now_s);
      } else {
        continue;
      }
      ++scale_ups_;
      --more;
    }
    for (auto s = members.rbegin(); s != members.rend() && more < 0; ++s) {
      if (servers_[*s]->condition != Condition::on) continue;
      drain(*s, -1.0, now_s);
      ++scale_downs_;
      ++more;
    }
  }
  begin_touched(now_s);
  calendar_->at(now_s + plan_->scenario.autoscaling->interval.base(), *this, kScale);
}

void Simulation::boot(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  set_condition(s, Condition::loading, now_s);
  meter_.on_idle(server.metered, now_s, Cause::loading);
  server.booted_s = now_s + plan_->scenario.autoscaling->boot.base();
  calendar_->at(server.booted_s, *this, wake_of(kCondition, s));
}

}  // namespace tokenyard::sim
