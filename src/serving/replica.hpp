#pragma once
// One model instance with continuous batching: a state machine that is told the time and keeps none.
//
// Asked at a step boundary, it forms the next batch and returns the next *run*: as many steps as
// keep that batch unchanged.  The run ends when a sequence finishes, a prompt's chunk pattern
// changes, KV blocks run out, a window fills, or (shortened) when an arrival could join: at the
// first step boundary at or after the arrival, exactly as if each step had been simulated.  With
// per_step a run is one step.
//
// A batch, by policy:
//   chunked-prefill  every decoding sequence, then prompt chunks up to max_batch_tokens in all
//   prefill-first    while prompts wait that fit, steps of prompt chunks only; decoding stalls
//   static           as many requests as fit are taken when the replica is empty; their prompts go
//                    first, and nothing joins before all have finished.  One that only decodes takes
//                    them when it is empty and starts when the last of their caches has come.
//
// Worked example, chunked-prefill: beside 3 that decode, 2,500 tokens under max_batch_tokens 1,000 take
// steps of 3 + 997, 3 + 997 and 3 + 506 tokens.
//
// Requests are admitted in the order of the line (waiting_line.hpp), whose first nobody passes: the whole
// prompt's blocks are taken at admission, with 1 % of the blocks (vLLM's watermark) kept back for growth
// while others run.  When the next step's new blocks cannot be had, the youngest sequence is preempted
// (of those of the lowest priority): its blocks are freed, and it goes back in line to compute its prompt
// and its own output again, or, swapped, to have its blocks brought back from the host's memory as soon
// as there is room.
//
// Prompts and decoding may be on different replicas, by role:
//   prefill   a prompt that is computed is *sent*: its blocks stay until it has arrived elsewhere
//             (release_sent), and what keeps its prefix stays cached; or it is sent while it is computed
//   decode    a request that was sent takes its blocks like a prompt, in its turn, but nothing is
//             computed: it is *reserved* until its KV cache is there (deliver), and decodes.  Room
//             may be *promised* before (ask_room), while the prompt is computed.  One that is
//             preempted computes its prompt again, here.
// What tiers below the devices keep of a prompt (kv_tiers.hpp) is brought likewise, before the rest of the
// prompt is computed.
// A request with a LoRA adapter enters the batch once that is in device memory (adapter_cache.hpp), which
// the first in line waits for.
// What comes from outside, a release or a delivery, takes effect at the next step boundary.  So does a
// request that is withdrawn, but for one in line, which is gone at once.  A replica that fails loses the
// step under way and all KV caches: evacuate() hands out its requests, to be computed again elsewhere
// with the output that they have.
//
// Contract:
//   - enqueue only requests for which can_ever_fit() holds; a single one then always makes
//     progress.
//   - begin_run(now) only when no run is under way; end_run() at the time that run_end() said.
//   - Every token of every request is produced exactly once.
//
// With speculative decoding whose acceptance is drawn, a step gives each decoding sequence a number of
// tokens of its own, and paced_sequences.hpp knows it; else it gives each of them one.
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "perf/step_model.hpp"
#include "serving/active_request.hpp"
#include "serving/adapter_cache.hpp"
#include "serving/paced_sequences.hpp"
#include "serving/queue_clock.hpp"
#include "serving/run_report.hpp"
#include "serving/waiting_line.hpp"

namespace tokenyard::serving {

inline constexpr double kNever = std::numeric_limits<double>::infinity();

class Replica {
 public:
  Replica(const perf::StepModel& model, const scenario::ServingSpec& serving,
          std::int64_t max_context, std::int64_t prefix_block_tokens, RequestSlots& slots,
          bool per_step, scenario::Role role = scenario::Role::both, double measured_from_s = 0.0,
          KvTiers* tiers = nullptr, std::uint64_t seed = 0);

