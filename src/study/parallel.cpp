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
  std::vector<std::thread> others;
  for (std::size_t j = 1; j < std::min(jobs, turns); ++j) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tokenyard::study
