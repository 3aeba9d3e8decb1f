// Replicas that change between computing prompts and decoding.
//
// One that is to change takes nothing new and finishes what it has, the prompts included that wait for
// room where they decode; then it drops its KV cache, local tiers below included, and goes on in the other
// role.  Its weights stay.
// role_balance.hpp says when; who changes is the one with the least to do and, among equals, the fewest KV
// blocks, of those whose deployment says role_may_change.
//
// Worked example, ratio 2 and min_load 1 s: two replicas have prompts for 4 s together, three decode for 1.8 s: 2 s
// each against 0.6 s.  Of the three one goes over.
#include <algorithm>

#include "sim/role_balance.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::sim {

using scenario::Role;

// Whether requests of a group may go to a replica: one that is on and has the group's role.
bool Simulation::available_in(const Group& group, const Server& server) {
  return server.condition == Condition::on &&
         (server.role == Role::both || group.decodes == (server.role == Role::decode));
}

void Simulation::start_role_switch() {
  const auto& spec = plan_->scenario.serving.role_switch;
  if (spec) calendar_->at(spec->interval.base(), *this, kRoles);
}

void Simulation::on_roles() {
  if (stopped_ || !work_left()) return;
  const double now_s = calendar_->now();
  std::map<std::string, std::vector<std::size_t>> by_model;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    when_drained(s, now_s);
    if (servers_[s]->role != Role::both && servers_[s]->bus == nullptr)
      by_model[servers_[s]->deployment->plan_of->model.name].push_back(s);
  }
  for (const auto& [model, members] : by_model) balance_roles(model, members, now_s);
  begin_touched(now_s);
  calendar_->at(now_s + plan_->scenario.serving.role_switch->interval.base(), *this, kRoles);
}

// Of what waits or runs at this moment; the same whatever the steps of the run under way.
double Simulation::role_load_s(const Server& server, double now_s) const {
  const serving::Replica& replica = server.replica;
  if (server.role == Role::prefill)
    return static_cast<double>(replica.prompt_backlog(now_s)) *
           server.deployment->prompt_s_per_token;
  const std::int64_t sequences = replica.outstanding() + replica.receiving();
  if (sequences == 0) return 0.0;
  const std::int64_t batch = std::min(sequences, plan_->scenario.serving.scheduler.max_batch);
  const perf::AffineCost step = server.deployment->model.decode_run(
      {.sequences = batch, .context = static_cast<double>(batch)});
  return static_cast<double>(sequences) * step.first.total_s();
}

void Simulation::balance_roles(const std::string& model, const std::vector<std::size_t>& members,
                               double now_s) {
  const scenario::RoleSwitchSpec& spec = *plan_->scenario.serving.role_switch;
  const auto last = role_changed_s_.find(model);
  if (last != role_changed_s_.end() && now_s < last->second + spec.cooldown.base()) return;
  RoleLoad prefill;
  RoleLoad decode;
  for (const std::size_t s : members) {
    if (servers_[s]->condition != Condition::on) continue;
    RoleLoad& load = servers_[s]->role == Role::prefill ? prefill : decode;
    ++load.replicas;
    load.seconds += role_load_s(*servers_[s], now_s);
  }
  const RoleChange change = wanted_change(spec, prefill, decode);
  if (change == RoleChange::none) return;
  const Role from = change == RoleChange::to_prefill ? Role::decode : Role::prefill;
  std::size_t chosen = kNobody;
  std::pair<double, std::int64_t> least;
  for (const std::size_t s : members) {
    const Server& server = *servers_[s];
    if (server.condition != Condition::on || server.role != from) continue;
    if (!server.deployment->plan_of->spec.role_may_change) continue;
    const serving::KvCache& kv = server.replica.kv();
    const std::int64_t blocks =
        kv.total() - kv.available() + server.replica.under_way(now_s).blocks;
    const std::pair to_do{role_load_s(server, now_s), blocks};
    if (chosen != kNobody && to_do >= least) continue;
    chosen = s;
    least = to_do;
  }
  if (chosen == kNobody) return;
  role_changed_s_[model] = now_s;
  servers_[chosen]->changes_role = true;
  set_condition(chosen, Condition::draining, now_s);
  when_drained(chosen, now_s);
}

// It is drained.
void Simulation::take_other_role(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  server.changes_role = false;
  server.role = server.role == Role::prefill ? Role::decode : Role::prefill;
  forget_caches(server, now_s);
  server.replica.set_role(server.role);
  if (meter_.share_measured(now_s, now_s) > 0.0) ++role_changes_;
  set_condition(s, Condition::on, now_s);
  meter_.on_idle(server.metered, now_s, Cause::arrival_idle);
  send_parked(now_s);
}

}  // namespace tokenyard::sim
