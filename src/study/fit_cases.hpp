#pragma once
// Measured cases, ready to be simulated thousands of times with other numbers.
//
// A case is simulated in this process on the plain calendar, without a store: a few milliseconds.
// The numbers come as a calibration, and reach its plans by the functions that put a shipped
// calibration into a scenario: what is fitted is what is used.
#include <set>
#include <string>
#include <vector>

#include "catalog/calibration.hpp"
#include "study/measurement.hpp"

namespace tokenyard::study {

struct FitCase {
  std::string id;
  std::string device, model;
  std::vector<scenario::Plan> plans;  // with the catalog's own numbers
  std::vector<Measurement> measured;
  // Which of a device's numbers its time can depend on.
  std::set<std::string> formats;  // of its matrix products
  bool has_experts = false;
  std::string link;  // that its collectives cross; empty: one device
};

struct LeftOutCase {
  std::string id;
  std::string why;
};

struct FitCases {
  std::vector<FitCase> cases;
  std::vector<LeftOutCase> left_out;
};

// Contract: the plans were made with `calibration: none`.
FitCases fit_cases(std::vector<MeasuredCase> measured);

// Of each measurement of the case, the mean over its plans; not a number for a metric that a run
// does not have.  Devices that `numbers` does not list, and what it has no value for, stay as they
// are.  Throws InputError when requests are turned away.
std::vector<double> predicted(const FitCase& c, const catalog::Calibration& numbers);

}  // namespace tokenyard::study
