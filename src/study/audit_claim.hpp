#pragma once
// One claim of a scenario, from its formulas to a row of the audit.
#include <optional>

#include "study/audit.hpp"
#include "study/claim_functions.hpp"
#include "study/claim_scope.hpp"

namespace tokenyard::study {

// The claims of one plan.  Contract: what is passed outlives it.
class ClaimChecker {
 public:
  // metrics: of the plan's simulated run; null: it is not simulated (yet).
  ClaimChecker(const PoolModels& pools, catalog::Catalog& catalog, Diagnostics& diagnostics,
               const std::vector<metrics::MetricValue>* metrics);

  // Nothing when the claim is wrong, which goes to the diagnostics, or when the plan has to be
  // simulated first: then needs_simulation() is true from here on.
  std::optional<AuditRow> check(const scenario::ExpectSpec& claim);
  // The formulas of all givens, so that a wrong one that no claim uses is found as well.
  void check_givens();
  [[nodiscard]] bool needs_simulation() const { return needs_simulation_; }

 private:
  struct Result {
    Ends ends;                                          // empty: not known, or wrong
    std::string unknown;                                // what is not known ...
    const scenario::FormulaText* unknown_in = nullptr;  // ... of which formula
  };
  [[nodiscard]] Result evaluate(const scenario::FormulaSpan& span, const formula::Scope& scope,
                                Dim dim);
  void gather_known(const scenario::ExpectSpec& claim, Dim dim, Evidence& evidence);
  // Of what must be known; else it is reported, and nothing comes back.
  Ends known_ends(const scenario::FormulaSpan& span, Dim dim);
  std::optional<double> known(const std::optional<scenario::FormulaText>& formula, Dim dim);
  void gather_computed(const scenario::ExpectSpec& claim, Dim dim, Evidence& evidence,
                       std::string& unknown);
  void gather_metric(const scenario::ExpectSpec& claim, Evidence& evidence);
  void check_names(const scenario::ExpectSpec& claim);

  const PoolModels& pools_;
  Diagnostics& diagnostics_;
  ClaimTrail trail_;    // of the claim under way
  bool wrong_ = false;  // the claim under way
  bool needs_simulation_ = false;
  ClaimSetting setting_;
  ClaimScope::Assumptions nothing_assumed_;
  ClaimScope plain_;
};

}  // namespace tokenyard::study
