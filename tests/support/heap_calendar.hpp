#pragma once
// The calendar contract on a plain set of dates: an oracle for the one on SimGrid.  Callbacks of equal
// dates run in the order they were set.
#include <map>
#include <utility>

#include "sim/calendar.hpp"

namespace tokenyard::test {

class HeapCalendar final : public sim::Calendar {
 public:
  [[nodiscard]] double now() const override { return now_s_; }
  Timer at(double date_s, sim::Sleeper& sleeper, std::size_t what) override {
    auto* entry = new Entry{date_s, order_++, &sleeper, what};
    queue_.emplace(std::pair{date_s, entry->order}, entry);
    return entry;
  }
  void cancel(Timer timer) override {
    auto* entry = static_cast<Entry*>(timer);
    queue_.erase({entry->date_s, entry->order});
    delete entry;
  }
  void run() override {
    while (!queue_.empty()) {
      Entry* entry = queue_.begin()->second;
      queue_.erase(queue_.begin());
      now_s_ = entry->date_s;
      const Entry due = *entry;
      delete entry;
      due.sleeper->wake(due.what);
    }
  }
  ~HeapCalendar() override {
    for (auto& [key, entry] : queue_) delete entry;
  }

 private:
  struct Entry {
    double date_s;
    long order;
    sim::Sleeper* sleeper;
    std::size_t what;
  };
  std::map<std::pair<double, long>, Entry*> queue_;
  double now_s_ = 0.0;
  long order_ = 0;
};

}  // namespace tokenyard::test
