#pragma once
// What is to happen to a request at a time, unless it has left by then: its client loses patience or asks
// again, the fleet sends it elsewhere.
//
// One timer serves all of them.  A request keeps its ticket until it leaves; an appointment with another
// ticket than its request's is void.
#include <cstdint>
#include <limits>
#include <queue>
#include <vector>

#include "serving/active_request.hpp"

namespace tokenyard::sim {

enum class Matter { gives_up, times_out, comes_again, is_sent_elsewhere };

class Appointments {
 public:
  struct Appointment {
    double at_s;
    std::int64_t order;  // those of one moment come in the order in which they were made
    serving::Handle handle;
    std::uint64_t ticket;
    Matter matter;
    bool operator>(const Appointment& o) const {
      return at_s != o.at_s ? at_s > o.at_s : order > o.order;
    }
  };

  void make(double at_s, serving::Handle handle, std::uint64_t ticket, Matter matter) {
    due_.push({at_s, order_++, handle, ticket, matter});
  }
  // Infinity when there is none.
  [[nodiscard]] double next_s() const {
    return due_.empty() ? std::numeric_limits<double>::infinity() : due_.top().at_s;
  }
  // Not empty.
  Appointment take() {
    const Appointment next = due_.top();
    due_.pop();
    return next;
  }

 private:
  std::int64_t order_ = 0;
  std::priority_queue<Appointment, std::vector<Appointment>, std::greater<>> due_;
};

}  // namespace tokenyard::sim
