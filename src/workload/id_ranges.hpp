#pragma once
// The ids that have occurred, as ranges: ids that increase by one take no memory at all.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace tokenyard::workload {

class IdRanges {
 public:
  // False when the id is not above the last one, or when there are more gaps than kMostRanges.
  bool add(std::int64_t id) {
    if (!ranges_.empty() && id <= ranges_.back().last) return false;
    if (!ranges_.empty() && id == ranges_.back().last + 1) {
      ranges_.back().last = id;
      return true;
    }
    if (ranges_.size() == kMostRanges) return false;
    ranges_.push_back({id, id});
    return true;
  }
  [[nodiscard]] bool contains(std::int64_t id) const {
    const auto after = std::upper_bound(
        ranges_.begin(), ranges_.end(), id,
        [](std::int64_t value, const Range& range) { return value < range.first; });
    return after != ranges_.begin() && id <= std::prev(after)->last;
  }
  [[nodiscard]] bool full() const { return ranges_.size() == kMostRanges; }
  [[nodiscard]] std::int64_t last() const { return ranges_.empty() ? -1 : ranges_.back().last; }

 private:
  static constexpr std::size_t kMostRanges = std::size_t{1} << 20U;  // 16 MiB
  struct Range {
    std::int64_t first, last;
  };
  std::vector<Range> ranges_;
};

}  // namespace tokenyard::workload
