#pragma once
// The functions that every formula has.
#include <string>
#include <vector>

#include "formula/formula.hpp"

namespace tokenyard::formula {

std::vector<std::string> built_in_names();
bool is_built_in(const std::string& name);

// Throws FormulaError, without a column.
Value call_built_in(const std::string& name, const std::vector<Scope::Argument>& arguments);

}  // namespace tokenyard::formula
