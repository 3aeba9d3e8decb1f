// Requests between the router and the scheduler of their replica.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::arm_ready() {
  const double next_s = front_end_.next_s();
  if (ready_timer_ != nullptr) {
    if (next_s == ready_armed_s_) return;
    calendar_->cancel(ready_timer_);
    ready_timer_ = nullptr;
  }
  if (!std::isfinite(next_s)) return;
  ready_armed_s_ = next_s;
  ready_timer_ = calendar_->at(next_s, *this, kReady);
}

void Simulation::on_ready() {
  if (stopped_) return;
  const double now_s = ready_armed_s_;
  while (front_end_.next_s() <= now_s) {
    const serving::Handle handle = front_end_.leave();
    const auto replica = static_cast<std::size_t>(slots_[handle].replica);
    in_front_by_pool_[servers_[replica]->deployment->pool] -= 1.0;
    hand_over(handle, now_s);
  }
  begin_touched(now_s);
  arm_ready();
}

// To the scheduler of its replica.
void Simulation::hand_over(serving::Handle handle, double now_s) {
  const auto s = static_cast<std::size_t>(slots_[handle].replica);
  Server& server = *servers_[s];
  const bool was_idle = server.replica.idle();
  server.replica.enqueue(now_s, handle);
  if (s == between_runs_) return;
  if (!was_idle) {
    arm(s);
  } else if (std::find(touched_.begin(), touched_.end(), s) == touched_.end()) {
    touched_.push_back(s);
  }
}

}  // namespace tokenyard::sim
