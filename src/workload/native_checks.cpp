#include "workload/native_checks.hpp"

#include <string>

#include "base/units.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

constexpr double kLatestS = 30.0 * kSecondsPerYear;

}  // namespace

void check_prefix(const Request& r, std::int64_t block_tokens) {
  if (r.history_tokens < -1 || r.history_tokens > r.input_tokens) {
    throw BadLine{"history_tokens", std::to_string(r.history_tokens) +
                                        " is out of range; expected -1 (all) to " +
                                        std::to_string(r.input_tokens) + ", the input_tokens"};
  }
  const std::int64_t most = (r.input_tokens + block_tokens - 1) / block_tokens;
  if (static_cast<std::int64_t>(r.prefix.size()) > most) {
    throw BadLine{"prefix", std::to_string(r.prefix.size()) + " blocks of " +
                                std::to_string(block_tokens) + " tokens are more than the " +
                                std::to_string(r.input_tokens) + " input_tokens fill"};
  }
}

void check_release(const Request& r, const NativeRelease& given) {
  const bool has_after = given.after;
  if (has_after == given.arrival) {
    throw BadLine{
        .key = {},
        .message = has_after
                       ? "has both 'arrival_s' and 'after'; a request that waits for others has no "
                         "arrival time of its own"
                       : "needs 'arrival_s' or 'after'",
        .column = 1};
  }
  if (!has_after && given.think) throw BadLine{"think_s", "has no effect without 'after'"};
  if (r.think_s < 0) throw BadLine{"think_s", "is negative"};
  if (r.arrival_s < 0) throw BadLine{"arrival_s", "is negative"};
  if (r.arrival_s > kLatestS) {
    throw BadLine{"arrival_s",
                  "is more than 30 years from the start; times count from 0, not from 1970"};
  }
  if (r.think_s > kLatestS) throw BadLine{"think_s", "is more than 30 years"};
  if (!has_after && r.arrival_s < given.last_arrival_s) {
    throw BadLine{"arrival_s", "comes before the request above it; sort the trace by arrival"};
  }
}

void check_id(const Request& r, const IdRanges& ids) {
  if (r.id < 0) throw BadLine{"id", "is negative"};
  if (r.id <= ids.last()) {
    throw BadLine{"id", std::to_string(r.id) + " does not increase; the id before it is " +
                            std::to_string(ids.last())};
  }
  if (ids.full() && r.id != ids.last() + 1) {
    throw BadLine{"id", "the ids have more than a million gaps; number the requests one by one"};
  }
  std::int64_t last = -1;
  for (const std::int64_t id : r.after) {
    if (!ids.contains(id)) {
      throw BadLine{"after",
                    "waits for request " + std::to_string(id) + ", which does not come before it"};
    }
    if (id <= last) throw BadLine{"after", "the ids must increase, so that each occurs once"};
    last = id;
  }
}

void check_patience(double patience_s) {
  if (patience_s <= 0) throw BadLine{"patience_s", "is not more than 0"};
  if (patience_s > kLatestS) throw BadLine{"patience_s", "is more than 30 years"};
}

}  // namespace tokenyard::workload
