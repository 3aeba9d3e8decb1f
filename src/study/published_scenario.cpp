#include "study/published_scenario.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "perf/step_model.hpp"
#include "scenario/resolve.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {
namespace {

using catalog::EntryKind;
using input::Node;

// Nothing but the totals of a run is wanted; prompts that are measured are new ones.  The site takes
// racks of one system, which some of the machines are; it changes nothing that is compared.
constexpr const char* kScenario = R"(fleet:
  site: us-liquid
  pools:
    - name: main
      count: auto
      deploy: {activations: auto}
serving:
  scheduler: {max_batch: 1024, max_batch_tokens: 8192}
store_requests: none
sample_interval: 0 s
unfit: report
)";

std::string whole_path(const std::string& path) {
  if (path.starts_with("pool.")) return "fleet.pools[main]." + path.substr(5);
  if (path.starts_with("deploy.")) return "fleet.pools[main].deploy." + path.substr(7);
  return path;
}

void set(Node& root, const std::string& path, Node value) {
  const Place place = value.place;
  const std::string problem = input::set_path(root, whole_path(path), std::move(value));
  if (problem.empty()) return;
  Diagnostics diagnostics;
  diagnostics.add(place, path, problem);
  diagnostics.throw_if_any();
}

void set(Node& root, const std::string& path, const std::string& text) {
  Node value;
  value.kind = Node::Kind::scalar;
  value.scalar = text;
  set(root, path, std::move(value));
}

std::string text_at(const ScenarioSettings& settings, const std::string& path) {
  const Node* value = settings.find(path);
  return value != nullptr ? value->scalar : "";
}

// Ways to share a replica; a setting that is no number is the scenario's to complain of.
double ways(const ScenarioSettings& settings, const std::string& path) {
  const std::string text = text_at(settings, path);
  double number = 1.0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && last == end && number == std::floor(number) ? number : 1.0;
}

// What the catalog lacks of a setting's names; "" when it has all of them.
std::string missing_entry(const ScenarioSettings& settings, catalog::Catalog& catalog) {
  const auto missing = [&](EntryKind kind, const Node* name) -> std::string {
    if (name == nullptr || catalog.exists(kind, name->scalar)) return "";
    return "no " + std::string(input::name_of(kind)) + " '" + name->scalar + "' in the catalog";
  };
  std::string problem = missing(EntryKind::model, settings.find("deploy.model"));
  if (problem.empty()) problem = missing(EntryKind::node, settings.find("pool.node"));
  const Node* pools = settings.find("fleet.pools");
  for (std::size_t i = 0; pools != nullptr && problem.empty() && i < pools->items.size(); ++i) {
    const Node* deploy = pools->items[i].find("deploy");
    problem = missing(EntryKind::node, pools->items[i].find("node"));
    if (problem.empty() && deploy != nullptr)
      problem = missing(EntryKind::model, deploy->find("model"));
  }
  if (!problem.empty()) return problem;
  Diagnostics diagnostics;
  for (const char* path : {"deploy.weights", "deploy.expert_weights", "deploy.kv"}) {
    const std::string format = text_at(settings, path);
    if (format.empty() || format == "auto") continue;
    const std::vector<std::string> known = catalog.format_names(diagnostics);
    diagnostics.throw_if_any();
    if (std::find(known.begin(), known.end(), format) == known.end())
      return "no number format '" + format + "' in the catalog";
  }
  return "";
}

// What is wrong with the number of devices of a run, or "".
std::string devices_problem(const RowNumber& devices) {
  constexpr double kMost = 1e6;  // more than anybody has, and far inside 64 bits
  if (!devices.value) return "its number of devices is not known: " + devices.why;
  if (*devices.value >= 1.0 && *devices.value <= kMost) return "";
  return "its number of devices is " + plain_number(*devices.value) + "; expected 1 to " +
         plain_number(kMost);
}

// Why the devices are no whole number of replicas, or "".
std::string place_replicas(Node& root, const ScenarioSettings& settings, double devices,
                           catalog::Catalog& catalog) {
  if (settings.find("fleet.pools") != nullptr) return "";
  Diagnostics diagnostics;
  const catalog::NodeSpec* node = catalog.node(text_at(settings, "pool.node"), diagnostics);
  diagnostics.throw_if_any();
  check(node != nullptr, "a node that exists and has no errors is there");
  const double in_node = static_cast<double>(node->device_count());
  const double in_replica = ways(settings, "deploy.tensor_parallel") *
                            ways(settings, "deploy.attention_data_parallel") *
                            ways(settings, "deploy.pipeline_parallel");
  if (settings.find("deploy.replicas") == nullptr) {
    // Of replicas of 0 devices the remainder is no number, which is not 0 either.
    if (std::fmod(devices, in_replica) != 0.0)
      return "its number of devices is " + plain_number(devices) + "; expected a multiple of the " +
             plain_number(in_replica) + " of a replica";
    set(root, "deploy.replicas", plain_number(devices / in_replica));
  }
  if (settings.find("pool.count") == nullptr)
    set(root, "pool.count", plain_number(std::ceil(devices / in_node)));
  return "";
}

}  // namespace

PublishedPlan published_plan(const std::string& id, const RowConditions& conditions,
                             const RowNumbers& numbers, const CaseOptions& options,
                             catalog::Catalog& catalog) {
  const ScenarioSettings& settings = conditions.set;
  if (settings.find("fleet.pools") == nullptr) {
    if (settings.find("pool.node") == nullptr) return {{}, "no rule names a node for its hardware"};
    if (settings.find("deploy.model") == nullptr) return {{}, "no rule names its model"};
  }
  const bool loaded =
      std::any_of(settings.values.begin(), settings.values.end(),
                  [](const auto& setting) { return setting.first.starts_with("workload"); });
  if (!loaded) return {{}, "no rule says what its load is"};
  if (std::string problem = missing_entry(settings, catalog); !problem.empty())
    return {{}, std::move(problem)};
  const RowNumber& devices = numbers.at("devices");
  if (std::string problem = devices_problem(devices); !problem.empty())
    return {{}, std::move(problem)};
  Diagnostics diagnostics;
  Node root = input::parse_yaml(kScenario, id, diagnostics);
  set(root, "name", id);
  set(root, "calibration", options.calibration);
  ScenarioSettings known;
  for (const auto& [path, value] : settings.values) {
    known.set(path, worked_out(value, numbers));
    set(root, path, *known.find(path));
  }
  if (std::string problem = place_replicas(root, known, *devices.value, catalog); !problem.empty())
    return {{}, std::move(problem)};
  diagnostics.throw_if_any();
  std::vector<scenario::Plan> plans =
      scenario::plans_of(std::move(root), id, {}, catalog, {.fits = perf::fits});
  check(plans.size() == 1, "published conditions make one plan");
  mark_unfit(plans.front());
  check_plan(plans.front());
  if (!plans.front().unfit.empty()) return {{}, plans.front().unfit};
  return {std::move(plans.front()), ""};
}

}  // namespace tokenyard::study
