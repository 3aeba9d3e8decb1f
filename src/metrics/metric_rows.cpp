#include "metrics/metric_rows.hpp"

#include <array>
#include <utility>

#include "base/phase.hpp"
#include "metrics/latency.hpp"

namespace tokenyard::metrics {

std::string_view statistic_words(std::size_t statistic) {
  static constexpr std::array<std::string_view, kStatistics> kWords{
      "mean of the ", "median of the ", "90th percentile of the ", "95th percentile of the ",
      "99th percentile of the "};
  return kWords[statistic];
}

void add_phase_rows(std::vector<MetricInfo>& table) {
  static constexpr std::array<std::string_view, kPhases> kWhat{
      "in the front end: router, HTTP, tokeniser, hand-over",
      "waiting because the next in line does not fit the KV cache or the batch",
      "waiting while others that came later are served before it",
      "waiting while prompts that came before it are computed, or a step is under way",
      "while its KV cache comes from a tier below device memory",
      "while its prompt is computed",
      "while its KV cache crosses from where its prompt was computed",
      "from its first token on, where no other phase applies",
      "after it lost its KV cache: waiting, and computing again what it had"};
  for (std::size_t p = 0; p < kPhases; ++p) {
    const Better better = static_cast<Phase>(p) == Phase::decode ? Better::neither : Better::lower;
    const std::string name = "phase_" + std::string(enum_names(Phase{})[p]);
    table.push_back({name + "_mean_s", "s",
                     "time of a request " + std::string(kWhat[p]) +
                         ", mean; the phases' means sum to e2el_mean_s",
                     Better::lower, kTime});
    table.push_back({name + "_share", "ratio",
                     "share of the requests' end-to-end time that " + name + "_mean_s is", better,
                     kNone});
  }
}

void add_session_rows(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"sessions_finished", "count",
       "sessions whose last request has finished and for which no other waits, warm-up included",
       neither, kNone});
  add({"sessions_lost", "count",
       "sessions that ended early because a request of theirs was rejected or its client left, "
       "warm-up included",
       lower, kNone});
  add({"requests_per_session", "count",
       "requests of a session, mean over the sessions that ended in the measured window", neither,
       kNone});
  add({"goodput_sessions_per_s", "1/s",
       "sessions that ended in the measured window and of which each request met every "
       "request-level limit, per second",
       higher, kNone / kTime});
  add({"session_slo_attainment", "ratio",
       "share of the sessions that ended in the measured window of which each request met every "
       "request-level limit; lost ones count as missed",
       higher, kNone});
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTimes{
      {{"session_time",
        "session (task) completion time: end of the last request minus arrival of the first, "
        "tools and people included, of the sessions that began after the warm-up and have ended"},
       {"session_serving_time",
        "end-to-end times of a session's requests added up, of the sessions that began after the "
        "warm-up and have ended"},
       {"session_return_ttft", "time to first token of the turns after a session's first"}}};
  for (const auto& [what, words] : kTimes) {
    for (std::size_t s = 0; s < kStatistics; ++s) {
      add({metric_name(what, static_cast<Statistic>(s)), "s",
           std::string(statistic_words(s)) + std::string(words), lower, kTime});
    }
  }
}

void add_kv_tier_rows(std::vector<MetricInfo>& table) {
  using enum Better;
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTiers{
      {{"hbm", "found in the prefix cache in device memory"},
       {"dram", "brought back from the hosts' memory"},
       {"ssd", "brought back from SSDs"},
       {"remote", "brought back from a store behind the network"}}};
  for (const auto& [tier, words] : kTiers) {
    table.push_back({"kv_hit_rate_" + std::string(tier), "ratio",
                     "prompt tokens " + std::string(words) +
                         " in the measured window / prompt tokens of the requests finished in it",
                     higher, kNone});
  }
  table.push_back({"kv_tier_read_bytes_per_s", "B/s",
                   "KV cache brought back from the tiers below device memory, all together",
                   neither, kData / kTime});
  table.push_back({"kv_tier_written_bytes_per_s", "B/s",
                   "KV cache moved down to the tiers below device memory, all together", neither,
                   kData / kTime});
}

void add_fleet_rows(std::vector<MetricInfo>& table) {
  using enum Better;
  const auto add = [&](MetricInfo row) { table.push_back(std::move(row)); };
  add({"failures", "count", "times that a replica failed, warm-up included", lower, kNone});
  add({"scale_ups", "count", "times that the autoscaler switched a replica on, warm-up included",
       neither, kNone});
  add({"scale_downs", "count", "times that the autoscaler switched a replica off, warm-up included",
       neither, kNone});
  add({"availability", "ratio",
       "1 - share of the measured time of the devices in replicas in which they are down or load "
       "weights; what a policy switched off is available",
       higher, kNone});
  add({"replicas_on_mean", "count",
       "replicas that are on and have their weights, mean over the measured window", neither,
       kNone});
}

}  // namespace tokenyard::metrics
