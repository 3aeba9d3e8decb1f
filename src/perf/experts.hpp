#pragma once
// Which routed experts a step of N tokens reads, and how unevenly the ranks that hold them are
// loaded.
//
// A token chooses k of E experts.  Uniformly, an expert is chosen by a token with probability
// p = k/E; by popularity, the weights follow Zipf's law, i^-s, and k different experts are drawn by
// them: p_i = 1 - exp(-c i^-s), c such that the sum is k (for k = 1 the law itself).  Read are those that at least one of N tokens chose:
//
//   D(N) = sum of 1 - (1 - p_i)^N          uniform: E (1 - (1 - k/E)^N)
//
// R copies are made one after the other, each of the expert whose copies have the most tokens, and
// copies of an expert share its tokens evenly.  Copies go to the ranks as DeepSeek's load balancer
// packs them: the busiest first, each to the rank with the least load that has a free slot, all
// ranks having equally many slots.  (Without that balancer the ranks are less even.)
//
// All ranks wait for the slowest.  Its load is the greatest of m_r + sqrt(2 ln R v_r) over the R
// ranks, m_r = N sum p and v_r = N sum p (1 - p) being mean and variance of what its experts get;
// uniform, over the mean, 1 + sqrt(2 ln R (1 - k/E) R / (N k)), at most R.  The experts it reads:
// the greatest of d_r + sqrt(2 ln R w_r), at most all it has, where d_r = sum 1 - q and
// w_r = sum q (1 - q) with q = (1 - p)^N.
//
// Worked example: 256 experts, 8 chosen, 8 tokens: uniform 57.4 are read, with s = 1 42.3 (drawing
// one after the other without replacement: 42.1).
// Sources: DeepSeek-V3 report, section 3.4 (redundant experts) and the deepseek-ai/EPLB program;
// extreme values of normal variables.  Assumes that tokens choose independently of each other.
#include <cstdint>
#include <vector>

#include "catalog/model.hpp"
#include "scenario/scenario_file.hpp"

namespace tokenyard::perf {

struct ExpertReads {
  double distinct = 0.0;          // experts read, all ranks together
  double load = 1.0;              // tokens of the slowest rank over the mean
  double slowest_distinct = 0.0;  // experts read by the slowest rank, times the ranks
};

class ExpertLoad {
 public:
  ExpertLoad() = default;  // of a model without experts
  ExpertLoad(const catalog::Ffn& ffn, const scenario::DeploySpec& spec);

  [[nodiscard]] ExpertReads reads(double tokens) const;

 private:
  struct Rank {
    double mean = 0.0;               // of its tokens, per token of the step
    double variance = 0.0;           // likewise
    std::vector<double> log_misses;  // of each of its copies: log(1 - p)
  };

  [[nodiscard]] ExpertReads uniform_reads(double tokens) const;
  [[nodiscard]] ExpertReads skewed_reads(double tokens) const;
  void deal(std::vector<double> copies);

  double experts_ = 0.0;
  double chosen_ = 0.0;  // per token
  double ranks_ = 1.0;
  std::vector<Rank> dealt_;  // empty: uniform, without copies
};

// Probability of each expert to be chosen by a token, the most popular first.
std::vector<double> expert_popularity(std::int64_t experts, std::int64_t chosen, double skew);

}  // namespace tokenyard::perf
