#pragma once
// What two engines of a device get of its one memory bus, each with steps of its own, and what steps take
// with that.
//
// An engine asks for the share of its time for which its step, alone, reads memory: u = memory seconds /
// seconds of the step.  Decoding always asks for the whole bus, whatever its batch, so that what it gets
// does not depend on how its steps are put together into runs.  Max-min fair, while both are at work:
//
//   decoding gets max(1/2, 1 - u), prompts get what they ask for, at most 1/2
//
// A step that takes T alone and reads for M of it takes max(T, M / share): what it computes goes on beside
// its reads as far as these wait for the bus.  What is added goes to the longest of its reads (weights, KV
// cache or activations).
//
// In a run of decode steps both T and M grow by the same amount each step, and so does what is added:
// the run is as exact as without a bus.  It is valid until the bus begins to bind, or ceases to, or
// another read becomes the longest.
//
// Worked example: a chunk that computes for 75 ms and reads for 25 ms asks for a quarter.  Decode steps of
// 8 ms, all of it reading, get 3/4 and take 10.7 ms; the chunk takes its 100 ms.  A chunk that only reads
// for 8 ms gets half, as they do: each takes 16 ms.
//
// Leaves out: that the chunk's reads are not spread evenly over its time; that decoding may ask for less
// than the whole; memory tiers with buses of their own.
// Source: Bertsekas and Gallager, "Data Networks", 1992, section 6.5 (max-min fairness).
#include "perf/step_cost.hpp"

namespace tokenyard::perf {

struct BusShares {
  double prompts = 1.0;  // at most; enough for what they ask
  double decoding = 1.0;
};

// While both are at work; `asked`: by the step with prompts.
BusShares bus_shares(double asked);

// Seconds for which a step reads memory.
double memory_s(const StepCost& cost);

StepCost at_bus_share(StepCost cost, double share);
AffineCost at_bus_share(AffineCost run, double share);

}  // namespace tokenyard::perf
