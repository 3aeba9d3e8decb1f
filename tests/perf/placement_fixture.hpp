#pragma once
// Placement of the toy model on the toy device, whose memory can be changed.
#include "perf/placement.hpp"
#include "perf_fixture.hpp"

namespace tokenyard::perf {

inline Placement placed(const scenario::Plan& plan) {
  const scenario::PoolPlan& pool = plan.pools.front();
  return place(pool, pool.deployments.front(), plan.scenario.serving);
}

inline Placement placed(const test::ToyOptions& options) {
  return placed(test::toy_plan(options));
}

inline test::ToyOptions with_capacity(double capacity_bytes) {
  test::ToyOptions options;
  options.device.memory.front().capacity = bytes(capacity_bytes);
  return options;
}

// A fast tier of 2 GB at 10 TB/s for weights before the toy's HBM.
inline test::ToyOptions with_sram() {
  test::ToyOptions options;
  catalog::MemoryTier sram;
  sram.tier = "sram";
  sram.capacity = gigabytes(2);
  sram.bandwidth = terabytes_per_second(10);
  sram.energy = picojoules_per_byte(1);
  sram.holds = {catalog::Holds::weights};
  options.device.memory.insert(options.device.memory.begin(), sram);
  return options;
}

}  // namespace tokenyard::perf
