// How a replica's next batch is formed: who is admitted, who computes a prompt's chunk, who has to
// leave.
#include <algorithm>
#include <utility>

#include "serving/replica.hpp"

namespace tokenyard::serving {

// Chunks for this step in slices_; false when there are none.
bool Replica::form_chunks(double now, std::int64_t budget) {
  std::size_t next = 0;
  while (budget > 0) {
    if (next == prefilling_.size() && (is_static() || !admit_next(now))) break;
    const Prefill& prefill = prefilling_[next++];
    const std::int64_t tokens = std::min(budget, prefill.tokens - prefill.done);
    slices_.push_back({.tokens = tokens,
                       .cached = prefill.done,
                       .samples = prefill.done + tokens == prefill.tokens});
    budget -= tokens;
  }
  return !slices_.empty();
}

void Replica::set_admitting(double now, bool admitting) {
  if (admits_ == admitting) return;
  admits_ = admitting;
  clock_.set(now, !admitting);
  if (admitting) end_at_boundary(now);
}

bool Replica::admit_next(double now) {
  if (!admits_) return false;
  while (!line_.empty() && !batch_full()) {
    const Handle handle = line_.first();
    ActiveRequest& r = (*slots_)[handle];
    if (r.brings != Brings::nothing) {
      if (!reserve_next(now)) return false;
      continue;
    }
    if (!adapter_ready(r)) return false;
    const std::int64_t tokens = r.request.input_tokens + r.produced;
    KvBelow below = kv_.below(r.request, tokens);
    const std::int64_t reused = kv_.admit(r.request, tokens, admission_reserve(), r.lease);
    if (reused < 0) {
      blocked_ = true;
      return false;
    }
    pin_adapter(r);
    leave_line(r, now, below.tokens > 0 ? Phase::fetch : Phase::prefill);
    if (r.admitted_s < 0.0) {
      r.admitted_s = now;
      r.cached_tokens = reused + below.tokens;
      r.fetched_tokens = below.tokens;
    }
    if (below.tokens > 0) {
      fetch(handle, reused, std::move(below));
      continue;
    }
    r.stage = Stage::prefilling;
    prefilling_.push_back({handle, tokens, reused});
    admitted_.push_back({handle, r.stay});
    return true;
  }
  return false;
}

// The first in line enters the batch.
void Replica::leave_line(ActiveRequest& r, double now, Phase next) {
  line_.take_first();
  count_in_line(r, -1);
  if (r.phase != Phase::queue_arrival) return;
  const double since_s = r.phase_since_s;
  r.enter(next, now);
  clock_.split(r, now - since_s, now);
}

// A prompt gets into line, or out of it.
void Replica::count_in_line(const ActiveRequest& r, std::int64_t sign) {
  if (r.brings != Brings::nothing) return;
  const std::int64_t tokens = sign * (r.request.input_tokens + r.produced);
  line_tokens_ += tokens;
  if (r.deferred) deferred_tokens_ += tokens;
}

std::int64_t Replica::prompt_backlog(double now) const {
  std::int64_t tokens = line_tokens_;
  // More than one step of a run of chunks is of one prompt.
  if (kind_ == Kind::mixed) tokens -= steps_before(now) * slices_.front().tokens;
  for (const Prefill& p : prefilling_) tokens += p.tokens - p.done;
  return tokens;
}

// Decoding sequences come first: what they need for the next step is not given away, nor what those need
// that are about to decode.
std::int64_t Replica::admission_reserve() const {
  return running() + coming() > 0 ? std::max(watermark_, new_blocks(1) + coming()) : 0;
}

void Replica::make_room_for_next_step() {
  if (paced_) paced_->choose(*slots_);
  while (decoding_ > 0 && new_blocks(1) > kv_.available()) {
    preempt_one();
    if (paced_) paced_->choose(*slots_);
  }
}

// The blocks that the run under way has opened.  Where they push out what is cached, they do at the end
// of the step that needs them, so that it has been kept as long as if each step had been simulated.
void Replica::take_opened(std::int64_t blocks) {
  std::int64_t taken = 0;
  while (blocks - taken > kv_.free()) {
    std::int64_t fits = 0;  // steps whose blocks are free
    std::int64_t lacks = run_steps_;
    while (fits + 1 < lacks) {
      const std::int64_t middle = (fits + lacks) / 2;
      (new_blocks(middle) - taken <= kv_.free() ? fits : lacks) = middle;
    }
    kv_.advance(lacks == run_steps_ ? end_s_ : boundary_s(lacks));
    const std::int64_t needed = new_blocks(lacks) - taken;
    if (needed <= kv_.free()) continue;  // time has made room
    kv_.take(needed);
    taken += needed;
  }
  kv_.take(blocks - taken);
}

// Of those in the batch, by place in admitted_: the youngest of the lowest priority.
std::size_t Replica::victim() {
  const auto gone = [&](const Admitted& a) { return (*slots_)[a.handle].stay != a.stay; };
  while (gone(admitted_.back())) admitted_.pop_back();
  std::size_t chosen = admitted_.size() - 1;
  if (limits_.admission != scenario::Admission::priority) return chosen;
  for (std::size_t i = chosen; i-- > 0;) {
    if (gone(admitted_[i])) continue;
    if ((*slots_)[admitted_[i].handle].priority < (*slots_)[admitted_[chosen].handle].priority)
      chosen = i;
  }
  return chosen;
}

void Replica::preempt_one() {
  const std::size_t chosen = victim();
  const Handle handle = admitted_[chosen].handle;
  admitted_.erase(admitted_.begin() + static_cast<std::ptrdiff_t>(chosen));
  ActiveRequest& r = (*slots_)[handle];
  std::int64_t tokens = r.request.input_tokens + r.produced;
  const bool decoded = r.stage == Stage::decoding;
  if (decoded) {
    tokens = stored_tokens(handle);
    r.last_token_s = start_s_;
    // The youngest is in the youngest group, if it was just delivered or all that decode have stalled.
    if (fresh_ > 0 || (!stalled_.empty() && stalled_sequences() == decoding_)) {
      r.last_token_s = stalled_.back().since_s;
      if (--stalled_.back().sequences == 0) stalled_.pop_back();
      fresh_ = std::max<std::int64_t>(0, fresh_ - 1);
    }
    drop_decoding(handle);
  } else {
    const auto at = std::find_if(prefilling_.begin(), prefilling_.end(),
                                 [&](const Prefill& p) { return p.handle == handle; });
    prefilling_.erase(at);
  }
  kv_.release(r.request, tokens, false, r.lease);
  unpin_adapter(r);
  ++r.stay;
  ++r.preemptions;
  ++preemptions_;
  r.enter(Phase::redo, start_s_);
  r.stage = Stage::waiting;
  if (decoded && limits_.preemption == scenario::Preemption::swap) {
    r.brings = Brings::swapped;
    r.stored = tokens;
  } else {
    count_in_line(r, 1);
  }
  line_.add(handle, true);
}

}  // namespace tokenyard::serving
