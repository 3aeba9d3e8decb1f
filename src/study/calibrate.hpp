#pragma once
// Fits the numbers of devices and host (fit_numbers.hpp) to measured cases, and tells how far off
// the simulation was before, is after, and is on measurements that the fit has not seen.
//
// Residual of a measurement: ln(simulated / measured) / 0.10 for times between tokens, / 0.25 for
// times that begin with a request (TTFT): these hang on how the tool that measured sent its requests,
// and repeats of them differ as much.  The loss is robust and every number has a prior
// (robust_fit.hpp).
//
// Errors, |simulated / measured - 1|, median and 90 of 100:
//
//   uncalibrated          with the catalog's own numbers
//   fitted                with the fit to all measurements, on them
//   five-fold             each fifth of the cases, by their ids, with a fit to the other four
//   leave one model out   each model's cases with a fit to the other models: what a new model may
//                         expect
//
// Both are kinder than a machine that nobody has measured would be: a fifth has neighbours in the
// other four that differ in concurrency alone, and the terms of the performance model, and the
// conditions that no source tells, were chosen with these measurements in view.
//
// Fits without a part begin, like the fit to all, with what is expected, and so know nothing of
// that part.  low and high of a number are the least and the most of the fit to all and those
// without one model.  Numbers and errors are rounded to three digits; the errors called fitted are
// those of the rounded numbers.
//
// Worked example: measured 10 ms a token, simulated 11 ms: residual ln(1.1) / 0.10 = 0.95, about as
// much as one width of a prior.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "catalog/calibration.hpp"
#include "study/case_runs.hpp"
#include "study/fit_cases.hpp"
#include "study/fit_numbers.hpp"
#include "study/measurement.hpp"

namespace tokenyard::study {

inline constexpr std::size_t kFolds = 5;

struct FitProgress {
  std::size_t fits_done = 0, fits = 0;
  std::int64_t runs = 0;  // simulated so far
};

struct CalibrateOptions {
  std::size_t jobs = 1;
  FitOptions fit = {.most_steps = 8, .least_gain = 1e-3};
  // Of the fits without a part.  Their first Jacobian is that of the first fit, which costs nothing.
  FitOptions held_out = {.most_steps = 16, .least_gain = 1e-3, .jacobians = 3};
  std::function<void(const FitProgress&)> on_progress = {};
  std::function<bool()> interrupted = {};
};

// One fitted number beside what it stands for.
struct FittedNumber {
  std::string device;  // empty: of the host
  std::string name;
  Dim dim = kNone;
  double standing = 0.0;  // in the catalog
  FittedValue fitted;
  bool at_limit = false;  // a share that the data would have beyond its peak
  std::size_t cases = 0;  // that depend on it
};

struct CalibrationStudy {
  // Without name, description, date and data, which the caller knows.
  catalog::Calibration calibration;
  std::vector<FittedNumber> numbers;
  std::vector<LeftOutCase> left_out;
  std::int64_t cases = 0;                            // that were used ...
  std::map<std::string, std::int64_t> measurements;  // ... and their measurements, by file
  std::int64_t runs = 0;                             // simulated
  bool interrupted = false;                          // then there is no calibration
};

// Contract: the plans of the cases were made with `calibration: none`.  Throws InputError when no
// case can be used.  The result does not depend on the number of jobs.
CalibrationStudy calibrate(std::vector<MeasuredCase> measured, const CalibrateOptions& options);

// The fit to some of the cases, which are ascending indices: the values of the runs' numbers.  Depends
// on no other case.  on_point: called now and then.
std::vector<double> fit_to(CaseRuns& runs, const std::vector<std::size_t>& which,
                           const FitOptions& options, const std::function<void()>& on_point = {});

}  // namespace tokenyard::study