  // `produced`: output tokens that are computed again with the prompt.
  [[nodiscard]] bool can_ever_fit(const workload::Request& request,
                                  std::int64_t produced = 0) const;
  void enqueue(double now, Handle handle);
  // When the run under way ends; kNever when idle.  enqueue may bring it forward.
  [[nodiscard]] double run_end() const { return end_s_; }
  [[nodiscard]] bool idle() const { return kind_ == Kind::none; }
  // Handles of the requests that finished, in order of admission.
  const std::vector<Handle>& end_run();
  void begin_run(double now);
  [[nodiscard]] const RunReport& report() const { return report_; }

  // Prompts that were computed in the run that ended last and go on elsewhere.
  [[nodiscard]] const std::vector<Handle>& sent() const { return sent_; }
  // A prompt that was sent has arrived.
  void release_sent(double now, Handle handle);
  // Requests that took their blocks since the last call, and for which something is to be brought.
  std::vector<Handle> take_reserved() { return std::exchange(reserved_, {}); }
  // What was brought for one of them is there.
  void deliver(double now, Handle handle);
  // Between two runs: those first in line whose prompts were computed elsewhere take their blocks, if any.
  void reserve_sent(double now);

  // Room for a request whose prompt another replica computes, so that its KV cache can be sent meanwhile:
  // asked for here and given at the next boundary, where nobody waits in line and there is room.
  void ask_room(double now, Handle handle);
  // Who has been given room since the last call.
  std::vector<Handle> take_promised() { return std::exchange(newly_promised_, {}); }
  // It has been given room here, and not given it back.
  [[nodiscard]] bool has_room(Handle handle) const;
  // Room that was asked for, given or not, is not wanted any more.
  void give_back_room(double now, Handle handle);
  // Its prompt is complete and the rest of its KV cache on its way: it takes the room that it was given.
  void receive_promised(double now, Handle handle);

  // Of prompts: those in the run under way, and that of one prompt, which may be of no tokens.
  [[nodiscard]] std::vector<Chunk> chunks() const;
  [[nodiscard]] Chunk chunk_of(Handle handle) const;
  // Those that came since the last call and are still in line: what an SSD keeps of them may go to DRAM.
  std::vector<Handle> take_newcomers();
  // An SSD's part of somebody's prompt has reached DRAM.
  void prefetched(double now, const std::vector<KvKey>& keys);
  // Requests reserved and not yet delivered.
  [[nodiscard]] std::int64_t receiving() const {
    return static_cast<std::int64_t>(receiving_.size());
  }

  // Whether it takes requests out of its line from the next step boundary on.  What runs goes on.
  void set_admitting(double now, bool admitting);
  [[nodiscard]] bool admits() const { return admits_; }
  // Nothing runs or is brought; requests may wait.
  [[nodiscard]] bool runs_nothing() const {
    return idle() && running() == 0 && receiving_.empty() && held_.empty() && promised_.empty() &&
           asked_.empty();
  }

  // From now on it computes prompts only, or only decodes.  It is empty, and nothing is cached.
  void set_role(scenario::Role role);

  // LoRA adapters that requests wait for, since the last call; each is to be brought.
  std::vector<std::int32_t> take_wanted_adapters() { return std::exchange(wanted_adapters_, {}); }
  void adapter_loaded(double now, std::int32_t adapter);
  // The first in line waits for its adapter.
  [[nodiscard]] bool awaits_adapter() const { return awaits_adapter_; }
  // None is in device memory any more, nor on its way.  Nothing runs.
  void forget_adapters();

