#pragma once
// Adds the turns of agents to a stream of requests: each turn's prompt is the context so far and what
// is fresh, and it waits for the turn before it.
//
// Compaction.  With c tokens of context, a prompt of c + fresh tokens above the limit is put off: a
// call of its own, with the c tokens as prompt, waits as long as the turn would have, and its answer
// of s tokens (keep * c, or drawn) takes the context's place.  The turn follows at once, with
// shared + s + fresh tokens, of which the session has had the `shared` ones of the system prompt in
// this place, and no more: its history_tokens says so.  Worked example, limit 10,000, keep 0.2 and
// 1,000 shared tokens: at 9,000 tokens of context a tool gives 2,000.  The call has 9,000 in and
// 1,800 out, the turn 1,000 + 1,800 + 2,000 = 4,800 in, of which 1,000 can be in the cache.  A
// summary that would not make the context shorter is not asked for, a prompt that is too long by what
// is fresh alone goes as it is, and the answer is cut to what max_context leaves.
//
// Samples.  A turn that is asked n times is n requests of one group, with the same prompt, session and
// turn number.  Whoever waits for the turn waits for all of them, and goes on when the first has
// finished.  The context grows by the shortest answer, which is the first to finish where the samples
// run side by side; one that finishes first elsewhere leaves a little more in the cache than is used.
// So that samples share the prompt in the cache, all prompts of agents that may sample carry block ids
// of their own behind those of the shared prompt; a compacted context gets new ones.  Worked example,
// blocks of 512: a prompt of 1,300 tokens without a shared one has ids 101 and 102 in all its samples,
// of which only the last 276 tokens are each sample's own; the next, with the answer 1,500 tokens long
// and 600 fresh ones, has 101 to 104 and a history of 1,500.
//
// Leaves out that a cache shares only what has been computed: samples that start side by side compute
// what is fresh in their prompt each for itself.
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "workload/agent_draws.hpp"
#include "workload/request.hpp"

namespace tokenyard::workload {

// A conversation as it grows.
struct AgentThread {
  std::int64_t session = 0;
  std::int32_t tenant = 0;
  std::int32_t adapter = -1;
  std::int32_t turn = 0;
  std::int64_t context = 0;  // tokens of the last prompt and its answer
  bool compacted = false;    // the context is a summary that no turn has had yet
  std::vector<std::uint64_t> prefix;
};

// What a turn leaves for those that wait for it.
struct AgentTurn {
  std::vector<std::int64_t> ids;  // several: samples
  std::int64_t output_tokens = 0;
};

class AgentChain {
 public:
  AgentChain(const GeneratorSpec& spec, std::uint64_t seed, std::int64_t block_tokens);

  // A conversation of a session of its own.
  AgentThread start(std::int32_t tenant, std::int32_t adapter);
  // Adds the thread's next turn, `fresh` tokens longer than its context, or nothing when max_context
  // has no room for it.  It arrives at time_s, or so long after the last of `after`.
  std::optional<AgentTurn> add(AgentThread& thread, std::int64_t fresh,
                               std::vector<std::int64_t> after, double time_s);

  AgentDraws& draw() { return draw_; }
  std::deque<Request>& pending() { return pending_; }

 private:
  [[nodiscard]] bool may_sample() const { return agent_.sample_probability > 0; }
  void share_system_prompt(AgentThread& thread) const;
  std::int64_t summary_of(const AgentThread& thread);
  std::optional<std::int64_t> compact(AgentThread& thread, std::int64_t summary,
                                      const std::vector<std::int64_t>& after, double time_s);
  Request request(AgentThread& thread, std::int64_t prompt, const std::vector<std::int64_t>& after,
                  double time_s);
  std::int64_t give_out(Request r);

  AgentSpec agent_;
  std::int64_t max_context_;
  std::int64_t block_tokens_;
  std::int64_t shared_blocks_;
  AgentDraws draw_;
  std::deque<Request> pending_;
  std::uint64_t next_block_;
  std::int64_t next_id_ = 0;
  std::int64_t next_session_ = 0;
  std::int64_t next_group_ = 0;
};

}  // namespace tokenyard::workload
