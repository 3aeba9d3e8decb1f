// The state of the pools at a moment, whole steps of runs under way included.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

void Simulation::on_sample() {
  if (stopped_ || !work_left()) return;
  const double interval_s = plan_->scenario.sample_interval.base();
  const double now_s = calendar_->now();
  std::vector<metrics::Sample> states(plan_->pools.size());
  std::vector<double> blocks(states.size(), 0.0);
  std::vector<double> tokens = tokens_by_pool_;
  for (std::size_t s = 0; s < servers_.size(); ++s) {
    const Server* server = servers_[s].get();
    const std::size_t pool = server->deployment->pool;
    const serving::Replica& replica = server->replica;
    const serving::Replica::UnderWay more = replica.under_way(now_s);
    metrics::Sample& state = states[pool];
    state.running += static_cast<double>(replica.running());
    state.queued += static_cast<double>(replica.waiting());
    if (!is_loaded(s)) continue;  // its devices hold the KV cache of another model
    // What the run has opened beyond the free blocks was taken from the prefix cache.
    const serving::KvCache& kv = replica.kv();
    const std::int64_t used = kv.total() - kv.free() + more.blocks;
    state.kv_used += static_cast<double>(std::min(kv.total(), used));
    blocks[pool] += static_cast<double>(kv.total());
    tokens[pool] += static_cast<double>(more.tokens);
  }
  for (std::size_t p = 0; p < states.size(); ++p) {
    states[p].t_s = now_s;
    states[p].queued += in_front_by_pool_[p];
    states[p].pool = static_cast<std::int32_t>(p);
    if (blocks[p] > 0.0) states[p].kv_used /= blocks[p];
    states[p].power_w = meter_.pool_power_w(p);
    states[p].output_tokens_per_s = (tokens[p] - sampled_tokens_[p]) / (now_s - sampled_s_);
    samples_.push_back(states[p]);
  }
  sampled_tokens_ = tokens;
  sampled_s_ = now_s;
  // Where nothing happens until the next arrival, there is nothing to sample.
  double next_s = now_s + interval_s;
  if (slots_.in_use() == 0 && std::isfinite(source_.next_arrival_s())) {
    const double skipped = std::floor((source_.next_arrival_s() - next_s) / interval_s);
    if (skipped > 0.0) next_s += skipped * interval_s;
  }
  calendar_->at(next_s, *this, kSample);
}

}  // namespace tokenyard::sim
