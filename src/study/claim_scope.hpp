#pragma once
// What the formulas of one scenario's claims may refer to: its givens by name, and the functions of
// claim_functions.hpp.
//
// A given is a number, a formula over other givens, or unknown.  Assumptions stand in for givens,
// and so reach every given whose formula uses them:
//
//   given:  lpddr: 136 GB/s;  ingress: unknown;  rate: lpddr * ingress
//   rate                                -> not known: 'ingress'
//   rate, assuming ingress = 45 %       -> 61.2 GB/s
//
// A given whose formula is wrong is reported at its own place, once, and unknown to those that use
// it.
#include <map>
#include <string>
#include <vector>

#include "scenario/claim.hpp"
#include "study/claim_functions.hpp"

namespace tokenyard::study {

class ClaimScope : public formula::Scope {
 public:
  using Assumptions = std::map<std::string, scenario::Assumed>;

  // Contract: all that is passed outlives the scope.
  ClaimScope(const ClaimSetting& setting, const std::map<std::string, scenario::Given>& given,
             const Assumptions& assumptions);

  [[nodiscard]] formula::Lookup variable(const std::string& name) const override;
  [[nodiscard]] formula::Value call(const std::string& name,
                                    const std::vector<Argument>& arguments) const override;
  [[nodiscard]] std::vector<std::string> names() const override;

 private:
  [[nodiscard]] formula::Lookup computed(const std::string& name,
                                         const scenario::FormulaText& formula) const;

  const ClaimSetting& setting_;
  const std::map<std::string, scenario::Given>& given_;
  const Assumptions& assumptions_;
  struct Computed {
    formula::Lookup result;
    ClaimTrail trail;  // of its formula and those of the givens that it needs
  };
  mutable std::map<std::string, Computed> computed_;
  mutable std::vector<std::string> under_way_;
};

// Reports a formula's error at its place; the same error of the same place only once.
void report_formula(Diagnostics& diagnostics, const scenario::FormulaText& formula,
                    const formula::FormulaError& error);

}  // namespace tokenyard::study
