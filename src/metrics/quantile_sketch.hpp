#pragma once
// Quantiles of a stream of positive values, in a memory that does not grow with the stream.
//
// Values fall into buckets whose bounds grow geometrically, and only the count of each bucket is
// kept.  A bucket is represented by a value at most 0.1 % from everything in it, so
//
//   |quantile(q) - exact| <= 0.001 * exact   for exact values from 2^-30 to 2^30 (0.93e-9 to 1.07e9)
//
// where the exact quantile is the nearest rank: the ceil(q * n)-th smallest of n values, the
// smallest for q = 0.  Smaller values count as one bucket near zero (absolute error below 1e-9),
// larger ones as the last bucket; smallest, largest and mean are exact (up to rounding) anyway.
//
// The bucket of v = 2^e * (1 + s) is 350 * (e + p(s)) rounded down, with the cubic
// p(s) = 6/35 s^3 - 3/5 s^2 + 10/7 s instead of log2(1 + s): a few multiplications instead of a
// logarithm.  A bucket is widest where dp/d ln(1 + s) is least, 10/7 at s = 0: there it spans
// 0.7 / 350 = 0.0020 in ln v, which is ln(1.001 / 0.999): the 0.1 % above.
//
// Worked example: 1000 values from 1 to 1.2 span 350 * p(0.2) = 92 buckets.
//
// Source: Masson, Rim, Lee, "DDSketch", PVLDB 12(12), 2019; the cubic is from its Java library.
#include <bit>
#include <cstdint>
#include <vector>

namespace tokenyard::metrics {

class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.001;

  // Contract: value >= 0 and finite, weight > 0.
  void add(double value, std::int64_t weight = 1) {
    if (value >= kSmallest && value < kLargest) {
      slot(bucket_of(value)) += weight;
    } else {
      add_outside(value, weight);
    }
    count_ += weight;
    sum_ += value * static_cast<double>(weight);
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }

  // The same as adding first, first + d, ..., last (`count` values, evenly spaced), each `weight`
  // times, in a time that grows with the buckets covered and not with `count`.  A single value is
  // `first`.
  void add_range(double first, double last, std::int64_t count, std::int64_t weight);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  // Contract of the following: count() > 0.
  [[nodiscard]] double mean() const;
  [[nodiscard]] double min() const;
  [[nodiscard]] double max() const;
  [[nodiscard]] double quantile(double q) const;

 private:
  static constexpr int kPerDoubling = 350;
  static constexpr int kLeastExponent = -30;
  static constexpr int kBuckets = 60 * kPerDoubling;
  static constexpr double kSmallest = 1.0 / 1073741824.0;
  static constexpr double kLargest = 1073741824.0;

  static int bucket_of(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const int exponent = static_cast<int>(bits >> 52U) - 1023;
    const double s =
        std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL) - 1.0;
    const double p = ((6.0 / 35.0 * s - 3.0 / 5.0) * s + 10.0 / 7.0) * s;
    const int bucket =
        (exponent - kLeastExponent) * kPerDoubling + static_cast<int>(p * kPerDoubling);
    // Just below 2^30, p rounds to 1.
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The least value of a bucket.
  static double lower_bound(int bucket);

  // Count of a bucket; makes room for it first when it lies outside those seen so far.
  std::int64_t& slot(int bucket) {
    const auto i = static_cast<std::size_t>(bucket - first_bucket_);
    // A bucket below the first wraps around to a huge index.
    if (i < counts_.size()) return counts_[i];
    return make_slot(bucket);
  }
  std::int64_t& make_slot(int bucket);
  void add_outside(double value, std::int64_t weight);

  std::vector<std::int64_t> counts_;  // of the buckets from first_bucket_ on
  int first_bucket_ = 0;
  std::int64_t near_zero_ = 0;
  std::int64_t count_ = 0;
  double sum_ = 0.0;
  double min_ = 1e308;
  double max_ = -1.0;
};

// The rank, from 1, of the nearest-rank quantile q among n > 0 values.
std::int64_t nearest_rank(double q, std::int64_t n);

}  // namespace tokenyard::metrics
