#include "economics/usage.hpp"

#include <doctest/doctest.h>

#include "books.hpp"

namespace tokenyard::economics {
namespace {

TEST_CASE(
    "a run of 100 s: tokens are rates times 100, the fabric's joules count apart, PUE's not at "
    "all") {
  scenario::Plan plan = plan_of(pool_at(1));
  plan.pools[0].devices[0].power.idle = watts(70);
  metrics::RunResult run;
  run.measured_s = 100;
  run.metrics = {
      {"input_tokens_per_s", 3000}, {"output_tokens_per_s", 500}, {"prefix_hit_rate", 0.25}};
  metrics::PoolResult pool;
  pool.it_power_peak_w = 5000;
  pool.joules.fill(1000);
  run.pools = {pool};
  run.fabric.switches = 3;
  run.fabric.cables = 17;
  const UsageSummary usage = usage_of(plan, run);
  CHECK(usage.measured_s == 100);
  CHECK(usage.input_tokens == 300e3);
  CHECK(usage.cached_tokens == 75e3);
  CHECK(usage.output_tokens == 50e3);
  // Ten components of 1000 J: one is the fabric's, one the building's.
  CHECK(usage.pools.at(0).it_energy_j == 8000);
  CHECK(usage.fabric_power_w == 10);
  CHECK(usage.pools[0].it_power_peak_w == 5000);
  CHECK(usage.pools[0].it_power_idle_w == 8 * 70);
  CHECK(usage.switches == 3);
  CHECK(usage.cables == 17);
}

TEST_CASE("a run whose pools are not the plan's is a mistake of ours") {
  CHECK_THROWS_AS(usage_of(plan_of(pool_at(1)), metrics::RunResult{}), InternalError);
}

}  // namespace
}  // namespace tokenyard::economics
