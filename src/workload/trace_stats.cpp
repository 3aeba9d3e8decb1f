#include "workload/trace_stats.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/error.hpp"
#include "workload/value_counts.hpp"

namespace tokenyard::workload {
namespace {

constexpr double kPeakWindow_s = 60.0;

// Gaps between arrivals: Welford's running mean and variance, and the busiest minute.
class Gaps {
 public:
  void add(double arrival_s) {
    if (arrivals_++ == 0) {
      first_s_ = arrival_s;
    } else {
      const double gap = arrival_s - last_s_;
      const double delta = gap - mean_;
      mean_ += delta / static_cast<double>(arrivals_ - 1);
      squares_ += delta * (gap - mean_);
    }
    last_s_ = arrival_s;
    const auto window = static_cast<std::int64_t>((arrival_s - first_s_) / kPeakWindow_s);
    in_window_ = window == window_ ? in_window_ + 1 : 1;
    window_ = window;
    busiest_ = std::max(busiest_, in_window_);
  }

  void write(TraceStats& s) const {
    s.arrivals = arrivals_;
    s.duration_s = last_s_ - first_s_;
    const bool has_gaps = arrivals_ > 1 && mean_ > 0.0;
    s.gap_mean_s = has_gaps ? mean_ : kUndefined;
    s.arrivals_per_s = has_gaps ? 1.0 / mean_ : kUndefined;
    s.gap_cv =
        has_gaps ? std::sqrt(squares_ / static_cast<double>(arrivals_ - 1)) / mean_ : kUndefined;
    s.burstiness = (s.gap_cv - 1.0) / (s.gap_cv + 1.0);
    const bool has_minutes = s.duration_s >= kPeakWindow_s;
    s.peak_to_mean = has_minutes ? static_cast<double>(busiest_) * s.duration_s /
                                       (kPeakWindow_s * static_cast<double>(arrivals_))
                                 : kUndefined;
  }

 private:
  std::int64_t arrivals_ = 0;
  double first_s_ = 0.0;
  double last_s_ = 0.0;
  double mean_ = 0.0;
  double squares_ = 0.0;  // sum of squared deviations from the mean
  std::int64_t window_ = 0;
  std::int64_t in_window_ = 0;
  std::int64_t busiest_ = 0;
};

// Who asks, for how long, and how often the same.
class Clients {
 public:
  void add(const Request& r) {
    ++by_tenant_[r.tenant];
    if (r.adapter >= 0) ++by_adapter_[r.adapter];
    if (r.group >= 0) ++by_group_[r.group];
    if (std::isfinite(r.patience_s)) patience_ms_.add(std::llround(r.patience_s * 1e3));
  }

  void write(TraceStats& s, const RequestStream& stream) const {
    ValueCounts samples;
    for (const auto& [group, count] : by_group_) samples.add(count);
    s.samples_per_group = samples.summary();
    s.groups = s.samples_per_group.count;
    s.adapters = static_cast<std::int64_t>(by_adapter_.size());
    s.patience_s = patience_ms_.summary(1e-3);
    s.patient_share = s.patience_s.count > 0 ? 1.0 - share_of(s.patience_s.count, s) : kUndefined;
    if (stream.tenants() == std::vector<std::string>{"default"}) return;
    s.tenants = static_cast<std::int64_t>(by_tenant_.size());
    std::int64_t most = 0;
    for (const auto& [tenant, count] : by_tenant_) most = std::max(most, count);
    s.largest_tenant_share = share_of(most, s);
  }

 private:
  static double share_of(std::int64_t count, const TraceStats& s) {
    return static_cast<double>(count) / static_cast<double>(s.requests);
  }

  std::unordered_map<std::int32_t, std::int64_t> by_tenant_, by_adapter_;
  std::unordered_map<std::int64_t, std::int64_t> by_group_;
  ValueCounts patience_ms_;
};

class Collector {
 public:
  explicit Collector(std::int64_t block_tokens) : block_tokens_(block_tokens) {}

  void add(const Request& r) {
    clients_.add(r);
    input_.add(r.input_tokens);
    output_.add(r.output_tokens);
    if (r.after.empty()) {
      gaps_.add(r.arrival_s);
    } else {
      think_ms_.add(std::llround(r.think_s * 1e3));
      if (r.after.size() > 1) fan_in_.add(static_cast<std::int64_t>(r.after.size()));
    }
    const std::int64_t history = r.session >= 0 ? session_history(r) : 0;
    reused_ += static_cast<double>(std::max(history, block_hit(r)));
  }

  TraceStats result(const RequestStream& stream) const {
    TraceStats s;
    gaps_.write(s);
    s.skipped_lines = stream.skipped_lines();
    s.input_tokens = input_.summary();
    s.output_tokens = output_.summary();
    s.requests = s.input_tokens.count;
    s.input_per_output = s.requests > 0 ? input_.sum() / output_.sum() : kUndefined;
    s.sessions = static_cast<std::int64_t>(sessions_.size());
    ValueCounts turns;
    for (const auto& [id, session] : sessions_) turns.add(session.turns);
    s.turns_per_session = turns.summary();
    s.context_growth_tokens = growth_.summary();
    s.new_tokens = new_.summary();
    s.think_s = think_ms_.summary(1e-3);
    s.fan_in = fan_in_.summary();
    s.joins = s.fan_in.count;
    s.prefix_hit_rate = s.requests > 0 ? reused_ / input_.sum() : kUndefined;
    s.distinct_blocks = static_cast<std::int64_t>(blocks_.size());
    clients_.write(s, stream);
    return s;
  }

