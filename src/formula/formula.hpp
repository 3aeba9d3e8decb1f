#pragma once
// Arithmetic with units, as text: what a scenario computes from numbers that it names.
//
//   sum      = product (('+' | '-') product)*
//   product  = signed (('*' | '/') signed)*
//   signed   = '-' signed | power
//   power    = operand ('^' signed)?                    from the right: 2^3^2 = 512; -2^2 = -4
//   operand  = number | '[' quantity ']' | name | name '(' (argument (',' argument)*)? ')'
//            | '(' sum ')'
//   argument = sum | '"' any text '"'
//   number   = 12, 0.5, 1.5e9: plain.  A quantity is spelled as in any file: [3.35 TB/s], [45 %].
//   name     = a-z or '_', then a-z, 0-9 or '_'
//
// Every value carries its dimension.  '+', '-', min and max take equal dimensions; '*' and '/'
// combine them; '^' takes a whole exponent after a value with a dimension and any plain one after a
// plain value.  Tokens are counts here and their dimension is dropped, so that "tokens per second
// times bytes" is bytes per second: [17000 tokens/s] is 17000 per second.
//
// Built in: min(a, b, ...) and max(a, b, ...); abs(a); and of plain numbers ceil, floor, round
// (halves away from zero), sqrt, ln, log2, exp.  Every other name belongs to the caller's Scope.
//
// Worked example, time per token of 70.6 G parameters of 2 bytes read by eight devices:
//   [70.6 G] * [2 B] / (8 * [3.35 TB/s])  =  141.2 GB / 26.8 TB/s  =  5.27 ms
//
// Whatever is no finite number is an error, never a result: a division by zero, ln(0), an overflow.
// A formula has at most 1000 bytes.
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.hpp"

namespace tokenyard::formula {

struct Value {
  double number = 0.0;  // base units
  Dim dim{};
};

// For people: three significant digits, "3.35 TB/s".
std::string to_text(const Value& value);

// The formula is wrong: its text, or what it does with the values that it was given.
class FormulaError : public std::runtime_error {
 public:
  explicit FormulaError(const std::string& message, std::size_t column_from_1 = 0)
      : std::runtime_error(message), column(column_from_1) {}
  // In characters of the formula's text, from 1; 0 where no place is known.
  std::size_t column;
};

// The formula is right, but needs a value that nobody knows.
class UnknownValue : public std::runtime_error {
 public:
  UnknownValue(const std::string& unknown_name, const std::string& why);
  std::string name;
};

struct Lookup {
  // unknown: the name is right, its value is not known.  missing: there is no such name.
  enum class Kind { value, unknown, missing } kind = Kind::missing;
  Value value;
  std::string why;  // of an unknown value; may be empty
};

// What a formula may refer to.
class Scope {
 public:
  struct Argument {
    std::optional<std::string> text;  // else the value
    Value value;
  };

  virtual ~Scope() = default;
  [[nodiscard]] virtual Lookup variable(const std::string& name) const = 0;
  // Of a function that is among names() and not built in.  Throws FormulaError for arguments that
  // are wrong, UnknownValue for a result that nobody knows.
  [[nodiscard]] virtual Value call(const std::string& name,
                                   const std::vector<Argument>& arguments) const = 0;
  // All variables and functions.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
};

class Formula {
 public:
  // Throws FormulaError, with its column and what would be right there.
  static Formula parse(std::string_view text);

  // Throws FormulaError; or UnknownValue, but only where every name exists, so that a misspelling
  // does not hide behind a value that is not known yet.
  [[nodiscard]] Value evaluate(const Scope& scope) const;

  // The variables that it names: sorted, each once.
  [[nodiscard]] std::vector<std::string> variables() const;
  [[nodiscard]] const std::string& text() const;

 private:
  struct Parsed;
  explicit Formula(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace tokenyard::formula
