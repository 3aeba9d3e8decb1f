#pragma once
// Claims on the toy catalog, or on the shipped one, for tests of the audit.
#include <string>

#include "perf/placement.hpp"
#include "study/audit.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::study {

// The head of a file of claims that asks for no machine.
inline const std::string kLeaflet = "name: leaflet\nsource: a leaflet\n";

// The toy scenario without host overhead: what it computes is arithmetic.
inline const std::string kToyMachine =
    test::kToyScenario +
    "serving: {host: {per_step: 0 s, per_sequence: 0 s, per_request: 0 s, per_input_token: 0 s}}\n";

inline Audit audit_of(const test::ToyYard& yard, const std::string& text,
                      const AuditOptions& options = {}) {
  catalog::Catalog catalog(yard.file(""));
  return audit(yard.plans(text), catalog, options);
}

inline AuditRow only_row(const test::ToyYard& yard, const std::string& text) {
  const Audit result = audit_of(yard, text);
  check(result.rows.size() == 1, "a test expects one claim");
  return result.rows.front();
}

// What `formula` comes to on the toy machine, in base units; `unit` is that of the result.
inline double toy_value(const std::string& formula, const std::string& unit = "") {
  const test::ToyYard yard;
  return only_row(yard, kToyMachine + "expect: [{id: x, claim: x, value: 1 " + unit +
                            ", compute: '" + formula + "'}]\n")
      .compared.at(0);
}

// The same with the shipped catalog and no machine.
inline double shipped_value(const std::string& formula, const std::string& unit = "") {
  const test::ToyYard yard;
  yard.write("s.yaml", kLeaflet + "expect: [{id: x, claim: x, value: 1 " + unit + ", compute: '" +
                           formula + "'}]\n");
  catalog::Catalog catalog(TOKENYARD_SOURCE_DIR);
  return audit(scenario::load_plans(yard.file("s.yaml"), {}, catalog), catalog, {})
      .rows.at(0)
      .compared.at(0);
}

// What is wrong with the claims in `text`.
inline std::string audit_refusal(const std::string& text) {
  const test::ToyYard yard;
  return yard.message_of([&] { static_cast<void>(audit_of(yard, text)); });
}

}  // namespace tokenyard::study
