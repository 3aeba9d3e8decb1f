#include "report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "base/cause.hpp"
#include "base/error.hpp"
#include "base/phase.hpp"
#include "base/quantity_text.hpp"
#include "metrics/metric_table.hpp"

namespace tokenyard::report {
namespace {

using store::RunRecord;

std::string shown_metric(const std::string& name, double value) {
  const metrics::MetricInfo* info = metrics::find_metric(name);
  check(info != nullptr, "a summary shows metrics of the metric table");
  return metrics::format_metric(*info, value);
}

class Summary {
 public:
  explicit Summary(const RunRecord& run) {
    for (const auto& m : run.result.metrics) values_[m.name] = m.value;
    for (const auto& m : run.extra_metrics) values_[m.name] = m.value;
  }

  void group(std::string name) { group_ = std::move(name); }
  void row(std::string what, std::string value) {
    table_.rows.push_back({std::exchange(group_, ""), std::move(what), std::move(value)});
  }
  void metric(std::string what, const std::string& name) {
    if (const auto text = shown(name)) row(std::move(what), *text);
  }
  // "mean 512 ms, p50 412 ms, p90 1.20 s, p99 2.31 s"
  void latency(std::string what, const std::string& latency) {
    std::string text;
    for (const char* statistic : {"mean", "p50", "p90", "p99"}) {
      const auto value = shown(latency + '_' + statistic + "_s");
      if (!value) continue;
      if (!text.empty()) text += ", ";
      text += statistic;
      text += ' ' + *value;
    }
    if (!text.empty()) row(std::move(what), text);
  }
  // The same of a metric that is of interest only when it is more than `least`.
  void metric_above(double least, std::string what, const std::string& name) {
    if (value(name).value_or(least) > least) metric(std::move(what), name);
  }
  [[nodiscard]] std::optional<double> value(const std::string& name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? std::nullopt : std::optional(at->second);
  }
  Table take() { return std::move(table_); }

 private:
  std::optional<std::string> shown(const std::string& name) const {
    const auto found = value(name);
    return found ? std::optional(shown_metric(name, *found)) : std::nullopt;
  }

