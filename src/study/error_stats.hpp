#pragma once
// How far predictions are from measurements, in a few numbers.
//
//   median, p90    of |error|: of ten errors the mean of the fifth and sixth smallest, and the ninth
//   bias           median of the signed errors: above 0, too much is predicted
//   inside         share of the predictions inside the measured spread, of those that have one
//   floor          half of the measured spread / the measured value: about how far single repeats are
//                  from their middle, hence how close any prediction of one of them can come
//
// Worked example: errors of -10 %, +20 % and +30 %: median 20 %, p90 30 %, bias +20 %.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "study/validation.hpp"

namespace tokenyard::study {

struct ErrorStats {
  std::size_t points = 0;       // with a prediction
  std::size_t with_spread = 0;  // ... measured more than once
  // Absent where there are no points of that kind.
  std::optional<double> median, p90, bias;
  std::optional<double> inside;
  std::optional<double> floor_median, floor_p90;
};

// Points without a prediction are not counted.
ErrorStats error_stats(const std::vector<const ValidationPoint*>& points);

// One value of a label, or one metric, with its statistics.
struct ErrorGroup {
  std::string value;  // of the label; "" for all points
  std::string metric;
  ErrorStats stats;
};

// Each metric, all points.
std::vector<ErrorGroup> errors_by_metric(const Validation& validation);
// Each value of the label with each metric; values in the order of the numbers they begin with, else
// of the alphabet.
std::vector<ErrorGroup> errors_by_label(const Validation& validation, std::size_t label);

// The points that are furthest off, worst first: a tenth is as bad as ten times.
std::vector<const ValidationPoint*> worst_points(const Validation& validation, std::size_t most);

}  // namespace tokenyard::study
