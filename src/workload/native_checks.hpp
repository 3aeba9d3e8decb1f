#pragma once
// What makes a line of a native trace malformed though each of its values can be read.
#include <cstdint>

#include "workload/id_ranges.hpp"
#include "workload/request.hpp"

namespace tokenyard::workload {

// Which keys of a request's release stand in its line (`after`: and names somebody), and when the
// one before it arrived.
struct NativeRelease {
  bool arrival = false;
  bool after = false;
  bool think = false;
  double last_arrival_s = 0.0;
};

// All throw BadLine.
void check_prefix(const Request& r, std::int64_t block_tokens);
void check_release(const Request& r, const NativeRelease& given);
// `ids`: those of the lines before it.
void check_id(const Request& r, const IdRanges& ids);
void check_patience(double patience_s);

}  // namespace tokenyard::workload
