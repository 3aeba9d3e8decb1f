// Where the run under way is cut: for an arrival, for the end of the warm-up, for the end of the
// simulation.
#include <algorithm>
#include <cmath>

#include "perf/bus_share.hpp"
#include "serving/replica.hpp"

namespace tokenyard::serving {

void Replica::enqueue(double now, Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  const bool again = r.first_token_s >= 0.0 && r.brings == Brings::nothing;
  r.stage = Stage::waiting;
  r.enter(again                         ? Phase::redo
          : r.brings == Brings::nothing ? Phase::queue_arrival
                                        : Phase::queue_capacity,
          now);
  clock_.line_up(r, now);
  count_in_line(r, 1);
  line_.add(handle, again);
  if (prefetches_) {
    // What it may find below depends on what is evicted before the next boundary.
    newcomers_.push_back({handle, r.stay});
    end_at_boundary(now);
    return;
  }
  // The newcomer can join at the next boundary unless others wait before it or the batch is full;
  // where KV blocks are short the run is merely cut in two, at no change of any time.  While chunks
  // fill the whole budget there is no room for another prompt.
  if (kind_ != Kind::decode || running() >= limits_.max_batch || line_.first() != handle) return;
  end_at_boundary(now);
}

void Replica::end_at_boundary(double now) {
  if (kind_ == Kind::none || run_steps_ <= 1) return;
  const std::int64_t before = steps_before(now);
  const bool at_boundary = before > 0 && boundary_s(before) >= now;
  shorten(at_boundary ? before : before + 1);
}

void Replica::set_stretch(double now, double stretch) {
  next_stretch_ = stretch;
  end_at_boundary(now);
}

void Replica::set_bus_share(double now, double share) {
  if (share == next_bus_share_) return;
  next_bus_share_ = share;
  end_at_boundary(now);
}

double Replica::asked_of_bus() const {
  check(kind_ == Kind::mixed && !run_decodes_, "what a bus is asked for is known of prompts alone");
  const perf::StepCost alone = model_->mixed_step(slices_, {});
  return perf::memory_s(alone) / alone.total_s();
}

perf::AffineCost Replica::decode_cost(const perf::DecodeBatch& batch) const {
  perf::AffineCost cost = model_->decode_run(batch);
  if (bus_share_ < 1.0) cost = perf::at_bus_share(cost, bus_share_);
  if (stretch_ == 1.0) return cost;
  cost.first.stretch(stretch_);
  cost.slope.stretch(stretch_);
  return cost;
}

perf::StepCost Replica::mixed_cost(std::span<const perf::PrefillSlice> slices,
                                   const perf::DecodeBatch& batch) const {
  perf::StepCost cost = model_->mixed_step(slices, batch);
  if (bus_share_ < 1.0) cost = perf::at_bus_share(cost, bus_share_);
  if (stretch_ != 1.0) cost.stretch(stretch_);
  return cost;
}

Replica::StepUnderWay Replica::stop(double now) {
  const StepUnderWay last = step_under_way(now);
  if (last.whole_steps > 0) shorten(last.whole_steps);
  cut_short_ = true;
  return last;
}

Replica::StepUnderWay Replica::step_under_way(double now) const {
  StepUnderWay last;
  last.whole_steps = steps_before(now);
  last.start_s = boundary_s(last.whole_steps);
  last.end_s = boundary_s(last.whole_steps + 1);
  last.sequences = running();
  const auto done = static_cast<double>(last.whole_steps);
  perf::DecodeBatch batch = run_decodes_ ? decode_batch() : perf::DecodeBatch{};
  batch.advance(last.whole_steps);
  if (run_decodes_) last.decode_s = decode_cost(batch).first.total_s();
  if (kind_ == Kind::decode) {
    last.cost = affine_.first;
    last.cost.add(affine_.slope, done);
  } else {
    std::vector<perf::PrefillSlice> slices = slices_;
    slices.front().cached += last.whole_steps * slices.front().tokens;
    batch.adapters = run_adapters();
    last.cost = mixed_cost(slices, batch);
  }
  return last;
}

Replica::UnderWay Replica::under_way(double now) const {
  if (kind_ == Kind::none || !run_decodes_) return {};
  const std::int64_t steps = steps_before(now);
  return {.tokens = decode_tokens(steps), .blocks = new_blocks(steps)};
}

// What the run under way has opened, on average over its time: a step has its blocks from its start.
//
// Step i of a run of decode steps takes a + b i.  Steps that lie whole cycles of block_tokens apart
// open the same blocks, and each cycle opens one for every sequence: with r the place in the cycle,
// c the cycle, p(r) the blocks opened in a cycle up to r, and m(r) the cycles that have a place r,
//   sum of (a + b (c t + r)) (p(r) + c D) over c = 0 ... m(r) - 1, then over r.
double Replica::mean_new_blocks() const {
  const double duration_s = end_s_ - start_s_;
  if (!run_decodes_ || duration_s <= 0.0) return 0.0;
  if (paced_) return mean_new_blocks_paced();
  const std::int64_t cycle = block_tokens_;
  std::int64_t turn = (cycle - step_ % cycle) % cycle;
  double opened = 0.0;
  double block_s = 0.0;
  const auto next = [&] {
    opened += static_cast<double>(residues_[static_cast<std::size_t>(turn)]);
    turn = turn > 0 ? turn - 1 : cycle - 1;
  };
  if (kind_ == Kind::mixed) {
    for (const double step_s : mixed_step_s_) {
      next();
      block_s += step_s * opened;
    }
    return block_s / duration_s;
  }
  const auto per_cycle = static_cast<double>(decoding_);
  for (std::int64_t r = 0; r < std::min(cycle, run_steps_); ++r) {
    next();
    const auto m = static_cast<double>((run_steps_ - r + cycle - 1) / cycle);
    const double sum = m * (m - 1.0) / 2.0;                        // of c
    const double squares = (m - 1.0) * m * (2.0 * m - 1.0) / 6.0;  // of c^2
    const double at_r = first_step_s_ + slope_s_ * static_cast<double>(r);
    const double later = slope_s_ * static_cast<double>(cycle);
    block_s += at_r * (opened * m + per_cycle * sum) + later * (opened * sum + per_cycle * squares);
  }
  return block_s / duration_s;
}

// The same where blocks are known one by one.
double Replica::mean_new_blocks_paced() const {
  double block_s = 0.0;
  if (kind_ == Kind::decode) {
    const double duration_s = end_s_ - start_s_;
    paced_->for_each_opening(run_steps_,
                             [&](std::int64_t step) { block_s += duration_s - decode_time(step); });
  } else {
    std::vector<std::int64_t> opened(static_cast<std::size_t>(run_steps_), 0);
    paced_->for_each_opening(run_steps_,
                             [&](std::int64_t step) { ++opened[static_cast<std::size_t>(step)]; });
    std::int64_t held = 0;
    for (std::size_t i = 0; i < opened.size(); ++i)
      block_s += mixed_step_s_[i] * as_double(held += opened[i]);
  }
  return block_s / (end_s_ - start_s_);
}

double Replica::decode_time(std::int64_t steps) const {
  const auto n = static_cast<double>(steps);
  return n * first_step_s_ + 0.5 * n * (n - 1.0) * slope_s_;
}

double Replica::boundary_s(std::int64_t steps) const {
  if (kind_ == Kind::decode) return start_s_ + decode_time(steps);
  double at_s = start_s_;
  for (std::int64_t i = 0; i < steps; ++i) at_s += mixed_step_s_[static_cast<std::size_t>(i)];
  return at_s;
}

// Whole steps of the run under way that end at `now` or before; its last step is never one of them.
std::int64_t Replica::steps_before(double now) const {
  const std::int64_t most = run_steps_ - 1;
  std::int64_t steps = 0;
  if (kind_ == Kind::mixed) {
    while (steps < most && boundary_s(steps + 1) <= now) ++steps;
    return steps;
  }
  // Invert T(j) = j a + j (j-1) b / 2, then correct the rounding.
  const double elapsed = now - start_s_;
  const double a = first_step_s_ - 0.5 * slope_s_;
  // Without the difference of two near numbers that the usual form has; right for b = 0 as well.
  const double guess =
      2.0 * elapsed / (a + std::sqrt(std::max(0.0, a * a + 2.0 * slope_s_ * elapsed)));
  steps = std::clamp<std::int64_t>(static_cast<std::int64_t>(guess), 0, most);
  while (steps > 0 && boundary_s(steps) > now) --steps;
  while (steps < most && boundary_s(steps + 1) <= now) ++steps;
  return steps;
}

void Replica::shorten(std::int64_t steps) {
  if (steps >= run_steps_) return;
  run_steps_ = steps;
  if (kind_ == Kind::decode) {
    end_s_ = boundary_s(steps);
  } else {
    measure_mixed_run();
  }
}

}  // namespace tokenyard::serving
