#pragma once
// One run: load source, router, replicas and meter on a calendar.
//
// The simulation pays per change of a batch, never per token.  Conservation laws are checked at the
// end of every run, and a violation is an InternalError: requests released = finished + rejected +
// cancelled + abandoned + unfinished; tokens produced = tokens of all of them + those of attempts that
// their clients gave up; KV blocks return to zero when all requests have left; Little's law to 1e-9;
// device seconds by cause = devices * measured time.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/hash.hpp"
#include "metrics/accumulator.hpp"
#include "metrics/littles_law.hpp"
#include "scenario/plan.hpp"
#include "sim/appointments.hpp"
#include "sim/autoscaler.hpp"
#include "sim/calendar.hpp"
#include "sim/computed_before.hpp"
#include "sim/fault_schedule.hpp"
#include "sim/front_end.hpp"
#include "sim/load_source.hpp"
#include "sim/meter.hpp"
#include "sim/replica_places.hpp"
#include "sim/server.hpp"
#include "sim/slot.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::sim {

struct Progress {
  double simulated_s = 0.0;
  std::int64_t requests_done = 0;
};

struct SimulationOptions {
  bool per_step = false;
  // The network as a graph, for what the failure of a cable or a switch cuts off.
  const topology::FleetGraph* fleet = nullptr;
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
  // What to wake for: these, or something of a replica (wake_of), or, behind all of these, prefetches.
  enum Wake : std::size_t {
    kArrivals,
    kReady,
    kSample,
    kWarm,
    kStop,
    kAppointments,
    kFault,
    kScale,
    kRoles,
    kFirstServer
  };
  enum ServerWake : std::size_t {
    kRunEnds,
    kCondition,      // repaired, or booted
    kLoaded,         // its weights have come
    kSwapped,        // likewise, to devices that it shares
    kResidenceOver,  // others may have these
    kAdapter,        // one has come
    kRankBack,       // a device that it did without is repaired
    kServerWakes
  };
  [[nodiscard]] std::size_t wake_of(ServerWake what, std::size_t server) const {
    return kFirstServer + what * servers_.size() + server;
  }
  void wake(std::size_t what) override;

  void build_deployments();
  std::unique_ptr<serving::KvTiers> build_tiers(const Deployment& deployment, const Place& place);
  void add_channels(Server& server);
  std::vector<metrics::KvTierResult> account_tiers(double end_s);
  void add_deployment(std::size_t pool, const scenario::DeploymentPlan& d, ReplicaPlaces& places);
  void build_choices();
  void build_decoders();
  std::size_t add_group(scenario::RouterKind kind, std::vector<std::size_t> members,
                        bool decodes = false);
  void on_arrivals();
  void arrive(workload::Request request, double now_s);
  void rank(serving::ActiveRequest& r);
  void reject(const workload::Request& request, double now_s, std::int64_t& count);
  [[nodiscard]] bool another_answers(std::int64_t group, std::size_t own) const;
  void wake_server(std::size_t number);
  void on_run_end(std::size_t server);
  void begin(std::size_t server, double now_s);
  void begin_touched(double now_s);
  void arm(std::size_t server);
  void arm_arrivals();
  void on_ready();
  void arm_ready();
  void hand_over(serving::Handle handle, double now_s);
  void touch(std::size_t server);
  void send_on(serving::Handle handle, double now_s);
  void bring_reserved(std::size_t server);
  [[nodiscard]] static double bytes_to_send(const Server& receiver,
                                            const serving::ActiveRequest& r);
  std::size_t new_transfer(serving::Handle handle);
  [[nodiscard]] std::vector<Handoff::Part> parts_below(const Server& server,
                                                       const serving::ActiveRequest& r,
                                                       std::size_t transfer);
  void prefetch(serving::Handle handle, std::size_t server);
  void on_prefetched(std::size_t number);
  bool waits_for_prefetch(const serving::ActiveRequest& r, std::size_t transfer, double bytes);
  void on_arrived(std::size_t transfer);
  void has_arrived(const serving::ActiveRequest& r, double now_s);
  void release_sender(serving::Handle handle, double now_s);
  void after_release(std::size_t server, double now_s);
  void void_transfer(serving::ActiveRequest& r);

  // KV caches that are sent while prompts are computed: see simulation_layers.cpp.
  void send_layers(std::size_t server, double now_s);
  void ask_for_room(serving::Handle handle, double now_s);
  void open_promised(std::size_t server, double now_s);
  void feed(serving::ActiveRequest& r, const serving::Chunk& chunk, double until_s);
  void come_as_promised(serving::Handle handle, double now_s);
  void forget_promise(serving::ActiveRequest& r);
  void break_promise(serving::Handle handle, double now_s);

