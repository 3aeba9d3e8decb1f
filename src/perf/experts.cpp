#include "perf/experts.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/as_double.hpp"

namespace tokenyard::perf {
namespace {

// Tokens of each copy, per token of the step: `redundant` copies, each of the busiest.
std::vector<double> copies_of(const std::vector<double>& popularity, std::int64_t redundant) {
  std::vector<double> count(popularity.size(), 1.0);
  for (std::int64_t r = 0; r < redundant; ++r) {
    std::size_t busiest = 0;
    for (std::size_t i = 1; i < count.size(); ++i) {
      if (popularity[i] / count[i] > popularity[busiest] / count[busiest]) busiest = i;
    }
    count[busiest] += 1.0;
  }
  std::vector<double> copies;
  for (std::size_t i = 0; i < count.size(); ++i) {
    copies.insert(copies.end(), static_cast<std::size_t>(count[i]), popularity[i] / count[i]);
  }
  return copies;
}

}  // namespace

std::vector<double> expert_popularity(std::int64_t experts, std::int64_t chosen, double skew) {
  std::vector<double> p(static_cast<std::size_t>(experts));
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::pow(static_cast<double>(i + 1), -skew);
  const double all = std::accumulate(p.begin(), p.end(), 0.0);
  if (chosen == 1 || chosen == experts) {
    for (double& x : p) x = chosen == 1 ? x / all : 1.0;
    return p;
  }
  const auto chosen_at = [&](double rate) {
    double sum = 0.0;
    for (const double x : p) sum += -std::expm1(-rate * x);
    return sum;
  };
  // The sum rises with the rate from 0 towards the number of experts.
  double low = 0.0;
  double high = 1.0;
  while (chosen_at(high) < as_double(chosen)) high *= 2.0;
  for (int halvings = 0; halvings < 100; ++halvings) {
    const double middle = 0.5 * (low + high);
    (chosen_at(middle) < as_double(chosen) ? low : high) = middle;
  }
  for (double& x : p) x = -std::expm1(-high * x);
  return p;
}

ExpertLoad::ExpertLoad(const catalog::Ffn& ffn, const scenario::DeploySpec& spec)
    : experts_(as_double(ffn.experts)),
      chosen_(as_double(ffn.experts_per_token)),
      ranks_(as_double(spec.expert_parallel)) {
  if (spec.expert_skew <= 0.0 && spec.redundant_experts == 0) return;
  deal(copies_of(expert_popularity(ffn.experts, ffn.experts_per_token, spec.expert_skew),
                 spec.redundant_experts));
}

void ExpertLoad::deal(std::vector<double> copies) {
  std::sort(copies.begin(), copies.end(), std::greater<>());
  dealt_.resize(static_cast<std::size_t>(ranks_));
  const std::size_t slots = (copies.size() + dealt_.size() - 1) / dealt_.size();
  for (const double p : copies) {
    Rank* emptiest = nullptr;
    for (Rank& rank : dealt_) {
      if (rank.log_misses.size() == slots) continue;
      if (emptiest == nullptr || rank.mean < emptiest->mean) emptiest = &rank;
    }
    emptiest->mean += p;
    emptiest->variance += p * (1.0 - p);
    emptiest->log_misses.push_back(std::log1p(-p));
  }
}

ExpertReads ExpertLoad::reads(double tokens) const {
  if (experts_ <= 0.0 || tokens <= 0.0) return {};
  return dealt_.empty() ? uniform_reads(tokens) : skewed_reads(tokens);
}

ExpertReads ExpertLoad::uniform_reads(double tokens) const {
  const double share = chosen_ / experts_;
  ExpertReads reads;
  reads.distinct = experts_ * (1.0 - std::pow(1.0 - share, tokens));
  if (ranks_ > 1.0) {
    reads.load = std::min(ranks_, 1.0 + std::sqrt(2.0 * std::log(ranks_) * (1.0 - share) * ranks_ /
                                                  (tokens * chosen_)));
  }
  const double missed = 1.0 - reads.distinct / experts_;
  const double spread = std::sqrt(2.0 * std::log(ranks_) * reads.distinct * missed * ranks_);
  // At most all experts, and at most all those read.
  reads.slowest_distinct = std::min({experts_, reads.distinct * ranks_, reads.distinct + spread});
  return reads;
}

ExpertReads ExpertLoad::skewed_reads(double tokens) const {
  const double spread = 2.0 * std::log(ranks_);
  ExpertReads reads;
  double most_tokens = 0.0;
  double most_distinct = 0.0;
  for (const Rank& rank : dealt_) {
    double distinct = 0.0;
    double variance = 0.0;
    for (const double log_miss : rank.log_misses) {
      const double miss = std::exp(tokens * log_miss);
      distinct += 1.0 - miss;
      variance += miss * (1.0 - miss);
    }
    reads.distinct += distinct;
    most_tokens =
        std::max(most_tokens, tokens * rank.mean + std::sqrt(spread * tokens * rank.variance));
    most_distinct = std::max(most_distinct, std::min(static_cast<double>(rank.log_misses.size()),
                                                     distinct + std::sqrt(spread * variance)));
  }
  reads.load = std::clamp(most_tokens * ranks_ / (tokens * chosen_), 1.0, ranks_);
  reads.slowest_distinct = std::max(reads.distinct, most_distinct * ranks_);
  return reads;
}

}  // namespace tokenyard::perf
