// Requests on their way from the replica that computed their prompt to the one that decodes them.
#include <algorithm>
#include <utility>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::build_decoders() {
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    const scenario::DeploymentPlan& d = *servers_[s]->deployment->plan_of;
    if (servers_[s]->bus != nullptr) continue;
    const bool may_decode = d.spec.role == scenario::Role::decode || d.spec.role_may_change;
    if (may_decode) members[d.model.name].push_back(s);
  }
  std::map<std::string, std::size_t> group_of;
  using scenario::RouterKind;
  // Where sessions come back to the replica that has their histories, they do here as well.
  const RouterKind wanted = plan_->scenario.serving.router;
  const bool remembers =
      wanted == RouterKind::session_sticky || wanted == RouterKind::prefix_affinity;
  const RouterKind kind = remembers ? wanted : RouterKind::least_loaded;
  for (auto& [model, servers] : members)
    group_of[model] = add_group(kind, std::move(servers), true);
  for (const auto& server : servers_) {
    const scenario::DeploymentPlan& d = *server->deployment->plan_of;
    if (server->bus != nullptr && server->role == scenario::Role::prefill) {
      server->sends_to = add_group(scenario::RouterKind::least_loaded, {server->beside}, true);
    } else if (server->bus == nullptr &&
               (d.spec.role == scenario::Role::prefill || d.spec.role_may_change)) {
      server->sends_to = group_of.at(d.model.name);
    }
  }
}

// A prompt has been computed: its request lines up where it will decode, or waits until one is there.
void Simulation::send_on(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const std::size_t decoders = *servers_[static_cast<std::size_t>(r.replica)]->sends_to;
  forget_routing(r);
  r.sender = r.replica;
  if (r.leaving != serving::Leaving::no) {
    release_sender(handle, now_s);
    gone(handle, now_s);
    return;
  }
  if (r.promised_by >= 0) {
    if (servers_[static_cast<std::size_t>(r.promised_by)]->replica.has_room(handle)) {
      come_as_promised(handle, now_s);
      return;
    }
    break_promise(handle, now_s);
  }
  const std::size_t place = choose_place(*groups_[decoders], r.request, r.produced, false);
  if (place != kNobody) {
    assign(handle, {decoders, place});
    hand_over(handle, now_s);
    return;
  }
  release_sender(handle, now_s);
  restart(handle, now_s);
}

// What is brought for it is of no use any more.
void Simulation::void_transfer(serving::ActiveRequest& r) {
  if (r.transfer < 0) return;
  const auto transfer = static_cast<std::size_t>(std::exchange(r.transfer, -1));
  transfer_of_[transfer] = -1;
  handoff_->break_off(transfer);
}

// What there is room for now is sent for.
void Simulation::bring_reserved(std::size_t s) {
  Server& server = *servers_[s];
  for (const serving::Handle handle : server.replica.take_reserved()) {
    serving::ActiveRequest& r = slots_[handle];
    r.reserved_s = calendar_->now();
    const std::size_t transfer = new_transfer(handle);
    if (r.brings == serving::Brings::sent) {
      const Server& sender = *servers_[static_cast<std::size_t>(r.sender)];
      handoff_->send(transfer, bytes_to_send(server, r), sender.place, server.place);
    } else {
      handoff_->bring(transfer, parts_below(server, r, transfer));
    }
  }
}

// Blocks that are on its devices already only change hands, and what it keeps from earlier turns stays.
double Simulation::bytes_to_send(const Server& receiver, const serving::ActiveRequest& r) {
  if (receiver.bus != nullptr) return 0.0;
  return perf::cache_bytes(*receiver.deployment->plan_of, r.stored - r.kept_tokens);
}

std::size_t Simulation::new_transfer(serving::Handle handle) {
  if (free_transfers_.empty()) {
    free_transfers_.push_back(transfer_of_.size());
    transfer_of_.push_back(-1);
  }
  const std::size_t transfer = free_transfers_.back();
  free_transfers_.pop_back();
  transfer_of_[transfer] = handle;
  slots_[handle].transfer = static_cast<std::int32_t>(transfer);
  return transfer;
}

