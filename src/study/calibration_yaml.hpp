#pragma once
// Writes a calibration as the file that the catalog reads.
#include <string>

#include "catalog/calibration.hpp"

namespace tokenyard::study {

// Contract: reads back equal, to the last bit of every number, once name_sources() has run on
// both.  Numbers have as few digits as that takes: one that was rounded to three has three.
std::string calibration_yaml(const catalog::Calibration& calibration);

}  // namespace tokenyard::study