 private:
  struct Session {
    std::int64_t turns = 0;
    std::int64_t group = -1;         // of its last turn
    std::int64_t input_tokens = 0;   // of its last turn
    std::int64_t before_tokens = 0;  // context before its last turn
    std::int64_t context_tokens = 0;
  };

  // How much of the prompt the session has had before.
  std::int64_t session_history(const Request& r) {
    Session& session = sessions_[r.session];
    const std::int64_t with_answer = r.input_tokens + r.output_tokens;
    const bool is_first = r.group < 0 || r.group != session.group;
    if (is_first) session.before_tokens = session.context_tokens;
    std::int64_t history = std::min(session.before_tokens, r.input_tokens);
    if (r.history_tokens >= 0) history = std::min(history, r.history_tokens);
    // Of samples the shortest answer is there first.
    session.context_tokens = is_first ? with_answer : std::min(session.context_tokens, with_answer);
    if (!is_first) return history;
    if (session.turns > 0) {
      growth_.add(r.input_tokens - session.input_tokens);
      new_.add(r.input_tokens - history);
    }
    ++session.turns;
    session.group = r.group;
    session.input_tokens = r.input_tokens;
    return history;
  }

  std::int64_t block_hit(const Request& r) {
    std::int64_t hit = 0;
    bool unbroken = true;
    for (const std::uint64_t id : r.prefix) {
      const bool is_new = blocks_.insert(id).second;
      unbroken = unbroken && !is_new;
      if (unbroken) hit += block_tokens_;
    }
    return std::min(hit, r.input_tokens);
  }

  std::int64_t block_tokens_;
  Gaps gaps_;
  Clients clients_;
  ValueCounts input_, output_, growth_, new_, think_ms_, fan_in_;
  std::unordered_map<std::int64_t, Session> sessions_;
  std::unordered_set<std::uint64_t> blocks_;
  double reused_ = 0.0;
};

void add_summary(std::vector<StatsRow>& rows, const std::string& name, const std::string& unit,
                 const std::string& of, const Summary& s) {
  const auto add = [&](const char* what, double value) {
    rows.push_back({name + '_' + what + unit, value, of});
  };
  add("mean", s.mean);
  add("p50", s.p50);
  add("p90", s.p90);
  add("p95", s.p95);
  add("p99", s.p99);
  add("max", s.max);
}

}  // namespace

std::vector<StatsRow> TraceStats::rows() const {
  std::vector<StatsRow> rows{{"requests", static_cast<double>(requests), "1"},
                             {"arrivals", static_cast<double>(arrivals), "1"},
                             {"skipped_lines", static_cast<double>(skipped_lines), "1"},
                             {"duration_s", duration_s, "s"},
                             {"arrivals_per_s", arrivals_per_s, "1/s"},
                             {"gap_mean_s", gap_mean_s, "s"},
                             {"gap_cv", gap_cv, "1"},
                             {"burstiness", burstiness, "1"},
                             {"peak_to_mean", peak_to_mean, "1"}};
  add_summary(rows, "input", "_tokens", "token", input_tokens);
  add_summary(rows, "output", "_tokens", "token", output_tokens);
  rows.push_back({"input_per_output", input_per_output, "1"});
  rows.push_back({"sessions", static_cast<double>(sessions), "1"});
  add_summary(rows, "turns_per_session", "", "1", turns_per_session);
  add_summary(rows, "context_growth", "_tokens", "token", context_growth_tokens);
  add_summary(rows, "new", "_tokens", "token", new_tokens);
  add_summary(rows, "think", "_s", "s", think_s);
  rows.push_back({"joins", static_cast<double>(joins), "1"});
  add_summary(rows, "fan_in", "", "1", fan_in);
  rows.push_back({"prefix_hit_rate", prefix_hit_rate, "1"});
  rows.push_back({"distinct_blocks", static_cast<double>(distinct_blocks), "1"});
  if (groups > 0) rows.push_back({"groups", static_cast<double>(groups), "1"});
  add_summary(rows, "samples_per_group", "", "1", samples_per_group);
  if (tenants > 0) rows.push_back({"tenants", static_cast<double>(tenants), "1"});
  rows.push_back({"largest_tenant_share", largest_tenant_share, "1"});
  if (adapters > 0) rows.push_back({"adapters", static_cast<double>(adapters), "1"});
  add_summary(rows, "patience", "_s", "s", patience_s);
  rows.push_back({"patient_share", patient_share, "1"});
  std::erase_if(rows, [](const StatsRow& row) { return !std::isfinite(row.value); });
  return rows;
}

TraceStats compute_stats(RequestStream& stream, std::optional<std::int64_t> limit) {
  if (stream.endless() && !limit) {
    throw InputError(
        "the workload has no end; say how many requests to look at (its key 'requests' or a "
        "limit)");
  }
  Collector collector(stream.block_tokens());
  Request request;
  for (std::int64_t n = 0; (!limit || n < *limit) && stream.next(request); ++n)
    collector.add(request);
  return collector.result(stream);
}

}  // namespace tokenyard::workload
