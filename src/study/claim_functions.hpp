#pragma once
// The functions that formulas of claims may call: numbers of the catalog, counts of a model's
// architecture, and times of a deployed replica.
//
// Each function is one row of a table: its name, its parameters with their kinds, and what it does.
// Arguments are checked against the row before it runs.
//
// Worked example: weight_read("llama-3.1-405b", "bf16", 1) = (405.85 G - 2.10 G of input embedding)
// parameters * 2 B = 807.5 GB.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "formula/formula.hpp"
#include "metrics/run_result.hpp"
#include "perf/step_model.hpp"
#include "scenario/plan.hpp"

namespace tokenyard::study {

// The performance models of a plan's pools, each made when it is first asked for.  A pool stands
// for its first deployment.  Contract: the plan outlives it.
class PoolModels {
 public:
  struct Pool {
    const scenario::PoolPlan* plan;
    const scenario::DeploymentPlan* deployment;
    std::unique_ptr<perf::StepModel> steps;
  };

  explicit PoolModels(const scenario::Plan& plan) : plan_(&plan) {}
  // Throws FormulaError for a name that no pool has, and where the model does not fit the pool.
  [[nodiscard]] const Pool& pool(const std::string& name) const;
  [[nodiscard]] const scenario::Plan& plan() const { return *plan_; }

 private:
  const scenario::Plan* plan_;
  mutable std::map<std::string, Pool> made_;
};

// What the evaluation of a claim came across.
struct ClaimTrail {
  bool metric_asked = false;  // a metric of the simulated run
  bool wrong_given = false;   // a given whose formula is wrong, which is reported already

  void add(const ClaimTrail& other) {
    metric_asked |= other.metric_asked;
    wrong_given |= other.wrong_given;
  }
};

// What the functions look things up in.
struct ClaimSetting {
  catalog::Catalog& catalog;
  Diagnostics& diagnostics;  // gets the errors of catalog entries
  const PoolModels& pools;
  ClaimTrail& trail;
  // Of the simulated run; null: not simulated (yet).
  const std::vector<metrics::MetricValue>* metrics = nullptr;
};

struct ClaimParameter {
  std::string_view name;
  bool is_text = false;
  Dim dim = kNone;  // of a value
};

// Arguments that have passed the check: as many as parameters, each of its kind.
class ClaimArguments {
 public:
  ClaimArguments(const std::vector<ClaimParameter>& parameters,
                 const std::vector<formula::Scope::Argument>& arguments)
      : parameters_(parameters), arguments_(arguments) {}
  [[nodiscard]] const std::string& text(std::size_t i) const { return *arguments_[i].text; }
  [[nodiscard]] double number(std::size_t i) const { return arguments_[i].value.number; }
  // Throws FormulaError unless the number is above zero.
  [[nodiscard]] double positive(std::size_t i) const;
  // Throws FormulaError unless the number is whole and from `least` to `most`.
  [[nodiscard]] std::int64_t count(std::size_t i, std::int64_t least, std::int64_t most) const;

 private:
  const std::vector<ClaimParameter>& parameters_;
  const std::vector<formula::Scope::Argument>& arguments_;
};

struct ClaimFunction {
  std::string_view name;
  std::vector<ClaimParameter> parameters;
  formula::Value (*call)(const ClaimSetting& setting, const ClaimArguments& arguments);
};

const std::vector<ClaimFunction>& catalog_functions();
const std::vector<ClaimFunction>& model_functions();
const std::vector<ClaimFunction>& pool_functions();

// The names of all of them.
std::vector<std::string> claim_function_names();
// Throws FormulaError for arguments that are wrong, UnknownValue for what nobody has published.
formula::Value call_claim_function(const ClaimSetting& setting, const std::string& name,
                                   const std::vector<formula::Scope::Argument>& arguments);

// A catalog entry of that name.  Throws FormulaError with the nearest name; the errors of an entry
// that is wrong go to the setting's diagnostics.
const catalog::Device& device_of(const ClaimSetting& setting, const std::string& name);
const catalog::NodeSpec& node_of(const ClaimSetting& setting, const std::string& name);
const catalog::Model& model_of(const ClaimSetting& setting, const std::string& name);
double bytes_of_format(const ClaimSetting& setting, const std::string& name);

}  // namespace tokenyard::study
