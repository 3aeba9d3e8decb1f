#pragma once
// A calibration as tables: for people, and as one for programs.
#include <vector>

#include "study/calibrate.hpp"
#include "study/validation_tables.hpp"

namespace tokenyard::study {

// Errors of all devices and of each: a row a device and metric, a column for before the fit, after it,
// and each way of leaving measurements out.
Table error_table(const catalog::Calibration& calibration);

// Those errors, the numbers beside the catalog's, and which cases were left out
// and why, if any were.
std::vector<TitledTable> calibration_tables(const CalibrationStudy& study);

// One row a value: device ("" for all, or the host), name, unit, which of its values it is (catalog,
// fitted, low, high; of errors measurements, uncalibrated_median, ...), the value in base units.
Table calibration_values(const CalibrationStudy& study);

}  // namespace tokenyard::study
