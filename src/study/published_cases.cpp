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

struct PublishedRows {
  std::vector<PublishedRow> rows;
  std::size_t runs = 0;
};

// What a row measures, in tokenyard's terms; or why it cannot be compared, and then as it stands.
struct ReadRow {
  RowConditions conditions;
  RowNumbers numbers;
  std::string metric;
  double value = 0.0;
};

// Rows that become one case.
struct RowGroup {
  RowConditions conditions;
  RowNumbers numbers;                                      // of the first row
  std::vector<std::pair<PublishedRow, std::string>> rows;  // with their metric
  std::vector<double> values;                              // parallel, in that metric's unit
};

// Cases and runs are told apart by what is checked here: an id is of one run, and a run has each
// metric once.
class Repetitions {
 public:
  void refuse(const PublishedRow& row, Diagnostics& diagnostics) {
    const int line = row.row.place().line;
    const auto [known, is_new_id] = ids_.try_emplace(row.id, row.run, line);
    if (!is_new_id && known->second.first != row.run && !row.id.empty()) {
      row.row.refuse("id",
                     quote_word(row.id) + " is the id of another run, on line " +
                         std::to_string(known->second.second),
                     diagnostics);
    }
    const std::pair<std::size_t, std::string> metric{row.run, row.row.text("metric")};
    const auto [first, is_new] = metrics_.try_emplace(metric, line);
    if (is_new || metric.second.empty()) return;
    row.row.refuse(
        "metric", "a second one of this run; the first is on line " + std::to_string(first->second),
        diagnostics);
  }

 private:
  std::map<std::string, std::pair<std::size_t, int>> ids_;      // run and line of the first row
  std::map<std::pair<std::size_t, std::string>, int> metrics_;  // its line
};

PublishedRows read_rows(const MeasuredCsv& csv) {
  Diagnostics diagnostics;
  PublishedRows read;
  std::map<std::vector<std::string>, std::size_t> runs;
  Repetitions repetitions;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    PublishedRow row{csv.row(i), "", 0.0, 0};
    row.id = row.row.word("id", diagnostics);
    for (const char* column : {"source", "hardware", "model", "metric"})
      static_cast<void>(row.row.word(column, diagnostics));
    row.value = row.row.positive("value", diagnostics);
    std::vector<std::string> columns;
    for (const char* column : kRunColumns) columns.emplace_back(row.row.text(column));
    row.run = runs.emplace(std::move(columns), runs.size()).first->second;
    repetitions.refuse(row, diagnostics);
    read.rows.push_back(std::move(row));
  }
  read.runs = runs.size();
  diagnostics.throw_if_any();
  return read;
}

// Without the listing: for a row of a table.
std::string in_one_line(const InputError& error) {
  const Diagnostic& first = error.diagnostics().front();
  return (first.path.empty() ? "" : first.path + ": ") + first.message;
}

// The row's number times what its unit is; absent: the rules do not accept the unit.
std::optional<double> stated_value(const PublishedRow& row, const RowConditions& conditions) {
  const auto unit = conditions.units.find(std::string(row.row.text("unit")));
  if (unit == conditions.units.end()) return std::nullopt;
  return row.value * unit->second;
}

// Why the rules cannot make a measurement of the row, or "".
std::string problem_of(const PublishedRow& row, const RowConditions& conditions) {
  if (!conditions.problem.empty()) return conditions.problem;
  const std::string metric = quote_word(row.row.text("metric"));
  if (conditions.metric.empty())
    return "no rule says what its metric " + metric + " is in a simulation";
  if (conditions.units.empty()) return "no rule says what units its metric " + metric + " has";
  if (stated_value(row, conditions)) return "";
  std::string accepted;
  for (const auto& [unit, times] : conditions.units)
    accepted += (accepted.empty() ? "" : ", ") + unit;
  return "its metric " + metric + " has the unit " + quote_word(row.row.text("unit")) +
         "; accepted: " + accepted;
}

