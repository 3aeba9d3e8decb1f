#pragma once
// When independent requests, or sessions, arrive.
//
// poisson: exponential gaps of mean 1/rate.  gamma: gaps of mean 1/rate and coefficient of variation
// cv, that is shape 1/cv^2 and scale cv^2/rate; cv 1 is poisson, above 1 comes in bursts.  Worked
// example: rate 2 /s and cv 3 give gaps of mean 0.5 s and deviation 1.5 s.
//
// diurnal: the rate goes up and down as a day does,
//
//   rate(t) = rate * (1 + a cos(2 pi (t - peak_at) / period)),   a = peak_to_mean - 1,
//
// so that it is `rate` in the mean of a period and (2 - peak_to_mean) * rate at its lowest.  Gaps are
// drawn at the mean rate, exponential or gamma with cv, and their running sum u is carried to the
// time t at which that much has been due: the integral of rate(t) / rate from 0 to t is u.  With
// exponential gaps this is the Poisson process of that rate, the one that thinning makes as well,
// but one draw makes one arrival, so that another peak shifts arrivals and draws nothing anew.
// Worked example: 1 /s, peak_to_mean 2 at 12 h: 86,400 arrivals a day, of which between 6 h and 18 h
// (1 + 2 / pi) * 43,200 = 70,702, against 15,698 in the night.
//
// mmpp: a Poisson process whose rate is rates[0] or rates[1], for times that are exponential with
// means dwell[0] and dwell[1].  Its mean rate is (r0 d0 + r1 d1) / (d0 + d1).  Worked example: 1 /s
// for 90 s and 11 /s for 10 s: 2 /s.  It starts in a state as often as that is found later.  Counts in
// long windows vary more than those of a Poisson process by
//
//   variance / mean = 1 + 2 (r0 - r1)^2 (d0 d1)^2 / ((d0 + d1)^2 (r0 d0 + r1 d1)),
//
// here 1 + 2 * 100 * 810,000 / (10,000 * 200) = 82.
//
// Leaves out weeks and seasons, and states of more than two rates.
// Source of the variance: Fischer and Meier-Hellstern, "The Markov-modulated Poisson process
// cookbook", Performance Evaluation 18, 1993.
#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {

// That of a generator, not of fixed-concurrency, which has none.
ArrivalKind arrival_kind(const GeneratorSpec& spec);

class Arrivals {
 public:
  // rate_scale multiplies all rates.
  Arrivals(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale);
  // Never before the one before it.
  double next_s();

 private:
  double gap_s();
  [[nodiscard]] double on_the_day(double due_s) const;
  double modulated_s();

  ArrivalKind kind_;
  double mean_gap_s_;
  double shape_;  // of gamma gaps, 1/cv^2
  double swing_;  // a above
  double period_s_;
  double peak_s_;
  std::vector<double> rates_per_s_, dwells_s_;  // of mmpp
  RandomStream gaps_;
  RandomStream states_;
  double due_s_ = 0.0;  // the running sum of the gaps
  double last_s_ = 0.0;
  std::size_t state_ = 0;
  double state_ends_s_ = 0.0;
};

}  // namespace tokenyard::workload
