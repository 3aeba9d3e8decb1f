#pragma once
// Scenario file -> plans: one for each variant of its sweep.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "input/node.hpp"
#include "scenario/choose_parallelism.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

// "--set path=value" of the command line, in order.
using Overrides = std::vector<std::pair<std::string, std::string>>;

struct LoadOptions {
  bool skip_bad_lines =
      false;       // malformed lines of a trace are counted, as if its workload said so
  Fits fits = {};  // needed where parallelism is automatic
  // In place of every model's own, for recordings of models that take longer prompts.
  std::optional<std::int64_t> max_context = {};
};

// Reads the scenario, applies the overrides, expands `sweep:` (the cartesian product of its lists;
// those under its key `zip` go in step) and resolves every variant.  The overrides are the first
// parameters of every variant, so that runs can be told apart by them.  Throws InputError with
// every problem of the scenario, its workload file and the catalog entries it uses.
std::vector<Plan> load_plans(const std::string& scenario_path, const Overrides& overrides,
                             catalog::Catalog& catalog, const LoadOptions& options = {});

// The same of a scenario that has been read, or was made by the program.  scenario_path: where it
// stands; files that it names are looked for beside it.
std::vector<Plan> plans_of(input::Node root, const std::string& scenario_path,
                           const Overrides& overrides, catalog::Catalog& catalog,
                           const LoadOptions& options = {});

}  // namespace tokenyard::scenario
