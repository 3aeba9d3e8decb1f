#pragma once
// Flows that share cables fairly (max-min), written down directly: the oracle for the fabric on SimGrid.
#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "sim/fabric.hpp"
#include "topology/fleet_graph.hpp"

namespace tokenyard::test {

class FairFabric final : public sim::Fabric, private sim::Sleeper {
 public:
  FairFabric(const topology::FleetGraph& fleet, sim::Calendar& calendar)
      : fleet_(&fleet), calendar_(&calendar) {}

  void send(const sim::Flow& flow, sim::Sleeper& who, std::size_t what) override {
    const sim::NicShare::Lanes lanes = flow.nics.lanes(fleet_->lanes(flow.from, flow.to));
    const auto count = static_cast<double>(lanes.count());
    waiting_.push_back({.who = &who, .what = what, .parts = lanes.count()});
    for (std::int64_t lane = lanes.begin; lane < lanes.end; ++lane) {
      const topology::Route& route = fleet_->route(flow.from, flow.to, lane);
      flows_.push_back({.route = &route,
                        .left = flow.bytes / count,
                        .most = flow.most_bytes_per_s / count,
                        .waits = waiting_.size() - 1});
      const double latency_s = flow.followed ? 0.0 : route.latency.base();
      calendar_->at(calendar_->now() + latency_s, *this, flows_.size());
    }
  }

 private:
  // On one lane.
  struct Flow {
    const topology::Route* route = nullptr;
    double left = 0.0;
    double most = 0.0;
    std::size_t waits = 0;  // who, by number
    double rate = 0.0;
    bool runs = false;
  };
  struct Waiting {
    sim::Sleeper* who = nullptr;
    std::size_t what = 0;
    std::int64_t parts = 0;
  };

  // 0: the next flow ends; else flow number what - 1 begins.
  void wake(std::size_t what) override {
    const double now = calendar_->now();
    for (Flow& f : flows_) {
      if (f.runs) f.left -= f.rate * (now - since_);
    }
    since_ = now;
    std::vector<std::size_t> ended;
    if (what > 0) {
      flows_[what - 1].runs = true;
    } else {
      timer_ = nullptr;
      for (std::size_t i = 0; i < flows_.size(); ++i) {
        // A part in 10^12 of a second's worth is rounding.
        if (flows_[i].runs && flows_[i].left <= flows_[i].rate * 1e-12) ended.push_back(i);
      }
      for (const std::size_t i : ended) flows_[i].runs = false;
    }
    share();
    for (const std::size_t i : ended) {
      Waiting& waiting = waiting_[flows_[i].waits];
      if (--waiting.parts == 0) waiting.who->wake(waiting.what);
    }
  }

  // Fills all flows at one pace; those on a cable that is full, or at their own limit, stay as they are
  // then.
  void share() {
    using Way = std::pair<std::size_t, bool>;
    std::map<Way, double> room;
    std::vector<Flow*> open;
    for (Flow& f : flows_) {
      f.rate = 0.0;
      if (f.runs) open.push_back(&f);
    }
    const auto& edges = fleet_->graph().edges();
    while (!open.empty()) {
      std::map<Way, int> users;
      for (const Flow* f : open) {
        for (const topology::EdgeUse& use : f->route->edges) {
          room.try_emplace({use.edge, use.forward}, edges[use.edge].bandwidth.base());
          ++users[{use.edge, use.forward}];
        }
      }
      double pace = std::numeric_limits<double>::infinity();
      for (const auto& [way, count] : users) pace = std::min(pace, room[way] / count);
      for (const Flow* f : open) pace = std::min(pace, f->most - f->rate);
      for (const auto& [way, count] : users) room[way] -= pace * count;
      for (Flow* f : open) f->rate += pace;
      std::erase_if(open, [&](const Flow* f) {
        if (f->rate >= f->most * (1.0 - 1e-12)) return true;
        return std::any_of(f->route->edges.begin(), f->route->edges.end(), [&](const auto& use) {
          return room[{use.edge, use.forward}] <= 1e-9 * edges[use.edge].bandwidth.base();
        });
      });
    }
    double next = std::numeric_limits<double>::infinity();
    for (const Flow& f : flows_) {
      if (f.runs) next = std::min(next, std::max(0.0, f.left) / f.rate);
    }
    if (timer_ != nullptr) calendar_->cancel(timer_);
    timer_ = next < std::numeric_limits<double>::infinity() ? calendar_->at(since_ + next, *this, 0)
                                                            : nullptr;
  }

  const topology::FleetGraph* fleet_;
  sim::Calendar* calendar_;
  std::vector<Flow> flows_;
  std::vector<Waiting> waiting_;
  double since_ = 0.0;
  sim::Calendar::Timer timer_ = nullptr;
};

}  // namespace tokenyard::test
