#include "serving/kv_tiers.hpp"

#include <algorithm>
#include <utility>

namespace tokenyard::serving {

const KvEntry* KvTierStore::find(const KvKey& key) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() ? &*found->second : nullptr;
}

void KvTierStore::touch(const KvKey& key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) entries_.splice(entries_.end(), entries_, found->second);
}

std::int64_t KvTierStore::put(const KvEntry& entry, std::vector<KvEntry>& pushed_out) {
  if (entry.blocks > capacity_) return 0;
  std::int64_t written = entry.blocks;
  if (const auto found = by_key_.find(entry.key); found != by_key_.end()) {
    KvEntry& known = *found->second;
    // Of another place in a prompt nothing can be used.
    written = known.offset == entry.offset ? std::max<std::int64_t>(0, entry.blocks - known.blocks)
                                           : entry.blocks;
    used_ -= known.blocks;
    const std::int64_t blocks =
        known.offset == entry.offset ? std::max(known.blocks, entry.blocks) : entry.blocks;
    known = entry;
    known.blocks = blocks;
    used_ += blocks;
    entries_.splice(entries_.end(), entries_, found->second);
  } else {
    entries_.push_back(entry);
    by_key_.emplace(entry.key, std::prev(entries_.end()));
    used_ += entry.blocks;
  }
  while (used_ > capacity_) {
    pushed_out.push_back(entries_.front());
    erase(entries_.front().key);
  }
  return written;
}

void KvTierStore::erase(const KvKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  used_ -= found->second->blocks;
  entries_.erase(found->second);
  by_key_.erase(found);
}

void KvTierStore::clear() {
  entries_.clear();
  by_key_.clear();
  used_ = 0;
}

void KvTierStore::lose_home(std::int64_t node) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->home != node) {
      ++entry;
      continue;
    }
    used_ -= entry->blocks;
    by_key_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

void KvTierStore::note(double now_s, double measured_from_s) {
  const double span_s = now_s - std::max(noted_s_, measured_from_s);
  if (span_s > 0.0) kept_block_s_ += span_s * static_cast<double>(used_);
  noted_s_ = std::max(noted_s_, now_s);
}

KvTiers::KvTiers(const std::vector<KvTierConfig>& local, std::shared_ptr<KvTierStore> remote,
                 const KvTierConfig& remote_config, std::int64_t home, double measured_from_s)
    : configs_(local), remote_(std::move(remote)), home_(home), measured_from_s_(measured_from_s) {
  for (const KvTierConfig& tier : local) local_.emplace_back(tier.blocks);
  if (remote_) configs_.push_back(remote_config);
  use_.resize(configs_.size());
}

void KvTiers::advance(double now_s) {
  for (KvTierStore& tier : local_) tier.note(now_s, measured_from_s_);
  now_s_ = now_s;
}

void KvTiers::count_written(std::size_t tier, std::int64_t blocks) {
  if (now_s_ >= measured_from_s_) use_[tier].written_blocks += blocks;
}

void KvTiers::put_local(std::size_t tier, const KvEntry& entry) {
  std::vector<KvEntry> pushed_out;
  count_written(tier, local_[tier].put(entry, pushed_out));
  if (tier + 1 == local_.size()) return;
  for (const KvEntry& next : pushed_out) put_local(tier + 1, next);
}

void KvTiers::evicted(const KvEntry& entry) {
  if (local_.empty()) return;
  KvEntry here = entry;
  here.home = home_;
  for (std::size_t t = 1; t < local_.size(); ++t) local_[t].erase(entry.key);
  put_local(0, here);
}

void KvTiers::turn_ended(const KvEntry& entry) {
  if (!remote_) return;
  KvEntry here = entry;
  here.home = home_;
  const KvEntry* known = remote_->find(entry.key);
  if (known != nullptr && known->offset == entry.offset && known->blocks >= entry.blocks)
    here.home = known->home;
  remote_->note(now_s_, measured_from_s_);
  std::vector<KvEntry> gone;
  count_written(local_.size(), remote_->put(here, gone));
}

void KvTiers::revise(std::uint64_t session, std::int64_t offset, std::int64_t blocks) {
  const KvKey key{.id = session, .session = true};
  for (std::size_t t = 0; t < size(); ++t) {
    const KvEntry* entry = store(t).find(key);
    if (entry == nullptr || (entry->offset == offset && entry->blocks <= blocks)) continue;
    KvEntry valid = *entry;
    store(t).erase(key);
    valid.blocks = blocks;
    std::vector<KvEntry> gone;
    if (valid.offset == offset && blocks > 0) store(t).put(valid, gone);
  }
}

KvTiers::Found KvTiers::find(const KvKey& key) const {
  for (std::size_t t = 0; t < size(); ++t) {
    if (const KvEntry* entry = store(t).find(key)) return {t, entry};
  }
  return {};
}

double KvTiers::least_block_s() const {
  double least_s = std::numeric_limits<double>::infinity();
  for (const KvTierConfig& tier : configs_) least_s = std::min(least_s, tier.block_s);
  return least_s;
}

void KvTiers::read(const KvBelow& below) {
  for (const auto& [tier, key] : below.units) store(tier).touch(key);
  if (now_s_ < measured_from_s_) return;
  for (const KvPart& part : below.parts) use_[part.tier].read_blocks += part.blocks;
}

void KvTiers::promote(const std::vector<KvKey>& keys) {
  for (const KvKey& key : keys) {
    const KvEntry* known = local_[1].find(key);
    if (known == nullptr) continue;
    const KvEntry entry = *known;
    local_[1].erase(key);
    put_local(0, entry);
  }
}

void KvTiers::lose_local() {
  for (KvTierStore& tier : local_) tier.clear();
}

}  // namespace tokenyard::serving
