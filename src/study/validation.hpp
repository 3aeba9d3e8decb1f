#pragma once
// Runs measured cases and puts what comes out beside what was measured.
//
//   error          predicted / measured - 1: +0.25 is a quarter too much
//   inside spread  the prediction lies in the range over repeats and serving software; asked only of
//                  measurements that have one
//
// Worked example: 10 ms measured, 9 to 12 ms over its repeats; 11.5 ms predicted: +15 %, inside.
//
// Every case counts: one that cannot be simulated, whose run failed or turned requests away
// stands among the points with the reason instead of a prediction.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cause.hpp"
#include "study/measurement.hpp"
#include "study/run_all.hpp"

namespace tokenyard::study {

struct ValidationOptions {
  std::string db_path;  // empty: nothing is kept
  std::size_t jobs = 1;
  std::function<void(const StudyProgress&)> on_progress = {};
  std::function<bool()> interrupted = {};
};

inline constexpr std::size_t kCausesShown = 3;

struct CauseShare {
  Cause cause = Cause::compute;
  double share = 0.0;  // of the time of the devices that serve
};

// One measurement and its prediction.
struct ValidationPoint {
  std::size_t at = 0;  // index of its case
  Measurement measured;
  std::optional<double> predicted;  // absent: see problem
  std::vector<CauseShare> causes;   // what the simulated devices spent their time on, largest first
  std::string problem;

  // Of points with a prediction.
  [[nodiscard]] double error() const { return *predicted / measured.value - 1.0; }
  [[nodiscard]] bool has_spread() const { return measured.low && measured.high; }
  [[nodiscard]] bool inside_spread() const {
    return has_spread() && *predicted >= *measured.low && *predicted <= *measured.high;
  }
};

struct Validation {
  std::vector<MeasuredCase> cases;      // without their plans
  std::vector<ValidationPoint> points;  // in the order of the cases and of their measurements
  std::vector<std::string> broken;      // runs that died: what they said
  bool interrupted = false;             // then there are no points
};

// In the database every case that ran is a run with its labels and conditions as parameters and its
// measurements as expectations.  Throws InputError when the database cannot be used.
Validation validate(std::vector<MeasuredCase> cases, const ValidationOptions& options);

}  // namespace tokenyard::study
