#include "sim/simgrid_fabric.hpp"

#include <simgrid/s4u.hpp>
// After s4u.hpp: it uses macros that it does not define itself.
#include <simgrid/version.h>

#include <cmath>
#include <vector>

namespace tokenyard::sim {
namespace {

namespace sg4 = simgrid::s4u;

template <class Act>
void on_completion(Act act) {
#if SIMGRID_VERSION >= 33400
  sg4::Comm::on_completion_cb([act](const sg4::Comm& comm) { act(comm); });
#else
  sg4::Activity::on_completion_cb([act](const sg4::Activity& activity) {
    if (dynamic_cast<const sg4::Comm*>(&activity) != nullptr) act(activity);
  });
#endif
}

}  // namespace

// A flow waits for the route's latency, runs, and wakes who waits for it in an event of its own:
// SimGrid's callback comes while it is still at work on its flows.
struct SimgridFabric::State final : Sleeper {
  struct Flow {
    sg4::Host* from = nullptr;
    sg4::Host* to = nullptr;
    double bytes = 0.0;
    Sleeper* who = nullptr;
    std::size_t what = 0;
    sg4::CommPtr comm;
    bool started = false;
  };

  State(const Platform& p, const topology::FleetGraph& f, Calendar& c)
      : platform(&p), fleet(&f), calendar(&c) {}

  std::size_t add(Flow flow) {
    if (unused.empty()) {
      flows.push_back(std::move(flow));
      return flows.size() - 1;
    }
    const std::size_t index = unused.back();
    unused.pop_back();
    flows[index] = std::move(flow);
    return index;
  }

  // First to start a flow, then to end it.
  void wake(std::size_t index) override {
    Flow& flow = flows[index];
    if (!flow.started) {
      flow.started = true;
      start(index);
      return;
    }
    Sleeper& who = *flow.who;
    const std::size_t what = flow.what;
    flow = Flow{};
    unused.push_back(index);
    who.wake(what);
  }

  void start(std::size_t index) {
    Flow& flow = flows[index];
    const auto bytes = static_cast<std::uint64_t>(std::llround(flow.bytes));
    if (bytes == 0) {
      calendar->at(calendar->now(), *this, index);
      return;
    }
    flow.comm = sg4::Comm::sendto_init();
    flow.comm->set_payload_size(bytes);
    // Index + 1: a communication without data has none.
    flow.comm->set_data(reinterpret_cast<void*>(index + 1));
    flow.comm->set_source(flow.from);
    flow.comm->set_destination(flow.to);  // starts it
  }

  const Platform* platform;
  const topology::FleetGraph* fleet;
  Calendar* calendar;
  std::vector<Flow> flows;
  std::vector<std::size_t> unused;
};

SimgridFabric::SimgridFabric(const Platform& platform, const topology::FleetGraph& fleet,
                             Calendar& calendar)
    : state_(std::make_unique<State>(platform, fleet, calendar)) {
  on_completion([state = state_.get()](const auto& activity) {
    if (activity.get_state() != sg4::Activity::State::FINISHED) return;
    const auto& comm = static_cast<const sg4::Comm&>(activity);
    const std::size_t index = reinterpret_cast<std::size_t>(comm.template get_data<void>()) - 1;
    state->calendar->at(state->calendar->now(), *state, index);
  });
}

SimgridFabric::~SimgridFabric() = default;

void SimgridFabric::send(double bytes, std::int64_t from, std::int64_t to, Sleeper& who,
                         std::size_t what) {
  const std::size_t index = state_->add({.from = state_->platform->host(from),
                                         .to = state_->platform->host(to),
                                         .bytes = bytes,
                                         .who = &who,
                                         .what = what,
                                         .comm = {}});
  const double latency_s = state_->fleet->route(from, to).latency.base();
  state_->calendar->at(state_->calendar->now() + latency_s, *state_, index);
}

}  // namespace tokenyard::sim
