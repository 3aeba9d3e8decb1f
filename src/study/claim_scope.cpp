#include "study/claim_scope.hpp"

#include <algorithm>
#include <utility>

namespace tokenyard::study {

using formula::Lookup;

ClaimScope::ClaimScope(const ClaimSetting& setting,
                       const std::map<std::string, scenario::Given>& given,
                       const Assumptions& assumptions)
    : setting_(setting), given_(given), assumptions_(assumptions) {}

Lookup ClaimScope::variable(const std::string& name) const {
  const auto assumed = assumptions_.find(name);
  if (assumed != assumptions_.end()) {
    const scenario::AnyNumber& value = assumed->second.value;
    return {Lookup::Kind::value, {value.number, value.dim}, ""};
  }
  const auto found = given_.find(name);
  if (found == given_.end()) return {};
  const scenario::Given& given = found->second;
  if (given.value) return {Lookup::Kind::value, {given.value->number, given.value->dim}, ""};
  if (given.compute) return computed(name, *given.compute);
  return {Lookup::Kind::unknown, {}, given.source};
}

Lookup ClaimScope::computed(const std::string& name, const scenario::FormulaText& text) const {
  const auto known = computed_.find(name);
  if (known != computed_.end()) {
    setting_.trail.add(known->second.trail);
    return known->second.result;
  }
  const auto again = std::find(under_way_.begin(), under_way_.end(), name);
  if (again != under_way_.end()) {
    std::string circle;
    for (auto it = again; it != under_way_.end(); ++it) circle += "'" + *it + "' needs ";
    throw formula::FormulaError("goes round in a circle: " + circle + "'" + name + "'");
  }
  under_way_.push_back(name);
  const ClaimTrail before = std::exchange(setting_.trail, {});
  Lookup result{Lookup::Kind::unknown, {}, "its formula is wrong"};
  try {
    result = {Lookup::Kind::value, formula::Formula::parse(text.text).evaluate(*this), ""};
  } catch (const formula::FormulaError& error) {
    report_formula(setting_.diagnostics, text, error);
    setting_.trail.wrong_given = true;
  } catch (const formula::UnknownValue& unknown) {
    result.why = unknown.what();
  }
  under_way_.pop_back();
  computed_[name] = {result, setting_.trail};
  setting_.trail.add(before);
  return result;
}

formula::Value ClaimScope::call(const std::string& name,
                                const std::vector<Argument>& arguments) const {
  return call_claim_function(setting_, name, arguments);
}

std::vector<std::string> ClaimScope::names() const {
  std::vector<std::string> names = claim_function_names();
  for (const auto& [name, given] : given_) names.push_back(name);
  return names;
}

void report_formula(Diagnostics& diagnostics, const scenario::FormulaText& text,
                    const formula::FormulaError& error) {
  const std::string at =
      error.column > 0 ? " (character " + std::to_string(error.column) + ")" : "";
  const std::string message = "'" + text.text + "'" + at + ": " + error.what();
  for (const Diagnostic& earlier : diagnostics.list()) {
    if (earlier.path == text.path && earlier.message == message &&
        earlier.place.file == text.where.file && earlier.place.line == text.where.line) {
      return;
    }
  }
  diagnostics.add(text.where, text.path, message);
}

}  // namespace tokenyard::study
