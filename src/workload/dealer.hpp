#pragma once
// Deals requests or sessions to n tenants, or adapters, by a law of ranks.
//
// The k-th of n gets a share in proportion to 1 / k^skew: skew 0 deals equal shares, 1 is Zipf's
// law.  Worked example: n = 3 and skew 1 are 1 : 1/2 : 1/3, or 54.5 %, 27.3 % and 18.2 %.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"

namespace tokenyard::workload {

class Dealer {
 public:
  // Nobody to deal to without a count.
  Dealer(std::optional<std::int64_t> count, double skew, std::uint64_t seed, std::string_view name);
  // A number below the count, or `otherwise` without one.
  std::int32_t draw(std::int32_t otherwise);
  // "t0", "t1" ... for the letter t.
  [[nodiscard]] std::vector<std::string> names(char letter) const;

 private:
  std::vector<double> up_to_;  // share of this and all before it
  RandomStream random_;
};

}  // namespace tokenyard::workload
