#include "sim/handoff.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tokenyard::sim {

void Handoff::send(std::size_t number, double bytes, const Place& from, const Place& to) {
  if (parts_left_.size() <= number) parts_left_.resize(number + 1, 0);
  check(parts_left_[number] == 0, "a KV cache is sent that is under way");
  const std::int64_t parts = std::max(from.nodes, to.nodes);
  parts_left_[number] = parts;
  const double part_bytes = bytes / static_cast<double>(parts);
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t a = from.first_node + i % from.nodes;
    const std::int64_t b = to.first_node + i % to.nodes;
    if (a != b) {
      check(fabric_ != nullptr, "a KV cache is sent, and there is no network");
      fabric_->send(part_bytes, a, b, *this, number);
      continue;
    }
    const double slower = std::min(from.inside_bytes_per_s, to.inside_bytes_per_s);
    calendar_->at(calendar_->now() + (slower > 0.0 ? part_bytes / slower : 0.0), *this, number);
  }
}

void Handoff::bring(std::size_t number, double seconds) {
  if (parts_left_.size() <= number) parts_left_.resize(number + 1, 0);
  check(parts_left_[number] == 0, "a KV cache is brought that is under way");
  parts_left_[number] = 1;
  calendar_->at(calendar_->now() + seconds, *this, number);
}

void Handoff::wake(std::size_t what) {
  if (--parts_left_[what] == 0) on_arrival_(what);
}

}  // namespace tokenyard::sim
