#include "study/published_cases.hpp"

#include <array>
#include <map>
#include <utility>

#include "study/published_conditions.hpp"
#include "study/published_scenario.hpp"

namespace tokenyard::study {
namespace {

// Columns that are the same for all rows of one run.
constexpr std::array kRunColumns = {"source", "hardware",  "num_devices",
                                    "model",  "precision", "scenario",
                                    "isl",    "osl",       "batch_or_concurrency_or_rate"};

struct PublishedRow {
  MeasuredRow row;
  std::string id;
  double value = 0.0;
  std::size_t run = 0;
};

// Rows that become one case.
struct RowGroup {
  RowConditions conditions;
  RowNumbers numbers;                                      // of the first row
  std::vector<std::pair<PublishedRow, std::string>> rows;  // with their metric
  std::vector<double> values;                              // parallel, in that metric's unit
};

struct PublishedRows {
  std::vector<PublishedRow> rows;
  std::vector<std::optional<double>> throughput;  // by run
};

PublishedRows read_rows(const MeasuredCsv& csv) {
  Diagnostics diagnostics;
  PublishedRows read;
  std::map<std::vector<std::string>, std::size_t> runs;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    PublishedRow row{csv.row(i), "", 0.0, 0};
    row.id = row.row.word("id", diagnostics);
    for (const char* column : {"source", "hardware", "model", "metric"})
      static_cast<void>(row.row.word(column, diagnostics));
    row.value = row.row.positive("value", diagnostics);
    std::vector<std::string> columns;
    for (const char* column : kRunColumns) columns.emplace_back(row.row.text(column));
    row.run = runs.emplace(std::move(columns), runs.size()).first->second;
    read.throughput.resize(runs.size());
    if (row.row.text("metric") == "output_throughput") read.throughput[row.run] = row.value;
    read.rows.push_back(std::move(row));
  }
  diagnostics.throw_if_any();
  return read;
}

// What makes two rows of a run different simulations.
std::string group_key(const PublishedRow& row, const RowConditions& conditions) {
  JsonWriter json;
  input::Codec<ScenarioSettings>::write(json, conditions.set);
  return std::to_string(row.run) + '\n' + conditions.problem + '\n' + json.text();
}

std::vector<RowGroup> group_rows(const PublishedRows& read, const PublishedConditions& rules) {
  std::vector<RowGroup> groups;
  std::map<std::string, std::size_t> index;
  for (const PublishedRow& row : read.rows) {
    RowConditions conditions = conditions_of(rules, row.row);
    RowNumbers numbers = numbers_of(row.row, row.value, read.throughput[row.run]);
    const std::string stated(row.row.text("metric"));
    if (conditions.problem.empty() && conditions.metric.empty())
      conditions.problem = "no rule says what its metric '" + stated + "' is in a simulation";
    double value = row.value;
    std::string metric = stated;
    if (conditions.problem.empty()) {
      if (conditions.devices) numbers["devices"] = evaluate(*conditions.devices, numbers).number;
      value = evaluate(conditions.value, numbers).number;
      metric = conditions.metric;
    }
    const auto [at, is_new] = index.emplace(group_key(row, conditions), groups.size());
    if (is_new) groups.push_back({std::move(conditions), std::move(numbers), {}, {}});
    RowGroup& group = groups[at->second];
    group.rows.emplace_back(row, std::move(metric));
    group.values.push_back(value);
  }
  return groups;
}

// "tp8 ep8 adp8, 2 replicas"
std::string parallelism_of(const scenario::DeploymentPlan& d) {
  std::string text = "tp" + std::to_string(d.spec.tensor_parallel);
  if (d.spec.expert_parallel > 1) text += " ep" + std::to_string(d.spec.expert_parallel);
  if (d.attention_data_parallel > 1) text += " adp" + std::to_string(d.attention_data_parallel);
  if (d.spec.pipeline_parallel > 1) text += " pp" + std::to_string(d.spec.pipeline_parallel);
  return text;
}

void label(MeasuredCase& found, const RowGroup& group) {
  const MeasuredRow& row = group.rows.front().first.row;
  std::string device(row.text("hardware"));
  std::string model(row.text("model"));
  std::string parallelism;
  if (!found.plans.empty()) {
    const scenario::PoolPlan& pool = found.plans.front().pools.front();
    const scenario::DeploymentPlan& d = pool.deployments.front();
    device = pool.devices[d.device].name;
    if (found.plans.front().pools.size() > 1) device += " and others";
    model = d.model.name;
    parallelism = parallelism_of(d);
  }
  found.labels = {{"device", std::move(device)},
                  {"model", std::move(model)},
                  {"precision", std::string(row.text("precision"))},
                  {"benchmark", group.conditions.benchmark},
                  {"regime", group.conditions.regime},
                  {"parallelism", std::move(parallelism)}};
}

MeasuredCase case_of(const RowGroup& group, const CaseOptions& options, catalog::Catalog& catalog) {
  const PublishedRow& first = group.rows.front().first;
  MeasuredCase found;
  found.id = first.id;
  found.source = std::string(first.row.text("source")) + ", " +
                 std::string(first.row.text("url_or_repo_path"));
  found.problem = group.conditions.problem;
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    const auto& [row, metric] = group.rows[i];
    found.measurements.push_back({metric, group.values[i], {}, {}, row.row.place("value")});
  }
  if (found.problem.empty()) {
    PublishedPlan made =
        published_plan(found.id, group.conditions, group.numbers, options, catalog);
    if (made.plan) found.plans.push_back(std::move(*made.plan));
    found.problem = std::move(made.problem);
    found.assumptions = group.conditions.assumptions;
  }
  label(found, group);
  return found;
}

}  // namespace

std::vector<MeasuredCase> published_cases(const MeasuredCsv& csv, catalog::Catalog& catalog,
                                          const CaseOptions& options) {
  const PublishedRows read = read_rows(csv);
  const PublishedConditions rules =
      load_conditions(catalog.root() + "/workloads/published-conditions.yaml");
  std::vector<MeasuredCase> cases;
  for (const RowGroup& group : group_rows(read, rules))
    cases.push_back(case_of(group, options, catalog));
  return cases;
}

}  // namespace tokenyard::study