  // Its request is wanted no more.  True: it was in line, and is gone.  Else it leaves at the next step
  // boundary, if it has not finished by then: left() after end_run, or at once on an idle replica.
  bool withdraw(double now, Handle handle);
  [[nodiscard]] const std::vector<Handle>& left() const { return left_; }
  // Gives up its requests and forgets all KV caches.  After stop() and end_run(), or idle.
  // Prompts that are computed and sequences that decode, oldest first.
  [[nodiscard]] std::vector<Handle> in_batch() const;
  struct Evacuees {
    std::vector<Handle> requests;  // those that ran, oldest first, then those in line
    std::vector<Handle> held;      // prompts whose cache was held here, and that are elsewhere
    std::vector<Handle> promised;  // that are elsewhere, and had asked for room here
  };
  Evacuees evacuate(double now, double last_boundary_s);
  // Nothing runs, waits, comes or is held.
  [[nodiscard]] bool empty() const { return runs_nothing() && line_.empty(); }

  // From the next step boundary on, its work is done by fewer devices than it was made for: by one in
  // `stretch` of them.
  void set_stretch(double now, double stretch);
  // From the next step boundary on, its steps have this share of a memory bus (perf/bus_share.hpp).
  void set_bus_share(double now, double share);
  // What the step under way, with prompts only, asks for: the share of its time alone for which it reads.
  [[nodiscard]] double asked_of_bus() const;
  // At the next step boundary, after those that leave then: see KvCache::lose_rank.
  void lose_rank(double now, std::uint64_t lost, std::uint64_t ranks);
  // The run under way ends at its first step boundary at or after `now`.
  void end_at_boundary(double now);
  // What the whole steps of the run under way, up to `now`, have added.
  struct UnderWay {
    std::int64_t tokens = 0;
    std::int64_t blocks = 0;
  };
  [[nodiscard]] UnderWay under_way(double now) const;
  // What the run under way costs in all, and when it began.
  [[nodiscard]] perf::StepCost run_cost() const;
  [[nodiscard]] double run_begin() const { return start_s_; }
  // The step of the run under way in which `now` lies (at a boundary: the one that begins).
  struct StepUnderWay {
    std::int64_t whole_steps = 0;  // of the run, before this one
    double start_s = 0.0;
    double end_s = 0.0;
    std::int64_t sequences = 0;
    perf::StepCost cost;
    double decode_s = 0.0;
  };
  [[nodiscard]] StepUnderWay step_under_way(double now) const;
  // The simulation is over at `now`, within a run: it is cut after its whole steps, to be ended by
  // end_run unless there are none.  Returns the step that was under way.
  StepUnderWay stop(double now);

  [[nodiscard]] std::int64_t running() const {
    return decoding_ + static_cast<std::int64_t>(prefilling_.size());
  }
  [[nodiscard]] std::int64_t waiting() const { return line_.size(); }
  // Something may begin, were it asked to.
  [[nodiscard]] bool has_news() const { return !line_.empty() || !delivered_.empty(); }
  // Prompt tokens in line and under way, not yet computed at the last step boundary before `now`.
  [[nodiscard]] std::int64_t prompt_backlog(double now) const;
  // Without those that a newcomer passes.
  [[nodiscard]] std::int64_t prompts_before_newcomer(double now) const {
    return prompt_backlog(now) - deferred_tokens_;
  }
  [[nodiscard]] std::int64_t outstanding() const { return running() + waiting(); }
  [[nodiscard]] KvCache& kv() { return kv_; }
  [[nodiscard]] const KvCache& kv() const { return kv_; }
  // Output tokens of a request that is decoding here, up to the last step boundary.
  [[nodiscard]] std::int64_t produced_by(Handle handle) const {
    return (*slots_)[handle].produced + gained(handle);
  }
  [[nodiscard]] std::int64_t preemptions() const { return preemptions_; }

 private:
  enum class Kind { none, decode, mixed };
  struct Prefill {
    Handle handle;
    std::int64_t tokens;  // of the prompt, own earlier output included
    std::int64_t done;    // cached or computed
  };
  struct StepMark {  // something that happens to a decoding sequence at a step
    std::int64_t step;
    std::int64_t order;  // ties: earlier begun first
    Handle handle;
    std::uint32_t stay;
    bool operator>(const StepMark& o) const {
      return step != o.step ? step > o.step : order > o.order;
    }
  };
  struct Admitted {
    Handle handle;
    std::uint32_t stay;
  };
  // What comes at a step, the next first.  Marks of sequences that left before stay in the heap
  // until they come to its top; only then, and only while there are any, is a sequence looked up.
  struct Marks {
    std::priority_queue<StepMark, std::vector<StepMark>, std::greater<>> heap;
    std::int64_t stale = 0;
  };

