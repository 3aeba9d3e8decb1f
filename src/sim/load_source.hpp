#pragma once
// Releases the workload's requests: in trace time, or when what they wait for has finished.
//
// Open loop between sessions: a request without `after` arrives at its time.  Closed loop inside a
// session: one with `after` arrives think_s after the last of those has finished.  Fixed
// concurrency: the next request arrives when one leaves.  Reads one independent request ahead of those
// that arrive at the same moment, so memory holds only what waits for requests in flight.
//
// A request that waits for a rejected one is rejected with it: its session is over.  So it is with what
// waits for a request whose client has left.  What waits for samples of one group waits for the first of
// them to finish; the others are cancelled, and nobody waits for them.
//
// Contract: pull in the order take_due / on_...; the caller keeps the clock.  What
// waits for a request comes before the next independent one (session by session); a request that
// waits for one that has left already throws InputError, as its time of release has passed.
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "workload/request.hpp"

namespace tokenyard::sim {

class LoadSource {
 public:
  // most: stop after this many requests read; absent: all.
  LoadSource(workload::RequestStream& stream, std::optional<std::int64_t> most);

  // When the next request arrives; infinity when nothing is due before something finishes.
  [[nodiscard]] double next_arrival_s() const;
  // Takes the next request due at or before `now_s`; false when there is none.
  bool take_due(double now_s, workload::Request& out);
  // A request has left the system; its successors become due, each after its think time.  Returns
  // whether there are any.
  bool on_finished(std::int64_t id, double now_s);
  // A sample has left without an answer, another one was first.
  void on_cancelled(std::int64_t id, double now_s);
  // A request was rejected: so is everything that waits for it.  Each is handed to `also_rejected`.
  void on_rejected(std::int64_t id, double now_s,
                   const std::function<void(const workload::Request&)>& also_rejected);
  // Its client has left; what waits for it does not come.
  void on_abandoned(std::int64_t id, double now_s,
                    const std::function<void(const workload::Request&)>& also_abandoned) {
    on_rejected(id, now_s, also_abandoned);
  }
  // Nothing left to arrive, now or later.
  [[nodiscard]] bool exhausted() const {
    return roots_.empty() && due_.empty() && dependents_.empty();
  }

 private:
  struct Dependent {
    workload::Request request;
    std::int64_t missing = 0;  // requests it still waits for
  };
  struct Due {
    double at_s;
    std::int64_t order;
    workload::Request request;
    bool operator>(const Due& o) const { return at_s != o.at_s ? at_s > o.at_s : order > o.order; }
  };

  void read_ahead();
  void hold(workload::Request request);
  void release(workload::Request request, double at_s);
  void leave(double now_s);
  std::vector<std::int64_t> take_waiting_for(std::int64_t id);

  workload::RequestStream* stream_;
  std::optional<std::int64_t> most_;
  std::int64_t read_ = 0;
  std::int64_t order_ = 0;
  // Fixed concurrency: how many independent requests may be released.  Those in flight and those
  // that think count; negative while a session's fan-out holds more than its share.
  std::int64_t vacancies_ = 0;
  bool closed_loop_ = false;
  bool independent_ = false;  // nothing waits for anything
  bool at_end_ = false;
  std::deque<workload::Request> roots_;  // the next ones that arrive by themselves
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::unordered_map<std::int64_t, Dependent> dependents_;               // by own id
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> waiting_;  // awaited id -> ids
  std::unordered_set<std::int64_t>
      alive_;  // released and not left, or held: can still be waited for
  double vacancy_s_ = 0.0;
};

}  // namespace tokenyard::sim
