#include "sim/shared_channel.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::sim {

void SharedChannel::send(double bytes, Sleeper& who, std::size_t what) {
  if (!std::isfinite(bytes_per_s_)) {
    calendar_->at(calendar_->now(), who, what);
    return;
  }
  advance();
  under_way_.push({received_bytes_ + bytes, ++sent_, &who, what});
  arm();
}

void SharedChannel::advance() {
  const double now_s = calendar_->now();
  if (under_way_.empty()) {
    received_bytes_ = 0.0;
  } else {
    received_bytes_ = std::min(under_way_.top().end_bytes,
                               received_bytes_ + (now_s - since_s_) * bytes_per_s_ /
                                                     static_cast<double>(under_way_.size()));
  }
  since_s_ = now_s;
}

void SharedChannel::arm() {
  if (timer_ != nullptr) calendar_->cancel(timer_);
  timer_ = nullptr;
  if (under_way_.empty()) return;
  const double left = under_way_.top().end_bytes - received_bytes_;
  timer_ = calendar_->at(since_s_ + left * static_cast<double>(under_way_.size()) / bytes_per_s_,
                         *this, 0);
}

void SharedChannel::wake(std::size_t) {
  timer_ = nullptr;
  received_bytes_ = under_way_.top().end_bytes;
  since_s_ = calendar_->now();
  std::vector<Transfer> ended;
  while (!under_way_.empty() && under_way_.top().end_bytes <= received_bytes_) {
    ended.push_back(under_way_.top());
    under_way_.pop();
  }
  arm();
  for (const Transfer& t : ended) t.who->wake(t.what);
}

}  // namespace tokenyard::sim
