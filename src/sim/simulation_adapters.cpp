// LoRA adapters on their way from the host's memory to the devices of a replica.
//
// They come over the replica's link to its hosts, beside KV caches that are brought over it; at once where
// the host's memory is the devices' own.  As all have the same size, they come in the order in which they
// were sent for.
#include <algorithm>

#include "perf/adapters.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::bring_adapters(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  for (const std::int32_t adapter : server.replica.take_wanted_adapters()) {
    server.adapters_coming.push_back(adapter);
    if (meter_.share_measured(now_s, now_s) > 0.0) ++adapter_loads_;
    server.host_channel->send(perf::adapter_bytes(*server.deployment->plan_of), *this,
                              wake_of(kAdapter, s));
  }
}

void Simulation::on_adapter(std::size_t s) {
  if (stopped_) return;
  ++events_;
  Server& server = *servers_[s];
  if (server.adapters_lost > 0) {
    --server.adapters_lost;
    return;
  }
  const double now_s = calendar_->now();
  const std::int32_t adapter = server.adapters_coming.front();
  server.adapters_coming.pop_front();
  server.replica.adapter_loaded(now_s, adapter);
  if (!server.replica.idle()) {
    arm(s);
  } else if (server.replica.waiting() > 0) {
    touch(s);
    begin_touched(now_s);
  }
}

// The devices' memory is given up, and with it what was on its way.
void Simulation::lose_adapters(Server& server) {
  server.replica.forget_adapters();
  server.adapters_lost += static_cast<std::int64_t>(server.adapters_coming.size());
  server.adapters_coming.clear();
}

// That some replica of the request's model has its adapter at all.
void Simulation::check_adapter(const workload::Request& request, const Choices& choices) const {
  if (request.adapter < choices.adapters) return;
  const std::string& model = stream_->models()[static_cast<std::size_t>(request.model)];
  throw InputError("request " + std::to_string(request.id) + " asks for the adapter " +
                   std::to_string(request.adapter) + (model.empty() ? "" : " of " + model) +
                   "; 'deploy.lora' has " +
                   (choices.adapters == 0 ? "none" : std::to_string(choices.adapters)));
}

}  // namespace tokenyard::sim
