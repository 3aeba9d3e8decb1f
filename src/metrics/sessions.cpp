#include "metrics/sessions.hpp"

#include "metrics/latency.hpp"

namespace tokenyard::metrics {

void SessionStatistics::on_lost_request(const RequestRow& row) {
  if (row.session < 0 || !lost_.insert(row.session).second) return;
  if (row.arrival_s >= warmup_s_) ++lost_in_window_;
}

void SessionStatistics::on_session(const SessionRow& session) {
  if (lost_.contains(session.id)) return;
  ++finished_;
  if (session.end_s >= warmup_s_) {
    ++ended_;
    requests_ += session.requests;
    if (session.good) ++good_;
  }
  if (session.start_s < warmup_s_) return;
  time_.add(session.end_s - session.start_s);
  serving_.add(session.serving_s);
}

void SessionStatistics::add_metrics(std::vector<MetricValue>& out, double measured_s,
                                    bool has_slo) const {
  if (finished_ > 0 || !lost_.empty()) {
    out.push_back({"sessions_finished", static_cast<double>(finished_)});
    out.push_back({"sessions_lost", static_cast<double>(lost_.size())});
  }
  if (ended_ > 0)
    out.push_back(
        {"requests_per_session", static_cast<double>(requests_) / static_cast<double>(ended_)});
  const std::int64_t judged = ended_ + lost_in_window_;
  if (has_slo && judged > 0) {
    out.push_back({"goodput_sessions_per_s", static_cast<double>(good_) / measured_s});
    out.push_back(
        {"session_slo_attainment", static_cast<double>(good_) / static_cast<double>(judged)});
  }
  const auto add = [&out](const char* what, const QuantileSketch& sketch) {
    if (sketch.count() == 0) return;
    for (std::size_t s = 0; s < kStatistics; ++s) {
      const auto which = static_cast<Statistic>(s);
      out.push_back({metric_name(what, which), statistic_of(sketch, which)});
    }
  };
  add("session_time", time_);
  add("session_serving_time", serving_);
  add("session_return_ttft", return_ttft_);
}

}  // namespace tokenyard::metrics
