#include "sim/load_source.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tokenyard::sim {

LoadSource::LoadSource(workload::RequestStream& stream, std::optional<std::int64_t> most)
    : stream_(&stream),
      most_(most),
      closed_loop_(stream.concurrency().has_value()),
      independent_(stream.independent()) {
  if (closed_loop_) vacancies_ = *stream.concurrency();
  read_ahead();
}

// Reads until a root is at hand that arrives later than the next one: what waits for one of the roots of
// one moment is known before any of them has left.  What waits for others on the way is held.
void LoadSource::read_ahead() {
  const bool moments = !closed_loop_ && !independent_;
  while (!at_end_ &&
         (roots_.empty() || (moments && roots_.back().arrival_s == roots_.front().arrival_s))) {
    workload::Request request;
    if ((most_ && read_ >= *most_) || !stream_->next(request)) {
      at_end_ = true;
      return;
    }
    ++read_;
    if (!independent_) alive_.insert(request.id);
    if (request.after.empty()) {
      roots_.push_back(std::move(request));
    } else {
      hold(std::move(request));
    }
  }
}

void LoadSource::hold(workload::Request request) {
  std::vector<std::int64_t> awaited = request.after;
  std::sort(awaited.begin(), awaited.end());
  awaited.erase(std::unique(awaited.begin(), awaited.end()), awaited.end());
  Dependent dependent;
  const std::int64_t id = request.id;
  for (const std::int64_t other : awaited) {
    if (other == id) continue;
    if (!alive_.contains(other)) {
      throw InputError("request " + std::to_string(id) + " waits for request " +
                       std::to_string(other) +
                       ", which had left before this was read; a trace lists what waits for a "
                       "request before the next one that arrives by itself");
    }
    waiting_[other].push_back(id);
    ++dependent.missing;
  }
  dependent.request = std::move(request);
  dependents_.emplace(id, std::move(dependent));
}

void LoadSource::release(workload::Request request, double at_s) {
  if (closed_loop_) --vacancies_;
  due_.push({at_s, order_++, std::move(request)});
}

double LoadSource::next_arrival_s() const {
  double at_s = due_.empty() ? std::numeric_limits<double>::infinity() : due_.top().at_s;
  if (roots_.empty()) return at_s;
  if (!closed_loop_) return std::min(at_s, roots_.front().arrival_s);
  return vacancies_ > 0 ? std::min(at_s, vacancy_s_) : at_s;
}

bool LoadSource::take_due(double now_s, workload::Request& out) {
  const double at_s = next_arrival_s();
  if (at_s > now_s) return false;
  if (!due_.empty() && due_.top().at_s <= at_s) {
    out = std::move(const_cast<Due&>(due_.top()).request);  // NOLINT: popped at once
    out.arrival_s = at_s;
    due_.pop();
    return true;
  }
  out = std::move(roots_.front());
  roots_.pop_front();
  if (closed_loop_) {
    --vacancies_;
    out.arrival_s = at_s;
  }
  read_ahead();
  return true;
}

std::vector<std::int64_t> LoadSource::take_waiting_for(std::int64_t id) {
  if (independent_) return {};
  alive_.erase(id);
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return {};
  std::vector<std::int64_t> ids = std::move(found->second);
  waiting_.erase(found);
  return ids;
}

bool LoadSource::on_finished(std::int64_t id, double now_s) {
  leave(now_s);
  const std::vector<std::int64_t> waiting = take_waiting_for(id);
  for (const std::int64_t other : waiting) {
    const auto held = dependents_.find(other);
    if (held == dependents_.end() || --held->second.missing > 0) continue;
    workload::Request request = std::move(held->second.request);
    dependents_.erase(held);
    const double at_s = now_s + request.think_s;
    release(std::move(request), at_s);
  }
  return !waiting.empty();
}

void LoadSource::on_cancelled(std::int64_t id, double now_s) {
  on_finished(id, now_s);
}

void LoadSource::leave(double now_s) {
  if (!closed_loop_) return;
  ++vacancies_;
  vacancy_s_ = now_s;
}

void LoadSource::on_rejected(std::int64_t id, double now_s,
                             const std::function<void(const workload::Request&)>& also_rejected) {
  leave(now_s);
  std::vector<std::int64_t> gone{id};
  while (!gone.empty()) {
    const std::int64_t next = gone.back();
    gone.pop_back();
    for (const std::int64_t other : take_waiting_for(next)) {
      const auto held = dependents_.find(other);
      if (held == dependents_.end()) continue;
      also_rejected(held->second.request);
      dependents_.erase(held);
      gone.push_back(other);
    }
  }
}

}  // namespace tokenyard::sim
