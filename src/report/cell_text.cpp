#include "report/cell_text.hpp"

#include <cmath>

#include "base/json_writer.hpp"
#include "base/quantity_text.hpp"

namespace tokenyard::report {

std::string shown_text(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return three_digits(*number);
  return exact_text(cell);
}

std::string exact_text(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  const auto* number = std::get_if<double>(&cell);
  return number != nullptr && std::isfinite(*number) ? json_number(*number) : "";
}

bool is_number_column(const Table& table, std::size_t column) {
  bool any = false;
  for (const std::vector<Cell>& row : table.rows) {
    if (std::holds_alternative<std::string>(row[column])) return false;
    any = any || !std::holds_alternative<std::monostate>(row[column]);
  }
  return any;
}

}  // namespace tokenyard::report
