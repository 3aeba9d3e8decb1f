#pragma once
// A request from its arrival to its end, and the slots that hold those in flight.
#include <cstdint>
#include <deque>
#include <vector>

#include "serving/kv_cache.hpp"
#include "workload/request.hpp"

namespace tokenyard::serving {

struct ActiveRequest {
  workload::Request request;
  double arrival_s = 0.0;
  double admitted_s = -1.0;
  double first_token_s = -1.0;
  double last_token_s = -1.0;       // of the last token before a preemption
  std::int64_t cached_tokens = -1;  // reused at the first admission
  std::int64_t produced = 0;        // output tokens
  std::int32_t preemptions = 0;
  std::int32_t deployment = -1;
  std::int32_t replica = -1;
  std::int32_t routed_model = 0;  // the routing group, and the place in it
  std::int32_t routed_place = 0;
  std::int32_t decode_place = -1;  // among the replicas that only decode; -1: not there yet
  double reserved_s = -1.0;        // when there was room for it there
  std::int32_t sender = -1;        // the replica that computed its prompt, for such a one

  // While on a replica:
  KvLease lease;
  std::int64_t stored = 0;      // tokens in the KV cache when it began to decode
  std::int64_t begin_step = 0;  // the replica's decode step at that moment
  bool decoding = false;
  bool remote = false;  // its prompt was computed elsewhere, and is still to be brought
  // Counts this slot's stays on replicas; references to an older stay are stale.
  std::uint32_t stay = 0;
};

using Handle = std::int32_t;

class RequestSlots {
 public:
  Handle add() {
    if (unused_.empty()) {
      slots_.emplace_back();
      return static_cast<Handle>(slots_.size() - 1);
    }
    const Handle handle = unused_.back();
    unused_.pop_back();
    return handle;
  }
  void remove(Handle handle) {
    ActiveRequest& slot = (*this)[handle];
    const std::uint32_t stay = slot.stay + 1;
    slot = ActiveRequest{};
    slot.stay = stay;
    unused_.push_back(handle);
  }
  ActiveRequest& operator[](Handle handle) { return slots_[static_cast<std::size_t>(handle)]; }
  [[nodiscard]] std::size_t in_use() const { return slots_.size() - unused_.size(); }

 private:
  std::deque<ActiveRequest> slots_;
  std::vector<Handle> unused_;
};

}  // namespace tokenyard::serving
