#pragma once
// A validation as one HTML page: a chart for each metric and the error tables, file by file.
#include <string>
#include <vector>

#include "study/prefix_validation.hpp"
#include "study/validation_tables.hpp"

namespace tokenyard::cli {

struct ValidatedSessions {
  std::string name;
  study::PrefixValidation validation;
};

std::string validation_page(const std::vector<study::ValidatedFile>& files,
                            const std::vector<ValidatedSessions>& sessions);

}  // namespace tokenyard::cli
