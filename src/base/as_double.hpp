#pragma once
// A count as a number to calculate with.
#include <cstdint>

namespace tokenyard {

// Exact up to 2^53; no count here comes near that.
constexpr double as_double(std::int64_t count) {
  return static_cast<double>(count);
}

}  // namespace tokenyard
