#include "sim/simgrid_calendar.hpp"

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>
// After s4u.hpp: it uses macros that it does not define itself.
#include <simgrid/version.h>

#include <csignal>

#include "base/error.hpp"

namespace tokenyard::sim {
namespace {

bool engine_exists = false;  // one a process

}  // namespace

struct SimgridCalendar::Engine {
  // SimGrid takes its own options from argv; ours are none of its business.
  int argc = 1;
  char name[10] = "tokenyard";
  char* argv[2] = {name, nullptr};
  std::unique_ptr<simgrid::s4u::Engine> engine;
};

SimgridCalendar::SimgridCalendar() : engine_(std::make_unique<Engine>()) {
  check(!engine_exists, "a second SimGrid engine in one process would keep the first one's clock");
  engine_exists = true;
  xbt_log_control_set("xbt_cfg.thres:warning");
  // SimGrid takes these signals for itself; whoever runs the program has plans of its own for them.
  const auto on_interrupt = std::signal(SIGINT, SIG_IGN);
  const auto on_crash = std::signal(SIGSEGV, SIG_DFL);
  engine_->engine = std::make_unique<simgrid::s4u::Engine>(&engine_->argc, engine_->argv);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGSEGV, on_crash);
  // Exact sizes over bandwidths: no window effects, no cross traffic, no TCP ceiling.
  simgrid::s4u::Engine::set_config("network/model:CM02");
  simgrid::s4u::Engine::set_config("network/crosstraffic:0");
  simgrid::s4u::Engine::set_config("network/TCP-gamma:1e30");
#if SIMGRID_VERSION >= 33400
  simgrid::s4u::Engine::set_config("precision/timing:1e-12");
#else
  simgrid::s4u::Engine::set_config("surf/precision:1e-12");
#endif
}

SimgridCalendar::~SimgridCalendar() = default;

double SimgridCalendar::now() const {
  return simgrid::s4u::Engine::get_clock();
}

Calendar::Timer SimgridCalendar::at(double date_s, Sleeper& sleeper, std::size_t what) {
  // A plain lambda of two words fits SimGrid's task without an allocation; a std::function would
  // not.
  return simgrid::kernel::timer::Timer::set(date_s, [who = &sleeper, what] { who->wake(what); });
}

void SimgridCalendar::cancel(Timer timer) {
  static_cast<simgrid::kernel::timer::Timer*>(timer)->remove();
}

void SimgridCalendar::run() {
  engine_->engine->run();
}

}  // namespace tokenyard::sim
