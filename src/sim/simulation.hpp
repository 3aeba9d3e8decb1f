#pragma once
// One run: load source, router, replicas and meter on a calendar.
//
// The simulation pays per change of a batch, never per token.  Conservation laws are checked at the
// end of every run, and a violation is an InternalError: requests released = finished + rejected +
// unfinished; tokens produced = tokens of finished requests + those of unfinished ones; KV blocks
// return to zero when all requests have left; Little's law to 1e-9; device seconds by cause =
// devices * measured time.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/hash.hpp"
#include "metrics/accumulator.hpp"
#include "metrics/littles_law.hpp"
#include "scenario/plan.hpp"
#include "sim/calendar.hpp"
#include "sim/front_end.hpp"
#include "sim/load_source.hpp"
#include "sim/meter.hpp"
#include "sim/server.hpp"

namespace tokenyard::sim {

struct Progress {
  double simulated_s = 0.0;
  std::int64_t requests_done = 0;
};

struct SimulationOptions {
  bool per_step = false;
  // Called now and then with the state of the run; empty: nobody watches.
  std::function<void(const Progress&)> on_progress;
};

class Simulation final : private Sleeper {
 public:
  // Throws InputError when the workload does not go with the plan.
  // network: what KV caches cross between replicas that compute prompts and those that decode; a plan
  // without such roles needs none.
  Simulation(const scenario::Plan& plan, workload::RequestStream& stream, Calendar& calendar,
             const metrics::FabricInventory& fabric, SimulationOptions options,
             Fabric* network = nullptr);
  ~Simulation();

  // Runs to the end and hands over the result.  Once.
  metrics::RunResult run();

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  // What to wake for: these, or kFirstServer + the number of a replica whose run ends.
  enum Wake : std::size_t { kArrivals, kReady, kSample, kWarm, kStop, kFirstServer };
  void wake(std::size_t what) override;

  void build_deployments();
  void build_groups();
  void build_decoders();
  void on_arrivals();
  void arrive(workload::Request request, double now_s);
  void reject(const workload::Request& request, double now_s);
  void on_run_end(std::size_t server);
  void begin(std::size_t server, double now_s);
  void begin_touched(double now_s);
  void arm(std::size_t server);
  void arm_arrivals();
  void on_ready();
  void arm_ready();
  void hand_over(serving::Handle handle, double now_s);
  void send_on(serving::Handle handle, double now_s);
  void bring_reserved(std::size_t server);
  void on_arrived(serving::Handle handle);
  [[nodiscard]] Cause idle_cause(const Server& server) const;
  void account_resting(Server& server, double now_s);
  void account(Server& server, const serving::RunReport& report);
  struct Steps {
    double start_s = 0.0;
    double end_s = 0.0;
    std::int64_t sequences = 0;
    bool capacity_blocked = false;
  };
  void account_steps(Server& server, const Steps& steps, const perf::StepCost& cost,
                     double decode_s);
  void complete(serving::Handle handle, double now_s);
  void cut_runs_at_warmup();
  void stop_at_duration();
  void on_sample();
  void emit(const metrics::RequestRow& row);
  [[nodiscard]] metrics::RequestRow row_of(const serving::ActiveRequest& r) const;
  std::size_t choose_place(Group& group, const workload::Request& request);
  [[nodiscard]] bool can_serve(const Server& server, const workload::Request& request);
  Group& group_of(const workload::Request& request);
  [[nodiscard]] bool work_left() const;
  void finish_unfinished(double end_s);
  void check_conservation() const;
  [[nodiscard]] metrics::RunResult result(double end_s);

  const scenario::Plan* plan_;
  workload::RequestStream* stream_;
  Calendar* calendar_;
  metrics::FabricInventory fabric_;
  SimulationOptions options_;
  metrics::Slo slo_;
  LoadSource source_;
  FrontEnd front_end_;
  serving::RequestSlots slots_;
  metrics::RunAccumulator accumulator_;
  metrics::LittlesLaw littles_law_;
  Meter meter_;
  std::vector<std::unique_ptr<Deployment>> deployments_;
  std::vector<std::unique_ptr<Server>> servers_;
  // By model, the replicas that only decode; each request goes to the least loaded.
  std::map<std::string, Group> decoders_;
  std::vector<std::unique_ptr<Group>>
      group_by_model_;                // by the stream's model number; null: not deployed
  std::vector<std::size_t> touched_;  // idle replicas that got work at this moment
  std::vector<char> in_flight_;       // by slot: the request is in the system

  Calendar::Timer arrival_timer_ = nullptr;
  double arrival_armed_s_ = 0.0;
  Calendar::Timer ready_timer_ = nullptr;
  double ready_armed_s_ = 0.0;
  std::size_t between_runs_;  // the replica whose run has just ended
  bool stopped_ = false;
  double last_event_s_ = 0.0;

  std::vector<metrics::RequestRow> rows_;
  scenario::StoreRequests store_ = scenario::StoreRequests::all;
  bool thinning_ = false;  // too many rows: only a sample is kept
  Sha256 digest_;
  std::vector<metrics::Sample> samples_;
  double sampled_s_ = 0.0;
  std::vector<double> sampled_tokens_;    // by pool, at the last sample
  std::vector<double> in_front_by_pool_;  // requests in the front end
  std::vector<double> tokens_by_pool_;
  std::unique_ptr<Handoff> handoff_;  // absent: no replica only computes prompts
  metrics::Transfers transfers_;
  std::int64_t rejected_context_ = 0;  // of the rejected: too long for every replica
  std::int64_t seen_ = 0, done_ = 0, events_ = 0;
  std::int64_t rejected_in_a_row_ = 0;
  std::int64_t tokens_produced_ = 0;   // by replicas
  std::int64_t tokens_accounted_ = 0;  // of requests
};

}  // namespace tokenyard::sim