  void begin_batch(double now);
  void begin_decode_run(double now);
  void begin_mixed_run(bool with_decoding);
  void measure_mixed_run();
  bool form_chunks(double now, std::int64_t budget);
  bool admit_next(double now);
  bool reserve_next(double now);
  void fetch(Handle handle, std::int64_t reused, KvBelow below);
  void leave_line(ActiveRequest& r, double now, Phase next);
  void count_in_line(const ActiveRequest& r, std::int64_t sign);
  [[nodiscard]] bool has_adapter(const ActiveRequest& r) const;
  bool adapter_ready(const ActiveRequest& r);
  void pin_adapter(const ActiveRequest& r);
  void unpin_adapter(const ActiveRequest& r);
  void count_adapter(const ActiveRequest& r, std::int64_t change);
  [[nodiscard]] perf::AdapterLoad decoding_adapters() const;
  [[nodiscard]] perf::AdapterLoad run_adapters() const;
  // That have their blocks and will decode.
  [[nodiscard]] std::int64_t coming() const {
    return receiving() + static_cast<std::int64_t>(promised_.size());
  }
  [[nodiscard]] bool batch_full() const { return running() + coming() >= limits_.max_batch; }
  void promise_room();
  [[nodiscard]] std::int64_t admission_reserve() const;
  [[nodiscard]] bool is_static() const {
    return limits_.policy == scenario::BatchPolicy::static_batch;
  }
  void apply_losses();
  void start_delivered(double now);
  void release_withdrawn(double now);
  void leave_batch(Handle handle);
  void send_on(Handle handle, std::int64_t tokens, double now);
  void release_arrived();
  void make_room_for_next_step();
  void preempt_one();
  std::size_t victim();
  void start_decoding(Handle handle, std::int64_t stored);
  void stop_decoding(Handle handle);
  void drop_decoding(Handle handle);
  void advance_decoding(std::int64_t steps);
  void advance_paced(std::int64_t steps);
  void end_decoding(Handle handle);
  void take_opened(std::int64_t blocks);
  void note_stall();
  void forget_stalled();
  [[nodiscard]] std::int64_t stalled_sequences() const;
  void finish_chunks(double now);
  void finish(Handle handle);
  [[nodiscard]] std::int64_t new_blocks(std::int64_t steps) const;
  [[nodiscard]] double mean_new_blocks() const;
  [[nodiscard]] double mean_new_blocks_paced() const;
  // Tokens of the decoding sequences in their next steps.
  [[nodiscard]] std::int64_t decode_tokens(std::int64_t steps) const;
  // Steps to the next end of a sequence or window that fills.
  [[nodiscard]] std::int64_t steps_until_change();
  [[nodiscard]] std::int64_t decode_steps_possible(std::int64_t most);
  [[nodiscard]] perf::DecodeBatch decode_batch() const;
  [[nodiscard]] perf::AffineCost decode_cost(const perf::DecodeBatch& batch) const;
  [[nodiscard]] perf::StepCost mixed_cost(std::span<const perf::PrefillSlice> slices,
                                          const perf::DecodeBatch& batch) const;
  [[nodiscard]] double run_decode_s() const;
  [[nodiscard]] double decode_time(std::int64_t steps) const;
  [[nodiscard]] double boundary_s(std::int64_t steps) const;
  [[nodiscard]] std::int64_t steps_before(double now) const;
  void shorten(std::int64_t steps);
  // Tokens of a decoding sequence since `produced` and `stored` were written down.
  [[nodiscard]] std::int64_t gained(Handle handle) const;
  [[nodiscard]] std::int64_t stored_tokens(Handle handle) const;
  void drop_stale(Marks& marks);

