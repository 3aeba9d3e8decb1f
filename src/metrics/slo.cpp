#include "metrics/slo.hpp"

#include <array>
#include <utility>

#include "base/error.hpp"

namespace tokenyard::metrics {
namespace {

std::string slo_key(Latency latency, Statistic statistic) {
  const std::string name = metric_name(latency, statistic);
  return name.substr(0, name.size() - 2);  // without the unit, which the limit carries
}

SloLimit parse_limit(const std::string& key, Seconds limit) {
  std::vector<std::string> keys;
  for (std::size_t l = 0; l < kLatencies; ++l) {
    for (std::size_t s = 0; s < kStatistics; ++s) {
      const auto latency = static_cast<Latency>(l);
      const auto statistic = static_cast<Statistic>(s);
      keys.push_back(slo_key(latency, statistic));
      if (keys.back() == key) return {latency, statistic, limit.base()};
    }
  }
  throw InputError("slo: unknown limit '" + key + "'" + suggestion(key, keys));
}

}  // namespace

Slo::Slo(const std::map<std::string, Seconds>& limits) {
  std::array<int, kLatencies> highest{};
  highest.fill(-1);
  for (const auto& [key, seconds_limit] : limits) {
    const SloLimit limit = parse_limit(key, seconds_limit);
    limits_.push_back(limit);
    int& rank = highest[static_cast<std::size_t>(limit.latency)];
    if (static_cast<int>(limit.statistic) < rank) continue;
    rank = static_cast<int>(limit.statistic);
    switch (limit.latency) {
      case Latency::ttft:
        ttft_s_ = limit.limit_s;
        break;
      case Latency::tpot:
        tpot_s_ = limit.limit_s;
        break;
      case Latency::e2el:
        e2el_s_ = limit.limit_s;
        break;
      case Latency::queue:
        queue_s_ = limit.limit_s;
        break;
      case Latency::itl:
        break;
    }
  }
}

bool Slo::broken_by(const RequestRow& unfinished, double end_s) const {
  const auto waited_s = [&](double reached_s) {
    return (reached_s >= 0.0 ? reached_s : end_s) - unfinished.arrival_s;
  };
  return unfinished.first_token_s < 0.0 || waited_s(unfinished.admitted_s) > queue_s_ ||
         waited_s(unfinished.first_token_s) > ttft_s_ || waited_s(-1.0) > e2el_s_;
}

}  // namespace tokenyard::metrics
