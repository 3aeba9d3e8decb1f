// Which replica a request goes to, and its way there: router, front end, line.
//
// Requests of a model go to the replicas of that model, requests without one to all.  Where the scenario
// has routes, a pool that a route names serves the requests of its routes, and the other pools the rest;
// with `spill`, requests whose pool cannot take them go where there is room.
//
// Worked example: pools cpu and gpu, and a route of at most 500 prompt tokens to cpu.  Short prompts go to cpu and
// long ones to gpu; while cpu is down the short ones wait for it, or, with spill, go to gpu.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

std::size_t Simulation::add_group(scenario::RouterKind kind, std::vector<std::size_t> members,
                                  bool decodes) {
  const auto seed = static_cast<std::uint64_t>(plan_->scenario.seed);
  groups_.push_back(
      std::make_unique<Group>(plan_->scenario.serving, kind, std::move(members), seed));
  Group& group = *groups_.back();
  group.decodes = decodes;
  for (std::size_t place = 0; place < group.servers.size(); ++place) {
    Server& server = *servers_[group.servers[place]];
    server.memberships.emplace_back(&group, place);
    group.router.set_available(place, available_in(group, server));
  }
  return groups_.size() - 1;
}

// Streams may learn of further models as they read.
void Simulation::build_choices() {
  const std::vector<scenario::RouteSpec>& routes = plan_->scenario.serving.routes;
  for (std::size_t m = choices_.size(); m < stream_->models().size(); ++m) {
    const std::string& model = stream_->models()[m];
    std::map<std::string, std::vector<std::size_t>> of_pool;
    std::vector<std::size_t> rest;
    Choices choices;
    for (std::size_t s = 0; s < servers_.size(); ++s) {
      const Deployment& d = *servers_[s]->deployment;
      const scenario::DeploySpec& spec = d.plan_of->spec;
      if (spec.role == scenario::Role::decode && !spec.role_may_change) continue;
      if (!model.empty() && d.plan_of->model.name != model) continue;
      choices.adapters = std::max(choices.adapters, d.model.adapters());
      const std::string& pool = plan_->pools[d.pool].name;
      const bool routed = std::any_of(routes.begin(), routes.end(),
                                      [&](const auto& route) { return route.pool == pool; });
      (routed ? of_pool[pool] : rest).push_back(s);
    }
    choices.any = !rest.empty() || !of_pool.empty();
    const scenario::RouterKind kind = plan_->scenario.serving.router;
    if (!rest.empty()) choices.rest = add_group(kind, std::move(rest));
    std::map<std::string, std::size_t> group_of_pool;
    for (auto& [pool, members] : of_pool) group_of_pool[pool] = add_group(kind, std::move(members));
    for (const scenario::RouteSpec& route : routes) {
      const auto found = group_of_pool.find(route.pool);
      choices.by_route.push_back(found != group_of_pool.end() ? found->second : kNobody);
    }
    choices_.push_back(std::move(choices));
  }
}

std::optional<std::size_t> Simulation::route_of(const workload::Request& request) const {
  const std::vector<scenario::RouteSpec>& routes = plan_->scenario.serving.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const scenario::RouteSpec& route = routes[i];
    if (route.request_class &&
        *route.request_class != stream_->classes()[static_cast<std::size_t>(request.class_id)])
      continue;
    if (route.max_input_tokens && request.input_tokens > *route.max_input_tokens) continue;
    if (route.max_output_tokens && request.output_tokens > *route.max_output_tokens) continue;
    return i;
  }
  return std::nullopt;
}

// `away`: among all replicas, those that are away included.
Simulation::Chosen Simulation::choose(const workload::Request& request, std::int64_t produced,
                                      bool away) {
  const auto model = static_cast<std::size_t>(request.model);
  if (model >= choices_.size()) build_choices();
  const Choices& choices = choices_[model];
  if (!choices.any) {
    throw InputError("request " + std::to_string(request.id) + " asks for the model '" +
                     stream_->models()[model] + "', which no pool deploys");
  }
  check_adapter(request, choices);
  const auto try_group = [&](std::size_t group) -> Chosen {
    if (group == kNobody) return {};
    const std::size_t place = choose_place(*groups_[group], request, produced, away);
    return place == kNobody ? Chosen{} : Chosen{group, place};
  };
  const std::optional<std::size_t> route = route_of(request);
  if (!route) {
    const Chosen chosen = try_group(choices.rest);
    if (!chosen.nobody() || choices.by_route.empty()) return chosen;
  } else {
    const Chosen chosen = try_group(choices.by_route[*route]);
    if (!chosen.nobody() || !plan_->scenario.serving.routes[*route].spill) return chosen;
    const Chosen other = try_group(choices.rest);
    if (!other.nobody()) return other;
  }
  for (const std::size_t group : choices.by_route) {
    const Chosen chosen = try_group(group);
    if (!chosen.nobody()) return chosen;
  }
  return {};
}

// The router's choice; where that replica could never hold the request, the least loaded one that
// can.
std::size_t Simulation::choose_place(Group& group, const workload::Request& request,
                                     std::int64_t produced, bool away) {
  if (away) return least_loaded_that_can(group, request, produced, away);
  std::size_t chosen = group.router.choose(request);
  if (chosen == kNobody) return kNobody;
  if (!can_serve(group, *servers_[group.servers[chosen]], request, produced, away)) {
    chosen = least_loaded_that_can(group, request, produced, away);
    if (chosen == kNobody) return kNobody;
  }
  const bool shares = servers_[group.servers[chosen]]->slot != nullptr;
  return shares ? near_weights(group, chosen, request, produced) : chosen;
}

