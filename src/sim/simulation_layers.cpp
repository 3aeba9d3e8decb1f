// KV caches that are sent layer by layer, while their prompts are computed.
//
// When a prompt's first chunk begins, the replica that will decode it is chosen and asked for room, which
// it gives at its next step boundary or not at all (Replica::ask_room).  From then on each step of the
// prompt sends what it computes (Handoff::feed), all layers but the last: that one, and what the way was
// too slow for, follow when the prompt is complete.  Who was given no room waits in line as usual, with its
// whole cache to send.  Room that was given is held while the prompt is computed; it is the price.
//
// Worked example: 1,000 tokens of 64 kB in 8 layers, a step of 66 ms, 50 GB/s: 56 MB go at 0.85 GB/s while
// the prompt is computed, and 8 MB take 0.16 ms after it.
#include <algorithm>
#include <utility>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::send_layers(std::size_t s, double now_s) {
  const Server& server = *servers_[s];
  if (server.role != scenario::Role::prefill || server.replica.idle()) return;
  if (server.bus != nullptr) return;  // it only changes hands
  for (const serving::Chunk& chunk : server.replica.chunks()) {
    serving::ActiveRequest& r = slots_[chunk.handle];
    if (std::exchange(r.asked_in, r.stay) != r.stay) {
      ask_for_room(chunk.handle, now_s);
    } else if (r.transfer >= 0) {
      feed(r, chunk, server.replica.run_end());
    }
  }
}

void Simulation::ask_for_room(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const bool decodes = r.produced + 1 < r.request.output_tokens;
  if (!decodes || r.leaving != serving::Leaving::no) return;
  Group& group = *groups_[*servers_[static_cast<std::size_t>(r.replica)]->sends_to];
  const std::size_t place = choose_place(group, r.request, r.produced, false);
  if (place == kNobody) return;
  group.router.sent(r.request, place);
  const std::size_t d = group.servers[place];
  Server& decoder = *servers_[d];
  ++decoder.routed;
  r.promised_by = static_cast<std::int32_t>(d);
  r.promised_place = static_cast<std::int32_t>(place);
  const bool was_idle = decoder.replica.idle();
  decoder.replica.ask_room(now_s, handle);
  if (d == between_runs_) return;
  if (was_idle) {
    touch(d);
  } else {
    arm(d);
  }
}

// Who has been given room is sent what there is of it, and then what comes.
void Simulation::open_promised(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  for (const serving::Handle handle : server.replica.take_promised()) {
    serving::ActiveRequest& r = slots_[handle];
    const Server& sender = *servers_[static_cast<std::size_t>(r.replica)];
    handoff_->open(new_transfer(handle), sender.place, server.place);
    r.sent_bytes = 0.0;
    const serving::Chunk chunk = sender.replica.chunk_of(handle);
    feed(r, chunk, chunk.tokens > 0 ? sender.replica.run_end() : now_s);
  }
}

void Simulation::feed(serving::ActiveRequest& r, const serving::Chunk& chunk, double until_s) {
  const scenario::DeploymentPlan& d =
      *servers_[static_cast<std::size_t>(r.promised_by)]->deployment->plan_of;
  const auto bytes_of = [&](std::int64_t tokens) {
    return perf::cache_bytes(d, std::max<std::int64_t>(0, tokens - r.kept_tokens));
  };
  const double after = bytes_of(chunk.done + chunk.tokens);
  const double last_layer = (after - bytes_of(chunk.done)) / static_cast<double>(d.model.layers);
  const double bytes = after - last_layer - r.sent_bytes;
  if (bytes <= 0.0) return;
  r.sent_bytes += bytes;
  handoff_->feed(static_cast<std::size_t>(r.transfer), bytes, until_s);
}

// Its prompt is complete, and there is room for it.
void Simulation::come_as_promised(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const auto decoder_index = static_cast<std::size_t>(std::exchange(r.promised_by, -1));
  Server& decoder = *servers_[decoder_index];
  r.group = static_cast<std::int32_t>(*servers_[static_cast<std::size_t>(r.replica)]->sends_to);
  r.place = r.promised_place;
  r.replica = static_cast<std::int32_t>(decoder_index);
  r.deployment = static_cast<std::int32_t>(decoder.deployment_index);
  r.reserved_s = now_s;
  decoder.replica.receive_promised(now_s, handle);
  handoff_->close(static_cast<std::size_t>(r.transfer), bytes_to_send(decoder, r) - r.sent_bytes);
}

// What was asked for it is of no use any more.
void Simulation::forget_promise(serving::ActiveRequest& r) {
  Group& group = *groups_[*servers_[static_cast<std::size_t>(r.replica)]->sends_to];
  group.router.finished(r.request, static_cast<std::size_t>(r.promised_place));
  --servers_[static_cast<std::size_t>(std::exchange(r.promised_by, -1))]->routed;
  void_transfer(r);
}

void Simulation::break_promise(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  if (r.promised_by < 0) return;
  const auto s = static_cast<std::size_t>(r.promised_by);
  forget_promise(r);
  Server& decoder = *servers_[s];
  if (decoder.rests) account_resting(decoder, now_s);
  decoder.replica.give_back_room(now_s, handle);
  after_release(s, now_s);
}

}  // namespace tokenyard::sim
