#pragma once
// Draws lengths and waiting times as LengthSpec and TimeSpec describe them.
//
// A lognormal is given by its median m (the logarithm has mean ln m) or by its mean a (then the
// logarithm has mean ln a - sigma^2 / 2).  Worked example: median 100 and sigma 1 have the mean
// 100 * exp(0.5) = 164.9.  Draws outside min..max are set to the bound, so bounds that cut off much
// move the mean; lengths are rounded to the nearest whole token.
#include <cstdint>
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
  double mu_ = 0.0;
  RandomStream random_;
};

}  // namespace tokenyard::workload
