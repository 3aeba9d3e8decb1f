#include "study/validation_tables.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/quantity_text.hpp"
#include "metrics/metric_table.hpp"
#include "study/error_stats.hpp"

namespace tokenyard::study {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kWorst = 10;

Cell cell_of(const std::optional<double>& value) {
  if (value) return *value;
  return std::monostate{};
}

Cell percent_cell(const std::optional<double>& share) {
  if (!share) return std::monostate{};
  constexpr double kPercent = 100.0;
  return *share * kPercent;
}

std::string_view name_of(Cause cause) {
  return enum_names(cause)[static_cast<std::size_t>(cause)];
}

std::string shown(const Measurement& m, double value) {
  const metrics::MetricInfo* info = metrics::find_metric(m.metric);
  check(info != nullptr, "a point of a metric that does not exist");
  return metrics::format_metric(*info, value);
}

std::string signed_percent(double share) {
  constexpr double kPercent = 100.0;
  return (share < 0.0 ? "-" : "+") + three_digits(std::abs(share) * kPercent) + " %";
}

std::string causes_text(const std::vector<CauseShare>& causes) {
  std::string text;
  for (const CauseShare& c : causes) {
    text += (text.empty() ? "" : ", ") + std::string(name_of(c.cause)) + ' ' +
            std::to_string(std::lround(c.share * 100.0)) + " %";
  }
  return text;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

const std::string* value_of(const Names& names, const std::string& name) {
  for (const auto& [key, value] : names) {
    if (key == name) return &value;
  }
  return nullptr;
}

void add_names(std::vector<std::string>& to, const Names& names) {
  for (const auto& entry : names) {
    if (std::find(to.begin(), to.end(), entry.first) == to.end()) to.push_back(entry.first);
  }
}

void add_statistics(std::vector<Cell>& row, const ErrorStats& s) {
  row.emplace_back(static_cast<std::int64_t>(s.points));
  for (const auto& share : {s.median, s.p90, s.bias}) row.push_back(percent_cell(share));
  row.emplace_back(static_cast<std::int64_t>(s.with_spread));
  row.push_back(percent_cell(s.inside));
}

const std::vector<std::string> kStatistics{"points", "median |error| %", "p90 |error| %",
                                           "bias %", "repeated",         "inside spread %"};

Table overall_table(const Validation& validation) {
  Table table{{"metric"}, {}};
  table.columns.insert(table.columns.end(), kStatistics.begin(), kStatistics.end());
  for (const char* name : {"median half spread %", "p90 half spread %"})
    table.columns.emplace_back(name);
  for (const ErrorGroup& g : errors_by_metric(validation)) {
    if (g.stats.points == 0) continue;
    std::vector<Cell>& row = table.rows.emplace_back();
    row.emplace_back(g.metric);
    add_statistics(row, g.stats);
    row.push_back(percent_cell(g.stats.floor_median));
    row.push_back(percent_cell(g.stats.floor_p90));
  }
  return table;
}

Table label_table(const std::string& label, const std::vector<ErrorGroup>& groups) {
  Table table{{label, "metric"}, {}};
  table.columns.insert(table.columns.end(), kStatistics.begin(), kStatistics.end());
  for (const ErrorGroup& g : groups) {
    if (g.stats.points == 0) continue;
    std::vector<Cell>& row = table.rows.emplace_back();
    row.emplace_back(g.value);
    row.emplace_back(g.metric);
    add_statistics(row, g.stats);
  }
  return table;
}

bool has_several_values(const std::vector<ErrorGroup>& groups) {
  std::set<std::string> values;
  for (const ErrorGroup& g : groups) values.insert(g.value);
  return values.size() > 1;
}

// "toy, tp1, input_tokens 100": a value that begins with a digit says nothing by itself.
std::string described(const MeasuredCase& c) {
  std::string text;
  for (const Names* names : {&c.labels, &c.conditions}) {
    for (const auto& [name, value] : *names) {
      if (value.empty()) continue;
      const bool is_number = value.front() >= '0' && value.front() <= '9';
      text += (text.empty() ? "" : ", ") + (is_number ? name + ' ' : "") + value;
    }
  }
  return text;
}

Table worst_table(const Validation& validation) {
  Table table{{"case", "conditions", "metric", "measured", "predicted", "error", "time goes to"},
              {}};
  for (const ValidationPoint* p : worst_points(validation, kWorst)) {
    const MeasuredCase& c = validation.cases[p->at];
    table.rows.push_back({c.id, described(c), p->measured.metric,
                          shown(p->measured, p->measured.value), shown(p->measured, *p->predicted),
                          signed_percent(p->error()), causes_text(p->causes)});
  }
  return table;
}

// Why there are points without a prediction; the reasons in the order in which they are met.
Table missing_table(const Validation& validation) {
  struct Reason {
    std::string text, first;
    std::set<std::size_t> cases;
    std::int64_t points = 0;
  };
  std::vector<Reason> reasons;
  for (const ValidationPoint& p : validation.points) {
    if (p.predicted) continue;
    const auto same = [&](const Reason& r) { return r.text == p.problem; };
    auto found = std::find_if(reasons.begin(), reasons.end(), same);
    if (found == reasons.end()) {
      reasons.push_back({p.problem, validation.cases[p.at].id, {}, 0});
      found = reasons.end() - 1;
    }
    found->cases.insert(p.at);
    ++found->points;
  }
  Table table{{"cases", "measurements", "first case", "why there is no prediction"}, {}};
  for (const Reason& r : reasons)
    table.rows.push_back({static_cast<std::int64_t>(r.cases.size()), r.points, r.first, r.text});
  return table;
}

Table assumption_table(const Validation& validation) {
  std::map<std::string, std::int64_t> cases;
  for (const MeasuredCase& c : validation.cases) {
    if (!c.problem.empty()) continue;
    for (const std::string& assumption : c.assumptions) ++cases[assumption];
  }
  Table table{{"cases", "assumption"}, {}};
  for (const auto& [assumption, count] : cases) table.rows.push_back({count, assumption});
  std::stable_sort(table.rows.begin(), table.rows.end(), [](const auto& a, const auto& b) {
    return std::get<std::int64_t>(a[0]) > std::get<std::int64_t>(b[0]);
  });
  return table;
}

Table source_table(const Validation& validation) {
  std::map<std::string, std::vector<const ValidationPoint*>> points;
  for (const ValidationPoint& p : validation.points) {
    if (p.predicted) points[validation.cases[p.at].source].push_back(&p);
  }
  Table table{{"measurements", "median |error| %", "bias %", "source"}, {}};
  for (const auto& [source, of_source] : points) {
    const ErrorStats stats = error_stats(of_source);
    table.rows.push_back({static_cast<std::int64_t>(stats.points), percent_cell(stats.median),
                          percent_cell(stats.bias), source});
  }
  return table;
}

void add_point(Table& table, const std::vector<std::string>& names, const std::string& file,
               const MeasuredCase& c, const ValidationPoint& p) {
  std::vector<Cell>& row = table.rows.emplace_back();
  row.emplace_back(file);
  row.emplace_back(c.id);
  for (const std::string& name : names) {
    const std::string* value = value_of(c.labels, name);
    if (value == nullptr) value = value_of(c.conditions, name);
    if (value != nullptr) {
      row.emplace_back(*value);
    } else {
      row.emplace_back();
    }
  }
  const Measurement& m = p.measured;
  const metrics::MetricInfo* info = metrics::find_metric(m.metric);
  row.emplace_back(m.metric);
  row.emplace_back(info != nullptr ? info->unit : "");
  row.emplace_back(m.value);
  row.push_back(cell_of(m.low));
  row.push_back(cell_of(m.high));
  row.push_back(cell_of(p.predicted));
  row.push_back(p.predicted ? cell_of(p.error()) : Cell{});
  row.push_back(p.predicted && p.has_spread() ? Cell{std::int64_t{p.inside_spread() ? 1 : 0}}
                                              : Cell{});
  for (std::size_t i = 0; i < kCausesShown; ++i) {
    const bool there = i < p.causes.size();
    row.push_back(there ? Cell{std::string(name_of(p.causes[i].cause))} : Cell{});
    row.push_back(there ? Cell{p.causes[i].share} : Cell{});
  }
  row.emplace_back(c.source);
  row.emplace_back(joined(c.assumptions));
  row.emplace_back(p.problem);
}

// A table without rows is none.
void add_table(std::vector<TitledTable>& tables, const std::string& title, Table table) {
  if (!table.rows.empty()) tables.push_back({title, std::move(table)});
}

}  // namespace

Table point_table(const std::vector<ValidatedFile>& files) {
  std::vector<std::string> names;
  for (const ValidatedFile& file : files) {
    for (const MeasuredCase& c : file.validation.cases) {
      add_names(names, c.labels);
      add_names(names, c.conditions);
    }
  }
  Table table{{"file", "case"}, {}};
  table.columns.insert(table.columns.end(), names.begin(), names.end());
  for (const char* name :
       {"metric", "unit", "measured", "low", "high", "predicted", "error", "inside_spread"})
    table.columns.emplace_back(name);
  for (std::size_t i = 1; i <= kCausesShown; ++i) {
    table.columns.push_back("cause_" + std::to_string(i));
    table.columns.push_back("cause_share_" + std::to_string(i));
  }
  for (const char* name : {"source", "assumptions", "problem"}) table.columns.emplace_back(name);
  for (const ValidatedFile& file : files) {
    for (const ValidationPoint& p : file.validation.points)
      add_point(table, names, file.name, file.validation.cases[p.at], p);
  }
  return table;
}

std::vector<TitledTable> error_tables(const Validation& validation) {
  std::vector<TitledTable> tables;
  add_table(tables, "errors by metric", overall_table(validation));
  const std::size_t labels = validation.cases.empty() ? 0 : validation.cases.front().labels.size();
  for (std::size_t l = 0; l < labels; ++l) {
    const std::vector<ErrorGroup> groups = errors_by_label(validation, l);
    if (!has_several_values(groups)) continue;
    const std::string& name = validation.cases.front().labels[l].first;
    add_table(tables, "errors by " + name, label_table(name, groups));
  }
  add_table(tables, "worst predictions", worst_table(validation));
  add_table(tables, "not simulated", missing_table(validation));
  return tables;
}

std::vector<TitledTable> background_tables(const Validation& validation) {
  std::vector<TitledTable> tables;
  add_table(tables, "assumptions", assumption_table(validation));
  add_table(tables, "sources", source_table(validation));
  return tables;
}

}  // namespace tokenyard::study
