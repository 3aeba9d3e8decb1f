#include <cmath>
#include <unordered_set>

#include "base/random.hpp"
#include "workload/csv.hpp"
#include "workload/readers.hpp"
#include "workload/recorded_session.hpp"

namespace tokenyard::workload {
namespace {

constexpr std::array<std::string_view, 10> kColumns{
    "session_id", "agent",        "t_s",       "input_tokens", "output_tokens",
    "api_time_s", "think_time_s", "from_tool", "tool_tokens",  "system_tokens"};
constexpr std::size_t kSession = 0, kAgent = 1, kStart = 2, kInput = 3, kOutput = 4, kCall = 5,
                      kThink = 6, kFromTool = 7, kTools = 8, kSystem = 9;

// Holds one session at a time.
class CodingAgentsStream : public TraceStream {
 public:
  CodingAgentsStream(const TraceSpec& spec, const std::string& path, double rate_scale,
                     std::uint64_t seed)
      : TraceStream(spec, path, rate_scale),
        columns_(read_header()),
        arrivals_(seed, "session arrivals") {
    check(spec.sessions_per_hour || spec.concurrent_sessions,
          "a coding-agents trace without a word on when its sessions start");
    if (spec.sessions_per_hour) mean_gap_s_ = kSecondsPerHour / *spec.sessions_per_hour;
    concurrency_ = spec.concurrent_sessions;
    classes_ = {"main", "sub-agent"};
  }

  bool next(Request& out) override {
    if (given_ == linked_.size() && !start_session()) return false;
    const LinkedRound& link = linked_[given_++];
    const RecordedThread& thread = threads_[link.thread];
    const RecordedRound& round = thread.rounds[link.round];
    out = Request{};
    out.id = next_id_++;
    if (link.round == 0) session_of_[link.thread] = name_thread(link.thread);
    out.session = session_of_[link.thread];
    out.turn = static_cast<std::int32_t>(link.round);
    for (const std::size_t position : link.waits_for) {
      out.after.push_back(first_id_ + static_cast<std::int64_t>(position));
    }
    if (out.after.empty()) {
      out.arrival_s = scaled(arrival_s_);
    } else {
      out.think_s = link.think_s;
    }
    out.input_tokens = round.input_tokens;
    out.output_tokens = round.output_tokens;
    out.history_tokens = link.history_tokens;
    out.class_id = link.thread == 0 ? 0 : 1;
    return true;
  }

  [[nodiscard]] std::string session_name(std::int64_t session) const override {
    const bool known = session >= 0 && session < static_cast<std::int64_t>(names_.size());
    return known ? names_[static_cast<std::size_t>(session)] : "";
  }
  [[nodiscard]] bool names_sessions() const override { return true; }

 private:
  struct Row {
    std::string session, agent;
    RecordedRound round;
  };

  CsvColumns<10> read_header() {
    std::string_view line;
    if (!lines().next(line))
      refuse({.key = {}, .message = "the file is empty; expected a line of column names"}, line);
    try {
      return CsvColumns<10>(line, kColumns);
    } catch (const BadLine& bad) {
      refuse(bad, line);
    }
  }

  // Reads the rows of the next session and the first row behind them.
  bool start_session() {
    if (!started_) {
      started_ = true;
      ahead_ = read_row();
    }
    if (!ahead_ || !take_one()) return false;
    session_ = ahead_->session;
    threads_.clear();
    while (ahead_ && ahead_->session == session_) {
      thread_of(ahead_->agent).rounds.push_back(ahead_->round);
      ahead_ = read_row();
    }
    linked_ = link_rounds(threads_);
    given_ = 0;
    session_of_.assign(threads_.size(), -1);
    first_id_ = next_id_;
    if (mean_gap_s_ > 0.0) arrival_s_ += arrivals_.exponential(mean_gap_s_);
    return true;
  }

  RecordedThread& thread_of(const std::string& agent) {
    for (RecordedThread& thread : threads_) {
      if (thread.agent == agent) return thread;
    }
    threads_.push_back({agent, {}});
    return threads_.back();
  }

  std::int64_t name_thread(std::size_t thread) {
    names_.push_back(thread == 0 ? session_ : session_ + '/' + threads_[thread].agent);
    return static_cast<std::int64_t>(names_.size()) - 1;
  }

  std::optional<Row> read_row() {
    Row row;
    if (!next_record([&](std::string_view line) { return parse(line, row); })) return std::nullopt;
    return row;
  }

  bool parse(std::string_view line, Row& row) {
    columns_.split(line);
    row.session = columns_.text(kSession);
    row.agent = columns_.text(kAgent);
    if (row.session.empty()) columns_.refuse(kSession, "is empty");
    if (row.agent.empty()) columns_.refuse(kAgent, "is empty");
    const bool is_new = row.session != last_.session;
    if (is_new && seen_.contains(row.session)) {
      columns_.refuse(
          kSession, "'" + row.session + "' came before; the rows of a session must stand together");
    }
    if (is_new && row.agent != "main") {
      columns_.refuse(kAgent, "'" + row.agent + "' comes first in its session; expected 'main'");
    }
    RecordedRound& round = row.round;
    round.start_s = columns_.not_negative(kStart);
    if (!is_new && row.agent == last_.agent && round.start_s < last_.round.start_s) {
      columns_.refuse(kStart, "comes before the round above it of the same agent");
    }
    round.input_tokens = columns_.tokens(kInput);
    // A call that was broken off has no answer, but the prompt was processed, and that ends in a
    // token.
    round.output_tokens = columns_.text(kOutput) == "0" ? 1 : columns_.tokens(kOutput);
    round.call_s = optional_time(kCall);
    round.think_s = optional_time(kThink);
    const std::string_view from_tool = columns_.text(kFromTool);
    if (from_tool != "0" && from_tool != "1") columns_.refuse(kFromTool, "expected 0 or 1");
    round.from_tool = from_tool == "1";
    round.fixed_tokens = columns_.count(kTools) + columns_.count(kSystem);
    seen_.insert(row.session);
    last_ = row;
    return true;
  }

  std::optional<double> optional_time(std::size_t column) const {
    if (columns_.text(column).empty()) return std::nullopt;
    return columns_.not_negative(column);
  }

  CsvColumns<10> columns_;
  RandomStream arrivals_;
  double mean_gap_s_ = 0.0;
  double arrival_s_ = 0.0;
  std::string session_;
  std::vector<RecordedThread> threads_;
  std::vector<LinkedRound> linked_;
  std::size_t given_ = 0;                 // of linked_
  std::vector<std::int64_t> session_of_;  // by thread
  std::vector<std::string> names_;        // by session
  std::unordered_set<std::string> seen_;
  Row last_;
  std::optional<Row> ahead_;
  bool started_ = false;
  std::int64_t first_id_ = 0;  // of the session
  std::int64_t next_id_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> read_coding_agents_trace(const TraceSpec& spec,
                                                        const std::string& path, double rate_scale,
                                                        std::uint64_t seed) {
  return std::make_unique<CodingAgentsStream>(spec, path, rate_scale, seed);
}

}  // namespace tokenyard::workload
