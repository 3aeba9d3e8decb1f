// Requests on their way from the replica that computed their prompt to the one that decodes them.
#include <algorithm>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::build_decoders() {
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    const scenario::DeploymentPlan& d = *servers_[s]->deployment->plan_of;
    if (d.spec.role == scenario::Role::decode) members[d.model.name].push_back(s);
  }
  const auto seed = static_cast<std::uint64_t>(plan_->scenario.seed);
  for (auto& [model, servers] : members)
    decoders_.try_emplace(model, scenario::RouterKind::least_loaded, std::move(servers), seed);
  for (const auto& server : servers_) {
    const scenario::DeploymentPlan& d = *server->deployment->plan_of;
    if (d.spec.role == scenario::Role::prefill) server->sends_to = &decoders_.at(d.model.name);
  }
}

bool Simulation::can_serve(const Server& server, const workload::Request& request) {
  return server.replica.can_ever_fit(request) &&
         (server.sends_to == nullptr || choose_place(*server.sends_to, request) != kNobody);
}

// A prompt has been computed: its request lines up where it will decode.
void Simulation::send_on(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  group_by_model_[static_cast<std::size_t>(r.routed_model)]->router.finished(
      static_cast<std::size_t>(r.routed_place));
  Group& decoders = *servers_[static_cast<std::size_t>(r.replica)]->sends_to;
  const std::size_t place = choose_place(decoders, r.request);
  check(place != kNobody, "a prompt was computed that nobody can decode");
  decoders.router.sent(r.request, place);
  r.decode_place = static_cast<std::int32_t>(place);
  r.sender = r.replica;
  r.replica = static_cast<std::int32_t>(decoders.servers[place]);
  r.deployment =
      static_cast<std::int32_t>(servers_[static_cast<std::size_t>(r.replica)]->deployment_index);
  hand_over(handle, now_s);
}

// The caches for which there is room now are sent for.
void Simulation::bring_reserved(std::size_t s) {
  Server& server = *servers_[s];
  for (const serving::Handle handle : server.replica.take_reserved()) {
    serving::ActiveRequest& r = slots_[handle];
    const Server& sender = *servers_[static_cast<std::size_t>(r.sender)];
    r.reserved_s = calendar_->now();
    handoff_->send(static_cast<std::size_t>(handle),
                   perf::cache_bytes(*sender.deployment->plan_of, r.request.input_tokens),
                   sender.place, server.place);
  }
}

void Simulation::on_arrived(serving::Handle handle) {
  if (stopped_) return;
  ++events_;
  const double now_s = calendar_->now();
  last_event_s_ = std::max(last_event_s_, now_s);
  serving::ActiveRequest& r = slots_[handle];
  Server& sender = *servers_[static_cast<std::size_t>(r.sender)];
  if (meter_.share_measured(now_s, now_s) > 0.0) {
    ++transfers_.count;
    transfers_.bytes += perf::cache_bytes(*sender.deployment->plan_of, r.request.input_tokens);
    transfers_.seconds += now_s - r.first_token_s;
    transfers_.wait_seconds += r.reserved_s - r.first_token_s;
  }
  const auto receiver_index = static_cast<std::size_t>(r.replica);
  const auto sender_index = static_cast<std::size_t>(r.sender);
  if (sender.rests) account_resting(sender, now_s);
  sender.replica.release_sent(now_s, handle);
  if (!sender.replica.idle()) {
    arm(sender_index);
  } else if (sender.replica.waiting() > 0) {
    touched_.push_back(sender_index);
  }
  Server& receiver = *servers_[receiver_index];
  receiver.replica.deliver(now_s, handle);
  if (receiver.replica.idle()) {
    touched_.push_back(receiver_index);
  } else {
    arm(receiver_index);
  }
  begin_touched(now_s);
}

// Blocks that are held while no steps run: of prompts that are sent, and for those that come.
void Simulation::account_resting(Server& server, double now_s) {
  const serving::KvCache& kv = server.replica.kv();
  const std::int64_t held = kv.total() - kv.available();
  if (held > 0) accumulator_.on_kv_held(server.rests_since_s, now_s, static_cast<double>(held));
  server.rests_since_s = now_s;
}

Cause Simulation::idle_cause(const Server& server) const {
  if (server.replica.receiving() > 0) return Cause::net_bw;
  return server.replica.waiting() > 0 ? Cause::capacity_wait : Cause::arrival_idle;
}

}  // namespace tokenyard::sim
