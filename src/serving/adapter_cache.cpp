#include "serving/adapter_cache.hpp"

#include "base/error.hpp"

namespace tokenyard::serving {

bool AdapterCache::resident(std::int32_t adapter) const {
  const auto found = entries_.find(adapter);
  return found != entries_.end() && !found->second.loading;
}

bool AdapterCache::is_loading(std::int32_t adapter) const {
  const auto found = entries_.find(adapter);
  return found != entries_.end() && found->second.loading;
}

bool AdapterCache::start_loading(std::int32_t adapter) {
  if (static_cast<std::int64_t>(entries_.size()) == slots_) {
    if (unused_.empty()) return false;
    entries_.erase(unused_.front());
    unused_.pop_front();
  }
  entries_[adapter].loading = true;
  ++loading_;
  return true;
}

void AdapterCache::loaded(std::int32_t adapter) {
  Entry& entry = entries_.at(adapter);
  entry.loading = false;
  --loading_;
  entry.unused = unused_.insert(unused_.end(), adapter);
}

void AdapterCache::pin(std::int32_t adapter) {
  Entry& entry = entries_.at(adapter);
  if (entry.pins++ == 0) unused_.erase(entry.unused);
}

void AdapterCache::unpin(std::int32_t adapter) {
  Entry& entry = entries_.at(adapter);
  if (--entry.pins == 0) entry.unused = unused_.insert(unused_.end(), adapter);
}

void AdapterCache::clear() {
  for (const auto& [adapter, entry] : entries_)
    check(entry.pins == 0, "an adapter is dropped that a request runs with");
  entries_.clear();
  unused_.clear();
  loading_ = 0;
}

}  // namespace tokenyard::serving
