#include "cli/validate_page.hpp"

#include <algorithm>

#include "metrics/metric_table.hpp"
#include "report/html.hpp"
#include "report/scatter_chart.hpp"

namespace tokenyard::cli {
namespace {

// Of a case, as one looks for it in the tables: its labels and conditions.
std::string described(const study::MeasuredCase& c) {
  std::string text = c.id;
  for (const auto& names : {c.labels, c.conditions}) {
    for (const auto& [name, value] : names) {
      if (!value.empty()) text += ", " + name + ' ' + value;
    }
  }
  return text;
}

std::string chart_of(const study::Validation& validation, const metrics::MetricInfo& metric) {
  const auto text_of = [&](double value) { return metrics::format_metric(metric, value); };
  report::ScatterChart chart{.title = metric.name, .text_of = text_of, .points = {}};
  for (const study::ValidationPoint& p : validation.points) {
    if (!p.predicted || p.measured.metric != metric.name) continue;
    const study::MeasuredCase& c = validation.cases[p.at];
    // Readers name the device first.
    const std::string series = c.labels.empty() ? "" : c.labels.front().second;
    chart.points.push_back({series, p.measured.value, *p.predicted,
                            described(c) + ": measured " + text_of(p.measured.value) +
                                ", predicted " + text_of(*p.predicted)});
  }
  return report::scatter_svg(chart);
}

report::HtmlSection section_of(const study::ValidatedFile& file) {
  report::HtmlSection section{file.name, {}};
  for (const metrics::MetricInfo& metric : metrics::metric_table()) {
    std::string chart = chart_of(file.validation, metric);
    if (!chart.empty()) section.parts.push_back(std::move(chart));
  }
  for (const study::TitledTable& table : study::error_tables(file.validation))
    section.parts.push_back(report::html_table(table.table, table.title));
  for (const study::TitledTable& table : study::background_tables(file.validation))
    section.parts.push_back(report::html_table(table.table, table.title));
  return section;
}

}  // namespace

std::string validation_page(const std::vector<study::ValidatedFile>& files,
                            const std::vector<ValidatedSessions>& sessions) {
  std::vector<report::HtmlSection> sections;
  for (const study::ValidatedFile& file : files) sections.push_back(section_of(file));
  for (const ValidatedSessions& s : sessions) {
    sections.push_back({s.name,
                        {report::html_table(study::prefix_table(s.validation),
                                            "prompt tokens found in the cache")}});
  }
  return report::html_page(
      "Predicted and measured",
      "What tokenyard " TOKENYARD_VERSION
      " predicts for conditions under which others have measured. error = predicted / measured - "
      "1; "
      "bias is its median; 'inside spread' counts predictions within the range of repeated "
      "measurements; half of that range is how far single repeats are from their middle.",
      sections);
}

}  // namespace tokenyard::cli
