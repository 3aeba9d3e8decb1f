#include "report/side_by_side.hpp"

#include <algorithm>
#include <functional>

#include "metrics/metric_table.hpp"

namespace tokenyard::report {
namespace {

using store::RunRecord;

constexpr const char* kShown[] = {"ttft_p50_s",      "ttft_p99_s",          "tpot_p50_s",
                                  "requests_per_s",  "output_tokens_per_s", "slo_attainment",
                                  "it_power_mean_w", "usd_per_mtok_output"};

std::vector<std::string> parameter_paths(const std::vector<RunRecord>& runs) {
  std::vector<std::string> paths;
  for (const RunRecord& run : runs) {
    for (const auto& [path, value] : run.parameters) {
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
  }
  return paths;
}

// The end of `path`, from a dot on, that no other path ends with.
std::string short_name(const std::string& path, const std::vector<std::string>& paths) {
  std::size_t dot = path.rfind('.');
  while (dot != std::string::npos) {
    const std::string end = path.substr(dot);
    const auto same = std::count_if(paths.begin(), paths.end(),
                                    [&](const std::string& p) { return ('.' + p).ends_with(end); });
    if (same == 1) return end.substr(1);
    dot = dot == 0 ? std::string::npos : path.rfind('.', dot - 1);
  }
  return path;
}

Cell parameter_of(const RunRecord& run, const std::string& path) {
  for (const auto& [key, value] : run.parameters) {
    if (key == path) return value;
  }
  return {};
}

Cell metric_of(const RunRecord& run, const std::string& name) {
  for (const metrics::MetricValue& m : run.result.metrics) {
    if (m.name == name) return metrics::format_metric(*metrics::find_metric(name), m.value);
  }
  return {};
}

// "2 unknown, marked: mpu-gen1-page": numbers that nobody has published, and devices that pass a
// physical bound.
std::string doubts_of(const RunRecord& run) {
  const auto unknown =
      std::count_if(run.assumptions.begin(), run.assumptions.end(),
                    [](const store::AssumptionRow& a) { return a.confidence == "unknown"; });
  std::string text = unknown > 0 ? std::to_string(unknown) + " unknown" : "";
  std::string last;
  for (const store::AssumptionRow& a : run.assumptions) {
    const std::string entry = a.key.substr(0, a.key.find(':'));  // "device mpu-gen1-page"
    if (a.confidence != "marked" || entry == last) continue;
    text += (text.empty() ? "marked: " : (last.empty() ? ", marked: " : ", ")) +
            entry.substr(entry.find(' ') + 1);
    last = entry;
  }
  return text;
}

void add_column(Table& table, const std::vector<RunRecord>& runs, const std::string& name,
                const std::function<Cell(const RunRecord&)>& cell) {
  table.columns.push_back(name);
  for (std::size_t i = 0; i < runs.size(); ++i) table.rows[i].push_back(cell(runs[i]));
}

}  // namespace

Table side_by_side(const std::vector<RunRecord>& runs) {
  Table table;
  table.rows.resize(runs.size());
  const auto any = [&](const auto& holds) { return std::any_of(runs.begin(), runs.end(), holds); };
  if (any([&](const RunRecord& run) { return run.scenario != runs.front().scenario; }))
    add_column(table, runs, "scenario", [](const RunRecord& run) { return run.scenario; });
  const std::vector<std::string> paths = parameter_paths(runs);
  for (const std::string& path : paths) {
    add_column(table, runs, short_name(path, paths),
               [&](const RunRecord& run) { return parameter_of(run, path); });
  }
  // Where machines differ, how many of them it takes.
  const Cell devices = metric_of(runs.front(), "devices");
  if (any([&](const RunRecord& run) {
        return run.status == store::RunStatus::done && metric_of(run, "devices") != devices;
      }))
    add_column(table, runs, "devices",
               [](const RunRecord& run) { return metric_of(run, "devices"); });
  for (const std::string name : kShown) {
    if (any([&](const RunRecord& run) { return metric_of(run, name) != Cell(); }))
      add_column(table, runs, name, [&](const RunRecord& run) { return metric_of(run, name); });
  }
  if (any([](const RunRecord& run) { return !doubts_of(run).empty(); }))
    add_column(table, runs, "rests on", [](const RunRecord& run) { return doubts_of(run); });
  // Last, since reasons are long.
  const auto reasons = [&](store::RunStatus status, const std::string& title) {
    if (!any([&](const RunRecord& run) { return run.status == status; })) return;
    add_column(table, runs, title, [&](const RunRecord& run) -> Cell {
      return run.status == status ? Cell(run.message) : Cell();
    });
  };
  reasons(store::RunStatus::failed, "failed");
  reasons(store::RunStatus::unfit, "cannot run it");
  return table;
}

}  // namespace tokenyard::report
