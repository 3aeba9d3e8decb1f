// What is brought: KV caches of prompts computed elsewhere, and what tiers below keep.
#include <algorithm>
#include <utility>

#include "serving/replica.hpp"

namespace tokenyard::serving {
namespace {

template <class List>
auto of_request(List& list, Handle handle) {
  return std::find_if(list.begin(), list.end(), [&](const auto& h) { return h.handle == handle; });
}

}  // namespace

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
    const auto at = of_request(held_, handle);
    check(at != held_.end(), "a prompt is released that was not sent");
    kv_.release(at->request, at->tokens, true, at->lease);
    held_.erase(at);
  }
  arrived_.clear();
  for (Held& room : given_back_) kv_.release(room.request, room.tokens, false, room.lease);
  given_back_.clear();
}

// Takes the blocks of the first in line, whose KV cache is elsewhere.
bool Replica::reserve_next(double now) {
  if (batch_full()) return false;
  const Handle handle = line_.first();
  ActiveRequest& r = (*slots_)[handle];
  if (!adapter_ready(r)) return false;
  // With room for its own next step, or it would have to leave again before it has made one.
  const std::int64_t own = running() + coming() > 0 ? 1 : 0;
  const std::int64_t kept = kv_.admit(r.request, r.stored, admission_reserve() + own, r.lease);
  if (kept < 0) {
    blocked_ = true;
    return false;
  }
  r.kept_tokens = kept;
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

void Replica::reserve_sent(double now) {
  kv_.advance(now);
  while (!line_.empty() && (*slots_)[line_.first()].brings == Brings::sent && reserve_next(now)) {
  }
}

void Replica::ask_room(double now, Handle handle) {
  asked_.push_back(handle);
  end_at_boundary(now);
}

bool Replica::has_room(Handle handle) const {
  return of_request(promised_, handle) != promised_.end();
}

// After those in line have had theirs.
void Replica::promise_room() {
  for (const Handle handle : std::exchange(asked_, {})) {
    const ActiveRequest& r = (*slots_)[handle];
    if (!admits_ || !line_.empty() || batch_full() || !has_adapter(r) || is_static()) continue;
    Held room{.handle = handle,
              .request = r.request,
              .tokens = r.request.input_tokens + r.produced,
              .lease = {}};
    // With room for its own next step.
    const std::int64_t own = running() + coming() > 0 ? 1 : 0;
    const std::int64_t kept =
        kv_.admit(room.request, room.tokens, admission_reserve() + own, room.lease);
    if (kept < 0) continue;
    (*slots_)[handle].kept_tokens = kept;
    pin_adapter(r);
    promised_.push_back(std::move(room));
    newly_promised_.push_back(handle);
  }
}

void Replica::give_back_room(double now, Handle handle) {
  std::erase(asked_, handle);
  const auto at = of_request(promised_, handle);
  if (at == promised_.end()) return;
  unpin_adapter((*slots_)[handle]);
  std::erase(newly_promised_, handle);
  given_back_.push_back(std::move(*at));
  promised_.erase(at);
  if (idle()) {
    kv_.advance(now);
    release_arrived();
  } else {
    end_at_boundary(now);
  }
}

void Replica::receive_promised(double now, Handle handle) {
  const auto at = of_request(promised_, handle);
  check(at != promised_.end(), "a request comes that was promised no room");
  ActiveRequest& r = (*slots_)[handle];
  r.lease = std::move(at->lease);
  r.stage = Stage::receiving;
  r.enter(Phase::transfer, now);
  promised_.erase(at);
  receiving_.push_back(handle);
}

std::vector<Chunk> Replica::chunks() const {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < slices_.size(); ++i)
    chunks.push_back({prefilling_[i].handle, prefilling_[i].done, slices_[i].tokens});
  return chunks;
}

Chunk Replica::chunk_of(Handle handle) const {
  for (std::size_t i = 0; i < prefilling_.size(); ++i) {
    if (prefilling_[i].handle != handle) continue;
    const bool in_run = !idle() && i < slices_.size();
    return {handle, prefilling_[i].done, in_run ? slices_[i].tokens * run_steps_ : 0};
  }
  check(false, "a prompt is not computed here");
  return {};
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

// A static batch starts whole: what has come waits for what is on its way.
void Replica::start_delivered(double now) {
  if (is_static() && delivered_.size() < receiving_.size()) return;
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
    kv_.prompt_computed(r.request, r.stored, r.lease);
    start_decoding(handle, r.stored);
    // Its next token comes so much later than the last one as it was on its way.
    stalled_.push_back({r.last_token_s, 1});
    ++fresh_;
  }
  delivered_.clear();
}

}  // namespace tokenyard::serving
