#pragma once
// The order in which requests that wait for a replica enter its batch.
//
//   fcfs                first come, first served
//   priority            the highest priority of their class; among equals first come
//   shortest-job-first  the shortest predicted answer; among equals first come
//   fair-share          of the tenant that has been served least, its first
//
// The first in line is never passed by: while it does not fit, nobody enters.  A request that lost its
// place in the batch goes before the newcomers of its rank: of all with fcfs, of its priority, of its
// tenant.
//
// Requests that are *deferred* (they would be served too late in any case) stand behind all others, first
// come, first served.
//
// fair-share counts the work of each tenant: its prompts' tokens when they enter, twice its answers'
// tokens when they end (as they cost about that much more).  A tenant that has nobody in line does not
// save up: when it comes back, its count is raised to the least of those in line.
//
// Worked example, fair-share: A sends ten prompts of 1,000 tokens, then B one.  The first of A enters (A
// 1,000), B comes, is raised to A's least count of 1,000 and goes after A's next one at the latest: a
// flood of A's delays B by one prompt, not by nine.
//
// With `ageing` A, a request that has waited for t since it arrived stands t / A higher: in steps of priority,
// or in tokens of a shorter answer.  Of two requests the order stays the same while both wait, as both gain
// alike.  Without, a request may wait for ever while better ones come.
//
// Worked example, ageing 30 s: a request of priority 0 that came a minute ago goes before newcomers of
// priority 1, and behind those of priority 3.
//
// Leaves out weights of tenants.
// Sources: Sheng et al., "Fairness in Serving Large Language Models" (virtual token counter), OSDI 2024;
// Fu et al., "Efficient LLM Scheduling by Learning to Rank", NeurIPS 2024 (predicted lengths); vLLM's
// priority scheduling.
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "scenario/scenario_file.hpp"
#include "serving/active_request.hpp"

namespace tokenyard::serving {

class WaitingLine {
 public:
  WaitingLine(const scenario::SchedulerSpec& scheduler, RequestSlots& slots);
  ~WaitingLine();
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  // Not empty.
  [[nodiscard]] Handle first();
  void take_first();
  // `again`: it lost its place in the batch.
  void add(Handle handle, bool again);
  // It leaves before its turn.  Whoever refers to it by its stay finds it gone.
  void remove(Handle handle);
  // It has been served.
  void served(const ActiveRequest& request);
  // All of them, the first in line first; the line is empty then.
  std::vector<Handle> take_all();

  class Order;

 private:
  Order& front() { return size_ > deferred_size_ ? *order_ : *deferred_; }

  RequestSlots* slots_;
  std::unique_ptr<Order> order_, deferred_;
  std::int64_t size_ = 0, deferred_size_ = 0;
};

}  // namespace tokenyard::serving
