#include "study/steady_cases.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "metrics/metric_table.hpp"
#include "perf/placement.hpp"
#include "scenario/resolve.hpp"
#include "study/device_alias.hpp"
#include "study/run_plan.hpp"
#include "study/steady_conditions.hpp"

namespace tokenyard::study {
namespace {

// What the rows of one case must agree in.
constexpr std::array<std::string_view, 12> kConditions{"device",
                                                       "num_devices",
                                                       "model",
                                                       "weights",
                                                       "expert_weights",
                                                       "tensor_parallel",
                                                       "attention_data_parallel",
                                                       "expert_parallel",
                                                       "input_tokens",
                                                       "output_tokens",
                                                       "concurrency",
                                                       "engines"};

SteadyRow read_conditions(const MeasuredRow& row, Diagnostics& d) {
  SteadyRow r;
  r.device = row.word("device", d);
  r.devices = row.count("num_devices", d);
  r.model = row.word("model", d);
  r.weights = row.word("weights", d);
  r.expert_weights = row.text("expert_weights").empty() ? r.weights : row.text("expert_weights");
  r.tensor = row.count("tensor_parallel", d);
  r.attention_data = row.count("attention_data_parallel", d);
  r.expert = row.count("expert_parallel", d);
  r.input_tokens = row.count("input_tokens", d);
  r.output_tokens = row.count("output_tokens", d);
  r.concurrency = row.count("concurrency", d);
  r.engines = row.text("engines");
  return r;
}

std::vector<std::string> times_without_unit() {
  std::vector<std::string> names;
  for (const metrics::MetricInfo& m : metrics::metric_table()) {
    if (m.unit == "s") names.push_back(m.name.substr(0, m.name.size() - 2));
  }
  return names;
}

Measurement read_measurement(const MeasuredRow& row, Diagnostics& d) {
  static const std::map<std::string, double, std::less<>> kUnits{
      {"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}};
  static const std::vector<std::string> kTimes = times_without_unit();
  Measurement m;
  m.where = row.place("value");
  const std::string metric = row.word("metric", d);
  m.metric = metric + "_s";
  if (!metric.empty() && std::find(kTimes.begin(), kTimes.end(), metric) == kTimes.end())
    row.refuse("metric",
               quote_word(metric) + " is no time that is simulated" + suggestion(metric, kTimes),
               d);
  const std::string unit = row.word("unit", d);
  const auto scale = kUnits.find(unit);
  if (scale == kUnits.end()) {
    if (!unit.empty())
      row.refuse("unit", quote_word(unit) + " is no unit of time; accepted: s, ms, us", d);
    return m;
  }
  m.value = row.positive("value", d) * scale->second;
  if (row.count("repeats", d) < 2) return m;
  m.low = row.positive("spread_low", d) * scale->second;
  m.high = row.positive("spread_high", d) * scale->second;
  if (*m.low > m.value || *m.high < m.value) {
    row.refuse("spread_low",
               "the spread of " + std::string(row.text("spread_low")) + " to " +
                   std::string(row.text("spread_high")) + " does not hold the value, " +
                   std::string(row.text("value")),
               d);
  }
  return m;
}

std::string band_of(std::int64_t concurrency) {
  if (concurrency <= 4) return "1-4";
  if (concurrency <= 16) return "5-16";
  if (concurrency <= 64) return "17-64";
  return concurrency <= 128 ? "65-128" : "129+";
}

std::string parallelism_of(const SteadyRow& r) {
  std::string text = "tp" + std::to_string(r.tensor);
  if (r.attention_data > 1) text += " adp" + std::to_string(r.attention_data);
  if (r.expert > 1) text += " ep" + std::to_string(r.expert);
  return text;
}

// Of one replica.
constexpr const char* kScenario = R"(name: steady
store_requests: none
unfit: report
workload:
  name: steady
  generator: {kind: fixed-concurrency}
fleet:
  pools:
    - name: main
      count: 1
      deploy: {activations: auto, replicas: 1}
)";

input::Node scenario_of(const std::string& id, const SteadyRow& r, const SteadyConditions& how,
                        const std::string& node, const Place& place, const CaseOptions& options,
                        const catalog::Catalog& catalog) {
  const scenario::FleetSpec usual;
  const std::string generator = "workload.generator.";
  const std::string deploy = "fleet.pools[main].deploy.";
  const std::string scheduler = "serving.scheduler.";
  const std::pair<std::string, std::string> values[] = {
      {"name", "steady " + id},
      {"calibration", options.calibration},
      {generator + "concurrency", std::to_string(r.concurrency)},
      {generator + "requests", std::to_string(how.requests)},
      {generator + "input", how.input},
      {generator + "output", how.output},
      {scheduler + "policy", how.policy},
      {scheduler + "max_batch", std::to_string(how.max_batch)},
      {scheduler + "max_batch_tokens", std::to_string(how.max_batch_tokens)},
      {"fleet.site", entry_or_first(catalog, catalog::EntryKind::site, usual.site)},
      {"fleet.fabric", entry_or_first(catalog, catalog::EntryKind::fabric, usual.fabric)},
      {"fleet.pools[main].node", node},
      {deploy + "model", r.model},
      {deploy + "weights", how.weights},
      {deploy + "expert_weights", how.expert_weights},
      {deploy + "expert_skew", how.expert_skew},
      {deploy + "kv", how.kv},
      {deploy + "tensor_parallel", std::to_string(r.tensor)},
      {deploy + "expert_parallel", std::to_string(r.expert)},
      {deploy + "attention_data_parallel", std::to_string(r.attention_data)}};
  Diagnostics diagnostics;
  input::Node root = input::parse_yaml(kScenario, place.file, diagnostics);
  root.place = place;
  for (const auto& [path, text] : values) {
    if (text.empty()) continue;
    input::Node value = input::parse_yaml(text, place.file, diagnostics);
    value.place = place;
    const std::string problem = input::set_path(root, path, std::move(value));
    check(problem.empty(), "the scenario of a measured case has a place for all its values");
  }
  diagnostics.throw_if_any();
  return root;
}

// A plan for each serving software, or the problem.
void plan_case(MeasuredCase& c, const SteadyRow& r, const CatalogName& device, const Place& place,
               const CaseOptions& options, catalog::Catalog& catalog, Diagnostics& diagnostics) {
  c.problem = device.problem;
  if (!c.problem.empty()) return;
  if (!catalog.exists(catalog::EntryKind::model, r.model)) {
    c.problem = "no model " + quote_word(r.model) + " in the catalog" +
                suggestion(r.model, catalog.names(catalog::EntryKind::model));
    return;
  }
  const CatalogName node = node_with(device.name, r.devices, catalog, diagnostics);
  c.problem = node.problem;
  if (!c.problem.empty()) return;
  const catalog::Model* const model = catalog.model(r.model, diagnostics);
  if (model == nullptr) return;
  const bool has_experts = model->ffn.kind == catalog::FfnKind::moe;
  const std::vector<SteadyConditions> conditions = steady_conditions(r, has_experts);
  c.assumptions = describe_conditions(conditions);
  try {
    for (const SteadyConditions& how : conditions) {
      std::vector<scenario::Plan> plans =
          scenario::plans_of(scenario_of(c.id, r, how, node.name, place, options, catalog),
                             place.file, {}, catalog, {.fits = perf::fits});
      check(plans.size() == 1, "a measured case makes one plan for each serving software");
      mark_unfit(plans.front());
      check_plan(plans.front());
      c.problem = plans.front().unfit;
      if (!c.problem.empty()) break;
      plans.front().parameters.emplace_back("serving_software", how.software);
      c.plans.push_back(std::move(plans.front()));
    }
  } catch (const InputError& error) {
    const Diagnostic& first = error.diagnostics().front();
    c.problem = (first.path.empty() ? "" : first.path + ": ") + first.message;
  }
  if (!c.problem.empty()) c.plans.clear();
}

MeasuredCase case_of(const std::string& id, const SteadyRow& r, const Place& place,
                     const CaseOptions& options, catalog::Catalog& catalog,
                     Diagnostics& diagnostics) {
  MeasuredCase c;
  c.id = id;
  const CatalogName device = device_called(r.device, catalog);
  c.labels = {
      {"device", device.name.empty() ? r.device : device.name},
      {"model", r.model},
      {"precision",
       r.expert_weights == r.weights ? r.weights : r.weights + ", experts " + r.expert_weights},
      {"parallelism", parallelism_of(r)},
      {"concurrency_band", band_of(r.concurrency)},
      {"input_tokens", std::to_string(r.input_tokens)},
      {"output_tokens", std::to_string(r.output_tokens)},
      {"software", r.engines}};
  c.conditions = {{"devices", std::to_string(r.devices)},
                  {"concurrency", std::to_string(r.concurrency)}};
  c.source = r.engines.empty() ? "measured" : "measured with " + r.engines;
  if (r.tensor * r.attention_data != r.devices) {
    c.problem = std::to_string(r.devices) + " devices for tensor_parallel " +
                std::to_string(r.tensor) + " * attention_data_parallel " +
                std::to_string(r.attention_data);
    return c;
  }
  plan_case(c, r, device, place, options, catalog, diagnostics);
  return c;
}

// Where a case stands among all and by which row it began.
struct Begun {
  std::size_t at = 0;
  MeasuredRow row;
};

void refuse_other_conditions(const MeasuredRow& row, const MeasuredRow& first,
                             Diagnostics& diagnostics) {
  for (const std::string_view column : kConditions) {
    if (row.text(column) == first.text(column)) continue;
    row.refuse(column,
               quote_word(row.text(column)) + " is not the " + quote_word(first.text(column)) +
                   " of line " + std::to_string(first.place().line) + ", which has the same id",
               diagnostics);
  }
}

}  // namespace

std::vector<MeasuredCase> steady_cases(const MeasuredCsv& csv, catalog::Catalog& catalog,
                                       const CaseOptions& options) {
  check(csv.kind() == MeasuredKind::steady, "another kind of file is read as steady");
  Diagnostics diagnostics;
  std::vector<MeasuredCase> cases;
  std::map<std::string, Begun> begun;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const MeasuredRow row = csv.row(i);
    const std::string id = row.word("id", diagnostics);
    const SteadyRow conditions = read_conditions(row, diagnostics);
    Measurement measurement = read_measurement(row, diagnostics);
    const auto [found, is_new] = begun.emplace(id, Begun{cases.size(), row});
    if (is_new) {
      cases.push_back(case_of(id, conditions, row.place(), options, catalog, diagnostics));
    } else {
      refuse_other_conditions(row, found->second.row, diagnostics);
    }
    std::vector<Measurement>& all = cases[found->second.at].measurements;
    for (const Measurement& other : all) {
      if (other.metric != measurement.metric) continue;
      row.refuse(
          "metric",
          "a second one of this id; the first is on line " + std::to_string(other.where.line),
          diagnostics);
    }
    all.push_back(std::move(measurement));
  }
  diagnostics.throw_if_any();
  return cases;
}

}  // namespace tokenyard::study
