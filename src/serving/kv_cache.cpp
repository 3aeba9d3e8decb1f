#include "serving/kv_cache.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tokenyard::serving {

KvCache::KvCache(const KvCacheConfig& config)
    : config_(config),
      unit_blocks_(config.prefix_block_tokens / config.block_tokens),
      free_(config.blocks) {
  check(!config.reuse || config.prefix_block_tokens % config.block_tokens == 0,
        "prefix blocks are no multiple of KV blocks");
  units_.emplace_back();
}

std::int64_t KvCache::whole_prefix_blocks(const workload::Request& request,
                                          std::int64_t tokens) const {
  if (request.prefix.empty()) return 0;
  return std::min<std::int64_t>(static_cast<std::int64_t>(request.prefix.size()),
                                tokens / config_.prefix_block_tokens);
}

KvCache::Match KvCache::match(const workload::Request& request, std::int64_t tokens) const {
  Match m;
  if (!config_.reuse) return m;
  const std::int64_t limit = tokens - 1;
  const std::int64_t usable = whole_prefix_blocks(request, limit);
  while (m.prefix_units < usable) {
    const auto found = by_prefix_.find(request.prefix[static_cast<std::size_t>(m.prefix_units)]);
    if (found == by_prefix_.end()) break;
    const Unit& unit = units_[static_cast<std::size_t>(found->second)];
    if (unit.references == 0) m.idle_blocks += unit.blocks;
    ++m.prefix_units;
  }
  if (request.session < 0) return m;
  const auto found = by_session_.find(static_cast<std::uint64_t>(request.session));
  if (found == by_session_.end()) return m;
  const Unit& unit = units_[static_cast<std::size_t>(found->second)];
  if (unit.offset != m.prefix_units * config_.prefix_block_tokens) return m;
  const std::int64_t history =
      request.history_tokens < 0 ? limit : std::min(limit, request.history_tokens);
  const std::int64_t shared =
      std::max<std::int64_t>(0, history - unit.offset) / config_.block_tokens;
  m.session_unit = found->second;
  m.session_blocks = std::min(unit.blocks, shared);
  m.idle_blocks += unit.blocks;
  return m;
}

std::int64_t KvCache::admit(const workload::Request& request, std::int64_t tokens,
                            std::int64_t reserve, KvLease& lease) {
  const Match m = match(request, tokens);
  const std::int64_t fresh = blocks_for(tokens) - m.prefix_units * unit_blocks_ - m.session_blocks;
  // The part of the session's unit that is not reused becomes free at once.
  std::int64_t room = free_ + evictable_ - m.idle_blocks;
  if (m.session_unit != kNil)
    room += units_[static_cast<std::size_t>(m.session_unit)].blocks - m.session_blocks;
  if (fresh + reserve > room) return -1;
  for (std::int64_t i = 0; i < m.prefix_units; ++i) {
    const std::int32_t index = by_prefix_.at(request.prefix[static_cast<std::size_t>(i)]);
    if (units_[static_cast<std::size_t>(index)].references++ == 0) unlink(index);
    lease.units.push_back(index);
  }
  std::int64_t reused = m.prefix_units * config_.prefix_block_tokens;
  if (m.session_unit != kNil) {
    unlink(m.session_unit);
    free_ += units_[static_cast<std::size_t>(m.session_unit)].blocks;
    remove(m.session_unit);
    free_ -= m.session_blocks;
    reused += m.session_blocks * config_.block_tokens;
  }
  take(fresh);
  return reused;
}

void KvCache::prompt_computed(const workload::Request& request, std::int64_t tokens,
                              KvLease& lease) {
  if (!config_.reuse) return;
  const std::int64_t whole = whole_prefix_blocks(request, tokens);
  for (auto i = static_cast<std::int64_t>(lease.units.size()); i < whole; ++i) {
    const std::uint64_t key = request.prefix[static_cast<std::size_t>(i)];
    // Another sequence computed the same block meanwhile: this copy stays private.
    if (by_prefix_.contains(key)) continue;
    const std::int32_t index = create(key, false, unit_blocks_);
    units_[static_cast<std::size_t>(index)].references = 1;
    lease.units.push_back(index);
  }
}

void KvCache::advance(double now_s) {
  now_s_ = now_s;
  while (units_[kNil].next != kNil) {
    const std::int32_t oldest = units_[kNil].next;
    const Unit& unit = units_[static_cast<std::size_t>(oldest)];
    if (unit.unused_since_s + config_.ttl_s >= now_s) return;
    free_ += unit.blocks;
    unlink(oldest);
    remove(oldest);
  }
}

