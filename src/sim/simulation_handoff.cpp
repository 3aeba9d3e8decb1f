// Requests on their way from the replica that computed their prompt to the one that decodes them.
#include <algorithm>
#include <limits>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::build_decoders() {
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    const scenario::DeploymentPlan& d = *servers_[s]->deployment->plan_of;
    const bool may_decode = d.spec.role == scenario::Role::decode || d.spec.role_may_change;
    if (may_decode) members[d.model.name].push_back(s);
  }
  std::map<std::string, std::size_t> group_of;
  for (auto& [model, servers] : members)
    group_of[model] = add_group(scenario::RouterKind::least_loaded, std::move(servers), true);
  for (const auto& server : servers_) {
    const scenario::DeploymentPlan& d = *server->deployment->plan_of;
    if (d.spec.role == scenario::Role::prefill || d.spec.role_may_change)
      server->sends_to = group_of.at(d.model.name);
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
  const std::size_t place = choose_place(*groups_[decoders], r.request, r.produced, false);
  if (place != kNobody) {
    line_up_at_decoder(handle, decoders, place, now_s);
    return;
  }
  release_sender(handle, now_s);
  restart(handle, now_s);
}

void Simulation::line_up_at_decoder(serving::Handle handle, std::size_t decoders, std::size_t place,
                                    double now_s) {
  assign(handle, {decoders, place});
  serving::ActiveRequest& r = slots_[handle];
  r.sends_early =
      plan_->scenario.serving.handoff.layer_pipelined &&
      servers_[static_cast<std::size_t>(r.replica)]->replica.has_room_for(r.stored, now_s);
  hand_over(handle, now_s);
}

// What is brought for it is of no use any more.
void Simulation::void_transfer(serving::ActiveRequest& r) {
  if (r.transfer < 0) return;
  transfer_of_[static_cast<std::size_t>(r.transfer)] = -1;
  r.transfer = -1;
}

// What there is room for now is sent for.
void Simulation::bring_reserved(std::size_t s) {
  Server& server = *servers_[s];
  for (const serving::Handle handle : server.replica.take_reserved()) {
    serving::ActiveRequest& r = slots_[handle];
    r.reserved_s = calendar_->now();
    if (free_transfers_.empty()) {
      free_transfers_.push_back(transfer_of_.size());
      transfer_of_.push_back(-1);
    }
    const std::size_t transfer = free_transfers_.back();
    free_transfers_.pop_back();
    transfer_of_[transfer] = handle;
    r.transfer = static_cast<std::int32_t>(transfer);
    if (r.brings == serving::Brings::sent) {
      const Server& sender = *servers_[static_cast<std::size_t>(r.sender)];
      handoff_->send(transfer, bytes_to_send(sender, server, r), sender.place, server.place);
    } else {
      handoff_->bring(transfer, parts_below(server, r, transfer));
    }
  }
}

// Of a prompt that is complete.  Layer by layer, all but the last layer can be under way while the prompt is
// computed, as far as that lasts, at the pace of the way alone:
//
//   exposed = last layer + max(0, all others - bandwidth * time of the prompt)
//
// Only the exposed part is sent as a flow, and shares the way with others.
double Simulation::bytes_to_send(const Server& sender, const Server& receiver,
                                 const serving::ActiveRequest& r) const {
  const scenario::DeploymentPlan& d = *receiver.deployment->plan_of;
  const double bytes = perf::cache_bytes(d, r.stored);
  if (!r.sends_early) return bytes;
  const Place& from = sender.place;
  const Place& to = receiver.place;
  double bytes_per_s = std::min(from.inside_bytes_per_s, to.inside_bytes_per_s);
  if (from.first_node != to.first_node && options_.fleet != nullptr) {
    bytes_per_s = std::numeric_limits<double>::infinity();
    const auto& edges = options_.fleet->graph().edges();
    for (const topology::EdgeUse& use : options_.fleet->route(from.first_node, to.first_node).edges)
      bytes_per_s = std::min(bytes_per_s, edges[use.edge].bandwidth.base());
    bytes_per_s *= static_cast<double>(std::min(from.nodes, to.nodes));
  }
  const double last_layer = bytes / static_cast<double>(d.model.layers);
  const double computed_s = r.phase_s[static_cast<std::size_t>(Phase::prefill)];
  return last_layer + std::max(0.0, bytes - last_layer - bytes_per_s * computed_s);
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
    if (meter_.share_measured(now_s, now_s) > 0.0) {
      ++transfers_.count;
      transfers_.bytes += perf::cache_bytes(
          *servers_[static_cast<std::size_t>(r.sender)]->deployment->plan_of, r.stored);
      transfers_.seconds += now_s - r.last_token_s;
      transfers_.wait_seconds += r.reserved_s - r.last_token_s;
    }
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

// The replica that computed a request's prompt may forget it.
void Simulation::release_sender(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const auto s = static_cast<std::size_t>(r.sender);
  Server& sender = *servers_[s];
  if (sender.rests) account_resting(sender, now_s);
  sender.replica.release_sent(now_s, handle);
  if (s == between_runs_) return;
  if (!sender.replica.idle()) {
    arm(s);
  } else if (sender.replica.waiting() > 0) {
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