  // Routing: see simulation_route.cpp.
  struct Chosen {
    std::size_t group = static_cast<std::size_t>(-1);
    std::size_t place = 0;
    [[nodiscard]] bool nobody() const { return group == static_cast<std::size_t>(-1); }
  };
  [[nodiscard]] Chosen choose(const workload::Request& request, std::int64_t produced, bool away);
  std::size_t choose_place(Group& group, const workload::Request& request, std::int64_t produced,
                           bool away);
  std::size_t least_loaded_that_can(const Group& group, const workload::Request& request,
                                    std::int64_t produced, bool away);
  [[nodiscard]] bool can_serve(const Group& group, const Server& server,
                               const workload::Request& request, std::int64_t produced, bool away);
  [[nodiscard]] std::optional<std::size_t> route_of(const workload::Request& request) const;
  void dispatch(serving::Handle handle, double now_s);
  void go(serving::Handle handle, const Chosen& chosen, double now_s);
  void assign(serving::Handle handle, const Chosen& chosen);
  void forget_routing(serving::ActiveRequest& r);
  void send_parked(double now_s);
  [[nodiscard]] bool too_late(const Chosen& chosen, const workload::Request& request) const;

  // Replicas that change roles: see simulation_roles.cpp.
  static bool available_in(const Group& group, const Server& server);
  void start_role_switch();
  void on_roles();
  void balance_roles(const std::string& model, const std::vector<std::size_t>& members,
                     double now_s);
  [[nodiscard]] double role_load_s(const Server& server, double now_s) const;
  void take_other_role(std::size_t server, double now_s);

  // Engines that work apart: see simulation_engines.cpp.
  void pair_engines();
  void take_over(std::size_t server, double now_s);
  void share_bus(std::size_t server, double now_s);

  // Models that share devices: see simulation_swap.cpp.
  void build_slots(std::size_t pool);
  void settle(Slot& slot, double now_s);
  void swap_models(Slot& slot, std::size_t next, double now_s);
  void on_swapped(std::size_t server);
  void on_residence_over(std::size_t server);
  [[nodiscard]] bool is_loaded(std::size_t server) const;
  [[nodiscard]] std::size_t longest_waiting(const Slot& slot) const;
  [[nodiscard]] std::int64_t outstanding_of_slot(std::size_t server) const;
  std::size_t near_weights(const Group& group, std::size_t chosen, const workload::Request& request,
                           std::int64_t produced);

  // LoRA adapters: see simulation_adapters.cpp.
  void bring_adapters(std::size_t server, double now_s);
  void on_adapter(std::size_t server);
  static void lose_adapters(Server& server);

  // Requests that leave before their end: see simulation_leave.cpp.
  void appoint(serving::ActiveRequest& r, serving::Handle handle, double now_s);
  void on_appointments();
  bool client_has_token(const serving::ActiveRequest& r);
  void arm_appointments();
  void withdraw(serving::Handle handle, serving::Leaving why, double now_s);
  void take_left(const Server& server, double now_s);
  void gone(serving::Handle handle, double now_s);
  void end_early(serving::Handle handle, metrics::RequestStatus status, double now_s);
  void ask_again(serving::Handle handle, double now_s);
  void restart(serving::Handle handle, double now_s);
  void cancel_losers(const workload::Request& winner, double now_s);
  void note_session(const metrics::RequestRow& row, bool ended);
  void vacate(serving::Handle handle);

