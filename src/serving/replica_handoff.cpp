// What is brought: KV caches of prompts computed elsewhere, and what tiers below keep.
#include <algorithm>
#include <utility>

#include "serving/replica.hpp"

namespace tokenyard::serving {

// A prompt's KV cache is complete: its blocks stay here until it has arrived where it decodes.
void Replica::send_on(Handle handle, std::int64_t tokens, double now) {
  ActiveRequest& r = (*slots_)[handle];
  held_.push_back({.handle = handle,
                   .request = r.request,
                   .tokens = tokens,
                   .lease = std::exchange(r.lease, {})});
  unpin_adapter(r);
  ++r.stay;
  r.stage = Stage::held;
  r.brings = Brings::sent;
  r.stored = tokens;
  r.last_token_s = now;
  sent_.push_back(handle);
}

void Replica::release_sent(double now, Handle handle) {
  arrived_.push_back(handle);
  if (idle()) {
    kv_.advance(now);
    release_arrived();
  } else {
    end_at_boundary(now);
  }
}

void Replica::release_arrived() {
  for (const Handle handle : arrived_) {
    const auto at =
        std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return h.handle == handle; });
    check(at != held_.end(), "a prompt is released that was not sent");
    kv_.release(at->request, at->tokens, true, at->lease);
    held_.erase(at);
  }
  arrived_.clear();
}

// Takes the blocks of the first in line, whose KV cache is elsewhere.
bool Replica::reserve_next(double now) {
  if (batch_full()) return false;
  const Handle handle = line_.first();
  ActiveRequest& r = (*slots_)[handle];
  if (!adapter_ready(r)) return false;
  // With room for its own next step, or it would have to leave again before it has made one.
  const std::int64_t own = running() + receiving() > 0 ? 1 : 0;
  if (kv_.admit(r.request, r.stored, admission_reserve() + own, r.lease) < 0) {
    blocked_ = true;
    return false;
  }
  pin_adapter(r);
  leave_line(r, now, Phase::transfer);
  if (r.brings == Brings::sent) r.enter(Phase::transfer, now);
  r.stage = Stage::receiving;
  if (r.admitted_s < 0.0) r.admitted_s = now;
  receiving_.push_back(handle);
  reserved_.push_back(handle);
  return true;
}

// A part of its prompt is below: it has its blocks, and computes the rest when that part is there.
void Replica::fetch(Handle handle, std::int64_t reused, KvBelow below) {
  ActiveRequest& r = (*slots_)[handle];
  tiers_->read(below);
  r.brings = Brings::fetched;
  r.stored = reused + below.tokens;
  r.parts = std::move(below.parts);
  r.stage = Stage::receiving;
  receiving_.push_back(handle);
  reserved_.push_back(handle);
}

bool Replica::has_room_for(std::int64_t tokens, double now) const {
  const std::int64_t opened = idle() ? 0 : under_way(now).blocks;
  return line_.empty() && !batch_full() &&
         kv_.blocks_for(tokens) + admission_reserve() + 1 <= kv_.available() - opened;
}

std::vector<Handle> Replica::take_newcomers() {
  std::vector<Handle> waiting;
  for (const Admitted& a : std::exchange(newcomers_, {})) {
    const ActiveRequest& r = (*slots_)[a.handle];
    if (r.stay == a.stay && r.stage == Stage::waiting) waiting.push_back(a.handle);
  }
  return waiting;
}

// Takes effect at the next boundary, as what is evicted before that goes below before it.
void Replica::prefetched(double now, const std::vector<KvKey>& keys) {
  prefetched_.insert(prefetched_.end(), keys.begin(), keys.end());
  if (!idle()) {
    end_at_boundary(now);
    return;
  }
  kv_.advance(now);
  tiers_->promote(std::exchange(prefetched_, {}));
}

void Replica::deliver(double now, Handle handle) {
  (*slots_)[handle].stage = Stage::delivered;
  delivered_.push_back(handle);
  end_at_boundary(now);
}

void Replica::start_delivered(double now) {
  for (const Handle handle : delivered_) {
    ActiveRequest& r = (*slots_)[handle];
    std::erase(receiving_, handle);
    admitted_.push_back({handle, r.stay});
    if (std::exchange(r.brings, Brings::nothing) == Brings::fetched) {
      r.enter(Phase::prefill, now);
      r.stage = Stage::prefilling;
      prefilling_.push_back({handle, r.request.input_tokens + r.produced, r.stored});
      continue;
    }
    r.enter(Phase::decode, now);
    start_decoding(handle, r.stored);
    // Its next token comes so much later than the last one as it was on its way.
    stalled_.push_back({r.last_token_s, 1});
    ++fresh_;
  }
  delivered_.clear();
}

}  // namespace tokenyard::serving
