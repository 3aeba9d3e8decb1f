#pragma once
// Simulates cases with many sets of numbers, several cases at a time, and none twice with the same.
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "study/fit_cases.hpp"
#include "study/fit_numbers.hpp"

namespace tokenyard::study {

class CaseRuns {
 public:
  // Thrown by predict() when `interrupted` says so.
  struct Interrupted {};
  // By case and measurement.
  using Predictions = std::vector<std::vector<double>>;

  // `cases` and `numbers` must stay.
  CaseRuns(const std::vector<FitCase>& cases, const FitNumbers& numbers, std::size_t jobs,
           std::function<bool()> interrupted = {});

  // Sets the predictions of the cases `which`.
  void predict(const std::vector<double>& values, const std::vector<std::size_t>& which,
               Predictions& out);

  [[nodiscard]] const std::vector<FitCase>& cases() const { return *cases_; }
  [[nodiscard]] const FitNumbers& numbers() const { return *numbers_; }
  [[nodiscard]] std::int64_t runs() const { return runs_; }

 private:
  using Memory = std::map<std::vector<double>, std::vector<double>>;

  // Those of the values that the case depends on.
  [[nodiscard]] std::vector<double> key(std::size_t at, const std::vector<double>& values) const;

  const std::vector<FitCase>* cases_;
  const FitNumbers* numbers_;
  std::size_t jobs_;
  std::function<bool()> interrupted_;
  std::vector<std::vector<std::size_t>> numbers_of_;  // by case
  std::vector<Memory> known_;                         // by case
  std::int64_t runs_ = 0;
};

}  // namespace tokenyard::study
