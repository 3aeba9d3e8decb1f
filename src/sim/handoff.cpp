#include "sim/handoff.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace tokenyard::sim {

void Handoff::open(std::size_t number, const Place& from, const Place& to) {
  Sent& sent = make(number);
  sent.from = from;
  sent.to = to;
  sent.open = true;
}

void Handoff::feed(std::size_t number, double bytes, double until_s) {
  sent_[number].waits.push_back({bytes, until_s});
  if (sent_[number].parts_left == 0) go_on(number);
}

void Handoff::close(std::size_t number, double bytes) {
  sent_[number].open = false;
  feed(number, bytes, calendar_->now());
}

void Handoff::break_off(std::size_t number) {
  Sent& sent = sent_[number];
  sent.open = false;
  sent.waits.clear();
  if (sent.parts_left == 0) on_arrival_(number);
}

void Handoff::bring(std::size_t number, const std::vector<Part>& parts) {
  make(number).parts_left = static_cast<std::int64_t>(parts.size());
  for (const Part& part : parts) {
    if (part.put_off) continue;
    if (part.channel != nullptr) {
      part.channel->send(part.bytes, *this, number);
    } else {
      check(fabric_ != nullptr, "a KV cache is brought, and there is no network");
      fabric_->send({.bytes = part.bytes, .from = part.from, .to = part.to, .nics = part.nics},
                    *this, number);
    }
  }
}

Handoff::Sent& Handoff::make(std::size_t number) {
  if (sent_.size() <= number) sent_.resize(number + 1);
  check(sent_[number].parts_left == 0 && !sent_[number].open,
        "a KV cache is sent that is under way");
  return sent_[number];
}

// The next of what was fed.
void Handoff::go_on(std::size_t number) {
  Sent& sent = sent_[number];
  if (sent.waits.empty()) {
    if (!sent.open) on_arrival_(number);
    return;
  }
  const Fed next = sent.waits.front();
  sent.waits.pop_front();
  put_under_way(number, next);
}

void Handoff::put_under_way(std::size_t number, const Fed& fed) {
  Sent& sent = sent_[number];
  const Place& from = sent.from;
  const Place& to = sent.to;
  const std::int64_t parts = std::max(from.nodes, to.nodes);
  sent.parts_left = parts;
  const double now_s = calendar_->now();
  const double part_bytes = fed.bytes / static_cast<double>(parts);
  const double least_s = std::max(0.0, fed.until_s - now_s);
  const double most_bytes_per_s =
      least_s > 0.0 ? part_bytes / least_s : std::numeric_limits<double>::infinity();
  const bool followed = sent.open || !sent.waits.empty();
  const NicShare nics = from.nics.width() <= to.nics.width() ? from.nics : to.nics;
  const double inside_bytes_per_s = std::min(from.inside_bytes_per_s, to.inside_bytes_per_s);
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t a = from.first_node + i % from.nodes;
    const std::int64_t b = to.first_node + i % to.nodes;
    if (a != b) {
      check(fabric_ != nullptr, "a KV cache is sent, and there is no network");
      fabric_->send({.bytes = part_bytes,
                     .from = a,
                     .to = b,
                     .nics = nics,
                     .most_bytes_per_s = most_bytes_per_s,
                     .followed = followed},
                    *this, number);
      continue;
    }
    const double inside_s = inside_bytes_per_s > 0.0 ? part_bytes / inside_bytes_per_s : 0.0;
    calendar_->at(now_s + std::max(least_s, inside_s), *this, number);
  }
}

void Handoff::wake(std::size_t what) {
  if (--sent_[what].parts_left == 0) go_on(what);
}

}  // namespace tokenyard::sim
