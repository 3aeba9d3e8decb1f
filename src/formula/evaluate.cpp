#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "formula/ast.hpp"
#include "formula/functions.hpp"

namespace tokenyard::formula {
namespace {

// Far above any physical quantity, and keeps exponents inside their eight bits.
constexpr int kHighestExponent = 16;

// A value from outside the formula: what it counts as tokens is a plain count from here on.
Value entering(Value value, std::string_view token) {
  if (!std::isfinite(value.number)) {
    throw FormulaError("the value of " + quote_word(token) + " is no finite number");
  }
  value.dim.token = 0;
  return value;
}

// The dimension of a * b^times.
Dim product_dim(Dim a, Dim b, int times) {
  const auto exponent = [&](int of_a, int of_b) {
    const int sum = of_a + of_b * times;
    if (std::abs(sum) > kHighestExponent) {
      throw FormulaError("the result has a unit to the power of " + std::to_string(sum) +
                         "; the highest is " + std::to_string(kHighestExponent));
    }
    return static_cast<std::int8_t>(sum);
  };
  return {.time = exponent(a.time, b.time),
          .data = exponent(a.data, b.data),
          .flop = exponent(a.flop, b.flop),
          .energy = exponent(a.energy, b.energy),
          .money = exponent(a.money, b.money),
          .token = exponent(a.token, b.token),
          .mass = exponent(a.mass, b.mass)};
}

Value power(const Value& base, const Value& exponent) {
  if (!(exponent.dim == kNone)) {
    throw FormulaError("the exponent of '^' is " + name_dim(exponent.dim) +
                       "; expected a plain number");
  }
  if (base.number == 0.0 && exponent.number < 0.0) throw FormulaError("division by zero");
  if (base.dim == kNone) return {std::pow(base.number, exponent.number), kNone};
  const bool whole = exponent.number == std::trunc(exponent.number);
  if (!whole || std::abs(exponent.number) > kHighestExponent) {
    throw FormulaError("'^' raises " + name_dim(base.dim) + " to " + three_digits(exponent.number) +
                       "; expected a whole exponent from -" + std::to_string(kHighestExponent) +
                       " to " + std::to_string(kHighestExponent));
  }
  return {std::pow(base.number, exponent.number),
          product_dim(kNone, base.dim, static_cast<int>(exponent.number))};
}

Value operate(char symbol, const Value& left, const Value& right) {
  switch (symbol) {
    case '+':
    case '-':
      if (!(left.dim == right.dim)) {
        throw FormulaError(std::string("'") + symbol + "' joins " + name_dim(left.dim) + " and " +
                           name_dim(right.dim) + "; both sides must have the same dimension");
      }
      return {symbol == '+' ? left.number + right.number : left.number - right.number, left.dim};
    case '*':
      return {left.number * right.number, product_dim(left.dim, right.dim, 1)};
    case '/':
      if (right.number == 0.0) throw FormulaError("division by zero");
      return {left.number / right.number, product_dim(left.dim, right.dim, -1)};
    default:
      check(symbol == '^', "an operator that the grammar does not have");
      return power(left, right);
  }
}

// Walks the tree.  An error that knows no column gets that of the node where it arose.
class Evaluation {
 public:
  Evaluation(std::string_view text, const Scope& scope) : text_(text), scope_(scope) {}

  [[nodiscard]] Value of(const NodePtr& node) const {
    try {
      return std::visit([&](const auto& what) { return result(*node, what); }, node->what);
    } catch (const FormulaError& e) {
      if (e.column != 0) throw;
      throw FormulaError(e.what(), column_of(text_, node->token.data()));
    }
  }

 private:
  [[nodiscard]] static Value result(const Node& node, const Constant& constant) {
    return entering(constant.value, node.token);
  }

