// How a replica's next batch is formed: who is admitted, who computes a prompt's chunk, who has to
// leave.
#include <algorithm>

#include "serving/replica.hpp"

namespace tokenyard::serving {

// Chunks for this step in slices_; false when there are none.
bool Replica::form_chunks(double now, std::int64_t budget) {
  std::size_t next = 0;
  while (budget > 0) {
    const bool joins = limits_.policy != scenario::BatchPolicy::static_batch;
    if (next == prefilling_.size() && !(joins && admit_next(now))) break;
    const Prefill& prefill = prefilling_[next++];
    const std::int64_t tokens = std::min(budget, prefill.tokens - prefill.done);
    slices_.push_back({.tokens = tokens,
                       .cached = prefill.done,
                       .samples = prefill.done + tokens == prefill.tokens});
    budget -= tokens;
  }
  return !slices_.empty();
}

bool Replica::admit_next(double now) {
  while (!waiting_.empty() && (*slots_)[waiting_.front()].remote) {
    if (!reserve_next(now)) return false;
  }
  if (waiting_.empty() || running() + receiving_ >= limits_.max_batch) return false;
  const Handle handle = waiting_.front();
  ActiveRequest& r = (*slots_)[handle];
  const std::int64_t tokens = r.request.input_tokens + r.produced;
  const std::int64_t reserve = admission_reserve();
  const std::int64_t reused = kv_.admit(r.request, tokens, reserve, r.lease);
  if (reused < 0) {
    blocked_ = true;
    return false;
  }
  waiting_.pop_front();
  if (r.admitted_s < 0.0) {
    r.admitted_s = now;
    r.cached_tokens = reused;
  }
  r.decoding = false;
  prefilling_.push_back({handle, tokens, reused});
  admitted_.push_back({handle, r.stay});
  return true;
}

// Decoding sequences come first: what they need for the next step is not given away.
std::int64_t Replica::admission_reserve() const {
  return running() + receiving_ > 0 ? std::max(watermark_, new_blocks(1)) : 0;
}

void Replica::make_room_for_next_step() {
  while (decoding_ > 0 && new_blocks(1) > kv_.available()) preempt_youngest();
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

void Replica::preempt_youngest() {
  while ((*slots_)[admitted_.back().handle].stay != admitted_.back().stay) admitted_.pop_back();
  const Handle handle = admitted_.back().handle;
  admitted_.pop_back();
  ActiveRequest& r = (*slots_)[handle];
  std::int64_t tokens = r.request.input_tokens + r.produced;
  if (r.decoding) {
    tokens = stored_tokens(r);
    r.produced += step_ - r.begin_step;
    r.last_token_s = start_s_;
    // The youngest is in the youngest group, if it was just delivered or all that decode have stalled.
    if (fresh_ > 0 || (!stalled_.empty() && stalled_sequences() == decoding_)) {
      r.last_token_s = stalled_.back().since_s;
      if (--stalled_.back().sequences == 0) stalled_.pop_back();
      fresh_ = std::max<std::int64_t>(0, fresh_ - 1);
    }
    stop_decoding(handle);
    ++ends_.stale;
  } else {
    const auto at = std::find_if(prefilling_.begin(), prefilling_.end(),
                                 [&](const Prefill& p) { return p.handle == handle; });
    prefilling_.erase(at);
  }
  kv_.release(r.request, tokens, false, r.lease);
  ++r.stay;
  ++r.preemptions;
  ++preemptions_;
  waiting_.push_front(handle);
}

}  // namespace tokenyard::serving
