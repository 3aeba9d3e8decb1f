// Static batching: what is there is taken together, and nothing joins before all have finished.
//
// Toy fleet: a decode step of B sequences that attend to c tokens takes 8 ms + 64 ns (B + c).
#include <doctest/doctest.h>

#include "serving/replica_driver.hpp"

namespace {

using tokenyard::test::ReplicaDriver;
using tokenyard::test::ToyOptions;

ToyOptions static_batching() {
  ToyOptions options;
  options.serving.scheduler.policy = tokenyard::scenario::BatchPolicy::static_batch;
  return options;
}

}  // namespace

TEST_CASE("a request that comes while a batch runs waits for the last of the batch") {
  ReplicaDriver driver(static_batching());
  driver.arrive(0.0, 0, 16, 11);
  driver.arrive(0.001, 1, 16, 101);
  driver.arrive(0.002, 2, 16, 11);
  driver.finish();
  // The first came to an empty replica and is a batch of its own; the two others are the next.
  CHECK(driver.of(0).admitted_s == 0.0);
  CHECK(driver.of(1).admitted_s == driver.of(0).finished_s);
  CHECK(driver.of(2).admitted_s == driver.of(0).finished_s);
  CHECK(driver.of(2).finished_s < driver.of(1).finished_s);
}

TEST_CASE("a batch takes all that waits, up to max_batch, whatever the tokens of a step") {
  ToyOptions options = static_batching();
  options.serving.scheduler.max_batch = 4;
  options.serving.scheduler.max_batch_tokens = 32;
  ReplicaDriver driver(options);
  driver.arrive(0.0, 0, 16, 200);
  for (int i = 1; i <= 6; ++i) driver.arrive(0.001 * i, i, 30, 11);
  driver.finish();
  const double second = driver.of(0).finished_s;
  for (int i = 1; i <= 4; ++i) CHECK(driver.of(i).admitted_s == second);
  for (int i = 5; i <= 6; ++i) {
    CHECK(driver.of(i).admitted_s >= driver.of(1).finished_s);
    CHECK(driver.of(i).admitted_s == driver.of(5).admitted_s);
  }
}

TEST_CASE("every step by itself gives the same times") {
  const auto times = [](bool per_step) {
    ToyOptions options = static_batching();
    ReplicaDriver driver(options, per_step);
    for (int i = 0; i < 20; ++i) driver.arrive(0.05 * i, i, 100 + 40 * i, 5 + (i * 7) % 23);
    driver.finish();
    std::vector<double> ends;
    for (int i = 0; i < 20; ++i) ends.push_back(driver.of(i).finished_s);
    return ends;
  };
  const std::vector<double> fast = times(false);
  const std::vector<double> slow = times(true);
  for (std::size_t i = 0; i < fast.size(); ++i)
    CHECK(fast[i] == doctest::Approx(slow[i]).epsilon(1e-12));
}
