#pragma once
// A request from its arrival to its end, and the slots that hold those in flight.
#include <cstdint>
#include <deque>
#include <vector>

#include "base/phase.hpp"
#include "serving/kv_cache.hpp"
#include "workload/request.hpp"

namespace tokenyard::serving {

// Where a request is on its replica.
enum class Stage {
  nowhere,
  waiting,
  receiving,  // has its blocks, and its KV cache or a part of it is on its way into them
  delivered,  // ... is there, and takes part from the next step on
  prefilling,
  decoding,
  held,  // its prompt is computed, and its KV cache stays until it has arrived elsewhere
};
// What has to be brought before a request goes on.
enum class Brings {
  nothing,
  sent,     // its whole KV cache, from the replica that computed its prompt
  swapped,  // its whole KV cache, from the host's memory
  fetched,  // a part of its prompt's, from tiers below device memory
};

// Why a request is to leave its replica before its end.
enum class Leaving {
  no,
  cancelled,  // another sample of its group was first
  abandoned,  // its client left
  timed_out,  // its client asks again
  restarted,  // its KV cache was lost elsewhere
};

struct ActiveRequest {
  workload::Request request;
  double arrival_s = 0.0;
  double admitted_s = -1.0;
  double first_token_s = -1.0;
  double last_token_s = -1.0;  // of the last token before a preemption
  std::int64_t cached_tokens =
      -1;  // reused at the first admission, and of these brought from below
  std::int64_t fetched_tokens = 0;
  std::int64_t produced = 0;  // output tokens
  std::int32_t preemptions = 0;
  std::int32_t deployment = -1;
  std::int32_t replica = -1;
  std::int32_t group = -1;  // the routing group, and the place in it; -1: nowhere yet
  std::int32_t place = 0;
  double reserved_s = -1.0;  // when there was room for it there
  // While its prompt is computed, the replica that was asked for room to decode it, and the place in its
  // group; -1: none.  Of its KV cache, what has been sent there.
  std::int32_t promised_by = -1;
  std::int32_t promised_place = 0;
  double sent_bytes = 0.0;
  std::int64_t kept_tokens = 0;  // of it, what is where it will decode from earlier turns
  std::uint32_t asked_in = static_cast<std::uint32_t>(-1);  // the stay in which room was asked for
  std::int32_t sender = -1;  // the replica that computed its prompt, for such a one

  std::uint64_t ticket = 0;  // of its appointments
  Leaving leaving = Leaving::no;
  std::int32_t attempts = 1;  // in all, and those of its client
  std::int32_t client_attempts = 1;
  std::int32_t transfer = -1;  // under way, of its KV cache
  std::int32_t prefetch = -1;  // ... of what an SSD keeps of it
  std::int64_t priority = 0;
  std::int64_t predicted_tokens = 0;  // of its answer, where somebody predicts
  bool deferred = false;              // would be too late in any case: goes behind the others

  // Where its time went.
  Phase phase = Phase::front_end;
  double phase_since_s = 0.0;
  PhaseSeconds phase_s{};
  double capacity_mark_s = 0.0;  // its replica's clock of waits for capacity when it lined up
  std::int64_t order = 0;        // of lining up there

  // While on a replica:
  KvLease lease;
  Stage stage = Stage::nowhere;
  Brings brings = Brings::nothing;
  std::int64_t stored = 0;    // tokens in the KV cache when it began to decode, or that are brought
  std::vector<KvPart> parts;  // that are brought from tiers below
  std::int64_t begin_step = 0;  // the replica's decode step at that moment
  // Verifying steps that its answer takes after the first token, where that is drawn (pace.hpp); 0: not
  // yet.  Stays with it wherever it goes.
  std::int64_t pace_steps = 0;
  // Counts this slot's stays on replicas; references to an older stay are stale.
  std::uint32_t stay = 0;

  void enter(Phase next, double now_s) {
    phase_s[static_cast<std::size_t>(phase)] += now_s - phase_since_s;
    phase = next;
    phase_since_s = now_s;
  }
};

using Handle = std::int32_t;

// A prompt's part in a run.
struct Chunk {
  Handle handle;
  std::int64_t done;    // tokens of it in the KV cache before
  std::int64_t tokens;  // that are computed
};

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