  // Replicas that come and go: see simulation_condition.cpp.
  void start_faults(const topology::FleetGraph* fleet);
  void on_fault();
  void arm_fault();
  void apply(const Fault& fault, double now_s);
  void fail(std::size_t server, double duration_s, double now_s);
  [[nodiscard]] static bool is_beside(const Server& server);
  void lose_work(std::size_t server, double now_s);
  bool lose_rank(std::size_t server, double duration_s, double now_s);
  void on_rank_back(std::size_t server);
  void stretch(std::size_t server, double now_s);
  void drain(std::size_t server, double away_s, double now_s);
  void when_drained(std::size_t server, double now_s);
  void on_condition(std::size_t server);
  void on_loaded(std::size_t server);
  void load_weights(std::size_t server, double now_s);
  void switch_on(std::size_t server, double now_s);
  void switch_off(std::size_t server, double now_s);
  void set_condition(std::size_t server, Condition condition, double now_s);
  void on_scale();
  void boot(std::size_t server, double now_s);
  void forget_caches(Server& server, double now_s);
  [[nodiscard]] bool scales(const Server& server) const;
  double abort_run(Server& server, double end_s);
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
  void count_recomputed(const serving::ActiveRequest& r, double now_s);
  void cut_runs_at_warmup();
  void stop_at_duration();
  void on_sample();
  void emit(const metrics::RequestRow& row);
  [[nodiscard]] metrics::RequestRow row_of(const serving::ActiveRequest& r) const;
  [[nodiscard]] static metrics::RequestRow row_of_lost(const workload::Request& r,
                                                       metrics::RequestStatus status, double now_s);
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
  std::map<std::string, std::shared_ptr<serving::KvTierStore>> remote_pools_;  // by model
  std::vector<std::unique_ptr<SharedChannel>> host_channels_;
  std::map<std::int64_t, std::unique_ptr<SharedChannel>> ssd_channels_;  // by node
  std::vector<std::unique_ptr<MemoryBus>> buses_;
  std::vector<std::unique_ptr<Deployment>> deployments_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<Slot>> slots_of_models_;  // devices that several models share
  std::vector<std::unique_ptr<Group>> groups_;
  // Where requests of a model may go, by number of group.
  struct Choices {
    std::vector<std::size_t> by_route;                // parallel to the routes
    std::size_t rest = static_cast<std::size_t>(-1);  // of the pools that no route names
    bool any = false;                                 // the model is deployed
    std::int64_t adapters = 0;                        // of it, on any replica
  };
  void check_adapter(const workload::Request& request, const Choices& choices) const;
  std::vector<Choices> choices_;         // by the stream's model number
  std::vector<serving::Handle> parked_;  // wait for a replica that is not away
  std::vector<std::size_t> touched_;     // idle replicas that got work at this moment
  std::vector<char> in_flight_;          // by slot: the request is in the system

  Calendar::Timer arrival_timer_ = nullptr;
  double arrival_armed_s_ = 0.0;
  Calendar::Timer ready_timer_ = nullptr;
  double ready_armed_s_ = 0.0;
  Appointments appointments_;
  Calendar::Timer appointment_timer_ = nullptr;
  double appointment_armed_s_ = 0.0;
  std::uint64_t tickets_ = 0;
  std::optional<RandomStream> predictions_;  // of answers' lengths
  struct Samples {
    std::vector<serving::Handle> members;
    bool decided = false;
  };
  std::unordered_map<std::int64_t, Samples> samples_of_group_;
  std::unordered_map<std::int64_t, metrics::SessionRow> sessions_;  // under way
  std::optional<FaultSchedule> faults_;
  std::optional<Fault> next_fault_;
  std::vector<std::int64_t> spares_;  // by pool: replicas that its unused devices could carry
  using Return = std::pair<double, std::size_t>;  // when, and to which pool
  std::priority_queue<Return, std::vector<Return>, std::greater<>> returning_spares_;
  std::optional<Autoscaler> autoscaler_;
  Fabric* network_;
  std::int64_t failures_ = 0, scale_ups_ = 0, scale_downs_ = 0;
  std::int64_t model_swaps_ = 0;  // in the measured time
  std::int64_t adapter_loads_ = 0;
  std::int64_t role_changes_ = 0;
  std::map<std::string, double> role_changed_s_;  // by model, the last time
  std::size_t between_runs_;                      // the replica whose run has just ended
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
  std::unique_ptr<Handoff> handoff_;          // absent: no replica only computes prompts
  std::vector<serving::Handle> transfer_of_;  // by number; -1: what it brings is wanted no more
  std::vector<std::size_t> free_transfers_;
  // Parts of prompts on their way from an SSD to DRAM.
  struct Prefetch {
    std::size_t server = 0;
    std::uint64_t ticket = 0;  // of whose prompt
    std::vector<serving::KvKey> keys;
    std::int64_t transfer = -1;  // that waits for it, and then brings so much
    double bytes = 0.0;
    bool under_way = false;
  };
  std::vector<Prefetch> prefetches_;
  std::vector<std::size_t> free_prefetches_;
  std::optional<ComputedBefore> computed_before_;  // where prompts can repeat others
  std::int64_t recomputed_tokens_ = 0;             // in the measured window
  metrics::Transfers transfers_;
  std::vector<metrics::KvTierResult> kv_tiers_;
  std::int64_t rejected_context_ = 0;   // of the rejected: too long for every replica
  std::int64_t rejected_overload_ = 0;  // ... too late
  std::int64_t seen_ = 0, done_ = 0, events_ = 0;
  std::int64_t rejected_in_a_row_ = 0;
  std::int64_t tokens_produced_ = 0;   // by replicas
  std::int64_t tokens_accounted_ = 0;  // of requests
  std::int64_t tokens_given_up_ = 0;   // of attempts that clients gave up, among the accounted
};

}  // namespace tokenyard::sim
