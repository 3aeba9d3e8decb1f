#pragma once
// Values and how often each occurred: exact quantiles in memory for the distinct ones.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "workload/trace_stats.hpp"

namespace tokenyard::workload {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

class ValueCounts {
 public:
  void add(std::int64_t value) {
    ++counts_[value];
    ++count_;
    sum_ += static_cast<double>(value);
  }
  [[nodiscard]] double sum() const { return sum_; }

  [[nodiscard]] Summary summary(double unit = 1.0) const {
    if (count_ == 0)
      return {0, kUndefined, kUndefined, kUndefined, kUndefined, kUndefined, kUndefined};
    const std::vector<std::pair<std::int64_t, std::int64_t>> sorted = [&] {
      std::vector<std::pair<std::int64_t, std::int64_t>> list(counts_.begin(), counts_.end());
      std::sort(list.begin(), list.end());
      return list;
    }();
    const auto quantile = [&](double share) {
      const double wanted = share * static_cast<double>(count_);
      std::int64_t passed = 0;
      for (const auto& [value, count] : sorted) {
        passed += count;
        if (static_cast<double>(passed) >= wanted) return static_cast<double>(value) * unit;
      }
      return static_cast<double>(sorted.back().first) * unit;
    };
    return {count_,
            sum_ / static_cast<double>(count_) * unit,
            quantile(0.50),
            quantile(0.90),
            quantile(0.95),
            quantile(0.99),
            static_cast<double>(sorted.back().first) * unit};
  }

 private:
  std::unordered_map<std::int64_t, std::int64_t> counts_;
  std::int64_t count_ = 0;
  double sum_ = 0.0;
};

}  // namespace tokenyard::workload
