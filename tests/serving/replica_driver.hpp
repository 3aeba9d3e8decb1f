#pragma once
// One replica of the toy fleet, driven by hand: no calendar, no router.
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "serving/replica.hpp"
#include "support/toy.hpp"

namespace tokenyard::test {

class ReplicaDriver {
 public:
  struct Outcome {
    double admitted_s = 0.0, first_token_s = 0.0, finished_s = 0.0;
    std::int64_t produced = 0, cached_tokens = 0;
    int preemptions = 0;
  };

  explicit ReplicaDriver(const ToyOptions& options = {}, bool per_step = false)
      : plan_(toy_plan(options)),
        model_(plan_.pools[0], plan_.pools[0].deployments[0], plan_.scenario.serving, plan_.fabric),
        replica_(model_, plan_.scenario.serving, options.model.max_context, 512, slots_, per_step) {
  }
  ReplicaDriver(const ReplicaDriver&) = delete;
  ReplicaDriver& operator=(const ReplicaDriver&) = delete;

  // Arrivals come in the order of their times.
  void arrive(double at_s, workload::Request request) {
    run_until(at_s);
    REQUIRE(replica_.can_ever_fit(request));
    const serving::Handle handle = slots_.add();
    slots_[handle].request = std::move(request);
    slots_[handle].arrival_s = at_s;
    replica_.enqueue(at_s, handle);
    pending_s_ = at_s;
  }
  void arrive(double at_s, std::int64_t id, std::int64_t input, std::int64_t output) {
    workload::Request request;
    request.id = id;
    request.input_tokens = input;
    request.output_tokens = output;
    arrive(at_s, request);
  }
  void finish() { run_until(std::numeric_limits<double>::infinity()); }

  serving::Replica& replica() { return replica_; }
  [[nodiscard]] const perf::StepModel& model() const { return model_; }
  [[nodiscard]] const Outcome& of(std::int64_t id) const { return outcomes_.at(id); }
  [[nodiscard]] const std::vector<serving::RunReport>& reports() const { return reports_; }
  [[nodiscard]] std::vector<std::int64_t> order_of_end() const { return order_of_end_; }
  [[nodiscard]] std::int64_t tokens_reported() const {
    std::int64_t tokens = 0;
    for (const serving::RunReport& r : reports_) tokens += r.decode_tokens + r.first_tokens;
    return tokens;
  }

 private:
  // Ends every run that ends before `limit_s`, or at it: at a tie the run goes first.
  void run_until(double limit_s) {
    if (replica_.idle() && replica_.waiting() > 0 && pending_s_ < limit_s)
      replica_.begin_run(pending_s_);
    while (!replica_.idle() && replica_.run_end() < limit_s) {
      const double now_s = replica_.run_end();
      for (const serving::Handle handle : replica_.end_run()) {
        const serving::ActiveRequest& r = slots_[handle];
        outcomes_[r.request.id] = {r.admitted_s, r.first_token_s, now_s,
                                   r.produced,   r.cached_tokens, r.preemptions};
        order_of_end_.push_back(r.request.id);
        slots_.remove(handle);
      }
      reports_.push_back(replica_.report());
      const serving::KvCache& kv = replica_.kv();
      REQUIRE(kv.free() >= 0);
      replica_.begin_run(now_s);
    }
  }

  scenario::Plan plan_;
  perf::StepModel model_;
  serving::RequestSlots slots_;
  serving::Replica replica_;
  double pending_s_ = 0.0;
  std::map<std::int64_t, Outcome> outcomes_;
  std::vector<serving::RunReport> reports_;
  std::vector<std::int64_t> order_of_end_;
};

}  // namespace tokenyard::test
