#pragma once
// Which LoRA adapters are in the memory of a replica's devices, and which come from the host's.
//
// There are so many slots.  An adapter is *resident*, on its way (*loading*), or only in the host's
// memory.  A request may start once its adapter is resident; while it runs the adapter is pinned.  The
// slot of the adapter that has been unused for longest is given away first, never a pinned or loading
// one.
//
// Worked example, two slots: requests with adapters 1, 2, 1 and 3 come one after the other and end at once.
// 1 and 2 are loaded, 1 is found, 3 takes the slot of 2.
//
// Contract: knows no time; the caller loads what start_loading() was true for and says loaded() when it has
// come, in any order.  pin() and unpin() in pairs.
// Leaves out adapters that are loaded before their first request asks (prefetching).
// Source: Sheng et al., "S-LoRA", MLSys 2024.
#include <cstdint>
#include <list>
#include <unordered_map>

namespace tokenyard::serving {

class AdapterCache {
 public:
  explicit AdapterCache(std::int64_t slots) : slots_(slots) {}

  [[nodiscard]] bool resident(std::int32_t adapter) const;
  [[nodiscard]] bool is_loading(std::int32_t adapter) const;
  [[nodiscard]] std::int64_t loading() const { return loading_; }
  // Takes a slot for an adapter that is neither resident nor loading; false when all are in use.
  bool start_loading(std::int32_t adapter);
  void loaded(std::int32_t adapter);
  void pin(std::int32_t adapter);  // resident
  void unpin(std::int32_t adapter);
  // All slots are empty; what is on its way is of no use.  Nothing is pinned.
  void clear();

 private:
  struct Entry {
    std::int64_t pins = 0;
    bool loading = false;
    std::list<std::int32_t>::iterator unused;  // while neither pinned nor loading
  };

  std::int64_t slots_;
  std::int64_t loading_ = 0;
  std::unordered_map<std::int32_t, Entry> entries_;
  std::list<std::int32_t> unused_;  // the longest unused first
};

}  // namespace tokenyard::serving
