#pragma once
// Prompts on one engine of a device and decoding on another, each with steps of its own:
// `engine: {prefill: npu, decode: igpu, steps: apart}`.
//
// One deployment of the file becomes two of the plan, next to each other: one that only computes prompts
// and one that only decodes them, on the same devices.  What they share:
//
//   weights    in memory once
//   KV blocks  floor(share * blocks) for prompts, floor((1 - share) * blocks) for decoding sequences
//              (`prefill_kv_share`).  A prompt that is complete keeps its blocks until there is room for it
//              on the other side; then its block table changes hands, and no byte is copied.
//   bandwidth  see perf/bus_share.hpp
//
// Prompts go to the engine beside them and to no other replica.  A sequence that is preempted computes its
// prompt again where it decodes.
//
// Worked example: room for 1,000 blocks and a share of 0.3: 300 for prompts, 700 for sequences.
//
// Leaves out: blocks of one side that the other could use; answers as part of a session's history (what is
// reused is prompts); activations and windows of the second engine, for which memory is set aside once, as
// where both work together.  Refused with roles of their own, shared devices, autoscaling of the pool, LoRA
// adapters and static batches.
#include "input/node.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// The last deployment of the pool becomes two where its engines work apart and nothing is against it.
void split_engines(PoolPlan& pool);

// Problems of deployments whose engines work apart go to `diagnostics`.
void check_engines_apart(const Plan& plan, const input::Node& root, Diagnostics& diagnostics);

}  // namespace tokenyard::scenario
