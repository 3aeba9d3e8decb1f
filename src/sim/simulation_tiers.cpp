// Memory below the devices that keeps KV caches: who has how much of it, over what it comes back, and what
// became of it.
#include <algorithm>
#include <cmath>

#include "perf/kv_tier_places.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::sim {

std::unique_ptr<serving::KvTiers> Simulation::build_tiers(const Deployment& deployment,
                                                          const Place& place) {
  const scenario::KvCacheSpec& kv = plan_->scenario.serving.kv_cache;
  const scenario::DeploymentPlan& d = *deployment.plan_of;
  // Where prompts are never computed nothing is brought.
  const bool only_decodes = d.spec.role == scenario::Role::decode && !d.spec.role_may_change;
  if (kv.offload.empty() || only_decodes) return nullptr;
  const double block_bytes = perf::kept_block_bytes(d, kv.block_tokens);
  std::vector<serving::KvTierConfig> local;
  std::shared_ptr<serving::KvTierStore> remote;
  serving::KvTierConfig remote_config;
  for (const perf::KvTierPlace& tier : perf::kv_tier_places(plan_->pools[deployment.pool], d, kv)) {
    const serving::KvTierConfig config{
        .blocks = block_bytes > 0.0
                      ? static_cast<std::int64_t>(std::floor(tier.capacity_bytes / block_bytes))
                      : 0,
        .block_s = block_bytes / tier.bytes_per_s};
    if (tier.kind != scenario::KvTierKind::remote) {
      local.push_back(config);
      continue;
    }
    auto& pool = remote_pools_[d.model.name];
    if (!pool) pool = std::make_shared<serving::KvTierStore>(config.blocks);
    remote = pool;
    remote_config = config;
  }
  return std::make_unique<serving::KvTiers>(local, remote, remote_config, place.first_node,
                                            plan_->scenario.warmup.base());
}

// Each replica has links of its own to its hosts; the drives of a node are shared by those that stand there.
void Simulation::add_channels(Server& server) {
  host_channels_.push_back(
      std::make_unique<SharedChannel>(*calendar_, server.place.host_bytes_per_s));
  server.host_channel = host_channels_.back().get();
  if (!server.tiers) return;
  for (const perf::KvTierPlace& tier :
       perf::kv_tier_places(plan_->pools[server.deployment->pool], *server.deployment->plan_of,
                            plan_->scenario.serving.kv_cache)) {
    if (tier.kind == scenario::KvTierKind::dram && tier.bytes_per_s > 0.0) {
      host_channels_.back() = std::make_unique<SharedChannel>(*calendar_, tier.bytes_per_s);
      server.host_channel = host_channels_.back().get();
    }
    if (tier.kind != scenario::KvTierKind::ssd) continue;
    auto& channel = ssd_channels_[server.place.first_node];
    if (!channel) channel = std::make_unique<SharedChannel>(*calendar_, tier.bytes_per_s);
    server.ssd_channel = channel.get();
  }
}

// What an SSD keeps of a request's prompt goes to DRAM while it waits for its turn, if it does: who is
// admitted before that waits for the rest, and brings it from there.
void Simulation::prefetch(serving::Handle handle, std::size_t s) {
  constexpr std::size_t kSsd = 1;  // behind DRAM
  serving::ActiveRequest& r = slots_[handle];
  r.prefetch = -1;
  if (r.brings != serving::Brings::nothing) return;
  Server& server = *servers_[s];
  const serving::KvBelow below =
      server.replica.kv().below(r.request, r.request.input_tokens + r.produced);
  std::int64_t blocks = 0;
  for (const serving::KvPart& part : below.parts) blocks += part.tier == kSsd ? part.blocks : 0;
  if (blocks == 0) return;
  if (free_prefetches_.empty()) {
    free_prefetches_.push_back(prefetches_.size());
    prefetches_.emplace_back();
  }
  const std::size_t number = free_prefetches_.back();
  free_prefetches_.pop_back();
  Prefetch& p = prefetches_[number];
  p = {
      .server = s, .ticket = r.ticket, .keys = {}, .transfer = -1, .bytes = 0.0, .under_way = true};
  for (const auto& [tier, key] : below.units) {
    if (tier == kSsd) p.keys.push_back(key);
  }
  r.prefetch = static_cast<std::int32_t>(number);
  const double block_bytes = perf::kept_block_bytes(*server.deployment->plan_of,
                                                    plan_->scenario.serving.kv_cache.block_tokens);
  server.ssd_channel->send(block_bytes * static_cast<double>(blocks), *this,
                           wake_of(kServerWakes, number));
}

