#pragma once
// Under what conditions a published number was measured: workloads/published-conditions.yaml.
//
// Who publishes a number says on what machine, with what model and under what load in words of his
// own.  The file's rules say what the words mean.  A rule has a pattern for some of the row's columns
// and says something of every row that they match.  The rules are applied from top to bottom: what a
// later one says stands, assumptions add up.
//
//   rules:
//     - when: {source: "MLPerf*", scenario: Offline}      '*': any text; 'a|b': one of the two
//       benchmark: MLPerf offline
//       set:                                              of the scenario; `=`: a formula
//         workload.generator: {kind: fixed-concurrency, concurrency: "=4096 * devices", ...}
//     - when: {metric: decode_throughput}
//       metric: itl_p50_s                                 as tokenyard names it,
//       units: {tok/s: 1}                                 accepted of the row, and what one is,
//       value: load / value                               in that metric's unit
//     - when: {model: "GLM-4.7*"}
//       problem: its architecture is not in the catalog
//
// Names in formulas, numbers all: value (of the row, times what its unit is), isl, osl, load and
// num_devices (the first number in the column of that name; load: in batch_or_concurrency_or_rate),
// depth (the second one of isl: the 32768 of "pp2048 @ d32768"), throughput (the output_throughput
// measured in the same run) and devices (what the rules say of it, else num_devices).  Commas group
// thousands: "1,024" is one number.  A row that lacks a number of a formula cannot be compared.
//
// Worked example: "tg32 @ d32768" has isl = 32 and depth = 32768: 32 tokens generated behind a
// prompt of 32,768, written as `input: =depth` and `output: =isl + 1`, the first token being the
// prompt's.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formula/formula.hpp"
#include "input/fields.hpp"
#include "scenario/claim.hpp"
#include "study/measured_csv.hpp"

namespace tokenyard::study {

// Patterns of columns; absent: any text.
struct RowPattern {
  std::map<std::string, std::string> columns;
};

// Paths in the scenario and what stands there.  `pool.` is short for `fleet.pools[main].`, `deploy.`
// for `fleet.pools[main].deploy.`.
struct ScenarioSettings {
  std::vector<std::pair<std::string, input::Node>> values;

  // Replaces what stood there, and goes last: a whole map replaces its parts, and they parts of it.
  void set(const std::string& path, input::Node value);
  [[nodiscard]] const input::Node* find(const std::string& path) const;
};

struct ConditionRule {
  RowPattern when;
  std::optional<std::string> metric;             // of metric_table()
  std::map<std::string, double> units;           // accepted, and what a number in each is times
  std::optional<scenario::FormulaText> value;    // in that metric's unit
  std::optional<scenario::FormulaText> devices;  // that the run used
  std::optional<std::string> benchmark;          // for tables: "MLPerf offline"
  std::optional<std::string> regime;             // "capacity", "offered load", "single stream"
  ScenarioSettings set;
  std::optional<std::string> assumption;  // what the source does not say
  std::optional<std::string> problem;     // why the row cannot be compared; "": it can
};

struct PublishedConditions {
  std::string name;
  std::string description;
  std::string source;
  std::vector<ConditionRule> rules;
};

void describe(input::Fields& f, RowPattern& x);
void describe(input::Fields& f, ConditionRule& x);
void describe(input::Fields& f, PublishedConditions& x);

// Throws InputError with every problem of the file.
PublishedConditions load_conditions(const std::string& path);

// What the rules say of one row.
struct RowConditions {
  std::string metric;                   // empty: no rule names one
  std::map<std::string, double> units;  // empty: no rule names any
  scenario::FormulaText value{"value", {}, ""};
  std::optional<scenario::FormulaText> devices;
  std::string benchmark, regime, problem;
  ScenarioSettings set;
  std::vector<std::string> assumptions;
};
RowConditions conditions_of(const PublishedConditions& conditions, const MeasuredRow& row);

// Whether a pattern of '*' and '|' matches the whole text.
bool matches(std::string_view pattern, std::string_view text);

// A number that formulas may use, or why the row does not have it.
struct RowNumber {
  std::optional<double> value;
  std::string why;  // "isl has no number"
};
using RowNumbers = std::map<std::string, RowNumber>;
RowNumbers numbers_of(const MeasuredRow& row, double value, std::optional<double> throughput);

// Throws InputError at the formula's place.
formula::Value evaluate(const scenario::FormulaText& formula, const RowNumbers& numbers);

// The same value with its formulas worked out.
input::Node worked_out(input::Node value, const RowNumbers& numbers);

// "100000", where json_number() has "1e+05", which is no count to who reads a scenario.
std::string plain_number(double number);

}  // namespace tokenyard::study

namespace tokenyard::input {

template <>
struct Codec<study::ScenarioSettings> {
  static bool read(ReadContext& context, const Node& node, study::ScenarioSettings& out);
  static void write(JsonWriter& json, const study::ScenarioSettings& settings);
  static std::string schema();
};

}  // namespace tokenyard::input
