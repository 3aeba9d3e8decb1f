#pragma once
// A loop whose turns are independent of each other, on several threads.
#include <cstddef>
#include <functional>

namespace tokenyard::study {

// Calls turn(0) ... turn(turns - 1), up to `jobs` at a time, in any order.  When turns throw, those
// not begun are left out and the exception of the first of them, by number, comes out.  Where the
// system has no thread to give, those there are take all turns.
void in_parallel(std::size_t turns, std::size_t jobs, const std::function<void(std::size_t)>& turn);

}  // namespace tokenyard::study
