#include "study/calibration_tables.hpp"

#include <algorithm>

#include "base/quantity_text.hpp"

namespace tokenyard::study {
namespace {

using catalog::CalibrationError;
using catalog::ErrorBand;

struct BandColumn {
  const char* title;  // for people
  const char* name;   // for programs
  std::optional<ErrorBand> (*band)(const CalibrationError&);
};

const std::vector<BandColumn>& band_columns() {
  static const std::vector<BandColumn> kColumns{
      {"uncalibrated", "uncalibrated",
       [](const CalibrationError& e) { return std::optional(e.uncalibrated); }},
      {"fitted", "fitted", [](const CalibrationError& e) { return std::optional(e.fitted); }},
      {"five-fold", "five_fold", [](const CalibrationError& e) { return e.five_fold; }},
      {"leave one model out", "leave_one_model_out",
       [](const CalibrationError& e) { return e.leave_one_model_out; }}};
  return kColumns;
}

// "13.0 % / 37.0 %".
Cell band_cell(const std::optional<ErrorBand>& band) {
  if (!band) return std::monostate{};
  constexpr double kPercent = 100.0;
  return three_digits(kPercent * band->median) + " % / " + three_digits(kPercent * band->p90) +
         " %";
}

void add_errors(Table& table, const std::string& device,
                const std::vector<CalibrationError>& errors) {
  for (const CalibrationError& e : errors) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row.emplace_back(device);
    row.emplace_back(e.metric);
    row.emplace_back(e.measurements);
    for (const BandColumn& column : band_columns()) row.push_back(band_cell(column.band(e)));
  }
}

std::string shown(double value, Dim dim) {
  return dim == kNone ? three_digits(value) : format_quantity(value, dim);
}

Cell shown(const std::optional<double>& value, Dim dim) {
  if (!value) return std::monostate{};
  return shown(*value, dim);
}

Table number_table(const CalibrationStudy& study) {
  Table table{{"device", "number", "catalog", "fitted", "low", "high", "cases", "remark"}, {}};
  for (const FittedNumber& n : study.numbers) {
    table.rows.push_back({n.device.empty() ? "host" : n.device, n.name, shown(n.standing, n.dim),
                          shown(n.fitted.value, n.dim), shown(n.fitted.low, n.dim),
                          shown(n.fitted.high, n.dim), static_cast<std::int64_t>(n.cases),
                          n.at_limit ? "at its limit" : ""});
  }
  return table;
}

// The reasons in the order in which they are met.
Table left_out_table(const CalibrationStudy& study) {
  struct Reason {
    std::string why, first;
    std::int64_t cases = 0;
  };
  std::vector<Reason> reasons;
  for (const LeftOutCase& c : study.left_out) {
    auto found = std::find_if(reasons.begin(), reasons.end(),
                              [&](const Reason& r) { return r.why == c.why; });
    if (found == reasons.end()) found = reasons.insert(found, {c.why, c.id, 0});
    ++found->cases;
  }
  Table table{{"cases", "first case", "why it is left out"}, {}};
  for (const Reason& r : reasons) table.rows.push_back({r.cases, r.first, r.why});
  return table;
}

void add_value(Table& table, const std::string& device, const std::string& name,
               const std::string& unit, const std::string& which,
               const std::optional<double>& value) {
  if (value) table.rows.push_back({device, name, unit, which, *value});
}

void add_values(Table& table, const std::string& device,
                const std::vector<CalibrationError>& errors) {
  for (const CalibrationError& e : errors) {
    const std::string name = "error of " + e.metric;
    add_value(table, device, name, "", "measurements", static_cast<double>(e.measurements));
    for (const BandColumn& column : band_columns()) {
      const std::optional<ErrorBand> band = column.band(e);
      if (!band) continue;
      add_value(table, device, name, "share", column.name + std::string("_median"), band->median);
      add_value(table, device, name, "share", column.name + std::string("_p90"), band->p90);
    }
  }
}

}  // namespace

Table error_table(const catalog::Calibration& calibration) {
  Table table{{"device", "metric", "measurements"}, {}};
  for (const BandColumn& column : band_columns()) table.columns.emplace_back(column.title);
  if (calibration.devices.size() > 1) add_errors(table, "all", calibration.errors);
  for (const catalog::CalibratedDevice& d : calibration.devices)
    add_errors(table, d.device, d.errors);
  return table;
}

std::vector<TitledTable> calibration_tables(const CalibrationStudy& study) {
  std::vector<TitledTable> tables{
      {"errors, median / 90 of 100", error_table(study.calibration)},
      {"fitted numbers; low and high without one model", number_table(study)}};
  if (!study.left_out.empty()) tables.push_back({"left out", left_out_table(study)});
  return tables;
}

Table calibration_values(const CalibrationStudy& study) {
  Table table{{"device", "name", "unit", "which", "value"}, {}};
  add_values(table, "", study.calibration.errors);
  for (const catalog::CalibratedDevice& d : study.calibration.devices)
    add_values(table, d.device, d.errors);
  for (const FittedNumber& n : study.numbers) {
    const std::string unit = n.dim == kTime ? "s" : "share";
    add_value(table, n.device, n.name, unit, "catalog", n.standing);
    add_value(table, n.device, n.name, unit, "fitted", n.fitted.value);
    add_value(table, n.device, n.name, unit, "low", n.fitted.low);
    add_value(table, n.device, n.name, unit, "high", n.fitted.high);
  }
  return table;
}

}  // namespace tokenyard::study
