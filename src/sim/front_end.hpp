#pragma once
// Requests between their arrival and the scheduler: HTTP, tokeniser, hand-over to the engine.
//
// It takes router latency + per_request + per_input_token * prompt of host time, whatever the load (there are as many
// workers as are needed), and no device waits for it.  It matters beyond its length: where
// requests that finish together are followed by others, these reach the scheduler together as well.
//
// Worked example: 30 ms and 4 us a token: a prompt of 5,000 tokens reaches the scheduler 50 ms after
// its arrival.
// Source of the mechanism: tokenisers take 2 to 8 us a token; servers in Python add tens of
// milliseconds (time to first token of single short prompts, vLLM and TensorRT-LLM).
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

#include "scenario/scenario_file.hpp"
#include "serving/active_request.hpp"

namespace tokenyard::sim {

class FrontEnd {
 public:
  FrontEnd(const scenario::HostOverhead& host, double router_s)
      : per_request_s_(host.per_request.base() + router_s),
        per_token_s_(host.per_input_token.base()) {}

  // What a prompt takes; 0: the scheduler sees it at once.
  [[nodiscard]] double delay_s(std::int64_t input_tokens) const {
    return per_request_s_ + per_token_s_ * static_cast<double>(input_tokens);
  }
  // `ticket`: the caller's, to tell a request that has left meanwhile.
  void enter(serving::Handle handle, std::uint64_t ticket, double ready_s) {
    inside_.push({ready_s, order_++, handle, ticket});
  }
  // When the next one is through; infinity when there is none.
  [[nodiscard]] double next_s() const {
    return inside_.empty() ? std::numeric_limits<double>::infinity() : inside_.top().ready_s;
  }
  struct Inside {
    double ready_s;
    std::int64_t order;  // those that are ready at once go in order of arrival
    serving::Handle handle;
    std::uint64_t ticket;
    bool operator>(const Inside& o) const {
      return ready_s != o.ready_s ? ready_s > o.ready_s : order > o.order;
    }
  };
  // The next one.  Not empty.
  Inside leave() {
    const Inside next = inside_.top();
    inside_.pop();
    return next;
  }

 private:
  double per_request_s_;
  double per_token_s_;
  std::int64_t order_ = 0;
  std::priority_queue<Inside, std::vector<Inside>, std::greater<>> inside_;
};

}  // namespace tokenyard::sim
