// Requests that leave before their end: withdrawn, or driven out by a failure.
#include <algorithm>
#include <utility>

#include "serving/replica.hpp"

namespace tokenyard::serving {

bool Replica::withdraw(double now, Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  if (r.stage == Stage::waiting) {
    const bool was_first = line_.first() == handle;
    count_in_line(r, -1);
    line_.remove(handle);
    r.stage = Stage::nowhere;
    // Who stood behind it may fit where it did not.
    if (was_first && !line_.empty()) end_at_boundary(now);
    return true;
  }
  withdrawn_.push_back(handle);
  if (idle()) {
    left_.clear();
    kv_.advance(now);
    release_withdrawn(now);
  } else {
    end_at_boundary(now);
  }
  return false;
}

// Who has finished at this very boundary has finished.
void Replica::release_withdrawn(double now) {
  for (const Handle handle : withdrawn_) {
    ActiveRequest& r = (*slots_)[handle];
    if (r.stage == Stage::nowhere || r.stage == Stage::held) continue;
    if (r.stage == Stage::decoding) r.last_token_s = now;
    leave_batch(handle);
    ++r.stay;
    left_.push_back(handle);
  }
  withdrawn_.clear();
}

void Replica::lose_rank(double now, std::uint64_t lost, std::uint64_t ranks) {
  lost_ranks_.emplace_back(lost, ranks);
  if (idle()) {
    kv_.advance(now);
    apply_losses();
  } else {
    end_at_boundary(now);
  }
}

void Replica::apply_losses() {
  for (const auto& [lost, ranks] : lost_ranks_) kv_.lose_rank(lost, ranks);
  lost_ranks_.clear();
}

// Gives its blocks back, wherever it is.
void Replica::leave_batch(Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  std::int64_t tokens = r.request.input_tokens + r.produced;
  switch (r.stage) {
    case Stage::decoding:
      tokens = stored_tokens(handle);
      drop_decoding(handle);
      break;
    case Stage::prefilling:
      std::erase_if(prefilling_, [&](const Prefill& p) { return p.handle == handle; });
      break;
    case Stage::receiving:
    case Stage::delivered:
      if (r.brings != Brings::fetched) tokens = r.stored;
      // What has arrived is nowhere else any more.
      if (r.stage == Stage::delivered) r.brings = Brings::nothing;
      std::erase(delivered_, handle);
      std::erase(reserved_, handle);
      std::erase(receiving_, handle);
      break;
    case Stage::nowhere:
    case Stage::waiting:
    case Stage::held:
      return;
  }
  kv_.release(r.request, tokens, false, r.lease);
  unpin_adapter(r);
  r.stage = Stage::nowhere;
}

std::vector<Handle> Replica::in_batch() const {
  std::vector<Handle> inside;
  for (const Admitted& a : admitted_) {
    if ((*slots_)[a.handle].stay == a.stay) inside.push_back(a.handle);
  }
  return inside;
}

Replica::Evacuees Replica::evacuate(double now, double last_boundary_s) {
  kind_ = Kind::none;
  end_s_ = kNever;
  cut_short_ = false;
  slices_.clear();
  kv_.advance(now);
  Evacuees out;
  release_arrived();
  for (Held& held : held_) {
    out.held.push_back(held.handle);
    kv_.release(held.request, held.tokens, false, held.lease);
  }
  held_.clear();
  for (Held& room : promised_) {
    out.promised.push_back(room.handle);
    unpin_adapter((*slots_)[room.handle]);
    kv_.release(room.request, room.tokens, false, room.lease);
  }
  promised_.clear();
  newly_promised_.clear();
  out.promised.insert(out.promised.end(), asked_.begin(), asked_.end());
  asked_.clear();
  std::vector<Handle> inside = in_batch();
  inside.insert(inside.end(), receiving_.begin(), receiving_.end());
  for (const Handle handle : inside) {
    ActiveRequest& r = (*slots_)[handle];
    if (r.stage == Stage::decoding) r.last_token_s = last_boundary_s;
    leave_batch(handle);
    ++(*slots_)[handle].stay;
    out.requests.push_back(handle);
  }
  admitted_.clear();
  withdrawn_.clear();
  lost_ranks_.clear();
  stalled_.clear();
  for (const Handle handle : line_.take_all()) {
    (*slots_)[handle].stage = Stage::nowhere;
    out.requests.push_back(handle);
  }
  line_tokens_ = deferred_tokens_ = 0;
  newcomers_.clear();
  kv_.clear_cached();
  clock_.set(now, false);
  return out;
}

}  // namespace tokenyard::serving
