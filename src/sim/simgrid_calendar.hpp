#pragma once
// The calendar on SimGrid's kernel timers: absolute dates, exact, several times faster than actors.
//
// SimGrid has one engine per process, and a second one would silently go on with the first one's
// clock: so one of these per process, checked.  Simulations run in forked children.
#include <memory>

#include "sim/calendar.hpp"

namespace tokenyard::sim {

class SimgridCalendar final : public Calendar {
 public:
  // Throws InternalError when this process has had an engine already.
  SimgridCalendar();
  ~SimgridCalendar() override;
  SimgridCalendar(const SimgridCalendar&) = delete;
  SimgridCalendar& operator=(const SimgridCalendar&) = delete;

  [[nodiscard]] double now() const override;
  Timer at(double date_s, Sleeper& sleeper, std::size_t what) override;
  void cancel(Timer timer) override;
  void run() override;

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tokenyard::sim
