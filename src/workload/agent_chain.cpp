#include "workload/agent_chain.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tokenyard::workload {

AgentChain::AgentChain(const GeneratorSpec& spec, std::uint64_t seed, std::int64_t block_tokens)
    : agent_(*spec.agents),
      max_context_(agent_.max_context.value_or(kMaxTokens)),
      block_tokens_(block_tokens),
      shared_blocks_(agent_.shared_system_prompt / block_tokens),
      draw_(spec, agent_, seed),
      next_block_(static_cast<std::uint64_t>(shared_blocks_ * spec.adapters.value_or(1) + 1)) {}

AgentThread AgentChain::start(std::int32_t tenant, std::int32_t adapter) {
  AgentThread thread;
  thread.session = next_session_++;
  thread.tenant = tenant;
  thread.adapter = adapter;
  share_system_prompt(thread);
  return thread;
}

// The shared prompt is the same in all sessions, so its blocks are the same ids: 1, 2, 3 ... or as
// many for each adapter.  What does not fill a block is not shared between sessions.
void AgentChain::share_system_prompt(AgentThread& thread) const {
  thread.prefix.clear();
  const std::int64_t before = shared_blocks_ * std::max(0, thread.adapter);
  for (std::int64_t block = 1; block <= shared_blocks_; ++block)
    thread.prefix.push_back(static_cast<std::uint64_t>(before + block));
}

std::optional<AgentTurn> AgentChain::add(AgentThread& thread, std::int64_t fresh,
                                         std::vector<std::int64_t> after, double time_s) {
  if (agent_.compaction && thread.turn > 0 && thread.context + fresh > agent_.compaction->limit) {
    const std::int64_t summary = summary_of(thread);
    if (agent_.shared_system_prompt + summary < thread.context) {
      const std::optional<std::int64_t> call = compact(thread, summary, after, time_s);
      if (!call) return std::nullopt;
      after = {*call};
      time_s = 0.0;
    }
  }
  std::int64_t samples = 1;
  if (may_sample() && draw_.sampled_turns.uniform() < agent_.sample_probability)
    samples = draw_.samples.draw();
  std::vector<std::int64_t> outputs;
  for (std::int64_t i = 0; i < samples; ++i) outputs.push_back(draw_.output.draw());
  std::int64_t prompt = thread.context + fresh;
  if (thread.turn == 0) {
    // A session has at least one turn; a first prompt that is too long is cut to fit.
    prompt = std::min(prompt, max_context_ - 1);
    for (std::int64_t& output : outputs) output = std::min(output, max_context_ - prompt);
  }
  if (prompt + *std::max_element(outputs.begin(), outputs.end()) > max_context_)
    return std::nullopt;
  Request r = request(thread, prompt, after, time_s);
  if (samples > 1) r.group = next_group_++;
  AgentTurn done;
  done.output_tokens = *std::min_element(outputs.begin(), outputs.end());
  for (const std::int64_t output : outputs) {
    r.output_tokens = output;
    done.ids.push_back(give_out(r));
  }
  thread.context = prompt + done.output_tokens;
  return done;
}

std::int64_t AgentChain::summary_of(const AgentThread& thread) {
  if (agent_.compaction->summary) return draw_.summary.draw();
  const double kept = agent_.compaction->keep * static_cast<double>(thread.context);
  return std::max<std::int64_t>(1, std::llround(kept));
}

// The call that makes the summary; nothing when max_context has no room for an answer.
std::optional<std::int64_t> AgentChain::compact(AgentThread& thread, std::int64_t summary,
                                                const std::vector<std::int64_t>& after,
                                                double time_s) {
  const std::int64_t room = max_context_ - thread.context;
  if (room < 1) return std::nullopt;
  Request r = request(thread, thread.context, after, time_s);
  r.output_tokens = std::min(summary, room);
  thread.context = agent_.shared_system_prompt + r.output_tokens;
  thread.compacted = true;
  share_system_prompt(thread);
  return give_out(std::move(r));
}

// The thread's next request, all but the answer.
Request AgentChain::request(AgentThread& thread, std::int64_t prompt,
                            const std::vector<std::int64_t>& after, double time_s) {
  Request r;
  r.session = thread.session;
  r.turn = thread.turn++;
  r.after = after;
  (after.empty() ? r.arrival_s : r.think_s) = time_s;
  r.input_tokens = prompt;
  if (may_sample()) {
    while (static_cast<std::int64_t>(thread.prefix.size() + 1) * block_tokens_ <= prompt)
      thread.prefix.push_back(next_block_++);
    r.history_tokens = std::min(thread.context, prompt);
  }
  if (std::exchange(thread.compacted, false)) r.history_tokens = agent_.shared_system_prompt;
  r.prefix = thread.prefix;
  r.tenant = thread.tenant;
  r.adapter = thread.adapter;
  r.patience_s = draw_.patience.draw_s();
  return r;
}

std::int64_t AgentChain::give_out(Request r) {
  r.id = next_id_++;
  pending_.push_back(std::move(r));
  return pending_.back().id;
}

}  // namespace tokenyard::workload
