#pragma once
// Fits positive parameters to measurements so that gross outliers do not decide.
//
// What is made as small as possible, over the residuals r_i and the parameters p_k:
//
//   sum_i rho(r_i) + sum_k (ln(p_k / expected_k) / width_k)^2       rho(r) = 2 (sqrt(1 + r^2) - 1)
//
// rho, the "soft L1", is r^2 for small residuals and 2 |r| for large ones: ten times further off
// pulls no harder.  The second sum is a Gaussian prior on the logarithm: a parameter that the data
// does not show stays where it is expected.
//
// Least squares of sqrt(rho(r_i)), with the sign of r_i, has exactly this sum as its target (the
// weighting of Hartley and Zisserman, "Multiple View Geometry", 2nd ed., A6.8; Triggs et al.,
// "Bundle Adjustment", 1999, 4.3), so that the trust-region method of Levenberg and Marquardt
// accepts a step by the robust target itself.  The Jacobian is one-sided differences of 2 % in a
// parameter: simulated times have small jumps where batches come together differently, and smaller
// steps would see nothing but those.
//
// Parameters further than a factor of 100 from what is expected are not tried: a long first step
// would otherwise ask for the simulation of absurd machines.
//
// A parameter with a limit goes through the logistic function, so that no step can pass it.
//
// Worked example: measured 1, 1, 1, 1, 10 and one parameter for their value, r = 10 ln(p / measured),
// no prior: a plain fit of the logarithms says 10^(1/5) = 1.58.  Here four small residuals r pull with
// 4 r / sqrt(1 + r^2) against less than 1 of the outlier: r = 0.26, p = 1.026.
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tokenyard::study {

struct FitParameter {
  std::string name;
  double expected = 1.0;
  double width = 1.0;  // standard deviation of the logarithm
  double limit = std::numeric_limits<double>::infinity();
};

struct FitProblem {
  std::vector<FitParameter> parameters;
  std::size_t residuals = 0;
  // Sets `residuals` for the parameters `values`.  With `only`, `residuals` holds those of values
  // that differ in this parameter alone, and what does not depend on it may be left as it is.
  // Exceptions end the fit and come out of it.
  std::function<void(const std::vector<double>& values, std::optional<std::size_t> only,
                     std::vector<double>& residuals)>
      evaluate;
};

struct FitOptions {
  std::size_t most_steps = 12;
  // A step that makes the target smaller by less than this share of it is the last.
  double least_gain = 1e-3;
  // Absent: a Jacobian is taken at each step.  Otherwise at the start, then only made to agree with
  // each step (Broyden), and taken anew where that gains too little, so many times in all: far fewer
  // evaluations, and not quite as near to the least target.
  std::optional<std::size_t> jacobians = {};
};

struct FitResult {
  std::vector<double> values;  // parallel to the parameters
  double target_before = 0.0, target = 0.0;
  std::size_t steps = 0;
};

// From `start`, parallel to the parameters; values at or above a limit begin just below it.
FitResult robust_fit(const FitProblem& problem, const std::vector<double>& start,
                     const FitOptions& options = {});

}  // namespace tokenyard::study
