#include "sim/simgrid_fabric.hpp"

#include <simgrid/s4u.hpp>
// After s4u.hpp: it uses macros that it does not define itself.
#include <simgrid/version.h>

#include <cmath>
#include <optional>
#include <utility>
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

// A part of a flow, on one lane, waits for the route's latency, runs, and ends in an event of its own:
// SimGrid's callback comes while it is still at work on its flows.
struct SimgridFabric::State final : Sleeper {
  struct Part {
    sg4::Host* from = nullptr;
    sg4::Host* to = nullptr;
    double bytes = 0.0;
    double most_bytes_per_s = 0.0;
    std::size_t flow = 0;
    std::optional<std::size_t> limit;  // number of the link that keeps it to that
    sg4::CommPtr comm;
    bool started = false;
  };
  struct Waiting {
    Sleeper* who = nullptr;
    std::size_t what = 0;
    std::int64_t parts = 0;  // that have not ended
  };
  // Numbered; numbers of those that have ended are used again.
  template <class T>
  struct Numbered {
    std::size_t add(T item) {
      if (unused.empty()) {
        items.push_back(std::move(item));
        return items.size() - 1;
      }
      const std::size_t index = unused.back();
      unused.pop_back();
      items[index] = std::move(item);
      return index;
    }
    T take(std::size_t index) {
      unused.push_back(index);
      return std::exchange(items[index], T{});
    }
    T& operator[](std::size_t index) { return items[index]; }

    std::vector<T> items;
    std::vector<std::size_t> unused;
  };

  State(Platform& p, const topology::FleetGraph& f, Calendar& c)
      : platform(&p), fleet(&f), calendar(&c) {}

  // First to start a part, then to end it.
  void wake(std::size_t index) override {
    if (!parts[index].started) {
      parts[index].started = true;
      start(index);
      return;
    }
    const Part part = parts.take(index);
    if (part.limit) platform->give_back(*part.limit);
    const std::size_t flow = part.flow;
    if (--waiting[flow].parts > 0) return;
    const Waiting ended = waiting.take(flow);
    ended.who->wake(ended.what);
  }

  void start(std::size_t index) {
    Part& part = parts[index];
    const auto bytes = static_cast<std::uint64_t>(std::llround(part.bytes));
    if (bytes == 0) {
      calendar->at(calendar->now(), *this, index);
      return;
    }
    part.comm = sg4::Comm::sendto_init();
    part.comm->set_payload_size(bytes);
    if (std::isfinite(part.most_bytes_per_s))
      part.limit = platform->limit_next(part.most_bytes_per_s);
    // Index + 1: a communication without data has none.
    part.comm->set_data(reinterpret_cast<void*>(index + 1));
    part.comm->set_source(part.from);
    part.comm->set_destination(part.to);  // starts it
  }

  Platform* platform;
  const topology::FleetGraph* fleet;
  Calendar* calendar;
  Numbered<Part> parts;
  Numbered<Waiting> waiting;  // for a flow, by its number
};

SimgridFabric::SimgridFabric(Platform& platform, const topology::FleetGraph& fleet,
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

void SimgridFabric::send(const Flow& flow, Sleeper& who, std::size_t what) {
  const NicShare::Lanes lanes = flow.nics.lanes(state_->fleet->lanes(flow.from, flow.to));
  const auto count = static_cast<double>(lanes.count());
  const std::size_t number = state_->waiting.add({&who, what, lanes.count()});
  for (std::int64_t lane = lanes.begin; lane < lanes.end; ++lane) {
    const std::size_t index = state_->parts.add({.from = state_->platform->host(flow.from, lane),
                                                 .to = state_->platform->host(flow.to),
                                                 .bytes = flow.bytes / count,
                                                 .most_bytes_per_s = flow.most_bytes_per_s / count,
                                                 .flow = number,
                                                 .limit = {},
                                                 .comm = {}});
    const double latency_s =
        flow.followed ? 0.0 : state_->fleet->route(flow.from, flow.to, lane).latency.base();
    state_->calendar->at(state_->calendar->now() + latency_s, *state_, index);
  }
}

}  // namespace tokenyard::sim