void Simulation::on_prefetched(std::size_t number) {
  if (stopped_) return;
  ++events_;
  Prefetch& p = prefetches_[number];
  const double now_s = calendar_->now();
  Server& server = *servers_[p.server];
  p.under_way = false;
  free_prefetches_.push_back(number);
  server.replica.prefetched(now_s, p.keys);
  if (!server.replica.idle()) arm(p.server);
  if (p.transfer >= 0)
    handoff_->bring_rest(static_cast<std::size_t>(p.transfer), p.bytes, *server.host_channel);
}

// Its part on the SSD is on its way to DRAM: the transfer goes on from there.
bool Simulation::waits_for_prefetch(const serving::ActiveRequest& r, std::size_t transfer,
                                    double bytes) {
  if (r.prefetch < 0) return false;
  Prefetch& p = prefetches_[static_cast<std::size_t>(r.prefetch)];
  if (!p.under_way || p.ticket != r.ticket || p.transfer >= 0) return false;
  p.transfer = static_cast<std::int64_t>(transfer);
  p.bytes = bytes;
  return true;
}

// What the tiers kept, gave and took in the measured window, and the energy of it.
std::vector<metrics::KvTierResult> Simulation::account_tiers(double end_s) {
  const scenario::KvCacheSpec& kv = plan_->scenario.serving.kv_cache;
  std::vector<metrics::KvTierResult> results(kv.offload.size());
  const double measured_s = std::max(1e-12, end_s - plan_->scenario.warmup.base());
  for (std::size_t t = 0; t < results.size(); ++t)
    results[t].tier = enum_names(kv.offload[t].tier)[static_cast<std::size_t>(kv.offload[t].tier)];
  for (const auto& server : servers_) {
    if (!server->tiers) continue;
    server->tiers->advance(end_s);
    const scenario::DeploymentPlan& d = *server->deployment->plan_of;
    const double block_bytes = perf::kept_block_bytes(d, kv.block_tokens);
    const auto places = perf::kv_tier_places(plan_->pools[server->deployment->pool], d, kv);
    for (std::size_t t = 0; t < results.size(); ++t) {
      metrics::KvTierResult& result = results[t];
      const serving::KvTierUse& use = server->tiers->use(t);
      const double read = block_bytes * static_cast<double>(use.read_blocks);
      const double written = block_bytes * static_cast<double>(use.written_blocks);
      result.hit_tokens += use.read_blocks * kv.block_tokens;
      result.bytes_read += read;
      result.bytes_written += written;
      const double joules = (read + written) * places[t].joules_per_byte;
      result.joules += joules;
      meter_.on_memory(server->deployment->pool, joules);
      if (kv.offload[t].tier == scenario::KvTierKind::remote) continue;
      result.capacity_bytes += places[t].capacity_bytes;
      result.mean_bytes += block_bytes * server->tiers->kept_block_s(t) / measured_s;
    }
  }
  for (const auto& entry : remote_pools_) {
    const std::string& model = entry.first;
    serving::KvTierStore* const pool = entry.second.get();
    const auto server = std::find_if(servers_.begin(), servers_.end(), [&](const auto& s) {
      return s->tiers && s->deployment->plan_of->model.name == model;
    });
    const double block_bytes =
        perf::kept_block_bytes(*(*server)->deployment->plan_of, kv.block_tokens);
    pool->note(end_s, plan_->scenario.warmup.base());
    results.back().capacity_bytes += block_bytes * static_cast<double>(pool->capacity());
    results.back().mean_bytes += block_bytes * pool->kept_block_s() / measured_s;
  }
  return results;
}

}  // namespace tokenyard::sim
