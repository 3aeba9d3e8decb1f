#include "study/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tokenyard::study {

void in_parallel(std::size_t turns, std::size_t jobs,
                 const std::function<void(std::size_t)>& turn) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::size_t first_thrown = turns;
  std::exception_ptr thrown;
  const auto work = [&] {
    for (std::size_t i = next++; i < turns; i = next++) {
      try {
        turn(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        next = turns;
        if (i >= first_thrown) continue;
        first_thrown = i;
        thrown = std::current_exception();
      }
    }
  };
  const std::size_t wanted = std::min(jobs, turns);
  std::vector<std::thread> others;
  while (others.size() + 1 < wanted) {
    try {
      others.emplace_back(work);
    } catch (const std::exception&) {
      // No thread to be had, or no memory for one: go on with those there are, this one among them.
      break;
    }
  }
  work();
  for (std::thread& thread : others) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tokenyard::study
