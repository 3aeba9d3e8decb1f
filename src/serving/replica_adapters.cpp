// LoRA adapters: a request enters the batch once its adapter is in device memory, and pins it there.
#include <algorithm>

#include "serving/replica.hpp"

namespace tokenyard::serving {

bool Replica::has_adapter(const ActiveRequest& r) const {
  const std::int32_t adapter = r.request.adapter;
  return !adapters_ || adapter < 0 || adapters_->resident(adapter);
}

// Whether the adapter of the first in line is there.  If it can be, it is sent for.
bool Replica::adapter_ready(const ActiveRequest& r) {
  if (has_adapter(r)) return true;
  const std::int32_t adapter = r.request.adapter;
  awaits_adapter_ = true;
  if (!adapters_->is_loading(adapter) && adapters_->start_loading(adapter))
    wanted_adapters_.push_back(adapter);
  return false;
}

void Replica::pin_adapter(const ActiveRequest& r) {
  if (adapters_ && r.request.adapter >= 0) adapters_->pin(r.request.adapter);
}

void Replica::unpin_adapter(const ActiveRequest& r) {
  if (adapters_ && r.request.adapter >= 0) adapters_->unpin(r.request.adapter);
}

void Replica::adapter_loaded(double now, std::int32_t adapter) {
  adapters_->loaded(adapter);
  end_at_boundary(now);
}

void Replica::forget_adapters() {
  if (!adapters_) return;
  adapters_->clear();
  wanted_adapters_.clear();
}

// Who decodes with an adapter, or no longer does.
void Replica::count_adapter(const ActiveRequest& r, std::int64_t change) {
  const std::int32_t adapter = r.request.adapter;
  if (!adapters_ || adapter < 0) return;
  adapted_ += change;
  if ((decoding_with_[adapter] += change) == 0) decoding_with_.erase(adapter);
}

perf::AdapterLoad Replica::decoding_adapters() const {
  return {.distinct = static_cast<std::int64_t>(decoding_with_.size()), .decoding = adapted_};
}

// Of the run under way, chunks of prompts included.
perf::AdapterLoad Replica::run_adapters() const {
  perf::AdapterLoad load;
  if (!adapters_) return load;
  if (run_decodes_) load = decoding_adapters();
  std::vector<std::int32_t> others;
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    const std::int32_t adapter = (*slots_)[prefilling_[i].handle].request.adapter;
    if (adapter < 0) continue;
    ++load.chunks;
    load.chunk_tokens += static_cast<double>(slices_[i].tokens);
    if (run_decodes_ && decoding_with_.contains(adapter)) continue;
    if (std::find(others.begin(), others.end(), adapter) == others.end()) others.push_back(adapter);
  }
  load.distinct += static_cast<std::int64_t>(others.size());
  return load;
}

}  // namespace tokenyard::serving
