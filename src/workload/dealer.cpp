#include "workload/dealer.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::workload {

Dealer::Dealer(std::optional<std::int64_t> count, double skew, std::uint64_t seed,
               std::string_view name)
    : random_(seed, name) {
  double sum = 0.0;
  for (std::int64_t k = 1; k <= count.value_or(0); ++k)
    up_to_.push_back(sum += std::pow(static_cast<double>(k), -skew));
  for (double& share : up_to_) share /= sum;
}

std::int32_t Dealer::draw(std::int32_t otherwise) {
  if (up_to_.empty()) return otherwise;
  const auto at = std::upper_bound(up_to_.begin(), up_to_.end() - 1, random_.uniform());
  return static_cast<std::int32_t>(at - up_to_.begin());
}

std::vector<std::string> Dealer::names(char letter) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < up_to_.size(); ++i) names.push_back(letter + std::to_string(i));
  return names;
}

}  // namespace tokenyard::workload
