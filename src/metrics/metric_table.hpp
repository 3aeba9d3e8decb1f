#pragma once
// Every metric that a run can have: its name, unit, meaning, and which way is better.
//
// The names are contracts: they are stored, queried and written in `expect:`.  A new metric is a
// new row here; the store's units, the printed list and the summary follow from it.  A metric that
// is not in the table cannot be stored.
#include <string>
#include <string_view>
#include <vector>

#include "base/table.hpp"
#include "base/units.hpp"

namespace tokenyard::metrics {

enum class Better { lower, higher, neither };

struct MetricInfo {
  std::string name;        // unit last: ttft_p99_s
  std::string unit;        // as stored: s, J, W, USD, 1/s, ratio, count, USD/Mtok ...
  std::string definition;  // one sentence
  Better better = Better::neither;
  Dim dim;  // for showing: kNone where the unit is not one of the program's quantities
};

// In the order they are shown.
const std::vector<MetricInfo>& metric_table();

// The metric of that name, or null.
const MetricInfo* find_metric(std::string_view name);

// "; did you mean 'ttft_p99_s'?" for a name that is no metric.
std::string metric_suggestion(std::string_view name);

// For people: three significant digits with a prefix or in percent, "412 ms", "57.2 %", "0.53
// USD/Mtok"; "n/a" for a value that is not finite.
std::string format_metric(const MetricInfo& metric, double value);

// The table as printed by `tokenyard metrics`: name, unit, better, definition.
Table metric_listing();

}  // namespace tokenyard::metrics
