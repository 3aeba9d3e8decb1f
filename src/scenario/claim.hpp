#pragma once
// What a scenario expects, and claims that arithmetic can check.
//
// An expectation names a metric of the simulated run, or says how the claimed number should come
// about: `compute`, a formula over the scenario's givens, the catalog and the performance model.
// Beside it stand what would make the claim agree (`assuming`), other statements that it must agree
// with (`against`), and what no machine can pass (`bound`).  The verdict is not written anywhere:
// it follows from these.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "input/fields.hpp"

namespace tokenyard::scenario {

// A number of any dimension, in base units, with the unit that it was written in.  Tokens are
// counts and have no dimension.
struct AnyNumber {
  double number = 0.0;
  Dim dim{};
  std::string unit = {};  // for people
  double scale = 1.0;     // base units in one of it
};

// One number, or the two ends of a range.
struct Span {
  std::vector<AnyNumber> ends;
};

struct FormulaText {
  std::string text;
  Place where;
  std::string path;
};

// One formula, or one for each end of a range.
struct FormulaSpan {
  std::vector<FormulaText> ends;
};

// An input of the formulas: a number, another formula, or unknown (neither).
struct Given {
  std::optional<AnyNumber> value;
  std::optional<FormulaText> compute;
  std::string source;
  Place where;
};

// What a given would have to be.
struct Assumed {
  AnyNumber value;
  std::string why;
  Place where;
};

struct Against {
  FormulaSpan compute;
  std::string what;                 // "the same page's 37 GB"
  std::optional<double> tolerance;  // absent: that of the claim
};

struct Bound {
  std::optional<FormulaText> at_most, at_least;
  std::string which;  // "SRAM per area"
};

struct ExpectSpec {
  std::string id;
  std::string claim;
  std::string source;
  std::optional<std::string> metric;
  bool measured = false;  // a metric that a machine showed: then it is our model that is off
  // Of what was measured: its range over repeats, in place of the tolerance.  Set by the program.
  std::optional<double> low, high;
  Span value;  // of a metric: one number, in the metric's unit
  FormulaSpan compute;
  double tolerance = 0.0;
  std::map<std::string, Assumed> assuming;
  std::vector<Against> against;
  std::optional<Bound> bound;
  std::string note;
  Place where;       // for messages of later checks
  std::string path;  // "expect[3]"
};

void describe(input::Fields& f, Given& x);
void describe(input::Fields& f, Assumed& x);
void describe(input::Fields& f, Against& x);
void describe(input::Fields& f, Bound& x);
void describe(input::Fields& f, ExpectSpec& x);

}  // namespace tokenyard::scenario

namespace tokenyard::input {

template <>
struct Codec<scenario::AnyNumber> {
  static bool read(ReadContext& context, const Node& node, scenario::AnyNumber& out);
  static void write(JsonWriter& json, const scenario::AnyNumber& value);
  static std::string schema();
};
template <>
struct Codec<scenario::Span> {
  static bool read(ReadContext& context, const Node& node, scenario::Span& out);
  static void write(JsonWriter& json, const scenario::Span& value);
  static std::string schema();
};
template <>
struct Codec<scenario::FormulaText> {
  static bool read(ReadContext& context, const Node& node, scenario::FormulaText& out);
  static void write(JsonWriter& json, const scenario::FormulaText& value);
  static std::string schema();
};
template <>
struct Codec<scenario::FormulaSpan> {
  static bool read(ReadContext& context, const Node& node, scenario::FormulaSpan& out);
  static void write(JsonWriter& json, const scenario::FormulaSpan& value);
  static std::string schema();
};

}  // namespace tokenyard::input
