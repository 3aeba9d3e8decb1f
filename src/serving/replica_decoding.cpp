// Who decodes: sequences begin, advance and end.
#include <algorithm>

#include "serving/replica.hpp"

namespace tokenyard::serving {

void Replica::start_decoding(Handle handle, std::int64_t stored) {
  ActiveRequest& r = (*slots_)[handle];
  r.stage = Stage::decoding;
  r.stored = stored;
  r.begin_step = step_;
  ++decoding_;
  count_adapter(r, 1);
  if (paced_) return paced_->add(handle, r, stored);
  ++order_;
  stored_sum_ += stored;
  ++residues_[static_cast<std::size_t>(((stored - step_) % block_tokens_ + block_tokens_) %
                                       block_tokens_)];
  ends_.heap.push({step_ + r.request.output_tokens - r.produced, order_, handle, r.stay});
  const std::int64_t window = model_->window_tokens();
  if (window > 0) {
    window_sum_ += std::min(stored + 1, window);
    if (stored + 1 < window) {
      ++window_growing_;
      window_fills_.heap.push({step_ + window - stored - 1, order_, handle, r.stay});
    }
  }
}

void Replica::stop_decoding(Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  r.stage = Stage::nowhere;
  --decoding_;
  count_adapter(r, -1);
  if (paced_) return paced_->remove(handle);
  const std::int64_t stored = stored_tokens(handle);
  stored_sum_ -= stored;
  --residues_[static_cast<std::size_t>(((r.stored - r.begin_step) % block_tokens_ + block_tokens_) %
                                       block_tokens_)];
  const std::int64_t window = model_->window_tokens();
  if (window > 0) {
    window_sum_ -= std::min(stored + 1, window);
    if (stored + 1 < window) {
      --window_growing_;
      ++window_fills_.stale;
    }
  }
}

std::int64_t Replica::gained(Handle handle) const {
  return paced_ ? paced_->gained(handle) : step_ - (*slots_)[handle].begin_step;
}

std::int64_t Replica::stored_tokens(Handle handle) const {
  return (*slots_)[handle].stored + gained(handle);
}

std::int64_t Replica::decode_tokens(std::int64_t steps) const {
  return paced_ ? paced_->tokens(steps) : steps * decoding_;
}

// It leaves before its end, with the tokens that it has.
void Replica::drop_decoding(Handle handle) {
  (*slots_)[handle].produced += gained(handle);
  stop_decoding(handle);
  if (!paced_) ++ends_.stale;
  forget_stalled();
}

void Replica::advance_decoding(std::int64_t steps) {
  if (paced_) return advance_paced(steps);
  step_ += steps;
  stored_sum_ += decoding_ * steps;
  window_sum_ += window_growing_ * steps;
  drop_stale(window_fills_);
  while (!window_fills_.heap.empty() && window_fills_.heap.top().step <= step_) {
    --window_growing_;
    window_fills_.heap.pop();
    drop_stale(window_fills_);
  }
  drop_stale(ends_);
  while (!ends_.heap.empty() && ends_.heap.top().step <= step_) {
    const Handle handle = ends_.heap.top().handle;
    ends_.heap.pop();
    end_decoding(handle);
    drop_stale(ends_);
  }
}

// It has its last token.
void Replica::end_decoding(Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  const std::int64_t tokens = stored_tokens(handle);
  r.produced = r.request.output_tokens;
  stop_decoding(handle);
  kv_.release(r.request, tokens, true, r.lease);
  finish(handle);
}

void Replica::advance_paced(std::int64_t steps) {
  paced_->advance(steps);
  for (const Handle handle : paced_->ended()) end_decoding(handle);
}

}  // namespace tokenyard::serving
