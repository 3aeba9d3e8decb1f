// Expert-parallel replicas that lose their redundancy before they fail.
//
// With E experts and R redundant copies on e ranks, each rank has room for (E + R) / e of them.  The ranks
// that are left still hold every expert while
//
//   lost ranks <= e R / (E + R)
//
// So far a device that fails is left out: copies answer for its experts, the replica goes on, and the device
// is back after its repair.  One more takes the replica down.
//
// The KV caches on that device are lost.  With a attention-data ranks they are those of one in a of the
// sequences in the batch, which are computed again, and of the histories of one in a of the sessions; with
// one, each sequence has some of its heads there, and all are, but for latent attention, whose cache every
// rank has whole.
//
// Worked example: DeepSeek-V3, 256 experts and 32 copies on 32 ranks: 32 * 32 / 288 = 3.6.  Three devices may
// fail at the same time, each of them restarts one sequence in 32, and the fourth takes the replica down.
//
// The ranks that are left have the work of all: computing and reading take e / (e - lost) times as long (3 %
// more for a device in the example), latencies do not.  That is a little too much, as what every rank has
// whole (attention's weights) is read no longer than before.
//
// Leaves out: less room for KV caches, the time that experts take to move, and prompts that wait there to be
// sent elsewhere, which are kept.
// Source: DeepSeek-V3 technical report, section 3.4 (redundant experts); DeepSeek's EPLB.
#include "sim/simulation.hpp"

namespace tokenyard::sim {
namespace {

std::int64_t ranks_to_spare(const scenario::DeploymentPlan& d) {
  const std::int64_t copies = d.spec.redundant_experts;
  if (d.model.ffn.kind != catalog::FfnKind::moe || copies <= 0) return 0;
  return d.spec.expert_parallel * copies / (d.model.ffn.experts + copies);
}

}  // namespace

// A device of the replica fails.  False: the replica does not survive it.
bool Simulation::lose_rank(std::size_t s, double duration_s, double now_s) {
  Server& server = *servers_[s];
  const scenario::DeploymentPlan& d = *server.deployment->plan_of;
  const bool works = server.condition == Condition::on || server.condition == Condition::draining;
  if (!works || server.bus != nullptr || server.lost_ranks >= ranks_to_spare(d)) return false;
  const auto ranks = static_cast<std::size_t>(d.attention_data_parallel);
  const auto lost = static_cast<std::size_t>(server.lost_ranks++) % ranks;
  calendar_->at(now_s + duration_s, *this, wake_of(kRankBack, s));
  stretch(s, now_s);
  if (ranks == 1 && d.model.attention.kind == catalog::AttentionKind::mla) return true;
  server.replica.lose_rank(now_s, lost, ranks);
  const std::vector<serving::Handle> batch = server.replica.in_batch();
  for (std::size_t i = lost; i < batch.size(); i += ranks) {
    if (slots_[batch[i]].leaving == serving::Leaving::no)
      withdraw(batch[i], serving::Leaving::restarted, now_s);
  }
  return true;
}

void Simulation::on_rank_back(std::size_t s) {
  if (stopped_) return;
  --servers_[s]->lost_ranks;
  stretch(s, calendar_->now());
}

// The work of all ranks on those that are left.
void Simulation::stretch(std::size_t s, double now_s) {
  Server& server = *servers_[s];
  const std::int64_t ranks = server.deployment->plan_of->spec.expert_parallel;
  server.replica.set_stretch(
      now_s, static_cast<double>(ranks) / static_cast<double>(ranks - server.lost_ranks));
  if (!server.replica.idle()) arm(s);
}

}  // namespace tokenyard::sim
