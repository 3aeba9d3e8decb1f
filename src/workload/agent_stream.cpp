#include <utility>

#include "base/error.hpp"
#include "workload/agent_chain.hpp"
#include "workload/arrivals.hpp"
#include "workload/generators.hpp"

namespace tokenyard::workload {
namespace {

class AgentStream : public RequestStream {
 public:
  AgentStream(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale)
      : agent_(*spec.agents),
        limit_(spec.requests),
        arrivals_(spec, seed, rate_scale),
        chain_(spec, seed, block_tokens_),
        draw_(chain_.draw()) {
    classes_ = {spec.request_class};
    if (spec.tenants) tenants_ = draw_.tenants.names('t');
    adapters_ = draw_.adapters.names('a');
    endless_ = !limit_;
  }

  bool next(Request& out) override {
    std::deque<Request>& pending = chain_.pending();
    if (pending.empty()) {
      if (limit_ && sessions_ >= *limit_) return false;
      ++sessions_;
      make_session();
    }
    out = std::move(pending.front());
    pending.pop_front();
    return true;
  }

 private:
  void make_session() {
    const double arrival_s = arrivals_.next_s();
    AgentThread main = chain_.start(draw_.tenants.draw(0), draw_.adapters.draw(-1));
    const std::int64_t first = agent_.shared_system_prompt + draw_.initial_context.draw();
    const bool is_single =
        agent_.single_turn_share > 0 && draw_.single_turns.uniform() < agent_.single_turn_share;
    std::optional<AgentTurn> done = chain_.add(main, first, {}, arrival_s);
    if (agent_.user_turns) {
      const std::int64_t user_turns = is_single ? 1 : draw_.user_turns.draw();
      for (std::int64_t user_turn = 0; user_turn < user_turns && done; ++user_turn) {
        if (user_turn > 0) done = answer_user(main, *done);
        const std::int64_t turns = draw_.turns.draw();
        for (std::int64_t turn = 1; turn < turns && done; ++turn) {
          const bool fans_out = draw_.choices.uniform() < agent_.fan_out_probability;
          done = fans_out ? fan_out(main, *done) : answer_tools(main, *done);
        }
      }
      return;
    }
    const std::int64_t turns = is_single ? 1 : draw_.turns.draw();
    for (std::int64_t turn = 1; turn < turns && done; ++turn) {
      if (draw_.choices.uniform() < agent_.fan_out_probability) {
        done = fan_out(main, *done);
      } else {
        const bool from_user = draw_.choices.uniform() < agent_.user_turn_share;
        done = from_user ? answer_user(main, *done) : answer_tools(main, *done);
      }
    }
  }

  std::optional<AgentTurn> answer_user(AgentThread& thread, const AgentTurn& before) {
    const double time_s = draw_.user_time.draw_s();
    return chain_.add(thread, draw_.tool_output.draw(), before.ids, time_s);
  }

  std::optional<AgentTurn> answer_tools(AgentThread& thread, const AgentTurn& before) {
    const AgentDraws::ToolCalls calls = draw_.call_tools();
    return chain_.add(thread, calls.output_tokens, before.ids, calls.time_s);
  }

  // Sub-agents after the turn `parent`, and the main agent's next turn, which waits for all of
  // them.
  std::optional<AgentTurn> fan_out(AgentThread& main, const AgentTurn& parent) {
    std::vector<std::int64_t> last_turns;
    std::int64_t answers = 0;
    const std::int64_t count = draw_.sub_agents.draw();
    for (std::int64_t i = 0; i < count; ++i) {
      const AgentTurn last = make_sub_agent(main, parent);
      last_turns.insert(last_turns.end(), last.ids.begin(), last.ids.end());
      answers += last.output_tokens;
    }
    return chain_.add(main, answers, std::move(last_turns), 0.0);
  }

  AgentTurn make_sub_agent(const AgentThread& main, const AgentTurn& parent) {
    AgentThread thread = chain_.start(main.tenant, main.adapter);
    const std::int64_t first = agent_.shared_system_prompt + draw_.sub_agent_context.draw();
    const std::int64_t turns = draw_.sub_agent_turns.draw();
    std::optional<AgentTurn> done = chain_.add(thread, first, parent.ids, 0.0);
    check(done.has_value(), "a sub-agent without a turn");
    AgentTurn last = *done;
    for (std::int64_t turn = 1; turn < turns; ++turn) {
      done = answer_tools(thread, last);
      if (!done) break;
      last = *done;
    }
    return last;
  }

  AgentSpec agent_;
  std::optional<std::int64_t> limit_;
  Arrivals arrivals_;
  AgentChain chain_;
  AgentDraws& draw_;
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
