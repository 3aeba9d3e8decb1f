// Prompts that go on elsewhere, and requests whose prompt was computed elsewhere.
#include <algorithm>

#include "serving/replica.hpp"

namespace tokenyard::serving {

// A prompt's KV cache is complete: its blocks stay here until it has arrived where it decodes.
void Replica::send_on(Handle handle, std::int64_t tokens) {
  ActiveRequest& r = (*slots_)[handle];
  held_.push_back({.handle = handle,
                   .request = r.request,
                   .tokens = tokens,
                   .lease = std::exchange(r.lease, {})});
  ++r.stay;
  r.remote = true;
  r.last_token_s = r.first_token_s;
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

// Takes the blocks of the first in line, whose prompt was computed elsewhere.
bool Replica::reserve_next(double now) {
  if (running() + receiving_ >= limits_.max_batch) return false;
  const Handle handle = waiting_.front();
  ActiveRequest& r = (*slots_)[handle];
  if (kv_.admit(r.request, r.request.input_tokens, admission_reserve(), r.lease) < 0) {
    blocked_ = true;
    return false;
  }
  waiting_.pop_front();
  if (r.admitted_s < 0.0) r.admitted_s = now;
  ++receiving_;
  reserved_.push_back(handle);
  return true;
}

void Replica::deliver(double now, Handle handle) {
  delivered_.push_back(handle);
  end_at_boundary(now);
}

void Replica::start_delivered() {
  fresh_ = static_cast<std::int64_t>(delivered_.size());
  for (const Handle handle : delivered_) {
    ActiveRequest& r = (*slots_)[handle];
    r.remote = false;
    --receiving_;
    admitted_.push_back({handle, r.stay});
    start_decoding(handle, r.request.input_tokens);
    // Its next token comes so much later than the first one as it was on its way.
    stalled_.push_back({r.last_token_s, 1});
  }
  delivered_.clear();
}

}  // namespace tokenyard::serving
