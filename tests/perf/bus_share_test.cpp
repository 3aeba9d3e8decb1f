// Two engines on one memory bus: shares, and what steps and runs of steps take with them.
#include "perf/bus_share.hpp"

#include <doctest/doctest.h>

namespace tokenyard::perf {
namespace {

StepCost cost_of(double compute_s, double weights_s, double kv_s) {
  StepCost cost;
  cost[Cause::compute] = compute_s;
  cost[Cause::weight_bw] = weights_s;
  cost[Cause::kv_bw] = kv_s;
  return cost;
}

StepCost step_of(const AffineCost& run, std::int64_t step) {
  StepCost cost = run.first;
  cost.add(run.slope, static_cast<double>(step));
  return cost;
}

// Each step by itself, and in runs that are valid for as long as they say.
void check_run(const AffineCost& run, double share, int pieces) {
  constexpr std::int64_t kSteps = 40;
  int found = 0;
  for (std::int64_t done = 0; done < kSteps; ++found) {
    AffineCost left;
    left.first = step_of(run, done);
    left.slope = run.slope;
    const AffineCost piece = at_bus_share(left, share);
    const std::int64_t steps = std::min(piece.valid_steps, kSteps - done);
    for (std::int64_t i = 0; i < steps; ++i) {
      const StepCost alone = step_of(run, done + i);
      const StepCost there = step_of(piece, i);
      const StepCost here = at_bus_share(alone, share);
      CAPTURE(done + i);
      CHECK(there.total_s() ==
            doctest::Approx(std::max(alone.total_s(), memory_s(alone) / share)).epsilon(1e-12));
      for (std::size_t c = 0; c < kStepCauses; ++c) {
        CHECK(there.seconds[c] == doctest::Approx(here.seconds[c]).epsilon(1e-12));
        CHECK(there.seconds[c] >= alone.seconds[c] - 1e-12);
      }
    }
    done += steps;
  }
  CHECK(found == pieces);
}

}  // namespace

TEST_CASE(
    "bus: who asks for a quarter gets it and leaves three; who asks for more than half, half") {
  CHECK(bus_shares(0.25).decoding == 0.75);
  CHECK(bus_shares(0.5).decoding == 0.5);
  CHECK(bus_shares(0.8).decoding == 0.5);
  CHECK(bus_shares(0.0).decoding == 1.0);
  CHECK(bus_shares(0.25).prompts == 0.5);
  CHECK(bus_shares(0.8).prompts == 0.5);
}

TEST_CASE("bus: 8 ms of reading take 10.7 ms with three quarters of it and 16 ms with half") {
  const StepCost reads = cost_of(0.0, 8e-3, 0.0);
  CHECK(at_bus_share(reads, 0.75).total_s() == doctest::Approx(8e-3 / 0.75));
  CHECK(at_bus_share(reads, 0.5)[Cause::weight_bw] == doctest::Approx(16e-3));
  CHECK(at_bus_share(reads, 1.0).seconds == reads.seconds);
}

TEST_CASE("bus: a chunk that reads for a quarter of its time takes as long with half of the bus") {
  const StepCost chunk = cost_of(75e-3, 25e-3, 0.0);
  CHECK(at_bus_share(chunk, 0.5).seconds == chunk.seconds);
}

TEST_CASE(
    "bus: what computes goes on beside the reads that wait, and the longest read takes longer") {
  // 1 + 6 + 2 ms alone; with half of the bus 8 / 0.5 = 16, of which 7 are added.
  const StepCost step = at_bus_share(cost_of(1e-3, 6e-3, 2e-3), 0.5);
  CHECK(step.total_s() == doctest::Approx(16e-3));
  CHECK(step[Cause::compute] == 1e-3);
  CHECK(step[Cause::weight_bw] == doctest::Approx(13e-3));
  CHECK(step[Cause::kv_bw] == 2e-3);
}

TEST_CASE("bus: what is done does not change with what it takes") {
  StepCost step = cost_of(0.0, 8e-3, 0.0);
  step[Work::bytes_weights] = 8e9;
  step[Work::flops_linear] = 8e9;
  CHECK(at_bus_share(step, 0.5).work == step.work);
}

TEST_CASE("bus: a run that begins free of the bus and comes to be bound by it") {
  // 5.1 + 4 ms and half a millisecond of cache more each step: with two thirds of the bus
  // 1.5 (4 + i / 2) exceeds 9.1 + i / 2 from step 13 on; from step 9 on the cache is read longest.
  AffineCost run;
  run.first = cost_of(5.1e-3, 4e-3, 0.0);
  run.slope = cost_of(0.0, 0.0, 0.5e-3);
  CHECK(at_bus_share(run, 2.0 / 3.0).valid_steps == 13);
  check_run(run, 2.0 / 3.0, 2);
}

TEST_CASE("bus: a run that is bound by it until computing has grown") {
  // 8 / 0.5 = 16 ms against 10; 1 ms of computing more each step.
  AffineCost run;
  run.first = cost_of(2e-3, 8e-3, 0.0);
  run.slope = cost_of(1e-3, 0.0, 0.0);
  CHECK(at_bus_share(run, 0.5).valid_steps == 6);
  check_run(run, 0.5, 2);
}

TEST_CASE("bus: a run in which the cache comes to be read for longer than the weights") {
  AffineCost run;
  run.first = cost_of(1e-3, 6.1e-3, 1e-3);
  run.slope = cost_of(0.01e-3, 0.0, 0.5e-3);
  check_run(run, 0.5, 2);
  check_run(run, 0.75, 2);
  check_run(run, 1.0, 1);
}

}  // namespace tokenyard::perf
