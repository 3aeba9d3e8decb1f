#include "formula/functions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace tokenyard::formula {
namespace {

struct PlainFunction {
  std::string_view name;
  double (*apply)(double);
};
// Of one plain number.
constexpr auto kPlain = std::to_array<PlainFunction>({
    {"ceil", [](double x) { return std::ceil(x); }},
    {"floor", [](double x) { return std::floor(x); }},
    {"round", [](double x) { return std::round(x); }},
    {"sqrt", [](double x) { return std::sqrt(x); }},
    {"ln", [](double x) { return std::log(x); }},
    {"log2", [](double x) { return std::log2(x); }},
    {"exp", [](double x) { return std::exp(x); }},
});

const PlainFunction* find_plain(std::string_view name) {
  for (const PlainFunction& f : kPlain) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

Value apply_plain(const PlainFunction& function, const Value& argument) {
  const std::string name(function.name);
  if (!(argument.dim == kNone)) {
    throw FormulaError("'" + name + "' of " + name_dim(argument.dim) + "; expected a plain number");
  }
  const double result = function.apply(argument.number);
  if (!std::isfinite(result)) {
    throw FormulaError("'" + name + "' of " + to_text(argument) + " is no finite number");
  }
  return {result, kNone};
}

Value extreme(const std::string& name, const std::vector<Scope::Argument>& arguments) {
  Value best = arguments.front().value;
  for (const Scope::Argument& argument : arguments) {
    if (!(argument.value.dim == best.dim)) {
      throw FormulaError("'" + name + "' compares " + name_dim(best.dim) + " and " +
                         name_dim(argument.value.dim) + "; all must have the same dimension");
    }
    best.number = name == "min" ? std::min(best.number, argument.value.number)
                                : std::max(best.number, argument.value.number);
  }
  return best;
}

}  // namespace

std::vector<std::string> built_in_names() {
  std::vector<std::string> names = {"min", "max", "abs"};
  for (const PlainFunction& f : kPlain) names.emplace_back(f.name);
  return names;
}

bool is_built_in(const std::string& name) {
  return name == "min" || name == "max" || name == "abs" || find_plain(name) != nullptr;
}

Value call_built_in(const std::string& name, const std::vector<Scope::Argument>& arguments) {
  const bool compares = name == "min" || name == "max";
  if (compares ? arguments.size() < 2 : arguments.size() != 1) {
    throw FormulaError("'" + name + "' has " + std::to_string(arguments.size()) +
                       (arguments.size() == 1 ? " argument" : " arguments") + "; expected " +
                       (compares ? "two or more" : "one"));
  }
  for (const Scope::Argument& argument : arguments) {
    if (!argument.text) continue;
    throw FormulaError("'" + name + "' of the text " + quote_word(*argument.text) +
                       "; expected a value");
  }
  if (compares) return extreme(name, arguments);
  const Value& value = arguments.front().value;
  if (name == "abs") return {std::abs(value.number), value.dim};
  const PlainFunction* plain = find_plain(name);
  check(plain != nullptr, "a built-in function that does not exist was called");
  return apply_plain(*plain, value);
}

}  // namespace tokenyard::formula
