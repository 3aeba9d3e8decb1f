#include "serving/kv_cache.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace tokenyard::serving {

KvCache::KvCache(const KvCacheConfig& config, KvTiers* tiers)
    : config_(config),
      tiers_(tiers),
      order_(config.eviction),
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
  m.session_unit = found->second;
  m.session_blocks = std::min(unit.blocks, history_blocks(request, unit.offset, limit));
  m.idle_blocks += unit.blocks;
  return m;
}

// Blocks after `offset` that repeat the session's earlier context, of the first `limit` tokens.
std::int64_t KvCache::history_blocks(const workload::Request& request, std::int64_t offset,
                                     std::int64_t limit) const {
  const std::int64_t history =
      request.history_tokens < 0 ? limit : std::min(limit, request.history_tokens);
  return std::max<std::int64_t>(0, history - offset) / config_.block_tokens;
}

KvBelow KvCache::below(const workload::Request& request, std::int64_t tokens) const {
  KvBelow below;
  if (tiers_ == nullptr || !config_.reuse) return below;
  const Match m = match(request, tokens);
  const std::int64_t limit = tokens - 1;
  const std::int64_t usable = whole_prefix_blocks(request, limit);
  std::int64_t units = m.prefix_units;
  std::int64_t blocks = 0;
  double bring_s = 0.0;
  const auto add = [&](const KvTiers::Found& found, std::int64_t more) {
    below.units.emplace_back(found.tier, found.entry->key);
    blocks += more;
    bring_s += static_cast<double>(more) * tiers_->block_s(found.tier);
    if (!below.parts.empty() && below.parts.back().tier == found.tier &&
        below.parts.back().home == found.entry->home) {
      below.parts.back().blocks += more;
    } else {
      below.parts.push_back({found.tier, more, found.entry->home});
    }
  };
  // Where the session's own history goes on in device memory, it covers what prefix units would.
  for (; m.session_blocks == 0 && units < usable; ++units) {
    const auto found = tiers_->find({.id = request.prefix[static_cast<std::size_t>(units)]});
    if (found.entry == nullptr) break;
    add(found, unit_blocks_);
  }
  const std::int64_t offset = units * config_.prefix_block_tokens;
  if (request.session >= 0) {
    const auto found =
        tiers_->find({.id = static_cast<std::uint64_t>(request.session), .session = true});
    if (found.entry != nullptr && found.entry->offset == offset) {
      const std::int64_t more =
          std::min(found.entry->blocks, history_blocks(request, offset, limit)) - m.session_blocks;
      if (more > 0) add(found, more);
    }
  }
  below.tokens = blocks * config_.block_tokens;
  const std::int64_t here =
      m.prefix_units * config_.prefix_block_tokens + m.session_blocks * config_.block_tokens;
  if (blocks == 0 || bring_s >= config_.recompute.seconds(here, below.tokens)) return {};
  return below;
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
    ++units_[static_cast<std::size_t>(index)].uses;
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
    const std::int32_t index =
        create({{.id = key}, unit_blocks_, i * config_.prefix_block_tokens, 0});
    units_[static_cast<std::size_t>(index)].references = 1;
    lease.units.push_back(index);
  }
}

void KvCache::advance(double now_s) {
  now_s_ = now_s;
  while (const std::int32_t index = next_to_end()) {
    const Unit& unit = units_[static_cast<std::size_t>(index)];
    const double end_s = unit.unused_since_s + unit.hold_s;
    if (end_s >= now_s) break;
    if (tiers_ != nullptr) tiers_->advance(end_s);
    give_up(index);
  }
  if (tiers_ != nullptr) tiers_->advance(now_s);
}

// The unit whose time ends first; kNil without any.
std::int32_t KvCache::next_to_end() const {
  if (!config_.hold_by_cost) return units_[kNil].next;
  return ends_.empty() ? kNil : std::get<2>(*ends_.begin());
}

// A unit that nobody uses leaves the devices' memory.
void KvCache::give_up(std::int32_t index) {
  const Unit& unit = units_[static_cast<std::size_t>(index)];
  if (tiers_ != nullptr) tiers_->evicted({{unit.key, unit.session}, unit.blocks, unit.offset, 0});
  free_ += unit.blocks;
  unlink(index);
  remove(index);
}

// Seconds of the replica to have one of its blocks back: computed, or brought.  What is brought costs the
// same a block, to the last bit, so that what became unused together is held as long whatever its size.
double KvCache::block_value_s(const Unit& unit) const {
  const double computed_s =
      config_.recompute.seconds(unit.offset, unit.blocks * config_.block_tokens) /
      static_cast<double>(unit.blocks);
  return tiers_ == nullptr ? computed_s : std::min(computed_s, tiers_->least_block_s());
}

// How long a unit has been of use to nobody in the measured time; no longer than it may stay.
double KvCache::retained_s(const Unit& unit, double until_s) const {
  const double end_s = std::min(until_s, unit.unused_since_s + unit.hold_s);
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
  double rank = 0.0;
  if (keep && config_.reuse) {
    if (config_.keep_sessions && request.session >= 0) {
      kept = keep_history(request, tokens, own);
      if (kept > 0) {
        const std::int32_t index = by_session_.at(static_cast<std::uint64_t>(request.session));
        link_as_newest(index);
        rank = units_[static_cast<std::size_t>(index)].rank;
      }
    }
    if (tiers_ != nullptr) turn_ended(request);
  }
  free_ += own - kept;
  for (auto it = lease.units.rbegin(); it != lease.units.rend(); ++it) {
    Unit& unit = units_[static_cast<std::size_t>(*it)];
    unit.least_rank = std::max(unit.least_rank, rank);
    if (--unit.references == 0) link_as_newest(*it);
    rank = std::max(unit.least_rank, unit.rank);
  }
  lease.units.clear();
}

