// Random formulas, computed twice: by the room from text, and here beside the writing of the text.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity_text.hpp"
#include "base/random.hpp"
#include "formula/formula.hpp"
#include "formula/scope.hpp"

using namespace formula_test;
using namespace tokenyard;

namespace {

enum Binding { of_sum = 1, of_product = 2, of_sign = 3, of_power = 4, of_operand = 5 };

struct Written {
  std::string text;
  int binding;  // how tightly its outermost operator binds
  double number;
  bool finite;  // it and all its parts
};

std::string bracketed(const Written& part, int least) {
  return part.binding >= least ? part.text : "(" + part.text + ")";
}

class Writer {
 public:
  explicit Writer(RandomStream& random) : random_(random) {}

  // A formula of dimension s^time * B^data.
  Written formula(int time, int data, int depth) {
    if (depth == 0) return constant(time, data);
    switch (below(5)) {
      case 0:
        return sum(time, data, depth);
      case 1:
        return product(time, data, depth);
      case 2:
        return sign(time, data, depth);
      case 3:
        return power(time, data, depth);
      default:
        return constant(time, data);
    }
  }

 private:
  int below(int end) { return static_cast<int>(random_.uniform() * end); }

  static Written joined(const Written& left, int least_left, char symbol, const Written& right,
                        int least_right, int binding, double number) {
    return {bracketed(left, least_left) + ' ' + symbol + ' ' + bracketed(right, least_right),
            binding, number, left.finite && right.finite && std::isfinite(number)};
  }

  Written constant(int time, int data) {
    const double number = below(10);
    Dim dim;
    dim.time = static_cast<std::int8_t>(time);
    dim.data = static_cast<std::int8_t>(data);
    const std::string text = exact_quantity(number, dim);
    return {dim == kNone ? text : "[" + text + "]", of_operand, number, true};
  }

  Written sum(int time, int data, int depth) {
    const Written left = formula(time, data, depth - 1);
    const Written right = formula(time, data, depth - 1);
    const bool plus = below(2) == 0;
    return joined(left, of_sum, plus ? '+' : '-', right, of_product, of_sum,
                  plus ? left.number + right.number : left.number - right.number);
  }

  Written product(int time, int data, int depth) {
    const int some_time = below(3) - 1;
    const int some_data = below(3) - 1;
    const Written right = formula(some_time, some_data, depth - 1);
    if (below(2) == 0) {
      const Written left = formula(time - some_time, data - some_data, depth - 1);
      return joined(left, of_product, '*', right, of_sign, of_product, left.number * right.number);
    }
    const Written left = formula(time + some_time, data + some_data, depth - 1);
    return joined(left, of_product, '/', right, of_sign, of_product, left.number / right.number);
  }

  Written sign(int time, int data, int depth) {
    const Written part = formula(time, data, depth - 1);
    return {"-" + bracketed(part, of_sign), of_sign, -part.number, part.finite};
  }

  // Squares what has even exponents; else the first power.
  Written power(int time, int data, int depth) {
    const int exponent = time % 2 == 0 && data % 2 == 0 ? 2 : 1;
    const Written base = formula(time / exponent, data / exponent, depth - 1);
    const bool negative = time == 0 && data == 0 && below(2) == 0;
    const double number = negative ? -exponent : exponent;
    const Written written = {(negative ? "-" : "") + std::to_string(exponent),
                             negative ? of_sign : of_operand, number, true};
    return joined(base, of_operand, '^', written, of_sign, of_power, std::pow(base.number, number));
  }

  RandomStream& random_;
};

}  // namespace

TEST_CASE(
    "20000 random formulas, bracketed no more than needed, have the value they were built of") {
  RandomStream random(11, "random formulas");
  int finite = 0;
  for (int i = 0; i < 20000; ++i) {
    const int time = i % 3 - 1;
    const int data = i / 3 % 3 - 1;
    const Written written = Writer(random).formula(time, data, 5);
    if (written.text.size() > 1000) continue;
    CAPTURE(written.text);
    const Formula formula = Formula::parse(written.text);
    if (!written.finite) {
      REQUIRE_THROWS_AS((void)formula.evaluate(MapScope{}), FormulaError);
      continue;
    }
    ++finite;
    const Value value = formula.evaluate(MapScope{});
    REQUIRE(value.number == written.number);
    REQUIRE(value.dim.time == time);
    REQUIRE(value.dim.data == data);
  }
  CHECK(finite > 10000);
}