  std::map<std::string, double> values_;
  std::string group_;
  Table table_{{"group", "what", "value"}, {}};
};

// Of each device whether it is calibrated, and how far off its latencies may be:
// "nvidia-h100-sxm5-80gb: nvidia-2026-11 of 2026-11-23: TPOT 9.00 % (median), ...".
void add_calibration(Summary& s, const RunRecord& run) {
  constexpr std::string_view kDevice = "device ";
  for (const store::AssumptionRow& a : run.assumptions) {
    const bool calibrated = a.key.ends_with(": calibration");
    if (!a.key.starts_with(kDevice) || !(calibrated || a.key.ends_with(": uncalibrated"))) continue;
    const std::string device = a.key.substr(kDevice.size(), a.key.rfind(':') - kDevice.size());
    s.row("calibration", device + ": " + (calibrated ? a.value : "none (" + a.value + ')'));
  }
}

void add_run(Summary& s, const RunRecord& run) {
  s.group("run");
  s.row("scenario", run.variant.empty() ? run.scenario : run.scenario + " (" + run.variant + ")");
  if (run.status == store::RunStatus::failed) s.row("failed", run.message);
  if (run.status == store::RunStatus::unfit) s.row("cannot run it", run.message);
  const metrics::RunResult& r = run.result;
  std::string requests = std::to_string(r.requests_finished) + " finished";
  const auto also = [&requests](std::int64_t count, const char* what) {
    if (count > 0) requests += ", " + std::to_string(count) + what;
  };
  also(r.requests_rejected, " rejected");
  also(r.requests_cancelled, " cancelled");
  also(r.requests_abandoned, " abandoned");
  also(r.requests_unfinished, " unfinished at the end");
  s.row("requests", requests + " of " + std::to_string(r.requests_seen));
  if (r.requests_rejected > 0) {
    s.metric("rejected: too long", "requests_rejected_context");
    s.metric_above(0.0, "rejected: would be too late", "requests_rejected_overload");
    s.metric("rejected: waited for those", "requests_rejected_follower");
  }
  s.metric_above(1.0, "attempts a request", "attempts_mean");
  s.metric_above(0.0, "output tokens wasted", "output_tokens_wasted");
  if (r.skipped_lines > 0) s.row("trace lines skipped", std::to_string(r.skipped_lines));
  s.row("measured time", to_text(seconds(r.measured_s)) + " of " + to_text(seconds(r.simulated_s)));
  add_calibration(s, run);
}

// Numbers that nobody has published, and those that pass a physical bound: by name.
void add_doubts(Summary& s, const RunRecord& run) {
  s.group("rests on");
  for (const store::AssumptionRow& a : run.assumptions) {
    if (a.confidence == "unknown")
      s.row("unknown", a.key + ": " + a.value + " stands for " + a.band);
    if (a.confidence == "marked")
      s.row("marked", a.key.substr(0, a.key.find(':')) + ": " + a.value);
  }
}

void add_slo(Summary& s, const RunRecord& run) {
  s.group("SLO");
  for (const metrics::SloCheck& c : run.result.slo_checks) {
    const std::string name = c.metric.substr(0, c.metric.size() - 2);  // the unit is shown
    s.row(name + " <= " + to_text(seconds(c.limit_s)),
          std::isinf(c.actual_s)
              ? std::string("missed: too many requests were not served")
              : (c.met ? "met: " : "missed: ") + shown_metric(c.metric, c.actual_s));
  }
  s.metric("attainment", "slo_attainment");
  s.metric("goodput", "goodput_requests_per_s");
}

void add_latency(Summary& s) {
  s.group("latency");
  s.latency("time to first token", "ttft");
  s.latency("time per output token", "tpot");
  s.latency("gap between tokens", "itl");
  s.latency("end to end", "e2el");
  s.latency("queueing", "queue");
}

void add_throughput(Summary& s) {
  s.group("throughput");
  s.metric("requests", "requests_per_s");
  s.metric("input", "input_tokens_per_s");
  s.metric("output", "output_tokens_per_s");
  s.metric("output per device", "output_tokens_per_s_per_device");
  s.metric("output per user", "output_tokens_per_s_per_user");
  s.group("utilisation");
  s.metric("devices", "devices");
  s.metric("MFU", "mfu");
  s.metric("MBU", "mbu");
  s.metric("KV blocks in use", "kv_utilization");
  s.metric("requests wait for KV", "capacity_blocked_share");
  s.metric("prefix cache hits", "prefix_hit_rate");
  s.metric("KV cache to its decoder, mean", "kv_transfer_mean_s");
  s.metric("of that, waiting for room", "kv_transfer_wait_mean_s");
  s.metric("mean batch", "batch_mean");
  s.metric("preemptions", "preemptions");
}

struct Part {
  std::string name;
  double amount = 0.0;
  std::string remark = {};  // after its share
};

// The largest parts of a whole and their shares, the others added up.
void add_largest(Summary& s, std::vector<Part> parts, std::size_t most_shown) {
  constexpr double kNothing = 1e-9;  // what rounding leaves of a share
  const double total = std::accumulate(parts.begin(), parts.end(), 0.0,
                                       [](double sum, const Part& p) { return sum + p.amount; });
  std::erase_if(parts, [&](const Part& p) { return p.amount <= kNothing * total; });
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.amount > b.amount; });
  const auto percent = [&](double amount) { return three_digits(100.0 * amount / total) + " %"; };
  double rest = 0.0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i < most_shown || parts.size() == most_shown + 1) {
      s.row(parts[i].name, percent(parts[i].amount) + parts[i].remark);
    } else {
      rest += parts[i].amount;
    }
  }
  if (rest > 0.0) s.row("the rest", percent(rest));
}

// Where the time of requests goes, from arrival to last token.
void add_request_time(Summary& s) {
  std::vector<Part> phases;
  for (const std::string_view phase : enum_names(Phase{})) {
    const std::string name(phase);
    const std::string metric = "phase_" + name + "_mean_s";
    if (const auto mean_s = s.value(metric))
      phases.push_back({name, *mean_s, ", mean " + shown_metric(metric, *mean_s)});
  }
  s.group("by phase");
  add_largest(s, std::move(phases), 4);
}

