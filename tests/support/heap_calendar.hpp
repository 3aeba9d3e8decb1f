#pragma once
// The plain calendar, as the oracle for the one on SimGrid.
#include "sim/plain_calendar.hpp"

namespace tokenyard::test {

using HeapCalendar = sim::PlainCalendar;

}  // namespace tokenyard::test
