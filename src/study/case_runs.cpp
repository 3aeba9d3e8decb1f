#include "study/case_runs.hpp"

#include <utility>

#include "study/parallel.hpp"

namespace tokenyard::study {

CaseRuns::CaseRuns(const std::vector<FitCase>& cases, const FitNumbers& numbers, std::size_t jobs,
                   std::function<bool()> interrupted)
    : cases_(&cases),
      numbers_(&numbers),
      jobs_(jobs),
      interrupted_(std::move(interrupted)),
      numbers_of_(cases.size()),
      known_(cases.size()) {
  for (std::size_t k = 0; k < numbers.all().size(); ++k) {
    for (const std::size_t at : numbers.all()[k].cases) numbers_of_[at].push_back(k);
  }
}

std::vector<double> CaseRuns::key(std::size_t at, const std::vector<double>& values) const {
  std::vector<double> own;
  own.reserve(numbers_of_[at].size());
  for (const std::size_t k : numbers_of_[at]) own.push_back(values[k]);
  return own;
}

void CaseRuns::predict(const std::vector<double>& values, const std::vector<std::size_t>& which,
                       Predictions& out) {
  std::vector<std::size_t> unknown;
  for (const std::size_t at : which) {
    const auto [entry, is_new] = known_[at].try_emplace(key(at, values));
    if (entry->second.empty()) unknown.push_back(at);
  }
  const catalog::Calibration calibration = numbers_->calibration(values);
  in_parallel(unknown.size(), jobs_, [&](std::size_t i) {
    if (interrupted_ && interrupted_()) throw Interrupted{};
    const std::size_t at = unknown[i];
    known_[at].find(key(at, values))->second = predicted((*cases_)[at], calibration);
  });
  runs_ += static_cast<std::int64_t>(unknown.size());
  for (const std::size_t at : which) out[at] = known_[at].find(key(at, values))->second;
}

}  // namespace tokenyard::study
