#include <algorithm>
#include <deque>

#include "base/random.hpp"
#include "workload/distributions.hpp"
#include "workload/generators.hpp"

namespace tokenyard::workload {
namespace {

// The samplers of one agent stream; every quantity has a random stream of its own.
struct AgentSamplers {
  AgentSamplers(const AgentSpec& a, const LengthSpec& out, std::uint64_t seed)
      : turns(a.turns, seed, "agent turns"),
        initial_context(a.initial_context, seed, "agent initial context"),
        tool_output(a.tool_output, seed, "agent tool output"),
        output(out, seed, "output lengths"),
        sub_agents(a.sub_agents, seed, "sub-agents"),
        sub_agent_turns(a.sub_agent_turns, seed, "sub-agent turns"),
        sub_agent_context(a.sub_agent_context, seed, "sub-agent context"),
        tool_time(a.tool_time, seed, "tool time"),
        user_time(a.user_time, seed, "user time"),
        choices(seed, "agent choices"),
        arrivals(seed, "arrivals") {}

  LengthSampler turns, initial_context, tool_output, output, sub_agents, sub_agent_turns,
      sub_agent_context;
  TimeSampler tool_time, user_time;
  RandomStream choices, arrivals;
};

class AgentStream : public RequestStream {
 public:
  AgentStream(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale)
      : agent_(*spec.agents),
        mean_gap_s_(1.0 / (spec.rate.base() * rate_scale)),
        max_context_(agent_.max_context.value_or(kMaxTokens)),
        limit_(spec.requests),
        draw_(agent_, spec.output, seed) {
    classes_ = {spec.request_class};
    endless_ = !limit_;
    // The shared prompt is the same in all sessions, so its blocks are the same ids: 1, 2, 3 ...
    // What does not fill a block is not shared between sessions.
    for (std::int64_t block = 1; block * block_tokens_ <= agent_.shared_system_prompt; ++block) {
      shared_prefix_.push_back(static_cast<std::uint64_t>(block));
    }
  }

  bool next(Request& out) override {
    if (pending_.empty()) {
      if (limit_ && sessions_ >= *limit_) return false;
      ++sessions_;
      make_session();
    }
    out = std::move(pending_.front());
    pending_.pop_front();
    return true;
  }

 private:
  // A conversation as it grows.
  struct Thread {
    std::int64_t session;
    std::int32_t turn = 0;
    std::int64_t context = 0;  // tokens of the next prompt
  };
  // What a finished turn leaves for the next one of its thread.
  struct Done {
    std::int64_t id;
    std::int64_t output_tokens;
  };

  // Adds the thread's next turn, or nothing when the context has no room for it.
  std::optional<Done> add_turn(Thread& thread, std::vector<std::int64_t> after, double think_s) {
    std::int64_t output = draw_.output.draw();
    if (thread.turn == 0) {
      // A session has at least one turn; a first prompt that is too long is cut to fit.
      thread.context = std::min(thread.context, max_context_ - 1);
      output = std::min(output, max_context_ - thread.context);
    }
    if (thread.context + output > max_context_) return std::nullopt;
    Request r;
    r.id = next_id_++;
    r.session = thread.session;
    r.turn = thread.turn++;
    if (after.empty()) {
      r.arrival_s = arrival_s_;
    } else {
      r.after = std::move(after);
      r.think_s = think_s;
    }
    r.input_tokens = thread.context;
    r.output_tokens = output;
    r.prefix = shared_prefix_;
    thread.context += output;
    pending_.push_back(std::move(r));
    return Done{pending_.back().id, output};
  }

  void make_session() {
    arrival_s_ += draw_.arrivals.exponential(mean_gap_s_);
    Thread main{.session = next_session_++,
                .context = agent_.shared_system_prompt + draw_.initial_context.draw()};
    const std::int64_t turns = draw_.turns.draw();
    std::optional<Done> done = add_turn(main, {}, 0.0);
    for (std::int64_t turn = 1; turn < turns && done; ++turn) {
      if (draw_.choices.uniform() < agent_.fan_out_probability) {
        done = fan_out(main, *done);
        continue;
      }
      const bool from_user = draw_.choices.uniform() < agent_.user_turn_share;
      const double think_s = from_user ? draw_.user_time.draw_s() : draw_.tool_time.draw_s();
      main.context += draw_.tool_output.draw();
      done = add_turn(main, {done->id}, think_s);
    }
  }

  // Sub-agents after the turn `parent`, and the main agent's next turn, which waits for all of
  // them.
  std::optional<Done> fan_out(Thread& main, const Done& parent) {
    std::vector<std::int64_t> last_turns;
    std::int64_t answers = 0;
    const std::int64_t count = draw_.sub_agents.draw();
    for (std::int64_t i = 0; i < count; ++i) {
      const Done last = make_sub_agent(parent.id);
      last_turns.push_back(last.id);
      answers += last.output_tokens;
    }
    main.context += answers;
    return add_turn(main, std::move(last_turns), 0.0);
  }

  Done make_sub_agent(std::int64_t parent) {
    Thread thread{.session = next_session_++,
                  .context = agent_.shared_system_prompt + draw_.sub_agent_context.draw()};
    const std::int64_t turns = draw_.sub_agent_turns.draw();
    std::optional<Done> done = add_turn(thread, {parent}, 0.0);
    check(done.has_value(), "a sub-agent without a turn");
    Done last = *done;
    for (std::int64_t turn = 1; turn < turns; ++turn) {
      const double think_s = draw_.tool_time.draw_s();
      thread.context += draw_.tool_output.draw();
      done = add_turn(thread, {last.id}, think_s);
      if (!done) break;
      last = *done;
    }
    return last;
  }

  AgentSpec agent_;
  double mean_gap_s_;
  std::int64_t max_context_;
  std::optional<std::int64_t> limit_;
  AgentSamplers draw_;
  std::vector<std::uint64_t> shared_prefix_;
  std::deque<Request> pending_;
  double arrival_s_ = 0.0;
  std::int64_t next_id_ = 0;
  std::int64_t next_session_ = 0;
  std::int64_t sessions_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> make_agents(const GeneratorSpec& spec, std::uint64_t seed,
                                           double rate_scale) {
  check(spec.agents.has_value(), "an agents generator without its agents");
  check(!spec.agents->max_context ||
            spec.agents->shared_system_prompt + 2 <= *spec.agents->max_context,
        "max_context leaves no room beyond the shared system prompt");
  return std::make_unique<AgentStream>(spec, seed, rate_scale);
}

}  // namespace tokenyard::workload
