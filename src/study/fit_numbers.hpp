#pragma once
// Which numbers are fitted to measured cases, and what is expected of them.
//
// Of every device at most eight: the share of the peak in each number format that its cases compute
// in, experts where its models have any, bandwidth of weights and of the KV cache, kernel launch,
// and latency and efficiency of its link where cases cross it.  Where that is more than eight, those
// that the fewest cases depend on stay as the catalog has them.  For all devices together four
// numbers of the host and the serving software.
//
// A number is expected where the catalog has it, give or take its width, the standard deviation of
// its logarithm:
//
//   compute                      0.05   what the catalog has rests on kernels and on machines at
//                                       capacity; times to first tokens say little of it, since what
//                                       they lack in the model would be taken for slow products
//   bandwidth                    0.06   streaming reads reach 75 to 95 % on every measured GPU
//   kv_bandwidth                 0.09   paged reads: depends on block and head sizes
//   link_efficiency              0.12   which collective algorithm is taken
//   experts                      0.18   grouped products differ widely by kernel
//   launch, collective_latency   0.30   a factor of 1.35: recorded graphs, fusion, one-shot kernels
//   the host's                   0.48   a factor of 1.6: Python or C++, which CPU
//
// Narrower than what is known of each number by itself, since measurements are not independent of
// each other: conditions that differ in concurrency alone deviate alike, so that hundreds of them say
// no more than tens.  Widths of 1.7 times these fit no better and predict models that were left out a
// little worse.
//
// A number of nothing in the catalog (a share of 1 of the dense products for experts, no time) says
// that nobody knows; then what such numbers usually are is expected: 0.5 for experts, 4 us a launch,
// 10 us a collective, 0.5 ms a step and a prompt's layer, 5 us a sequence, 30 ms a request.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "study/fit_cases.hpp"
#include "study/robust_fit.hpp"

namespace tokenyard::study {

struct FittedValue {
  double value = 0.0;  // base units
  std::optional<double> low, high;
};

struct FitNumber {
  std::string device;  // empty: of the host
  std::string name;    // as a calibration has it: compute.fp8, bandwidth, per_step
  Dim dim = kNone;
  double standing = 0.0;  // what the catalog has
  FitParameter parameter;
  std::vector<std::size_t> cases;  // whose time can depend on it, in ascending order
  std::function<void(catalog::Calibration&, const FittedValue&)> set;
};

class FitNumbers {
 public:
  explicit FitNumbers(const std::vector<FitCase>& cases);

  [[nodiscard]] const std::vector<FitNumber>& all() const { return all_; }
  // Parallel to all().
  [[nodiscard]] std::vector<double> expected() const;
  // The numbers as a calibration, without what describes it.  `values` parallel to all().
  [[nodiscard]] catalog::Calibration calibration(const std::vector<FittedValue>& values) const;
  [[nodiscard]] catalog::Calibration calibration(const std::vector<double>& values) const;

 private:
  void add_device(const std::vector<FitCase>& cases, const std::string& device);
  void add_host(const std::vector<FitCase>& cases);

  std::vector<FitNumber> all_;
  catalog::Calibration frame_;  // its devices, without numbers
};

}  // namespace tokenyard::study
