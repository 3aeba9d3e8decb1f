#pragma once
// Little's law as a check that runs along with a simulation.
//
// The time integral of the number of requests in the system equals the sum of the times that each
// of them spent there, those still inside at the end counted up to the end.  The two sides are kept
// separately (one from the count between events, one from each request's own record), so a request
// that is lost, doubled or given a wrong time makes them differ.
//
// Worked example: A is inside from 0 s to 4 s, B from 1 s to 3 s, end at 5 s.  The number is 1, 2,
// 1, 0 over [0,1), [1,3), [3,4), [4,5]: integral 1 + 4 + 1 + 0 = 6 = 4 + 2.
//
// Source: Little, "A Proof for the Queuing Formula L = lambda W", Operations Research 9(3), 1961.
#include <cmath>
#include <cstdint>

#include "base/error.hpp"

namespace tokenyard::metrics {

class LittlesLaw {
 public:
  // Contract: events come in the order of their times.
  void enter(double t_s) {
    advance(t_s);
    ++inside_;
  }
  void leave(double t_s, double entered_s) {
    check(inside_ > 0, "a request that leaves the system was in it");
    advance(t_s);
    --inside_;
    sojourn_s_ += t_s - entered_s;
  }
  // The end of the time looked at; then `remains` once for each request still in the system.
  void end(double t_s) { advance(t_s); }
  void remains(double entered_s) { sojourn_s_ += now_s_ - entered_s; }

  [[nodiscard]] std::int64_t inside() const { return inside_; }
  // Integral of the number in the system, in request-seconds.
  [[nodiscard]] double integral_s() const { return integral_s_; }
  // Sum of the times in the system.
  [[nodiscard]] double sojourn_s() const { return sojourn_s_; }
  // |integral - sum| / integral: rounding only, in a sound simulation.
  [[nodiscard]] double relative_error() const {
    const double difference_s = std::abs(integral_s_ - sojourn_s_);
    return integral_s_ > 0.0 ? difference_s / integral_s_ : difference_s;
  }

 private:
  void advance(double t_s) {
    check(t_s >= now_s_, "events of the system come in the order of their times");
    integral_s_ += static_cast<double>(inside_) * (t_s - now_s_);
    now_s_ = t_s;
  }

  std::int64_t inside_ = 0;
  double now_s_ = 0.0;
  double integral_s_ = 0.0;
  double sojourn_s_ = 0.0;
};

}  // namespace tokenyard::metrics
