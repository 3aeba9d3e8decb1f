#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.hpp"
#include "formula/formula.hpp"
#include "formula/scope.hpp"

using namespace formula_test;
using tokenyard::RandomStream;

TEST_CASE("products bind before sums: 2 + 3 * 4 = 14, (2 + 3) * 4 = 20") {
  CHECK(plain("2 + 3 * 4") == 14.0);
  CHECK(plain("(2 + 3) * 4") == 20.0);
  CHECK(plain("2*3+4") == 10.0);
  CHECK(plain("((7))") == 7.0);
}

TEST_CASE("'-' and '/' read from the left: 10 - 4 - 3 = 3, 100 / 5 / 4 = 5, 12 / 2 * 3 = 18") {
  CHECK(plain("10 - 4 - 3") == 3.0);
  CHECK(plain("10 - (4 - 3)") == 9.0);
  CHECK(plain("100 / 5 / 4") == 5.0);
  CHECK(plain("12 / 2 * 3") == 18.0);
}

TEST_CASE("'^' reads from the right and before a sign: 2^3^2 = 512, -2^2 = -4, 2^-1 = 0.5") {
  CHECK(plain("2^3^2") == 512.0);
  CHECK(plain("(2^3)^2") == 64.0);
  CHECK(plain("-2^2") == -4.0);
  CHECK(plain("(-2)^2") == 4.0);
  CHECK(plain("2^-1") == 0.5);
  CHECK(plain("2^-2^2") == 0.0625);
  CHECK(plain("3 * 2^2") == 12.0);
}

TEST_CASE("signs may follow operators and each other: 5 - -3 = 8, --2 = 2, 6 * -2 = -12") {
  CHECK(plain("5 - -3") == 8.0);
  CHECK(plain("--2") == 2.0);
  CHECK(plain("6 * -2") == -12.0);
  CHECK(plain("-(1 + 2)") == -3.0);
}

TEST_CASE("numbers have points and exponents, and read as the nearest double") {
  CHECK(plain("12") == 12.0);
  CHECK(plain("1.5e9") == 1.5e9);
  CHECK(plain("1E-3") == 1e-3);
  CHECK(plain("2e+2") == 200.0);
  CHECK(plain(".5") == 0.5);
  CHECK(plain("5.") == 5.0);
  CHECK(plain("0.1") == 0.1);
  CHECK(plain("123456789.123456789") == 123456789.123456789);
}

TEST_CASE(
    "a quantity in brackets is spelled as in any file: [45 %] = 0.45, [12 pJ/bit] = 96 pJ/B") {
  CHECK(plain("[45 %]") == 0.45);
  CHECK(plain("[70.6 G]") == 70.6e9);
  CHECK(plain("[12]") == 12.0);
  CHECK(plain("[-3]") == -3.0);
  CHECK(to_text(value("[12 pJ/bit]")) == "96.0 pJ/B");
  CHECK(value("[ 384 MiB ]").number == 402653184.0);
}

TEST_CASE("spaces and line breaks may stand anywhere but inside a name or a number") {
  CHECK(plain(" 2\n +\t3 ") == 5.0);
  CHECK(plain("max ( 1 , 2 )") == 2.0);
  CHECK(problem("1 2") ==
        "3: unexpected '2'; expected an operator or the end; quantities stand in "
        "square brackets, such as '[80 GB]'");
  CHECK(problem("a b", {}) == "3: unexpected 'b'; expected an operator or the end");
}

TEST_CASE("names are told from functions by the bracket after them, and listed sorted and once") {
  const Formula formula =
      Formula::parse("b2 * half(_a + b2) / min(x, half(3), [1 s]) + length(\"q\")");
  CHECK(formula.variables() == std::vector<std::string>{"_a", "b2", "x"});
  CHECK(formula.text() == "b2 * half(_a + b2) / min(x, half(3), [1 s]) + length(\"q\")");
  CHECK(Formula::parse("1 + 2").variables().empty());
}

TEST_CASE("a formula keeps its text and tree when it is copied and its source is gone") {
  std::string text = "a + 1";
  const Formula first = Formula::parse(text);
  const Formula copy = first;
  text.assign(5, '#');
  MapScope scope;
  scope.values["a"] = {2.0, {}};
  CHECK(copy.text() == "a + 1");
  CHECK(copy.evaluate(scope).number == 3.0);
}

TEST_CASE("a text argument is taken as it stands, brackets and spaces included") {
  CHECK(plain("length(\" a(b]c \")") == 7.0);
  CHECK(plain("length( \"\" )") == 0.0);
  CHECK(plain("length(\"llama-3.1-405b\")") == 14.0);
}

TEST_CASE("a formula that ends too early says what is missing") {
  const std::string operand = "a number, a quantity in square brackets, a name, '-' or '('";
  CHECK(problem("") == "1: the formula ends too early; expected " + operand);
  CHECK(problem("  ") == "3: the formula ends too early; expected " + operand);
  CHECK(problem("1 +") == "4: the formula ends too early; expected " + operand);
  CHECK(problem("2 ^ ") == "5: the formula ends too early; expected " + operand);
  CHECK(problem("(1 + 2") == "7: the formula ends too early; expected an operator or ')'");
  CHECK(problem("max(1, 2") == "9: the formula ends too early; expected an operator, ',' or ')'");
  CHECK(problem("[3 TB/s") == "8: the formula ends too early; expected ']'");
  CHECK(problem("length(\"abc") == "12: the formula ends too early; expected '\"'");
}

