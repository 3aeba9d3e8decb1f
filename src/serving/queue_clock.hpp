#pragma once
// Why requests wait for their replica: for room, for others that came later, or for their turn.
//
//   queue_capacity  the time in line during which nobody could have entered: the batch was full, or the
//                   first in line did not fit the KV cache
//   queue_priority  of the rest, the time in which the prompt of a request that came later was computed
//   queue_arrival   the rest: prompts that came before, and steps under way; a burst of arrivals
//
// One clock runs while the replica has no room, so a request's share is the difference between two
// readings.  Being overtaken is summed by order of arrival: what the prompt of request k took counts for
// all that came before k and wait, which is a suffix sum (Fenwick tree, O(log n)).
//
// Worked example: in line from 0 s to 10 s; the cache is full from 2 s to 5 s; from 6 s to 8 s a prompt
// that came at 3 s is computed: capacity 3 s, priority 2 s, arrival 5 s.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "serving/active_request.hpp"

namespace tokenyard::serving {

class QueueClock {
 public:
  // tracks_order: requests may overtake each other.
  explicit QueueClock(bool tracks_order) : tracks_order_(tracks_order) {}

  // From now on, whether there is no room.
  void set(double now_s, bool no_room) {
    capacity_s_ = capacity_s(now_s);
    since_s_ = now_s;
    no_room_ = no_room;
  }
  [[nodiscard]] bool no_room() const { return no_room_; }

  void line_up(ActiveRequest& r, double now_s) {
    r.capacity_mark_s = capacity_s(now_s);
    if (!tracks_order_) return;
    r.order = static_cast<std::int64_t>(++orders_);
    if (orders_ < sums_.size()) return;
    // The last entry of a tree of twice the size covers all; those between are of nobody yet.
    const double all = sums_.empty() ? 0.0 : sums_.back();
    sums_.resize(sums_.empty() ? 65 : 2 * sums_.size() - 1, 0.0);
    sums_.back() = all;
  }
  // A prompt was computed for so long while there was room.
  void computed(const ActiveRequest& r, double seconds) {
    if (!tracks_order_) return;
    total_s_ += seconds;
    for (auto i = static_cast<std::size_t>(r.order); i < sums_.size(); i += i & (~i + 1))
      sums_[i] += seconds;
  }
  // It enters the batch: the time in line is divided.  Its phase has been left.
  void split(ActiveRequest& r, double waited_s, double now_s) const {
    const double capacity = std::clamp(capacity_s(now_s) - r.capacity_mark_s, 0.0, waited_s);
    const double overtaken = std::clamp(overtaken_s(r), 0.0, waited_s - capacity);
    seconds_of(r, Phase::queue_capacity) += capacity;
    seconds_of(r, Phase::queue_priority) += overtaken;
    seconds_of(r, Phase::queue_arrival) -= capacity + overtaken;
  }

 private:
  [[nodiscard]] double capacity_s(double now_s) const {
    return capacity_s_ + (no_room_ ? now_s - since_s_ : 0.0);
  }
  [[nodiscard]] double overtaken_s(const ActiveRequest& r) const {
    if (!tracks_order_) return 0.0;
    double before = 0.0;
    for (auto i = static_cast<std::size_t>(r.order); i > 0; i -= i & (~i + 1)) before += sums_[i];
    return total_s_ - before;
  }
  static double& seconds_of(ActiveRequest& r, Phase phase) {
    return r.phase_s[static_cast<std::size_t>(phase)];
  }

  bool tracks_order_;
  double capacity_s_ = 0.0, since_s_ = 0.0;
  bool no_room_ = false;
  std::size_t orders_ = 0;
  std::vector<double> sums_;
  double total_s_ = 0.0;
};

}  // namespace tokenyard::serving