std::size_t Simulation::least_loaded_that_can(const Group& group, const workload::Request& request,
                                              std::int64_t produced, bool away) {
  std::size_t best = kNobody;
  for (std::size_t place = 0; place < group.servers.size(); ++place) {
    if (!away && !group.router.available(place)) continue;
    if (!can_serve(group, *servers_[group.servers[place]], request, produced, away)) continue;
    if (best == kNobody || group.router.outstanding(place) < group.router.outstanding(best))
      best = place;
  }
  return best;
}

// In the role that it has: who waited for a replica that could serve it in another one might wait for ever.
bool Simulation::can_serve(const Group& group, const Server& server,
                           const workload::Request& request, std::int64_t produced, bool away) {
  using scenario::Role;
  if (server.role != Role::both && group.decodes != (server.role == Role::decode)) return false;
  return server.replica.can_ever_fit(request, produced) &&
         (server.role != Role::prefill ||
          choose_place(*groups_[*server.sends_to], request, produced, away) != kNobody);
}

void Simulation::assign(serving::Handle handle, const Chosen& chosen) {
  serving::ActiveRequest& r = slots_[handle];
  Group& group = *groups_[chosen.group];
  group.router.sent(r.request, chosen.place);
  r.group = static_cast<std::int32_t>(chosen.group);
  r.place = static_cast<std::int32_t>(chosen.place);
  const std::size_t s = group.servers[chosen.place];
  r.replica = static_cast<std::int32_t>(s);
  r.deployment = static_cast<std::int32_t>(servers_[s]->deployment_index);
  ++servers_[s]->routed;
}

void Simulation::forget_routing(serving::ActiveRequest& r) {
  if (r.group < 0) return;
  Group& group = *groups_[static_cast<std::size_t>(r.group)];
  const auto place = static_cast<std::size_t>(r.place);
  group.router.finished(r.request, place);
  --servers_[group.servers[place]]->routed;
  r.group = -1;
}

// To a replica, or to those that wait for one.
void Simulation::dispatch(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const Chosen chosen = choose(r.request, r.produced, false);
  if (chosen.nobody() && choose(r.request, r.produced, true).nobody()) {
    end_early(handle, metrics::RequestStatus::abandoned, now_s);
    return;
  }
  go(handle, chosen, now_s);
}

void Simulation::go(serving::Handle handle, const Chosen& chosen, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  if (chosen.nobody()) {
    if (r.first_token_s < 0.0) r.enter(Phase::queue_capacity, now_s);
    parked_.push_back(handle);
    return;
  }
  assign(handle, chosen);
  if (r.first_token_s < 0.0) r.enter(Phase::front_end, now_s);
  const double delay_s = front_end_.delay_s(r.request.input_tokens);
  if (delay_s <= 0.0) {
    hand_over(handle, now_s);
    return;
  }
  front_end_.enter(handle, r.ticket, now_s + delay_s);
  in_front_by_pool_[servers_[static_cast<std::size_t>(r.replica)]->deployment->pool] += 1.0;
  arm_ready();
}

void Simulation::send_parked(double now_s) {
  for (const serving::Handle handle : std::exchange(parked_, {})) dispatch(handle, now_s);
}

// Whether a request's first token would come later than wanted: the prompts before it and its own, at
// the pace of whole steps of prompts.
bool Simulation::too_late(const Chosen& chosen, const workload::Request& request) const {
  const scenario::OverloadSpec& overload = plan_->scenario.serving.overload;
  const Server& server = *servers_[groups_[chosen.group]->servers[chosen.place]];
  const auto tokens = static_cast<double>(server.replica.prompts_before_newcomer(calendar_->now()) +
                                          request.input_tokens);
  const double expected_s =
      front_end_.delay_s(request.input_tokens) + tokens * server.deployment->prompt_s_per_token;
  return expected_s > overload.ttft->base();
}

void Simulation::arm_ready() {
  const double next_s = front_end_.next_s();
  if (ready_timer_ != nullptr) {
    if (next_s == ready_armed_s_) return;
    calendar_->cancel(ready_timer_);
    ready_timer_ = nullptr;
  }
  if (!std::isfinite(next_s)) return;
  ready_armed_s_ = next_s;
  ready_timer_ = calendar_->at(next_s, *this, kReady);
}

void Simulation::on_ready() {
  if (stopped_) return;
  const double now_s = ready_armed_s_;
  while (front_end_.next_s() <= now_s) {
    const FrontEnd::Inside inside = front_end_.leave();
    if (slots_[inside.handle].ticket != inside.ticket) continue;
    const auto replica = static_cast<std::size_t>(slots_[inside.handle].replica);
    in_front_by_pool_[servers_[replica]->deployment->pool] -= 1.0;
    hand_over(inside.handle, now_s);
  }
  begin_touched(now_s);
  arm_ready();
}

// To the scheduler of its replica, unless that has gone meanwhile.
void Simulation::hand_over(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const auto s = static_cast<std::size_t>(r.replica);
  Server& server = *servers_[s];
  if (server.condition != Condition::on && server.condition != Condition::draining) {
    forget_routing(r);
    dispatch(handle, now_s);
    return;
  }
  const bool was_idle = server.replica.idle();
  if (!is_loaded(s) && server.replica.waiting() == 0) server.waited_for_s = now_s;
  server.replica.enqueue(now_s, handle);
  // On the devices that computed its prompt it needs no place among chunks.
  if (server.bus != nullptr && server.role == scenario::Role::decode)
    server.replica.end_at_boundary(now_s);
  if (s == between_runs_) return;
  if (!was_idle) {
    arm(s);
  } else {
    touch(s);
  }
}

// It has work, and begins when all of this moment is in.
void Simulation::touch(std::size_t s) {
  if (std::find(touched_.begin(), touched_.end(), s) == touched_.end()) touched_.push_back(s);
}

}  // namespace tokenyard::sim
