#pragma once
// Published measurements beside the scenario that reproduces their conditions.
//
// A reader turns the rows of a file into cases; validate() runs the cases that have a plan and puts
// what comes out beside what was measured.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenario/plan.hpp"

namespace tokenyard::study {

// One measured number.
struct Measurement {
  std::string metric;               // as tokenyard names it: "tpot_mean_s"
  double value = 0.0;               // base units
  std::optional<double> low, high;  // range over repeats and serving software; absent: one value
  Place where;                      // the row
};

// What was measured under one set of conditions.
struct MeasuredCase {
  std::string id;
  // What error tables group by and points show, in this order: ("device", "nvidia-h100-sxm5-80gb"),
  // ("model", ...), ("precision", ...).  Every case of a file has the same names.
  std::vector<std::pair<std::string, std::string>> labels;
  // What else tells cases apart and no table groups by: ("concurrency", "32").  Likewise the same
  // names in every case of a file.
  std::vector<std::pair<std::string, std::string>> conditions;
  std::vector<Measurement> measurements;
  // One, or one for each serving software that the measurement is the mean or median of; the
  // prediction is their mean.  None: it cannot be simulated ...
  std::vector<scenario::Plan> plans;
  std::string problem;                   // ... because of this
  std::vector<std::string> assumptions;  // conditions that the source does not state
  std::string source;                    // who measured
};

// How the readers of measured files make plans.
struct CaseOptions {
  std::string calibration = "auto";  // as a scenario names it
};

}  // namespace tokenyard::study
