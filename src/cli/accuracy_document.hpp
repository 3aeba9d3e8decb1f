#pragma once
// How far off predictions are, as a Markdown document that a repository can keep: which calibration
// was used and how wrong it is on what it has not seen, then every file's errors, its assumptions
// and its sources.
//
// Nothing in it depends on when it is made: the same files, catalog and program make the same text.
#include <string>
#include <vector>

#include "catalog/calibration.hpp"
#include "cli/validate_page.hpp"

namespace tokenyard::cli {

// calibrations: those that the runs may have used.
std::string accuracy_document(const std::vector<const catalog::Calibration*>& calibrations,
                              const std::vector<study::ValidatedFile>& files,
                              const std::vector<ValidatedSessions>& sessions);

}  // namespace tokenyard::cli
