#pragma once
// The clock: what the simulation asks of an event engine.
//
// Contract: wake-ups come in order of their dates, one at a time; at a wake-up now() is its date
// exactly.  A timer that has fired or been cancelled must not be cancelled again.
#include <cstddef>

namespace tokenyard::sim {

// Who is woken, and what for.  Two words and no allocation: there are several a request.
class Sleeper {
 public:
  virtual void wake(std::size_t what) = 0;

 protected:
  ~Sleeper() = default;
};

class Calendar {
 public:
  using Timer = void*;

  virtual ~Calendar() = default;
  [[nodiscard]] virtual double now() const = 0;
  virtual Timer at(double date_s, Sleeper& sleeper, std::size_t what) = 0;
  virtual void cancel(Timer timer) = 0;
  // Wakes sleepers until no timer is left.
  virtual void run() = 0;
};

}  // namespace tokenyard::sim
