#include "serving/replica.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "serving/cache_config.hpp"

namespace tokenyard::serving {
namespace {

constexpr double kWatermark = 0.01;  // share of blocks kept back at admission, vLLM's default

}  // namespace

Replica::Replica(const perf::StepModel& model, const scenario::ServingSpec& serving,
                 std::int64_t max_context, std::int64_t prefix_block_tokens, RequestSlots& slots,
                 bool per_step, scenario::Role role, double measured_from_s, KvTiers* tiers,
                 std::uint64_t seed)
    : model_(&model),
      limits_(serving.scheduler),
      max_context_(max_context),
      block_tokens_(serving.kv_cache.block_tokens),
      per_step_(per_step),
      slots_(&slots),
      tiers_(tiers),
      kv_(cache_config(model, serving, prefix_block_tokens, tiers != nullptr, measured_from_s,
                       max_context),
          tiers),
      watermark_(static_cast<std::int64_t>(kWatermark * static_cast<double>(kv_.total()))),
      role_(role),
      sends_layers_(serving.handoff.layer_pipelined),
      prefetches_(serving.kv_cache.prefetch && tiers != nullptr),
      line_(serving.scheduler, slots),
      clock_(serving.scheduler.admission != scenario::Admission::fcfs ||
             serving.overload.policy == scenario::Overload::defer),
      residues_(static_cast<std::size_t>(block_tokens_), 0) {
  if (model.resident_adapters() > 0) adapters_.emplace(model.resident_adapters());
  if (serving.speculation &&
      serving.speculation->sampling == scenario::AcceptanceSampling::per_request)
    paced_ = std::make_unique<PacedSequences>(*serving.speculation, seed, block_tokens_,
                                              model.window_tokens());
}

void Replica::set_role(scenario::Role role) {
  check(empty(), "a replica that has something to do changes its role");
  role_ = role;
}

bool Replica::can_ever_fit(const workload::Request& request, std::int64_t produced) const {
  if (request.adapter >= model_->adapters()) return false;
  const std::int64_t tokens = request.input_tokens + request.output_tokens;
  // The last token is given out and never stored, and where prompts are computed only the prompt is.
  const std::int64_t stored =
      role_ == scenario::Role::prefill ? request.input_tokens + produced : tokens - 1;
  return tokens <= max_context_ && kv_.blocks_for(stored) <= model_->placement().kv_blocks_per_rank;
}

perf::DecodeBatch Replica::decode_batch() const {
  if (paced_) {
    perf::DecodeBatch batch = paced_->batch();
    batch.adapters = decoding_adapters();
    return batch;
  }
  return {.sequences = decoding_,
          .context = static_cast<double>(stored_sum_ + decoding_),
          .window_context = static_cast<double>(window_sum_),
          .window_growing = window_growing_,
          .adapters = decoding_adapters()};
}

// KV blocks that the decoding sequences open in their next `steps` steps.  A sequence opens one
// whenever the tokens it has stored fill its blocks exactly: one in each full cycle of block_tokens
// steps, and in the rest those whose turn comes within it.
std::int64_t Replica::new_blocks(std::int64_t steps) const {
  if (paced_) return paced_->new_blocks(steps);
  const std::int64_t cycles = steps / block_tokens_;
  std::int64_t blocks = cycles * decoding_;
  std::int64_t turn = (block_tokens_ - step_ % block_tokens_) % block_tokens_;
  for (std::int64_t rest = steps - cycles * block_tokens_; rest > 0; --rest) {
    blocks += residues_[static_cast<std::size_t>(turn)];
    turn = turn > 0 ? turn - 1 : block_tokens_ - 1;
  }
  return blocks;
}

void Replica::drop_stale(Marks& marks) {
  while (marks.stale > 0 && (*slots_)[marks.heap.top().handle].stay != marks.heap.top().stay) {
    marks.heap.pop();
    --marks.stale;
  }
}

std::int64_t Replica::steps_until_change() {
  if (paced_) return paced_->steps_until_change();
  drop_stale(ends_);
  const std::int64_t steps = ends_.heap.top().step - step_;
  drop_stale(window_fills_);
  if (window_fills_.heap.empty()) return steps;
  return std::min(steps, window_fills_.heap.top().step - step_);
}

// The largest number of steps, at most `most`, that nothing interrupts: no end of a sequence, no
// window that fills, no lack of blocks.
std::int64_t Replica::decode_steps_possible(std::int64_t most) {
  std::int64_t steps = std::min(most, steps_until_change());
  if (per_step_) steps = std::min<std::int64_t>(steps, 1);
  const std::int64_t available = kv_.available();
  const bool plenty = !paced_ && decoding_ * (steps / block_tokens_ + 1) <= available;
  if (plenty || new_blocks(steps) <= available) return steps;
  std::int64_t possible = 1;  // make_room_for_next_step saw to the first
  std::int64_t impossible = steps;
  while (possible + 1 < impossible) {
    const std::int64_t middle = (possible + impossible) / 2;
    (new_blocks(middle) <= available ? possible : impossible) = middle;
  }
  return possible;
}

void Replica::begin_run(double now) {
  start_s_ = now;
  stretch_ = next_stretch_;
  bus_share_ = next_bus_share_;
  kv_.advance(now);
  blocked_ = false;
  awaits_adapter_ = false;
  slices_.clear();
  if (!prefetched_.empty()) tiers_->promote(std::exchange(prefetched_, {}));
  start_delivered(now);
  make_room_for_next_step();
  fresh_ = 0;
  begin_batch(now);
  const bool closed = is_static() && running() + receiving() > 0;
  clock_.set(now, blocked_ || awaits_adapter_ || batch_full() || closed || !admits_);
}

void Replica::begin_batch(double now) {
  if (is_static() && running() + receiving() == 0) {
    while (admit_next(now)) {
    }
  }
  const bool decodes = limits_.policy == scenario::BatchPolicy::chunked_prefill;
  const std::int64_t budget = limits_.max_batch_tokens - (decodes ? decoding_ : 0);
  const bool computes = form_chunks(now, budget);
  if (!asked_.empty()) promise_room();
  if (computes) {
    begin_mixed_run(decodes && decoding_ > 0);
  } else if (decoding_ > 0) {
    begin_decode_run(now);
  } else {
    check(line_.empty() || coming() > 0 || !held_.empty() || !admits_ || awaits_adapter_,
          "requests wait on an empty replica");
    kind_ = Kind::none;
    end_s_ = kNever;
  }
}

void Replica::begin_decode_run(double now) {
  kind_ = Kind::decode;
  run_decodes_ = true;
  affine_ = decode_cost(decode_batch());
  first_step_s_ = affine_.first.total_s();
  slope_s_ = affine_.slope.total_s();
  run_steps_ = decode_steps_possible(affine_.valid_steps);
  end_s_ = now + decode_time(run_steps_);
}

// One chunk that fills the whole budget repeats until the prompt's last chunk: one run.  Any other
// pattern lasts one step, as does a chunk whose KV cache is sent while it is computed.
void Replica::begin_mixed_run(bool with_decoding) {
  kind_ = Kind::mixed;
  run_decodes_ = with_decoding;
  run_steps_ = 1;
  const perf::PrefillSlice head = slices_.front();
  const std::int64_t budget = limits_.max_batch_tokens - (with_decoding ? decoding_ : 0);
  const bool is_sent = sends_layers_ && role_ == scenario::Role::prefill;
  // Whose KV cache is elsewhere needs no room among the chunks, and may join at any boundary.
  const bool may_join = !line_.empty() && (*slots_)[line_.first()].brings == Brings::sent;
  if (!per_step_ && !is_sent && !may_join && slices_.size() == 1 && head.tokens == budget) {
    const std::int64_t left = prefilling_.front().tokens - prefilling_.front().done;
    run_steps_ = std::max<std::int64_t>(1, (left - 1) / head.tokens);
    if (with_decoding) run_steps_ = decode_steps_possible(run_steps_);
  }
  measure_mixed_run();
}

void Replica::measure_mixed_run() {
  const perf::PrefillSlice head = slices_.front();
  mixed_cost_ = {};
  mixed_step_s_.clear();
  perf::DecodeBatch batch = run_decodes_ ? decode_batch() : perf::DecodeBatch{};
  batch.adapters = run_adapters();
  end_s_ = start_s_;
  for (std::int64_t i = 0; i < run_steps_; ++i) {
    const perf::StepCost cost = mixed_cost(slices_, batch);
    const double step_s = cost.total_s();
    mixed_cost_.add(cost);
    mixed_step_s_.push_back(step_s);
    end_s_ += step_s;
    slices_.front().cached += head.tokens;
    batch.advance(1);
  }
  slices_.front().cached = head.cached;
}

perf::StepCost Replica::run_cost() const {
  return kind_ == Kind::decode ? affine_.sum(static_cast<double>(run_steps_)) : mixed_cost_;
}

double Replica::run_decode_s() const {
  if (!run_decodes_) return 0.0;
  if (kind_ == Kind::decode) return end_s_ - start_s_;
  perf::DecodeBatch batch = decode_batch();
  double total_s = 0.0;
  for (std::int64_t left = run_steps_; left > 0;) {
    const perf::AffineCost piece = decode_cost(batch);
    const std::int64_t steps = std::min(left, piece.valid_steps);
    total_s += piece.sum_s(static_cast<double>(steps));
    batch.advance(steps);
    left -= steps;
  }
  return total_s;
}

const std::vector<Handle>& Replica::end_run() {
  finished_.clear();
  sent_.clear();
  left_.clear();
  RunReport& report = report_;
  report.start_s = start_s_;
  report.end_s = end_s_;
  report.steps = run_steps_;
  report.decoding = run_decodes_ ? decoding_ : 0;
  report.decode_tokens = run_decodes_ ? decode_tokens(run_steps_) : 0;
  report.prompt_tokens = 0;
  report.first_tokens = 0;
  report.capacity_blocked = blocked_;
  report.resumed_gaps_s.clear();
  report.step_s.clear();
  report.stalls.clear();
  const auto n = static_cast<double>(run_steps_);
  const auto held = static_cast<double>(kv_.total() - kv_.available());
  const std::int64_t opened = run_decodes_ ? new_blocks(run_steps_) : 0;
  report.kv_blocks = held + mean_new_blocks();
  report.kv_blocks_last = held + static_cast<double>(opened);
  report.sequences = running();
  report.decode_s = run_decode_s();
  if (run_decodes_) take_opened(opened);
  if (kind_ == Kind::decode) {
    report.cost = affine_.sum(n);
    report.first_gap_s = first_step_s_;
    report.last_gap_s = first_step_s_ + (n - 1.0) * slope_s_;
  } else {
    report.cost = mixed_cost_;
    report.step_s.swap(mixed_step_s_);
  }
  const double now = end_s_;
  kv_.advance(now);
  if (run_decodes_) {
    for (const Stalled& s : stalled_) report.stalls.push_back({start_s_ - s.since_s, s.sequences});
    stalled_.clear();
    advance_decoding(run_steps_);
  } else {
    note_stall();
  }
  if (kind_ == Kind::mixed) finish_chunks(now);
  // What came in the step that was cut off would have taken effect at its end.
  if (!std::exchange(cut_short_, false)) {
    release_arrived();
    release_withdrawn(now);
    apply_losses();
  }
  kind_ = Kind::none;
  end_s_ = kNever;
  return finished_;
}

// The decoding sequences did not take part in the run that began at start_s_.
void Replica::note_stall() {
  const std::int64_t known = stalled_sequences();
  if (decoding_ > known) stalled_.push_back({start_s_, decoding_ - known});
}

std::int64_t Replica::stalled_sequences() const {
  std::int64_t sequences = 0;
  for (const Stalled& s : stalled_) sequences += s.sequences;
  return sequences;
}

// Of the sequences that stalled, some have left: the youngest.
void Replica::forget_stalled() {
  for (std::int64_t gone = stalled_sequences() - decoding_; gone > 0; --gone) {
    if (--stalled_.back().sequences == 0) stalled_.pop_back();
  }
}

void Replica::finish_chunks(double now) {
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    if (!clock_.no_room()) clock_.computed((*slots_)[prefilling_[i].handle], now - start_s_);
    const std::int64_t computed = slices_[i].tokens * run_steps_;
    prefilling_[i].done += computed;
    report_.prompt_tokens += computed;
  }
  while (!prefilling_.empty() && prefilling_.front().done == prefilling_.front().tokens) {
    const Prefill prefill = prefilling_.front();
    prefilling_.pop_front();
    ActiveRequest& r = (*slots_)[prefill.handle];
    kv_.prompt_computed(r.request, prefill.tokens, r.lease);
    ++report_.first_tokens;
    ++r.produced;
    r.enter(Phase::decode, now);
    if (r.first_token_s < 0.0) {
      r.first_token_s = now;
    } else {
      report_.resumed_gaps_s.push_back(now - r.last_token_s);
    }
    if (r.produced == r.request.output_tokens) {
      kv_.release(r.request, prefill.tokens, true, r.lease);
      finish(prefill.handle);
    } else if (role_ == scenario::Role::prefill) {
      send_on(prefill.handle, prefill.tokens, now);
    } else {
      start_decoding(prefill.handle, prefill.tokens);
    }
  }
}

void Replica::finish(Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  unpin_adapter(r);
  ++r.stay;
  r.stage = Stage::nowhere;
  line_.served(r);
  finished_.push_back(handle);
  // Stale entries pile up only behind long-lived ones; drop them when they are the majority.
  if (admitted_.size() > 64 && admitted_.size() > 4 * static_cast<std::size_t>(running() + 1)) {
    std::erase_if(admitted_, [&](const Admitted& a) { return (*slots_)[a.handle].stay != a.stay; });
  }
}

}  // namespace tokenyard::serving
