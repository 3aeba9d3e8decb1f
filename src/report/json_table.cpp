#include "report/json_table.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace tokenyard::report {
namespace {

// Names as keys: a name that is taken gets the first free number.
std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::set<std::string> taken;
  std::vector<std::string> keys;
  for (const std::string& name : names) {
    std::string key = name;
    for (int n = 2; !taken.insert(key).second; ++n) key = name + '_' + std::to_string(n);
    keys.push_back(key);
  }
  return keys;
}

nlohmann::ordered_json json_of(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          return nullptr;
        } else {
          return value;
        }
      },
      cell);
}

}  // namespace

std::string json_table(const Table& table) {
  using nlohmann::ordered_json;
  const std::vector<std::string> keys = distinct(table.columns);
  std::string text = "[";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    ordered_json row = ordered_json::object();
    for (std::size_t c = 0; c < keys.size(); ++c) row[keys[c]] = json_of(table.rows[r][c]);
    text += r == 0 ? "\n" : ",\n";
    // Bytes that are no UTF-8 become U+FFFD: the output is JSON whatever the database holds.
    text += row.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }
  return text + (table.rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace tokenyard::report
