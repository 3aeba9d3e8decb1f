#include "serving/paced_sequences.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard::serving {

PacedSequences::PacedSequences(const scenario::SpeculationSpec& spec, std::uint64_t seed,
                               std::int64_t block_tokens, std::int64_t window_tokens)
    : pace_(spec, seed),
      off_above_(spec.max_batch.value_or(std::numeric_limits<std::int64_t>::max())),
      on_from_(spec.resume_batch.value_or(off_above_)),
      block_tokens_(block_tokens),
      window_(window_tokens) {}

void PacedSequences::add(Handle handle, ActiveRequest& r, std::int64_t stored) {
  if (r.pace_steps == 0) r.pace_steps = pace_.steps(r.request.id, r.request.output_tokens - 1);
  sequences_.push_back({.handle = handle, .stored = stored, .tokens = 0, .steps = 0, .begin = 0});
  stretch(sequences_.back(), r);
}

void PacedSequences::remove(Handle handle) {
  sequences_.erase(find(handle));
}

void PacedSequences::stretch(Sequence& sequence, const ActiveRequest& r) const {
  sequence.begin = step_;
  sequence.tokens = r.request.output_tokens - r.produced;
  sequence.steps = guessing_ ? steps_left(sequence.tokens, r.request.output_tokens - 1,
                                          r.pace_steps, pace_.most())
                             : sequence.tokens;
}

void PacedSequences::choose(RequestSlots& slots) {
  const auto count = static_cast<std::int64_t>(sequences_.size());
  const bool guess = count <= (guessing_ ? off_above_ : on_from_);
  if (guess == guessing_) return;
  guessing_ = guess;
  for (Sequence& s : sequences_) {
    ActiveRequest& r = slots[s.handle];
    const std::int64_t gained = s.gained(step_);
    r.produced += gained;
    r.stored = s.stored += gained;
    stretch(s, r);
  }
}

std::vector<PacedSequences::Sequence>::const_iterator PacedSequences::find(Handle handle) const {
  const auto found = std::find_if(sequences_.begin(), sequences_.end(),
                                  [&](const Sequence& s) { return s.handle == handle; });
  check(found != sequences_.end(), "a sequence that does not decode is looked for");
  return found;
}

std::int64_t PacedSequences::tokens(std::int64_t steps) const {
  std::int64_t tokens = 0;
  for (const Sequence& s : sequences_) tokens += s.gained(step_ + steps) - s.gained(step_);
  return tokens;
}

std::int64_t PacedSequences::new_blocks(std::int64_t steps) const {
  std::int64_t opened = 0;
  for (const Sequence& s : sequences_)
    opened += blocks(s.stored + s.gained(step_ + steps)) - blocks(s.stored + s.gained(step_));
  return opened;
}

std::int64_t PacedSequences::steps_until_change() const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const Sequence& s : sequences_) {
    next = std::min(next, s.begin + s.steps);
    if (s.stored + 1 >= window_) continue;
    const std::int64_t fills = s.begin + s.steps_to(window_ - 1 - s.stored);
    if (fills > step_) next = std::min(next, fills);
  }
  return next - step_;
}

perf::DecodeBatch PacedSequences::batch() const {
  perf::DecodeBatch batch{.sequences = static_cast<std::int64_t>(sequences_.size()),
                          .drawn = perf::DecodeBatch::Drawn{.verifying = guessing_}};
  for (const Sequence& s : sequences_) {
    const double context = s.context(step_) + 1.0;
    const double growth = as_double(s.tokens) / as_double(s.steps);
    batch.context += context;
    batch.drawn->growth += growth;
    if (window_ == 0) continue;
    batch.window_context += std::min(context, as_double(window_));
    if (context >= as_double(window_)) continue;
    ++batch.window_growing;
    batch.drawn->window_growth += growth;
  }
  return batch;
}

std::vector<Handle> PacedSequences::ended() const {
  std::vector<Handle> ended;
  for (const Sequence& s : sequences_) {
    if (s.begin + s.steps <= step_) ended.push_back(s.handle);
  }
  return ended;
}

}  // namespace tokenyard::serving