// What was swapped comes from the host's DRAM; what tiers keep, from each of them.
std::vector<Handoff::Part> Simulation::parts_below(const Server& server,
                                                   const serving::ActiveRequest& r,
                                                   std::size_t transfer) {
  const scenario::DeploymentPlan& d = *server.deployment->plan_of;
  if (r.brings == serving::Brings::swapped)
    return {{.bytes = perf::cache_bytes(d, r.stored), .channel = server.host_channel}};
  std::int64_t blocks = 0;
  for (const serving::KvPart& part : r.parts) blocks += part.blocks;
  const std::int64_t block_tokens = plan_->scenario.serving.kv_cache.block_tokens;
  const double block_bytes =
      perf::cache_bytes(d, blocks * block_tokens) / static_cast<double>(blocks);
  std::vector<Handoff::Part> parts;
  for (const serving::KvPart& part : r.parts) {
    Handoff::Part& out = parts.emplace_back();
    out.bytes = block_bytes * static_cast<double>(part.blocks);
    const scenario::KvTierKind kind = plan_->scenario.serving.kv_cache.offload[part.tier].tier;
    out.from = part.home;
    out.to = server.place.first_node;
    out.nics = server.place.nics;
    if (kind == scenario::KvTierKind::ssd) {
      out.channel = server.ssd_channel;
      out.put_off = waits_for_prefetch(r, transfer, out.bytes);
    } else if (kind == scenario::KvTierKind::dram || part.home == out.to) {
      out.channel = server.host_channel;
    }
  }
  return parts;
}

void Simulation::on_arrived(std::size_t transfer) {
  if (stopped_) return;
  const serving::Handle handle = transfer_of_[transfer];
  free_transfers_.push_back(transfer);
  if (handle < 0) return;
  ++events_;
  const double now_s = calendar_->now();
  last_event_s_ = std::max(last_event_s_, now_s);
  serving::ActiveRequest& r = slots_[handle];
  r.transfer = -1;
  if (r.brings == serving::Brings::sent) {
    has_arrived(r, now_s);
    release_sender(handle, now_s);
  }
  const auto receiver_index = static_cast<std::size_t>(r.replica);
  Server& receiver = *servers_[receiver_index];
  receiver.replica.deliver(now_s, handle);
  if (receiver.replica.idle()) {
    touch(receiver_index);
  } else {
    arm(receiver_index);
  }
  begin_touched(now_s);
}

// The KV cache of a prompt that was computed elsewhere.
void Simulation::has_arrived(const serving::ActiveRequest& r, double now_s) {
  if (meter_.share_measured(now_s, now_s) <= 0.0) return;
  ++transfers_.count;
  transfers_.bytes += bytes_to_send(*servers_[static_cast<std::size_t>(r.replica)], r);
  transfers_.seconds += now_s - r.last_token_s;
  transfers_.wait_seconds += r.reserved_s - r.last_token_s;
}

// The replica that computed a request's prompt may forget it.
void Simulation::release_sender(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const auto s = static_cast<std::size_t>(r.sender);
  Server& sender = *servers_[s];
  if (sender.rests) account_resting(sender, now_s);
  sender.replica.release_sent(now_s, handle);
  after_release(s, now_s);
}

// It has blocks again.
void Simulation::after_release(std::size_t s, double now_s) {
  if (s == between_runs_) return;
  const serving::Replica& replica = servers_[s]->replica;
  if (!replica.idle()) {
    arm(s);
  } else if (replica.has_news()) {
    touch(s);
  } else {
    when_drained(s, now_s);
  }
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
  if (server.replica.awaits_adapter()) return Cause::loading;
  return server.replica.waiting() > 0 ? Cause::capacity_wait : Cause::arrival_idle;
}

}  // namespace tokenyard::sim