  const perf::StepModel* model_;
  scenario::SchedulerSpec limits_;
  std::int64_t max_context_;
  std::int64_t block_tokens_;
  bool per_step_;
  RequestSlots* slots_;
  KvTiers* tiers_;
  KvCache kv_;
  std::int64_t watermark_;

  // The blocks of a prompt that was sent or is to come, and what it takes to give them back: its request
  // may end elsewhere before that.
  struct Held {
    Handle handle;
    workload::Request request;
    std::int64_t tokens;
    KvLease lease;
  };

  scenario::Role role_;
  bool sends_layers_;
  std::vector<Held> held_;
  std::vector<Held> promised_;  // rooms, oldest first
  std::vector<Handle> asked_, newly_promised_;
  std::vector<Held> given_back_;  // to be released at the next boundary
  std::vector<Handle> arrived_;   // of the held, to be released at the next boundary
  std::vector<Handle> sent_;
  std::vector<Handle> receiving_;  // have their blocks, and something is to be brought
  std::vector<Handle> reserved_,
      delivered_;  // of these, the newest, and those for whom it is there
  std::vector<Handle> withdrawn_, left_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      lost_ranks_;  // since the last boundary, of so many
  bool prefetches_;
  std::vector<Admitted> newcomers_;
  std::vector<KvKey> prefetched_;  // since the last boundary
  std::int64_t fresh_ = 0;         // delivered at this boundary, the youngest of all

  WaitingLine line_;
  std::int64_t line_tokens_ = 0;      // of prompts in line
  std::int64_t deferred_tokens_ = 0;  // of these, those that newcomers pass
  bool admits_ = true;
  std::optional<AdapterCache> adapters_;  // absent: all requests run with the model alone
  std::vector<std::int32_t> wanted_adapters_;
  bool awaits_adapter_ = false;
  std::map<std::int32_t, std::int64_t> decoding_with_;  // sequences by adapter
  std::int64_t adapted_ = 0;                            // of all
  QueueClock clock_;
  std::deque<Prefill> prefilling_;
  std::vector<Admitted> admitted_;  // oldest first; stale entries possible
  std::int64_t decoding_ = 0;
  std::int64_t step_ = 0;   // decode steps done so far
  std::int64_t order_ = 0;  // sequences that began to decode so far
  std::int64_t stored_sum_ = 0;
  std::int64_t window_sum_ = 0;  // tokens attended to in windowed layers in the next step
  std::int64_t window_growing_ = 0;
  std::vector<std::int64_t> residues_;  // sequences by (stored - step) modulo block_tokens
  Marks ends_, window_fills_;
  std::unique_ptr<PacedSequences> paced_;  // instead of the above, from step_ on
  std::int64_t preemptions_ = 0;
  struct Stalled {
    double since_s = 0.0;
    std::int64_t sequences = 0;
  };
  std::vector<Stalled> stalled_;  // oldest first

  Kind kind_ = Kind::none;
  bool blocked_ = false;
  double stretch_ = 1.0, next_stretch_ = 1.0;
  double bus_share_ = 1.0, next_bus_share_ = 1.0;
  bool cut_short_ = false;    // stop() has cut the run under way
  bool run_decodes_ = false;  // decoding sequences take part in this run
  std::int64_t run_steps_ = 0;
  double start_s_ = 0.0;
  double end_s_ = kNever;
  perf::AffineCost affine_;
  double first_step_s_ = 0.0, slope_s_ = 0.0;
  perf::StepCost mixed_cost_;
  std::vector<double> mixed_step_s_;
  std::vector<perf::PrefillSlice> slices_;  // parallel to the first entries of prefilling_
  RunReport report_;
  std::vector<Handle> finished_;
};

}  // namespace tokenyard::serving
