#pragma once
// Memory below the devices' that keeps KV caches: host DRAM, SSDs, a pool that all replicas share.
//
// What a replica's device cache evicts goes to its first local tier, what that has no room for to the
// next, and what the last has no room for is gone (least recently used first).  A unit stays below when it
// is brought back, so that it costs nothing to evict it again; of a session that has grown only the new
// blocks are written.  A unit that is evicted into the first tier leaves the others.
//
// The remote pool is written through: when a turn ends, what of its prompt and answer is not there yet is
// stored, whether or not it is evicted, so that any replica finds it.  Its units remember the node that
// holds them.
//
// What of a prompt the devices lack is looked for tier by tier, the local ones first, unit after unit
// without a gap, then the session's history.  It is brought only where that is faster than to compute it.
//
// Worked example: DRAM for 100 blocks, SSD for 1,000.  Prompts of 64 blocks are evicted one after the
// other: the first fills DRAM to 64, the second pushes it out to the SSD.  Coming back, its 64 blocks are
// read from the SSD.
//
// Leaves out: writing takes no bandwidth from reading (it happens in the background), and windowed layers'
// share of the capacity.
// Sources: Gao et al., "CachedAttention", USENIX ATC 2024 (tiers, eviction to slower ones); Qin et al.,
// "Mooncake", FAST 2025 (a pool of all nodes' memory); LMCache.
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "workload/request.hpp"

namespace tokenyard::serving {

// What one tier keeps of a prompt: a prefix unit, or a session's history.
struct KvKey {
  std::uint64_t id = 0;
  bool session = false;
  friend bool operator==(const KvKey&, const KvKey&) = default;
};
struct KvEntry {
  KvKey key;
  std::int64_t blocks = 0;
  std::int64_t offset = 0;  // tokens of the prompt before it
  std::int64_t home = 0;    // the node that holds it
};

// One tier, least recently used first.
class KvTierStore {
 public:
  explicit KvTierStore(std::int64_t capacity_blocks) : capacity_(capacity_blocks) {}

  [[nodiscard]] const KvEntry* find(const KvKey& key) const;
  void touch(const KvKey& key);
  // Stored, or grown to entry.blocks, as the last used.  Returns how many blocks were written; what had to
  // go is added to `pushed_out`.  What is larger than the tier is not stored.
  std::int64_t put(const KvEntry& entry, std::vector<KvEntry>& pushed_out);
  void erase(const KvKey& key);
  void clear();
  // What this node holds is gone.
  void lose_home(std::int64_t node);
  // It is `now_s`, and nothing has changed since the last call.
  void note(double now_s, double measured_from_s);
  [[nodiscard]] double kept_block_s() const { return kept_block_s_; }
  [[nodiscard]] std::int64_t used() const { return used_; }
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }

 private:
  using Entries = std::list<KvEntry>;
  struct Hash {
    std::size_t operator()(const KvKey& k) const {
      return std::hash<std::uint64_t>{}(k.id * 2 + (k.session ? 1 : 0));
    }
  };
  std::int64_t capacity_;
  std::int64_t used_ = 0;
  double noted_s_ = 0.0;
  double kept_block_s_ = 0.0;  // since the measured window began
  Entries entries_;            // the least recently used first
  std::unordered_map<KvKey, Entries::iterator, Hash> by_key_;
};

// A part of a prompt to be brought from one tier.
struct KvPart {
  std::size_t tier = 0;
  std::int64_t blocks = 0;
  std::int64_t home = 0;
};

// What tiers have of a prompt, after what the devices have.
struct KvBelow {
  std::int64_t tokens = 0;
  std::vector<KvPart> parts;
  std::vector<std::pair<std::size_t, KvKey>> units;  // in which tier
};

struct KvTierConfig {
  std::int64_t blocks = 0;  // capacity
  double block_s = 0.0;     // to bring one, alone
};

// In the measured window.
struct KvTierUse {
  std::int64_t read_blocks = 0;
  std::int64_t written_blocks = 0;
};

// The tiers of one replica.
class KvTiers {
 public:
  // local: the first is the fastest.  remote: null without; shared with other replicas, the last tier.
  KvTiers(const std::vector<KvTierConfig>& local, std::shared_ptr<KvTierStore> remote,
          const KvTierConfig& remote_config, std::int64_t home, double measured_from_s);

  [[nodiscard]] std::size_t size() const { return configs_.size(); }
  [[nodiscard]] bool has_remote() const { return remote_ != nullptr; }
  // It is `now_s`, as KvCache::advance.
  void advance(double now_s);

  // What the devices' memory gives up.
  void evicted(const KvEntry& entry);
  // A turn has ended with these units in device memory.
  void turn_ended(const KvEntry& entry);
  // Of a session's history only the first `blocks` blocks after `offset` are still what its next turn
  // would repeat.
  void revise(std::uint64_t session, std::int64_t offset, std::int64_t blocks);

  // Adds what the first tier that has it keeps of a unit; 0 blocks: nobody has it.
  struct Found {
    std::size_t tier = 0;
    const KvEntry* entry = nullptr;
  };
  [[nodiscard]] Found find(const KvKey& key) const;
  [[nodiscard]] double block_s(std::size_t tier) const { return configs_[tier].block_s; }
  // The fastest of them.
  [[nodiscard]] double least_block_s() const;
  // It is brought.
  void read(const KvBelow& below);
  // What the second local tier has of these moves to the first.
  void promote(const std::vector<KvKey>& keys);
  // A failure: what was kept on its node is lost.
  void lose_local();

  [[nodiscard]] const KvTierUse& use(std::size_t tier) const { return use_[tier]; }
  // Blocks times seconds, of the local tiers.
  [[nodiscard]] double kept_block_s(std::size_t tier) const { return local_[tier].kept_block_s(); }

 private:
  void put_local(std::size_t tier, const KvEntry& entry);
  void count_written(std::size_t tier, std::int64_t blocks);
  [[nodiscard]] KvTierStore& store(std::size_t tier) {
    return tier < local_.size() ? local_[tier] : *remote_;
  }
  [[nodiscard]] const KvTierStore& store(std::size_t tier) const {
    return tier < local_.size() ? local_[tier] : *remote_;
  }

  std::vector<KvTierConfig> configs_;
  std::vector<KvTierStore> local_;
  std::shared_ptr<KvTierStore> remote_;
  std::int64_t home_;
  double measured_from_s_;
  double now_s_ = 0.0;
  std::vector<KvTierUse> use_;
};

}  // namespace tokenyard::serving
