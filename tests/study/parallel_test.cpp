#include "study/parallel.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/in_child.hpp"

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

TEST_CASE("where the system has no thread to give, those there are take every turn") {
  constexpr std::size_t kTurns = 1000;  // the stacks of as many threads are gigabytes
  constexpr rlim_t kSpare = rlim_t{4} << 20U;
  const std::string taken = tokenyard::test::in_child([] {
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kSpare;
    const rlimit limit{most, most};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return std::string("no limit");
    std::atomic<std::size_t> turns{0};
    in_parallel(kTurns, kTurns, [&](std::size_t) { ++turns; });
    return std::to_string(turns.load());
  });
  CHECK(taken == std::to_string(kTurns));
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
