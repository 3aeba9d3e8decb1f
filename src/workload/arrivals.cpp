#include "workload/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"

namespace tokenyard::workload {

ArrivalKind arrival_kind(const GeneratorSpec& spec) {
  switch (spec.kind) {
    case GeneratorKind::poisson:
      return ArrivalKind::poisson;
    case GeneratorKind::gamma:
      return ArrivalKind::gamma;
    case GeneratorKind::diurnal:
      return ArrivalKind::diurnal;
    case GeneratorKind::mmpp:
      return ArrivalKind::mmpp;
    case GeneratorKind::agents:
      return spec.arrivals;
    case GeneratorKind::fixed_concurrency:
      break;
  }
  throw InternalError("a kind of generator without arrivals");
}

Arrivals::Arrivals(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale)
    : kind_(arrival_kind(spec)),
      mean_gap_s_(1.0 / (spec.rate.base() * rate_scale)),
      shape_(1.0 / (spec.cv * spec.cv)),
      swing_(spec.peak_to_mean - 1.0),
      period_s_(spec.period.base()),
      peak_s_(spec.peak_at ? spec.peak_at->base() : 0.5 * period_s_),
      gaps_(seed, "arrivals"),
      states_(seed, "arrival states") {
  if (kind_ != ArrivalKind::mmpp) return;
  check(spec.rates.size() == 2 && spec.dwell.size() == 2, "mmpp without two rates and two dwells");
  for (const PerSecond rate : spec.rates) rates_per_s_.push_back(rate.base() * rate_scale);
  for (const Seconds dwell : spec.dwell) dwells_s_.push_back(dwell.base());
  state_ = states_.uniform() * (dwells_s_[0] + dwells_s_[1]) < dwells_s_[0] ? 0 : 1;
  state_ends_s_ = states_.exponential(dwells_s_[state_]);
}

double Arrivals::gap_s() {
  // A cv of 1 is drawn as what it is, an exponential.
  if (kind_ == ArrivalKind::poisson || (kind_ == ArrivalKind::diurnal && shape_ == 1.0))
    return gaps_.exponential(mean_gap_s_);
  return gaps_.gamma(shape_, mean_gap_s_ / shape_);
}

double Arrivals::next_s() {
  if (kind_ == ArrivalKind::mmpp) return last_s_ = modulated_s();
  due_s_ += gap_s();
  if (kind_ != ArrivalKind::diurnal) return due_s_;
  // Where the rate is near zero the root is known to rounding only.
  return last_s_ = std::max(last_s_, on_the_day(due_s_));
}

// The time t with t + (a / w) (sin(w (t - peak)) + sin(w peak)) = due, w = 2 pi / period.
double Arrivals::on_the_day(double due_s) const {
  const double w = 2.0 * std::numbers::pi / period_s_;
  const double half_swing_s = swing_ / w;
  const double at_start = std::sin(w * peak_s_);
  const auto missing_s = [&](double t) {
    return t + half_swing_s * (std::sin(w * (t - peak_s_)) + at_start) - due_s;
  };
  // The sum of the two sines is between -2 and 2; Newton's steps, halved in where they would leave.
  double low = std::max(0.0, due_s - 2.0 * half_swing_s);
  double high = due_s + 2.0 * half_swing_s;
  double t = std::clamp(due_s, low, high);
  constexpr int kMostSteps = 200;
  for (int step = 0; step < kMostSteps; ++step) {
    const double missing = missing_s(t);
    (missing < 0.0 ? low : high) = t;
    const double slope = 1.0 + swing_ * std::cos(w * (t - peak_s_));
    double next = slope > 0.0 ? t - missing / slope : low;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - t) <= 1e-12 * period_s_) return next;
    t = next;
  }
  return t;
}

// An exponential gap that the end of a state cuts off begins anew in the next: it has no memory.
double Arrivals::modulated_s() {
  double now_s = last_s_;
  while (true) {
    const double rate = rates_per_s_[state_];
    const double gap =
        rate > 0.0 ? gaps_.exponential(1.0 / rate) : std::numeric_limits<double>::infinity();
    if (now_s + gap <= state_ends_s_) return now_s + gap;
    now_s = state_ends_s_;
    state_ = 1 - state_;
    state_ends_s_ += states_.exponential(dwells_s_[state_]);
  }
}

}  // namespace tokenyard::workload
