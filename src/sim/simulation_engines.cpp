// Two engines of the same devices that work apart (scenario/engines_apart.hpp): one replica computes prompts,
// the other decodes them, over one memory bus.
#include <memory>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

// The newest deployment decodes on the devices of the one before.
void Simulation::pair_engines() {
  const auto replicas = static_cast<std::size_t>(deployments_.back()->plan_of->replicas);
  for (std::size_t s = servers_.size() - replicas; s < servers_.size(); ++s) {
    buses_.push_back(std::make_unique<MemoryBus>());
    servers_[s]->bus = servers_[s - replicas]->bus = buses_.back().get();
    servers_[s]->beside = s - replicas;
    servers_[s - replicas]->beside = s;
    meter_.share_devices(servers_[s - replicas]->metered, servers_[s]->metered);
  }
}

// Prompts that are complete on the engine beside, as far as there is room: their blocks change hands.
void Simulation::take_over(std::size_t s, double now_s) {
  serving::Replica& replica = servers_[s]->replica;
  replica.reserve_sent(now_s);
  for (const serving::Handle handle : replica.take_reserved()) {
    serving::ActiveRequest& r = slots_[handle];
    r.reserved_s = now_s;
    has_arrived(r, now_s);
    release_sender(handle, now_s);
    replica.deliver(now_s, handle);
  }
}

// It has begun a step, or rests: the engine beside has what is left from its next step on.
void Simulation::share_bus(std::size_t s, double now_s) {
  const Server& server = *servers_[s];
  Server& other = *servers_[server.beside];
  MemoryBus& bus = *server.bus;
  const bool works = !server.replica.idle();
  if (server.role == scenario::Role::prefill) {
    bus.set_prompts(works ? server.replica.asked_of_bus() : 0.0);
    other.replica.set_bus_share(now_s, bus.share_of_decoding());
  } else {
    bus.set_decoding(works);
    other.replica.set_bus_share(now_s, bus.share_of_prompts());
  }
  if (!other.replica.idle()) arm(server.beside);
}

}  // namespace tokenyard::sim
