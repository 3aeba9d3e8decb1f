#include "metrics/quantile_sketch.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"

namespace tokenyard::metrics {

std::int64_t nearest_rank(double q, std::int64_t n) {
  check(q >= 0.0 && q <= 1.0 && n > 0, "a quantile lies between 0 and 1 and is taken of values");
  // The product may exceed a whole number by rounding alone (0.07 * 100), which is not a rank more.
  const double exact = q * static_cast<double>(n);
  const auto rank = static_cast<std::int64_t>(std::ceil(exact * (1.0 - 1e-15)));
  return std::clamp<std::int64_t>(rank, 1, n);
}

double QuantileSketch::lower_bound(int bucket) {
  // s with p(s) = j / 350, by Newton's method: p is monotone and nearly straight.
  static const std::array<double, kPerDoubling> significands = [] {
    std::array<double, kPerDoubling> table{};
    for (int j = 0; j < kPerDoubling; ++j) {
      const double target = static_cast<double>(j) / kPerDoubling;
      double s = target;
      for (int i = 0; i < 8; ++i) {
        const double p = ((6.0 / 35.0 * s - 3.0 / 5.0) * s + 10.0 / 7.0) * s;
        s -= (p - target) / ((18.0 / 35.0 * s - 6.0 / 5.0) * s + 10.0 / 7.0);
      }
      table[static_cast<std::size_t>(j)] = 1.0 + s;
    }
    return table;
  }();
  const int octave = bucket / kPerDoubling;
  return std::ldexp(significands[static_cast<std::size_t>(bucket % kPerDoubling)],
                    octave + kLeastExponent);
}

std::int64_t& QuantileSketch::make_slot(int bucket) {
  constexpr int kMargin = 128;  // buckets to spare on the side that grows: 44 % of a value
  const int first = counts_.empty() ? bucket : std::min(first_bucket_, bucket);
  const int last = counts_.empty()
                       ? bucket
                       : std::max(first_bucket_ + static_cast<int>(counts_.size()) - 1, bucket);
  const int new_first =
      first == first_bucket_ && !counts_.empty() ? first : std::max(0, first - kMargin);
  const int new_last = std::min(kBuckets - 1, last + kMargin);
  std::vector<std::int64_t> grown(static_cast<std::size_t>(new_last - new_first + 1));
  if (!counts_.empty()) {
    std::copy(counts_.begin(), counts_.end(), grown.begin() + (first_bucket_ - new_first));
  }
  counts_.swap(grown);
  first_bucket_ = new_first;
  return counts_[static_cast<std::size_t>(bucket - first_bucket_)];
}

void QuantileSketch::add_outside(double value, std::int64_t weight) {
  check(value >= 0.0 && std::isfinite(value),
        "a sketch takes values that are finite and not negative");
  if (value < kSmallest) {
    near_zero_ += weight;
  } else {
    slot(kBuckets - 1) += weight;
  }
}

void QuantileSketch::add_range(double first, double last, std::int64_t count, std::int64_t weight) {
  check(first >= 0.0 && last >= 0.0 && std::isfinite(first) && std::isfinite(last),
        "a sketch takes values that are finite and not negative");
  check(count > 0 && weight > 0, "a range holds values");
  const double low = std::min(first, last);
  const double high = std::max(first, last);
  if (count == 1 || low == high) {
    add(first, count * weight);
    return;
  }
  const double step = (high - low) / static_cast<double>(count - 1);
  const int first_bucket = low >= kSmallest ? bucket_of(std::min(low, kLargest)) : 0;
  const int last_bucket = high >= kSmallest ? bucket_of(std::min(high, kLargest)) : 0;
  if (count <= last_bucket - first_bucket) {
    for (std::int64_t i = 0; i < count; ++i) {
      add(std::min(high, low + step * static_cast<double>(i)), weight);
    }
    return;
  }
  // How many of the values lie below a bound, not less than those already placed.
  std::int64_t placed = 0;
  const auto newly_below = [&](double bound) {
    const double below =
        std::clamp(std::ceil((bound - low) / step), 0.0, static_cast<double>(count));
    const std::int64_t more = std::max(placed, static_cast<std::int64_t>(below)) - placed;
    placed += more;
    return more;
  };
  if (low < kSmallest) near_zero_ += newly_below(kSmallest) * weight;
  for (int bucket = first_bucket; bucket < last_bucket && placed < count; ++bucket) {
    slot(bucket) += newly_below(lower_bound(bucket + 1)) * weight;
  }
  if (placed < count) slot(last_bucket) += (count - placed) * weight;
  count_ += count * weight;
  sum_ += 0.5 * (low + high) * static_cast<double>(count) * static_cast<double>(weight);
  min_ = std::min(min_, low);
  max_ = std::max(max_, high);
}

double QuantileSketch::mean() const {
  check(count_ > 0, "a mean is taken of values");
  return sum_ / static_cast<double>(count_);
}

double QuantileSketch::min() const {
  check(count_ > 0, "a minimum is taken of values");
  return min_;
}

double QuantileSketch::max() const {
  check(count_ > 0, "a maximum is taken of values");
  return max_;
}

double QuantileSketch::quantile(double q) const {
  check(count_ > 0, "a quantile is taken of values");
  const std::int64_t rank = nearest_rank(q, count_);
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  std::int64_t seen = near_zero_;
  if (seen >= rank) return min_;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen < rank) continue;
    const double low = lower_bound(first_bucket_ + static_cast<int>(i));
    return std::clamp(low * (1.0 + kRelativeError), min_, max_);
  }
  throw InternalError("the buckets of a sketch hold all its values");
}

}  // namespace tokenyard::metrics
