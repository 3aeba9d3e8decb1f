#include "sim/handoff.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tokenyard::sim {

void Handoff::send(std::size_t number, double bytes, const Place& from, const Place& to) {
  const std::int64_t parts = std::max(from.nodes, to.nodes);
  expect(number, static_cast<std::size_t>(parts));
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

void Handoff::bring(std::size_t number, const std::vector<Part>& parts) {
  expect(number, parts.size());
  for (const Part& part : parts) {
    if (part.put_off) continue;
    if (part.channel != nullptr) {
      part.channel->send(part.bytes, *this, number);
    } else {
      check(fabric_ != nullptr, "a KV cache is brought, and there is no network");
      fabric_->send(part.bytes, part.from, part.to, *this, number);
    }
  }
}

void Handoff::expect(std::size_t number, std::size_t parts) {
  if (parts_left_.size() <= number) parts_left_.resize(number + 1, 0);
  check(parts_left_[number] == 0, "a KV cache is sent that is under way");
  parts_left_[number] = static_cast<std::int64_t>(parts);
}

void Handoff::wake(std::size_t what) {
  if (--parts_left_[what] == 0) on_arrival_(what);
}

}  // namespace tokenyard::sim
