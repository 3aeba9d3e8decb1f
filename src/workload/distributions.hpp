#pragma once
// Draws lengths and waiting times as LengthSpec and TimeSpec describe them.
//
// A lognormal is given by its median m (the logarithm has mean ln m) or by its mean a (then the
// logarithm has mean ln a - sigma^2 / 2).  Worked example: median 100 and sigma 1 have the mean
// 100 * exp(0.5) = 164.9.  Draws outside min..max are set to the bound, so bounds that cut off much
// move the mean; lengths are rounded to the nearest whole token.
//
// A logistic time has median m and scale s: a share 1 / (1 + exp(-(t - m) / s)) of the draws is below
// t, so that p90 = m + s ln 9.  As a client's patience it means that the hazard to leave is itself a
// logistic function of the wait, 1/s times that share: next to nobody leaves early, and who has
// waited well beyond m leaves within about s.  Worked example: median 10 s and p90 20 s are a scale of
// 10 / ln 9 = 4.55 s; a tenth has left after 0 s, which is where `min` comes in.
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {

class LengthSampler {
 public:
  // Each sampler draws from a random stream of its own, named for its purpose.
  LengthSampler(const LengthSpec& spec, std::uint64_t seed, std::string_view name);
  std::int64_t draw();

 private:
  LengthSpec spec_;
  double mu_ = 0.0;  // lognormal: mean of the logarithm
  RandomStream random_;
};

class TimeSampler {
 public:
  TimeSampler(const TimeSpec& spec, std::uint64_t seed, std::string_view name);
  double draw_s();

 private:
  TimeSpec spec_;
  double mu_ = 0.0;       // lognormal: mean of the logarithm
  double scale_s_ = 0.0;  // logistic
  RandomStream random_;
};

// How long clients wait for a first token; infinity when nothing is said.  Nobody leaves sooner than
// a millisecond after coming: a draw of 0 means that as well.
class PatienceSampler {
 public:
  PatienceSampler(const std::optional<TimeSpec>& spec, std::uint64_t seed);
  double draw_s();

 private:
  std::optional<TimeSampler> time_;
};

}  // namespace tokenyard::workload