// How long a unit has been of use to nobody in the measured time; no longer than it may stay.
double KvCache::retained_s(const Unit& unit, double until_s) const {
  const double end_s = std::min(until_s, unit.unused_since_s + config_.ttl_s);
  return std::max(0.0, end_s - std::max(unit.unused_since_s, config_.measured_from_s));
}

double KvCache::retained_block_s(double now_s) const {
  double sum = retained_block_s_;
  for (std::int32_t i = units_[kNil].next; i != kNil;
       i = units_[static_cast<std::size_t>(i)].next) {
    const Unit& unit = units_[static_cast<std::size_t>(i)];
    sum += static_cast<double>(unit.blocks) * retained_s(unit, now_s);
  }
  return sum;
}

void KvCache::take(std::int64_t count) {
  if (count > free_) evict(count - free_);
  free_ -= count;
}

void KvCache::release(const workload::Request& request, std::int64_t tokens, bool keep,
                      KvLease& lease) {
  const std::int64_t own =
      blocks_for(tokens) - static_cast<std::int64_t>(lease.units.size()) * unit_blocks_;
  std::int64_t kept = 0;
  if (keep && config_.reuse && config_.keep_sessions && request.session >= 0) {
    const std::int64_t offset =
        whole_prefix_blocks(request, request.input_tokens) * config_.prefix_block_tokens;
    kept = std::clamp<std::int64_t>((tokens - offset) / config_.block_tokens, 0, own);
    const auto key = static_cast<std::uint64_t>(request.session);
    // An older unit is still there when this turn could not use it, or when turns ran in parallel.
    if (const auto old = by_session_.find(key); old != by_session_.end()) {
      const std::int32_t index = old->second;
      free_ += units_[static_cast<std::size_t>(index)].blocks;
      unlink(index);
      remove(index);
    }
    if (kept > 0) {
      const std::int32_t index = create(key, true, kept);
      units_[static_cast<std::size_t>(index)].offset = offset;
      link_as_newest(index);
    }
  }
  free_ += own - kept;
  for (auto it = lease.units.rbegin(); it != lease.units.rend(); ++it) {
    if (--units_[static_cast<std::size_t>(*it)].references == 0) link_as_newest(*it);
  }
  lease.units.clear();
}

void KvCache::clear_cached() {
  evict(evictable_);
}

// A new unit takes its blocks out of the private ones; nobody uses it until it is linked or
// referenced.
std::int32_t KvCache::create(std::uint64_t key, bool session, std::int64_t blocks) {
  std::int32_t index = 0;
  if (unused_.empty()) {
    index = static_cast<std::int32_t>(units_.size());
    units_.emplace_back();
  } else {
    index = unused_.back();
    unused_.pop_back();
  }
  Unit& unit = units_[static_cast<std::size_t>(index)];
  unit = Unit{};
  unit.key = key;
  unit.session = session;
  unit.blocks = blocks;
  cached_ += blocks;
  (session ? by_session_ : by_prefix_).emplace(key, index);
  return index;
}

// Forgets an unlinked unit; its blocks are the caller's to place.
void KvCache::remove(std::int32_t index) {
  Unit& unit = units_[static_cast<std::size_t>(index)];
  cached_ -= unit.blocks;
  (unit.session ? by_session_ : by_prefix_).erase(unit.key);
  unused_.push_back(index);
}

void KvCache::link_as_newest(std::int32_t index) {
  Unit& unit = units_[static_cast<std::size_t>(index)];
  unit.previous = units_[kNil].previous;
  unit.next = kNil;
  unit.unused_since_s = now_s_;
  units_[static_cast<std::size_t>(unit.previous)].next = index;
  units_[kNil].previous = index;
  evictable_ += unit.blocks;
}

void KvCache::unlink(std::int32_t index) {
  const Unit& unit = units_[static_cast<std::size_t>(index)];
  units_[static_cast<std::size_t>(unit.previous)].next = unit.next;
  units_[static_cast<std::size_t>(unit.next)].previous = unit.previous;
  evictable_ -= unit.blocks;
  retained_block_s_ += static_cast<double>(unit.blocks) * retained_s(unit, now_s_);
}

void KvCache::evict(std::int64_t blocks) {
  while (blocks > 0) {
    const std::int32_t oldest = units_[kNil].next;
    check(oldest != kNil, "the KV cache was asked for more blocks than it can free");
    Unit& unit = units_[static_cast<std::size_t>(oldest)];
    if (unit.session && unit.blocks > blocks) {
      retained_block_s_ += static_cast<double>(blocks) * retained_s(unit, now_s_);
      unit.blocks -= blocks;
      cached_ -= blocks;
      evictable_ -= blocks;
      free_ += blocks;
      return;
    }
    blocks -= unit.blocks;
    free_ += unit.blocks;
    unlink(oldest);
    remove(oldest);
  }
}

}  // namespace tokenyard::serving