ReadRow read_row(const PublishedRow& row, RowConditions conditions,
                 std::optional<double> throughput) {
  ReadRow read{std::move(conditions), {}, std::string(row.row.text("metric")), row.value};
  RowConditions& said = read.conditions;
  said.problem = problem_of(row, said);
  read.numbers = numbers_of(row.row, stated_value(row, said).value_or(row.value), throughput);
  if (!said.problem.empty()) return read;
  try {
    if (said.devices) read.numbers["devices"] = {evaluate(*said.devices, read.numbers).number, ""};
    const double value = evaluate(said.value, read.numbers).number;
    if (value > 0.0) {
      read.metric = said.metric;
      read.value = value;
    } else {
      said.problem =
          "'" + said.value.text + "' is " + plain_number(value) + "; expected more than 0";
    }
  } catch (const InputError& error) {
    said.problem = in_one_line(error);
  }
  return read;
}

// What makes two rows of a run different simulations.
std::string group_key(const PublishedRow& row, const RowConditions& conditions) {
  JsonWriter json;
  input::Codec<ScenarioSettings>::write(json, conditions.set);
  return std::to_string(row.run) + '\n' + conditions.problem + '\n' + json.text();
}

std::vector<RowGroup> group_rows(const PublishedRows& read, const PublishedConditions& rules) {
  std::vector<RowConditions> said;
  std::vector<std::optional<double>> throughput(read.runs);
  for (const PublishedRow& row : read.rows) {
    said.push_back(conditions_of(rules, row.row));
    if (row.row.text("metric") == "output_throughput")
      throughput[row.run] = stated_value(row, said.back());
  }
  std::vector<RowGroup> groups;
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < read.rows.size(); ++i) {
    const PublishedRow& row = read.rows[i];
    ReadRow is = read_row(row, std::move(said[i]), throughput[row.run]);
    const auto [at, is_new] = index.emplace(group_key(row, is.conditions), groups.size());
    if (is_new) groups.push_back({std::move(is.conditions), std::move(is.numbers), {}, {}});
    RowGroup& group = groups[at->second];
    group.rows.emplace_back(row, std::move(is.metric));
    group.values.push_back(is.value);
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

// The plan of a case, or its problem: an odd row is no mistake of the file, and the others are
// simulated all the same.
void plan_case(MeasuredCase& found, const RowGroup& group, const std::string& rules_path,
               const CaseOptions& options, catalog::Catalog& catalog) {
  try {
    PublishedPlan made =
        published_plan(found.id, group.conditions, group.numbers, options, catalog);
    if (made.plan) found.plans.push_back(std::move(*made.plan));
    found.problem = std::move(made.problem);
  } catch (const InputError& error) {
    // What the scenario of a row says is from the rules or has the case's id for its file.  A mistake
    // elsewhere is one of the catalog, to be shown in its place.
    const std::string& file = error.diagnostics().front().place.file;
    if (!file.empty() && file != found.id && file != rules_path) throw;
    found.problem = in_one_line(error);
  }
}

MeasuredCase case_of(const RowGroup& group, const std::string& rules_path,
                     const CaseOptions& options, catalog::Catalog& catalog) {
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
    plan_case(found, group, rules_path, options, catalog);
    found.assumptions = group.conditions.assumptions;
  }
  label(found, group);
  return found;
}

}  // namespace

std::vector<MeasuredCase> published_cases(const MeasuredCsv& csv, catalog::Catalog& catalog,
                                          const CaseOptions& options) {
  const PublishedRows read = read_rows(csv);
  const std::string rules_path = catalog.root() + "/workloads/published-conditions.yaml";
  const PublishedConditions rules = load_conditions(rules_path);
  std::vector<MeasuredCase> cases;
  for (const RowGroup& group : group_rows(read, rules))
    cases.push_back(case_of(group, rules_path, options, catalog));
  return cases;
}

}  // namespace tokenyard::study
