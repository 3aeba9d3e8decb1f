#pragma once
// A scope for tests: variables from a map, and two functions.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "formula/formula.hpp"

namespace formula_test {

using tokenyard::formula::Formula;
using tokenyard::formula::FormulaError;
using tokenyard::formula::Lookup;
using tokenyard::formula::Scope;
using tokenyard::formula::UnknownValue;
using tokenyard::formula::Value;

class MapScope : public Scope {
 public:
  std::map<std::string, Value> values;
  std::map<std::string, std::string> unknown;  // name -> why

  [[nodiscard]] Lookup variable(const std::string& name) const override {
    if (const auto found = values.find(name); found != values.end()) {
      return {Lookup::Kind::value, found->second, {}};
    }
    if (const auto found = unknown.find(name); found != unknown.end()) {
      return {Lookup::Kind::unknown, {}, found->second};
    }
    return {Lookup::Kind::missing, {}, {}};
  }
  // half(a) is half of a; length("text") the number of its letters, in tokens.
  [[nodiscard]] Value call(const std::string& name,
                           const std::vector<Argument>& arguments) const override {
    if (arguments.size() != 1) throw FormulaError("expected one argument");
    const Argument& argument = arguments.front();
    if (name == "half") return {argument.value.number / 2.0, argument.value.dim};
    if (!argument.text) throw FormulaError("expected a text");
    return {static_cast<double>(argument.text->size()), tokenyard::kToken};
  }
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> all = {"half", "length"};
    for (const auto& [name, value] : values) all.push_back(name);
    for (const auto& [name, why] : unknown) all.push_back(name);
    return all;
  }
};

inline Value value(std::string_view text, const MapScope& scope = {}) {
  CAPTURE(text);
  return Formula::parse(text).evaluate(scope);
}

// Of a formula without dimension.
inline double plain(std::string_view text, const MapScope& scope = {}) {
  const Value result = value(text, scope);
  CAPTURE(text);
  CHECK(result.dim == tokenyard::kNone);
  return result.number;
}

// "column: message" of what is wrong with it.
inline std::string problem(std::string_view text, const MapScope& scope = {}) {
  try {
    const Value result = Formula::parse(text).evaluate(scope);
    return "no problem: " + to_text(result);
  } catch (const FormulaError& e) {
    return std::to_string(e.column) + ": " + e.what();
  }
}

}  // namespace formula_test