// What of a session's turn its next one may repeat becomes a unit, which nobody uses yet.  Returns its
// blocks; 0: it is kept below, or not at all.
std::int64_t KvCache::keep_history(const workload::Request& request, std::int64_t tokens,
                                   std::int64_t own) {
  const std::int64_t offset =
      whole_prefix_blocks(request, request.input_tokens) * config_.prefix_block_tokens;
  const std::int64_t kept =
      std::clamp<std::int64_t>((tokens - offset) / config_.block_tokens, 0, own);
  const auto key = static_cast<std::uint64_t>(request.session);
  // An older unit is still there when this turn could not use it, or when turns ran in parallel.
  if (const auto old = by_session_.find(key); old != by_session_.end()) {
    const std::int32_t index = old->second;
    free_ += units_[static_cast<std::size_t>(index)].blocks;
    unlink(index);
    remove(index);
  }
  const KvEntry entry{{key, true}, kept, offset, 0};
  if (tiers_ != nullptr) {
    tiers_->revise(key, offset, history_blocks(request, offset, request.input_tokens));
    if (kept > 0) tiers_->turn_ended(entry);
  }
  if (kept > 0 && config_.offload_sessions) {
    tiers_->evicted(entry);
    return 0;
  }
  if (kept > 0) create(entry);
  return kept;
}

// The remote pool gets what it lacks of the prompt.
void KvCache::turn_ended(const workload::Request& request) {
  if (!tiers_->has_remote()) return;
  const std::int64_t whole = whole_prefix_blocks(request, request.input_tokens);
  for (std::int64_t i = 0; i < whole; ++i) {
    tiers_->turn_ended({{.id = request.prefix[static_cast<std::size_t>(i)]},
                        unit_blocks_,
                        i * config_.prefix_block_tokens,
                        0});
  }
}

void KvCache::lose_rank(std::uint64_t lost, std::uint64_t ranks) {
  KvTiers* const tiers = std::exchange(tiers_, nullptr);
  for (std::int32_t i = units_[kNil].next; i != kNil;) {
    const Unit& unit = units_[static_cast<std::size_t>(i)];
    const std::int32_t next = unit.next;
    if (ranks == 1 || (unit.session && unit.key % ranks == lost)) give_up(i);
    i = next;
  }
  tiers_ = tiers;
}

void KvCache::clear_cached() {
  KvTiers* const tiers = std::exchange(tiers_, nullptr);
  evict(evictable_);
  tiers_ = tiers;
  if (tiers_ != nullptr) tiers_->lose_local();
}

// A new unit takes its blocks out of the private ones; nobody uses it until it is linked or
// referenced.
std::int32_t KvCache::create(const KvEntry& entry) {
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
  unit.key = entry.key.id;
  unit.session = entry.key.session;
  unit.blocks = entry.blocks;
  unit.offset = entry.offset;
  cached_ += unit.blocks;
  (unit.session ? by_session_ : by_prefix_).emplace(unit.key, index);
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
  unit.hold_s = config_.ttl_s;
  units_[static_cast<std::size_t>(unit.previous)].next = index;
  units_[kNil].previous = index;
  evictable_ += unit.blocks;
  if (config_.hold_by_cost) {
    unit.turn = ++turns_;
    unit.hold_s = block_value_s(unit) * static_cast<double>(config_.blocks);
    ends_.insert(end_of(unit, index));
  }
  if (config_.eviction == scenario::Eviction::lru) return;
  unit.rank = std::max(unit.least_rank, order_.rank(unit.uses, block_value_s(unit)));
  order_.add(index, unit.rank);
}

void KvCache::unlink(std::int32_t index) {
  const Unit& unit = units_[static_cast<std::size_t>(index)];
  units_[static_cast<std::size_t>(unit.previous)].next = unit.next;
  units_[static_cast<std::size_t>(unit.next)].previous = unit.previous;
  evictable_ -= unit.blocks;
  retained_block_s_ += static_cast<double>(unit.blocks) * retained_s(unit, now_s_);
  if (config_.hold_by_cost) ends_.erase(end_of(unit, index));
  if (config_.eviction != scenario::Eviction::lru) order_.remove(index);
}

std::int32_t KvCache::first_to_go() const {
  if (config_.eviction == scenario::Eviction::lru) return units_[kNil].next;
  return order_.empty() ? kNil : order_.first();
}

void KvCache::evict(std::int64_t blocks) {
  while (blocks > 0) {
    const std::int32_t first = first_to_go();
    check(first != kNil, "the KV cache was asked for more blocks than it can free");
    if (config_.eviction != scenario::Eviction::lru) order_.evicted();
    Unit& unit = units_[static_cast<std::size_t>(first)];
    if (unit.session && unit.blocks > blocks) {
      if (tiers_ != nullptr) tiers_->evicted({{unit.key, true}, unit.blocks, unit.offset, 0});
      retained_block_s_ += static_cast<double>(blocks) * retained_s(unit, now_s_);
      unit.blocks -= blocks;
      cached_ -= blocks;
      evictable_ -= blocks;
      free_ += blocks;
      return;
    }
    blocks -= unit.blocks;
    give_up(first);
  }
}

}  // namespace tokenyard::serving