TEST_CASE("a formula that goes astray shows where, and what would be right") {
  const std::string operand = "a number, a quantity in square brackets, a name, '-' or '('";
  CHECK(problem("* 2") == "1: unexpected '*'; expected " + operand);
  CHECK(problem("2 + * 3") == "5: unexpected '*'; expected " + operand);
  CHECK(problem("()") == "2: unexpected ')'; expected " + operand);
  CHECK(problem("(1 + 2))") == "8: unexpected ')'; expected an operator or the end");
  CHECK(problem("max(1; 2)") == "6: unexpected ';'; expected an operator, ',' or ')'");
  const std::string argument =
      "a number, a quantity in square brackets, a name, '-', '(' or text in double quotes";
  CHECK(problem("max(1, )") == "8: unexpected ')'; expected " + argument);
  CHECK(problem("max(, 1)") == "5: unexpected ','; expected " + argument);
  CHECK(problem("max( ") == "6: the formula ends too early; expected " + argument);
  CHECK(problem("1 + \"a\"") == "5: unexpected '\"'; expected " + operand);
  CHECK(problem("Abc + 1") == "1: unexpected 'Abc'; expected " + operand);
  CHECK(problem("1.2.3") == "4: unexpected '.'; expected an operator or the end");
  CHECK(problem("1 + \xc3\xa9t") == "5: unexpected '\xc3\xa9'; expected " + operand);
}

TEST_CASE("a quantity without its brackets is told of them") {
  CHECK(problem("80 GB + [1 GB]") ==
        "4: unexpected 'GB'; expected an operator or the end; quantities stand in square brackets, "
        "such as '[80 GB]'");
  CHECK(problem("(45 %)") ==
        "5: unexpected '%'; expected an operator or ')'; quantities stand in square brackets, such "
        "as '[80 GB]'");
}

TEST_CASE("a wrong quantity is refused in the words of any file, at its own column") {
  CHECK(problem("1 + [80 gb]") == "6: '80 gb': unknown unit 'gb'; did you mean 'GB'?");
  CHECK(problem("[fast]") ==
        "2: 'fast' is not a quantity; expected a number with a unit, such as '3.35 TB/s'");
  CHECK(problem("1e999") == "1: '1e999' is too large or too small for a number");
}

TEST_CASE("columns count characters, not bytes: behind two letters of two bytes each") {
  CHECK(problem("length(\"\xc3\xa9\xc3\xa9\") + ?") ==
        "16: unexpected '?'; expected a number, a quantity in square brackets, a name, '-' or '('");
}

TEST_CASE("1000 bytes are a formula, however deeply nested; 1001 are none") {
  CHECK(plain(std::string(499, '(') + "42" + std::string(499, ')')) == 42.0);
  CHECK(plain(std::string(998, '-') + "42") == 42.0);
  std::string tower = "1";
  for (int i = 0; i < 499; ++i) tower += "^1";
  CHECK(plain(tower) == 1.0);
  std::string chain = "1";
  for (int i = 0; i < 499; ++i) chain += "+1";
  CHECK(plain(chain) == 500.0);
  std::string calls;
  for (int i = 0; i < 199; ++i) calls += "abs(";
  CHECK(plain(calls + "7" + std::string(199, ')')) == 7.0);
  CHECK(plain(std::string(998, ' ') + "42") == 42.0);
  CHECK(problem(std::string(999, ' ') + "42") == "0: the formula is longer than 1000 bytes");
}

TEST_CASE("any text is a formula or refused at a column inside it") {
  RandomStream random(7, "formula soup");
  const std::vector<std::string> pieces = {
      "1", "2.5", "1e3", "a",    "b_1",  "half",     "min",    "ln",   "(",     ")",
      "[", "]",   ",",   "\"",   "+",    "-",        "*",      "/",    "^",     " ",
      "%", "GB",  "\n",  "\xc3", "\xa9", "[3 TB/s]", "[45 %]", "max(", "\"x\"", "."};
  MapScope scope;
  scope.values["a"] = {3.0, tokenyard::kTime};
  int formulas = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    const int length = 1 + static_cast<int>(random.uniform() * 8.0);
    for (int j = 0; j < length; ++j) {
      text +=
          pieces[static_cast<std::size_t>(random.uniform() * static_cast<double>(pieces.size()))];
    }
    CAPTURE(text);
    try {
      const Formula formula = Formula::parse(text);
      ++formulas;
      (void)formula.evaluate(scope);
    } catch (const FormulaError& e) {
      REQUIRE(e.column >= 1);
      REQUIRE(e.column <= text.size() + 1);
    }
  }
  // One text in 8 is one piece, and 10 of the 30 pieces are formulas: some 830, and longer ones.
  CHECK(formulas > 800);
}
