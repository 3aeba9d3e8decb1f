#pragma once
// The fabric on SimGrid's flow model: a communication a transfer, started by the clock, without actors.
#include <memory>

#include "sim/fabric.hpp"
#include "sim/platform.hpp"

namespace tokenyard::sim {

// One a process: SimGrid tells of completed communications by one callback for all.
class SimgridFabric final : public Fabric {
 public:
  // `platform`, `fleet` and `calendar` must outlive it.
  SimgridFabric(Platform& platform, const topology::FleetGraph& fleet, Calendar& calendar);
  ~SimgridFabric() override;

  void send(const Flow& flow, Sleeper& who, std::size_t what) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::sim
