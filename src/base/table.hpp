#pragma once
// A table of results: what a query returns and what every report is rendered from.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace tokenyard {

// Empty (SQL NULL), a whole number, a number, or text.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
};

}  // namespace tokenyard