// The causes that take most of the devices' time, over all pools.
void add_attribution(Summary& s, const RunRecord& run) {
  std::vector<Part> causes;
  for (std::size_t c = 0; c < kCauses; ++c) {
    double device_seconds = 0.0;
    for (const metrics::PoolResult& pool : run.result.pools)
      device_seconds += pool.device_seconds[c];
    causes.push_back({std::string(enum_names(Cause{})[c]), device_seconds});
  }
  s.group("device time");
  add_largest(s, std::move(causes), 6);
}

// Where sessions have several requests: who waits for a task waits for its end.
void add_sessions(Summary& s) {
  if (s.value("requests_per_session").value_or(1.0) <= 1.0 &&
      s.value("sessions_lost").value_or(0.0) == 0.0)
    return;
  s.group("sessions");
  s.metric("finished", "sessions_finished");
  s.metric_above(0.0, "lost", "sessions_lost");
  s.metric("requests each, mean", "requests_per_session");
  s.latency("session time", "session_time");
  s.latency("serving time", "session_serving_time");
  s.latency("later turns' first token", "session_return_ttft");
  s.metric("within the SLO throughout", "session_slo_attainment");
  s.metric("goodput", "goodput_sessions_per_s");
}

void add_fleet(Summary& s) {
  s.group("fleet");
  s.metric("availability", "availability");
  s.metric("failures of replicas", "failures");
  s.metric("replicas on, mean", "replicas_on_mean");
  s.metric("scaled up", "scale_ups");
  s.metric("scaled down", "scale_downs");
}

void add_kv_tiers(Summary& s, const RunRecord& run) {
  s.group("KV tiers");
  s.metric("hbm: prompt tokens found", "kv_hit_rate_hbm");
  for (const metrics::KvTierResult& tier : run.result.kv_tiers) {
    s.metric(tier.tier + ": prompt tokens found", "kv_hit_rate_" + tier.tier);
    s.row(tier.tier + ": kept, mean",
          to_text(bytes(tier.mean_bytes)) + " of " + to_text(bytes(tier.capacity_bytes)));
    if (run.result.measured_s <= 0.0) continue;
    const auto rate = [&](double amount) {
      return to_text(bytes(amount) / seconds(run.result.measured_s));
    };
    s.row(tier.tier + ": read, written", rate(tier.bytes_read) + ", " + rate(tier.bytes_written));
  }
  s.metric_above(0.0, "prompt tokens computed again", "recomputed_tokens_share");
}

void add_energy_and_cost(Summary& s) {
  s.group("energy");
  s.metric("IT power, mean", "it_power_mean_w");
  s.metric("IT power, peak", "it_power_peak_w");
  s.metric("per output token", "energy_per_output_token_j");
  s.metric("CO2", "kgco2_per_mtok_output");
  s.group("cost");
  s.metric("capex", "capex_usd");
  s.metric("opex", "opex_usd_per_year");
  s.metric("TCO", "tco_usd");
  s.metric("per million output tokens", "usd_per_mtok_output");
  s.metric("per million tokens", "usd_per_mtok_blended");
  s.metric("input, by device time", "usd_per_mtok_input");
  s.metric("output, by device time", "usd_per_mtok_output_allocated");
  s.metric("per device hour", "usd_per_device_hour");
}

}  // namespace

Table run_summary(const RunRecord& run) {
  Summary s(run);
  add_run(s, run);
  add_slo(s, run);
  add_latency(s);
  add_request_time(s);
  add_sessions(s);
  add_throughput(s);
  add_kv_tiers(s, run);
  add_fleet(s);
  add_attribution(s, run);
  add_energy_and_cost(s);
  add_doubts(s, run);
  return s.take();
}

Table expectation_table(const RunRecord& run) {
  Table table{{"metric", "expected", "simulated", "ratio", "verdict", "claim"}, {}};
  for (const store::ExpectationRow& e : run.expectations) {
    table.rows.push_back({e.metric, shown_metric(e.metric, e.expected),
                          shown_metric(e.metric, e.actual), e.ratio, e.verdict, e.claim});
  }
  return table;
}

}  // namespace tokenyard::report
