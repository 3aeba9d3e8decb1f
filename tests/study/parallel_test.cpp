#include "study/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using tokenyard::study::in_parallel;

TEST_CASE("every turn is taken once, with fewer and with more jobs than turns") {
  for (const std::size_t jobs : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{50}}) {
    CAPTURE(jobs);
    std::vector<std::atomic<int>> taken(20);
    in_parallel(taken.size(), jobs, [&](std::size_t i) { ++taken[i]; });
    for (const std::atomic<int>& times : taken) CHECK(times == 1);
  }
  in_parallel(0, 3, [](std::size_t) { FAIL("there is no turn"); });
}

TEST_CASE("a turn that throws ends the loop: what it threw comes out, later turns are left out") {
  std::atomic<int> taken{0};
  const auto turn = [&](std::size_t i) {
    ++taken;
    if (i == 3) throw std::runtime_error("the fourth");
  };
  CHECK_THROWS_WITH(in_parallel(1000, 1, turn), "the fourth");
  CHECK(taken == 4);
  CHECK_THROWS_WITH(in_parallel(1000, 4, turn), "the fourth");
}
