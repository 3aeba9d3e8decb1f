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
  Table take() { return std::move(table_); }

 private:
  std::optional<std::string> shown(const std::string& name) const {
    const auto at = values_.find(name);
    if (at == values_.end()) return std::nullopt;
    return shown_metric(name, at->second);
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
  if (r.requests_rejected > 0) requests += ", " + std::to_string(r.requests_rejected) + " rejected";
  if (r.requests_unfinished > 0) {
    requests += ", " + std::to_string(r.requests_unfinished) + " unfinished at the end";
  }
  s.row("requests", requests + " of " + std::to_string(r.requests_seen));
  if (r.requests_rejected > 0) {
    s.metric("rejected: too long", "requests_rejected_context");
    s.metric("rejected: waited for those", "requests_rejected_follower");
  }
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

void add_performance(Summary& s) {
  s.group("latency");
  s.latency("time to first token", "ttft");
  s.latency("time per output token", "tpot");
  s.latency("gap between tokens", "itl");
  s.latency("end to end", "e2el");
  s.latency("queueing", "queue");
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

// The causes that take most of the devices' time, over all pools.
void add_attribution(Summary& s, const RunRecord& run) {
  constexpr std::size_t kMostShown = 6;
  std::vector<std::pair<double, std::string_view>> causes;
  for (std::size_t c = 0; c < kCauses; ++c) {
    double device_seconds = 0.0;
    for (const metrics::PoolResult& pool : run.result.pools)
      device_seconds += pool.device_seconds[c];
    if (device_seconds > 0.0) causes.emplace_back(device_seconds, enum_names(Cause{})[c]);
  }
  std::stable_sort(causes.begin(), causes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const double total = std::accumulate(causes.begin(), causes.end(), 0.0,
                                       [](double sum, const auto& c) { return sum + c.first; });
  s.group("device time");
  double rest = 0.0;
  for (std::size_t i = 0; i < causes.size(); ++i) {
    if (i < kMostShown || causes.size() == kMostShown + 1) {
      s.row(std::string(causes[i].second), three_digits(100.0 * causes[i].first / total) + " %");
    } else {
      rest += causes[i].first;
    }
  }
  if (rest > 0.0) s.row("the rest", three_digits(100.0 * rest / total) + " %");
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
  add_performance(s);
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
