#pragma once
// The clock: what the simulation asks of an event engine.
//
// Contract: callbacks run in order of their dates, one at a time; at a callback now() is its date
// exactly.  A timer that has fired or been cancelled must not be cancelled again.
#include <functional>

namespace tokenyard::sim {

class Calendar {
 public:
  using Timer = void*;

  virtual ~Calendar() = default;
  [[nodiscard]] virtual double now() const = 0;
  virtual Timer at(double date_s, std::function<void()> callback) = 0;
  virtual void cancel(Timer timer) = 0;
  // Runs callbacks until none is left.
  virtual void run() = 0;
};

}  // namespace tokenyard::sim