  [[nodiscard]] Value result(const Node& node, const Variable&) const {
    const std::string name(node.token);
    const Lookup found = scope_.variable(name);
    if (found.kind == Lookup::Kind::unknown) throw UnknownValue(name, found.why);
    check(found.kind == Lookup::Kind::value, "a name that was found missing is evaluated");
    return entering(found.value, node.token);
  }

  [[nodiscard]] Value result(const Node&, const Negation& negation) const {
    const Value operand = of(negation.operand);
    return {-operand.number, operand.dim};
  }

  [[nodiscard]] Value result(const Node& node, const Operation& operation) const {
    const Value left = of(operation.left);
    const Value right = of(operation.right);
    const Value value = operate(node.token.front(), left, right);
    if (!std::isfinite(value.number)) {
      throw FormulaError("'" + std::string(node.token) + "' of " + to_text(left) + " and " +
                         to_text(right) + " is no finite number");
    }
    return value;
  }

  [[nodiscard]] Value result(const Node& node, const Call& call) const {
    const std::string function(node.token);
    std::vector<Scope::Argument> arguments;
    for (const CallArgument& argument : call.arguments) {
      if (const auto* text = std::get_if<std::string>(&argument)) {
        arguments.push_back({.text = *text, .value = {}});
      } else {
        arguments.push_back({.text = std::nullopt, .value = of(std::get<NodePtr>(argument))});
      }
    }
    if (is_built_in(function)) return call_built_in(function, arguments);
    return entering(scope_.call(function, arguments), node.token);
  }

  std::string_view text_;
  const Scope& scope_;
};

// Calls `visit` for each name in the order of the text.
template <class Visit>
void for_each_name(const NodePtr& node, const Visit& visit) {
  if (std::holds_alternative<Variable>(node->what)) {
    visit(*node);
  } else if (const auto* negation = std::get_if<Negation>(&node->what)) {
    for_each_name(negation->operand, visit);
  } else if (const auto* operation = std::get_if<Operation>(&node->what)) {
    for_each_name(operation->left, visit);
    for_each_name(operation->right, visit);
  } else if (const auto* call = std::get_if<Call>(&node->what)) {
    visit(*node);
    for (const CallArgument& argument : call->arguments) {
      if (const auto* value = std::get_if<NodePtr>(&argument)) for_each_name(*value, visit);
    }
  }
}

// What is wrong with a name, or "".
std::string name_problem(const Node& node, const Scope& scope) {
  const std::string name(node.token);
  if (std::holds_alternative<Variable>(node.what)) {
    if (scope.variable(name).kind != Lookup::Kind::missing) return "";
    if (is_built_in(name)) return "'" + name + "' is a function; expected '(' after it";
    return "unknown name " + quote_word(name) + suggestion(name, scope.names());
  }
  if (is_built_in(name)) return "";
  std::vector<std::string> names = scope.names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return "";
  for (const std::string& built_in : built_in_names()) names.push_back(built_in);
  return "unknown function " + quote_word(name) + suggestion(name, names);
}

}  // namespace

UnknownValue::UnknownValue(const std::string& unknown_name, const std::string& why)
    : std::runtime_error("the value of '" + unknown_name + "' is not known" +
                         (why.empty() ? "" : ": " + why)),
      name(unknown_name) {}

std::string to_text(const Value& value) {
  return format_quantity(value.number, value.dim);
}

Value Formula::evaluate(const Scope& scope) const {
  for_each_name(parsed_->root, [&](const Node& node) {
    const std::string problem = name_problem(node, scope);
    if (problem.empty()) return;
    throw FormulaError(problem, column_of(parsed_->text, node.token.data()));
  });
  return Evaluation(parsed_->text, scope).of(parsed_->root);
}

std::vector<std::string> Formula::variables() const {
  std::set<std::string> names;
  for_each_name(parsed_->root, [&](const Node& node) {
    if (std::holds_alternative<Variable>(node.what)) names.emplace(node.token);
  });
  return {names.begin(), names.end()};
}

const std::string& Formula::text() const {
  return parsed_->text;
}

}  // namespace tokenyard::formula
