#pragma once
// A link or a drive that transfers share: n of them at once each get an n-th of its bandwidth.
//
// Processor sharing in closed form: all transfers under way have received the same since they were
// together, so one running sum v of bytes received by each tells when the next one ends (it began at v0 with
// b bytes: at v = v0 + b).  One timer, O(log n) a transfer.
//
// Worked example: 1 GB and 2 GB begin together over 1 GB/s: the first ends after 2 s, the second has 1 GB
// left and the channel for itself: 3 s.
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "sim/calendar.hpp"

namespace tokenyard::sim {

class SharedChannel final : private Sleeper {
 public:
  SharedChannel(Calendar& calendar, double bytes_per_s)
      : calendar_(&calendar), bytes_per_s_(bytes_per_s) {}

  // `who` is woken once, with `what`, when they have passed.
  void send(double bytes, Sleeper& who, std::size_t what);
  [[nodiscard]] double bytes_per_s() const { return bytes_per_s_; }

 private:
  struct Transfer {
    double end_bytes;     // of what each has received
    std::int64_t number;  // those that end together end in the order in which they began
    Sleeper* who;
    std::size_t what;
    bool operator>(const Transfer& o) const {
      return end_bytes != o.end_bytes ? end_bytes > o.end_bytes : number > o.number;
    }
  };
  void wake(std::size_t what) override;
  void advance();
  void arm();

  Calendar* calendar_;
  double bytes_per_s_;
  double received_bytes_ = 0.0;  // by each since the channel was last free
  double since_s_ = 0.0;
  std::int64_t sent_ = 0;
  Calendar::Timer timer_ = nullptr;
  std::priority_queue<Transfer, std::vector<Transfer>, std::greater<>> under_way_;
};

}  // namespace tokenyard::sim
