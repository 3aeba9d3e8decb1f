#include "workload/recorded_session.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tokenyard::workload {
namespace {

constexpr double kUntimedCall_s = 1.9;
constexpr double kUntimedCallPerToken_s = 0.0166;

struct RoundRef {
  std::size_t thread = 0;
  std::size_t round = 0;
};

double end_s(const RecordedRound& r) {
  return r.start_s + r.call_s.value_or(kUntimedCall_s + kUntimedCallPerToken_s *
                                                            static_cast<double>(r.output_tokens));
}

class Linker {
 public:
  explicit Linker(const std::vector<RecordedThread>& threads)
      : threads_(threads), waits_(threads.size()) {
    for (std::size_t t = 0; t < threads.size(); ++t) {
      waits_[t].resize(threads[t].rounds.size());
      for (std::size_t i = 1; i < threads[t].rounds.size(); ++i) waits_[t][i].push_back({t, i - 1});
    }
    for (std::size_t t = 1; t < threads.size(); ++t) attach(t);
  }

  std::vector<LinkedRound> run() {
    std::vector<std::size_t> next(threads_.size(), 0);
    std::vector<std::vector<std::size_t>> position(threads_.size());
    std::vector<LinkedRound> linked;
    while (true) {
      std::size_t best = threads_.size();
      bool any_left = false;
      for (std::size_t t = 0; t < threads_.size(); ++t) {
        if (next[t] == threads_[t].rounds.size()) continue;
        any_left = true;
        const auto& waits = waits_[t][next[t]];
        const bool ready = std::all_of(waits.begin(), waits.end(),
                                       [&](RoundRef r) { return r.round < next[r.thread]; });
        if (ready && (best == threads_.size() || threads_[t].rounds[next[t]].start_s <
                                                     threads_[best].rounds[next[best]].start_s)) {
          best = t;
        }
      }
      if (!any_left) return linked;
      check(best < threads_.size(),
            "the rounds of a recorded session wait for each other in a circle");
      position[best].push_back(linked.size());
      linked.push_back(make(best, next[best]++, position));
    }
  }

 private:
  // Hangs a sub-agent between the main rounds it ran between.
  void attach(std::size_t sub) {
    if (threads_[sub].rounds.empty()) return;
    const std::vector<RecordedRound>& main = threads_[0].rounds;
    const std::vector<RecordedRound>& rounds = threads_[sub].rounds;
    std::size_t parent = 0;
    for (std::size_t i = 1; i < main.size(); ++i) {
      if (end_s(main[i]) <= rounds.front().start_s) parent = i;
    }
    waits_[sub][0].push_back({0, parent});
    const double finished_s = end_s(rounds.back());
    for (std::size_t i = parent + 1; i < main.size(); ++i) {
      if (main[i].start_s < finished_s) continue;
      if (main[i].from_tool) waits_[0][i].push_back({sub, rounds.size() - 1});
      return;
    }
  }

  LinkedRound make(std::size_t t, std::size_t i,
                   const std::vector<std::vector<std::size_t>>& position) const {
    const RecordedRound& round = threads_[t].rounds[i];
    LinkedRound out{.thread = t, .round = i, .waits_for = {}, .think_s = 0.0, .history_tokens = 0};
    const std::vector<RoundRef>& waits = waits_[t][i];
    double last_end_s = 0.0;
    for (const RoundRef r : waits) {
      out.waits_for.push_back(position[r.thread][r.round]);
      last_end_s = std::max(last_end_s, end_s(threads_[r.thread].rounds[r.round]));
    }
    std::sort(out.waits_for.begin(), out.waits_for.end());
    if (!waits.empty()) out.think_s = std::max(0.0, round.start_s - last_end_s);
    if (i > 0) {
      const RecordedRound& before = threads_[t].rounds[i - 1];
      if (waits.size() == 1 && before.call_s && round.think_s) out.think_s = *round.think_s;
      const bool grew = round.input_tokens >= before.input_tokens;
      out.history_tokens =
          std::min(round.input_tokens,
                   grew ? before.input_tokens + before.output_tokens : round.fixed_tokens);
    }
    return out;
  }

  const std::vector<RecordedThread>& threads_;
  std::vector<std::vector<std::vector<RoundRef>>> waits_;  // by thread and round
};

}  // namespace

std::vector<LinkedRound> link_rounds(const std::vector<RecordedThread>& threads) {
  check(!threads.empty() && !threads[0].rounds.empty(), "a recorded session without rounds");
  return Linker(threads).run();
}

}  // namespace tokenyard::workload
