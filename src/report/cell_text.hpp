#pragma once
// One cell as text, shared by the renderers.
#include <string>

#include "base/table.hpp"

namespace tokenyard::report {

// For people: three significant digits; empty for NULL.
std::string shown_text(const Cell& cell);
// For programs: the shortest text that reads back to the same number; empty for NULL.
std::string exact_text(const Cell& cell);
// Whether a column holds numbers (and NULLs) only, and at least one number.
bool is_number_column(const Table& table, std::size_t column);

}  // namespace tokenyard::report
