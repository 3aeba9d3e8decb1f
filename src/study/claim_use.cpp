#include "study/claim_use.hpp"

#include <set>

#include "base/error.hpp"
#include "formula/formula.hpp"

namespace tokenyard::study {
namespace {

using Givens = std::map<std::string, scenario::Given>;
using Names = std::set<std::string>;

// The names in a formula, and those in the formulas of the givens that these are.
void add_names(const scenario::FormulaText& text, const Givens& givens, Names& names) {
  for (const std::string& name : formula::Formula::parse(text.text).variables()) {
    if (!names.insert(name).second) continue;
    const auto given = givens.find(name);
    if (given != givens.end() && given->second.compute)
      add_names(*given->second.compute, givens, names);
  }
}

void add_names(const scenario::FormulaSpan& span, const Givens& givens, Names& names) {
  for (const scenario::FormulaText& text : span.ends) add_names(text, givens, names);
}

}  // namespace

void refuse_unused(const scenario::ScenarioFile& scenario, Diagnostics& diagnostics) {
  Names used;
  for (const scenario::ExpectSpec& claim : scenario.expect) {
    Names computed;
    add_names(claim.compute, scenario.given, computed);
    for (const auto& [name, assumed] : claim.assuming) {
      // A name that is no given is another mistake, which is said elsewhere.
      if (computed.contains(name) || !scenario.given.contains(name)) continue;
      diagnostics.add(assumed.where, claim.path + ".assuming." + name,
                      "the claim's 'compute' does not use " + quote_word(name));
    }
    used.merge(computed);
    for (const scenario::Against& other : claim.against)
      add_names(other.compute, scenario.given, used);
    if (!claim.bound) continue;
    if (claim.bound->at_most) add_names(*claim.bound->at_most, scenario.given, used);
    if (claim.bound->at_least) add_names(*claim.bound->at_least, scenario.given, used);
  }
  for (const auto& [name, given] : scenario.given) {
    if (!used.contains(name))
      diagnostics.add(given.where, "given." + name, "no claim uses " + quote_word(name));
  }
}

}  // namespace tokenyard::study
