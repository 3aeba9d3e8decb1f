#pragma once
// What some replica has computed already: the prompts' blocks and the sessions' contexts seen so far.
//
// Of a prompt, as many of its first tokens have been computed before as its known prefix blocks hold, or as
// its session's context had when its last turn ended, whichever reaches further.  What of these was not found
// in a cache was computed again.
//
// Worked example: a session ends a turn with 1,200 tokens; its next prompt has 1,300, of which 700 are found:
// 500 are computed again, 100 for the first time.
//
// Remembers the last million blocks and sessions, so that memory does not grow with the run.
#include <algorithm>
#include <cstdint>

#include "serving/router.hpp"
#include "workload/request.hpp"

namespace tokenyard::sim {

class ComputedBefore {
 public:
  explicit ComputedBefore(std::int64_t block_tokens) : block_tokens_(block_tokens) {}

  // Of the prompt of a request that has finished; what it has computed is known from now on.
  std::int64_t note(const workload::Request& request) {
    const std::size_t known = known_blocks(request);
    for (std::size_t i = known; i < request.prefix.size(); ++i) blocks_.put(request.prefix[i], 1);
    std::int64_t tokens = static_cast<std::int64_t>(known) * block_tokens_;
    if (request.session >= 0) {
      const auto key = static_cast<std::uint64_t>(request.session);
      const std::uint32_t context = contexts_.find(key);
      const std::int64_t history =
          request.history_tokens < 0 ? request.input_tokens : request.history_tokens;
      if (context != serving::RecentPlaces::kNowhere)
        tokens = std::max(tokens, std::min<std::int64_t>(context, history));
      contexts_.put(key, static_cast<std::uint32_t>(request.input_tokens + request.output_tokens));
    }
    return std::min(tokens, request.input_tokens);
  }

 private:
  // A block is known with all before it: the first unknown one is found by halving.
  [[nodiscard]] std::size_t known_blocks(const workload::Request& request) const {
    std::size_t low = 0;
    std::size_t high = request.prefix.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (blocks_.find(request.prefix[middle]) != serving::RecentPlaces::kNowhere) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  std::int64_t block_tokens_;
  serving::RecentPlaces blocks_, contexts_;
};

}  // namespace tokenyard::sim
