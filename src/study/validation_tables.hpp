#pragma once
// A validation as tables: every point for programs, errors for people.
#include <string>
#include <vector>

#include "base/table.hpp"
#include "study/validation.hpp"

namespace tokenyard::study {

struct ValidatedFile {
  std::string name;
  Validation validation;
};

// One row a measurement: file, case, labels, conditions, metric, unit, measured, low, high,
// predicted, error, inside_spread, the three largest causes, source, assumptions, problem.  A label
// that a file does not have and another one has is left empty.
Table point_table(const std::vector<ValidatedFile>& files);

// Tables for people, in the order in which they are printed.
struct TitledTable {
  std::string title;
  Table table;
};
// Errors by metric, with the spread of the measurements as their scale; then by each
// label; the ten worst points with what bounds them; and why cases were not simulated, if any were
// not.
std::vector<TitledTable> error_tables(const Validation& validation);
// What a reader of the errors asks next: what was assumed where sources say nothing, with the number
// of simulated cases; and who measured, with the errors of each.
std::vector<TitledTable> background_tables(const Validation& validation);

}  // namespace tokenyard::study
