#pragma once
// The calendar contract on a plain set of dates.
//
// For many short runs in one process, thousands in a calibration: SimGrid's engine exists once a
// process, and runs of one process would share its clock.  It knows no network, so only plans whose
// requests never cross one may run on it.  Tests hold it to the same results, bit for bit, as the
// calendar on SimGrid.  Callbacks of equal dates run in the order they were set.
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "sim/calendar.hpp"

namespace tokenyard::sim {

class PlainCalendar final : public Calendar {
 public:
  [[nodiscard]] double now() const override { return now_s_; }
  Timer at(double date_s, Sleeper& sleeper, std::size_t what) override {
    auto entry = std::make_unique<Entry>(Entry{{date_s, order_++}, &sleeper, what});
    Entry* timer = entry.get();
    queue_.emplace(timer->key, std::move(entry));
    return timer;
  }
  void cancel(Timer timer) override { queue_.erase(static_cast<Entry*>(timer)->key); }
  void run() override {
    while (!queue_.empty()) {
      const std::unique_ptr<Entry> due = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      now_s_ = due->key.first;
      due->sleeper->wake(due->what);
    }
  }

 private:
  using Key = std::pair<double, std::int64_t>;  // date and order
  struct Entry {
    Key key;
    Sleeper* sleeper;
    std::size_t what;
  };
  std::map<Key, std::unique_ptr<Entry>> queue_;
  double now_s_ = 0.0;
  std::int64_t order_ = 0;
};

}  // namespace tokenyard::sim
