#pragma once
// Sessions as a whole: the task of an agent, the conversation of a person.
//
// Who waits for a task waits for its end and not for one of its requests:
//
//   session time   end of the last request minus arrival of the first: model, tools and people
//   serving time   its requests' own times (e2el) together; where requests of a session run beside
//                  each other it may exceed the session time
//   return TTFT    time to first token of the turns after a session's first, which find their
//                  history in the cache or compute it again
//
// The windows are those of requests (see accumulator.hpp): rates count the sessions that ended in
// the measured window, times describe those that began in it and have ended, so long sessions are
// missing from a short run.  A session is good when each of its requests met every request-level
// limit.  One that lost a request, because it was rejected or its client left, never ends: it counts
// once, against attainment, in the window that the lost request arrived in.  The session of a
// sub-agent, for which another session waits, is a part of that one's time and does not count itself,
// unless it is lost.
//
// Worked example: a session of two requests, from 10 s to 12 s and from 15 s to 16 s: session time
// 6 s, serving time 3 s, the 3 s between are its tool's.
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "metrics/quantile_sketch.hpp"
#include "metrics/run_result.hpp"

namespace tokenyard::metrics {

class SessionStatistics {
 public:
  explicit SessionStatistics(double warmup_s) : warmup_s_(warmup_s) {}

  // A request has finished that arrived in the measured window.
  void on_finished_request(const RequestRow& row, double ttft_s) {
    if (row.session >= 0 && row.turn > 0) return_ttft_.add(ttft_s);
  }
  // A request was rejected or abandoned, and with it its session, whatever others of it do.
  void on_lost_request(const RequestRow& row);
  void on_session(const SessionRow& session);

  // In the order of the metric table; nothing when there were no sessions.
  // has_slo: whether there are limits by which a session can be good.
  void add_metrics(std::vector<MetricValue>& out, double measured_s, bool has_slo) const;

 private:
  double warmup_s_;
  std::int64_t finished_ = 0;              // of the whole run
  std::unordered_set<std::int64_t> lost_;  // of the whole run
  std::int64_t ended_ = 0, good_ = 0;      // in the measured window
  std::int64_t requests_ = 0;              // of those
  std::int64_t lost_in_window_ = 0;
  QuantileSketch time_, serving_, return_ttft_;
};

}  // namespace tokenyard::metrics
