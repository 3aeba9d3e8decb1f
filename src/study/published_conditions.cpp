#include "study/published_conditions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "metrics/metric_table.hpp"

namespace tokenyard::study {
namespace {

constexpr const char* kNumbers[] = {"value", "isl",         "osl",     "load",
                                    "depth", "num_devices", "devices", "throughput"};

bool matches_one(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  for (std::size_t skipped = 0; skipped <= text.size(); ++skipped) {
    if (matches_one(pattern, text.substr(skipped))) return true;
  }
  return false;
}

// Whether commas stand before every third digit of the whole part and nowhere else: "12,345.5".
bool groups_thousands(std::string_view text) {
  constexpr std::size_t kGroup = 4;  // a comma and its three digits
  const std::string_view whole = text.substr(0, text.find('.'));
  if (text.find(',', whole.size()) != std::string_view::npos) return false;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool is_before_group = (whole.size() - i) % kGroup == 0;
    if ((whole[i] == ',') != is_before_group) return false;
  }
  return true;
}

// Of digits, points and commas, a digit first.
RowNumber number_in(std::string_view text) {
  std::string digits(text);
  if (text.find(',') != std::string_view::npos) {
    if (!groups_thousands(text)) {
      return {{},
              quote_word(text) +
                  " is not a number: a comma between digits groups thousands, as in '1,024'"};
    }
    std::erase(digits, ',');
  }
  double number = 0.0;
  const char* const end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, number);
  if (error == std::errc::result_out_of_range)
    return {{}, quote_word(text) + " is beyond all numbers that can be computed with"};
  if (error != std::errc{} || last != end) return {{}, quote_word(text) + " is not a number"};
  return {number, ""};
}

// The numbers in a text, in order: "pp2,048 @ d32768" has 2048 and 32768.
std::vector<RowNumber> numbers_in(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  std::vector<RowNumber> numbers;
  for (std::size_t i = text.find_first_of(kDigits); i != std::string_view::npos;) {
    const std::string_view rest = text.substr(i);
    const std::string_view number = rest.substr(0, rest.find_first_not_of("0123456789.,"));
    // A comma or a point behind the last digit belongs to the sentence.
    numbers.push_back(number_in(number.substr(0, number.find_last_of(kDigits) + 1)));
    i = text.find_first_of(kDigits, i + number.size());
  }
  return numbers;
}

class RowScope : public formula::Scope {
 public:
  explicit RowScope(const RowNumbers& numbers) : numbers_(numbers) {}

  [[nodiscard]] formula::Lookup variable(const std::string& name) const override {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return {};
    const RowNumber& number = found->second;
    if (!number.value) return {formula::Lookup::Kind::unknown, {}, number.why};
    return {formula::Lookup::Kind::value, {*number.value, kNone}, ""};
  }
  [[nodiscard]] formula::Value call(const std::string& name,
                                    const std::vector<Argument>&) const override {
    throw formula::FormulaError("there is no function '" + name + "'");
  }
  [[nodiscard]] std::vector<std::string> names() const override {
    return {std::begin(kNumbers), std::end(kNumbers)};
  }

 private:
  const RowNumbers& numbers_;
};

bool is_formula(const input::Node& value) {
  return value.kind == input::Node::Kind::scalar && value.scalar.starts_with("=");
}

scenario::FormulaText formula_of(const input::Node& value) {
  return {value.scalar.substr(1), value.place, value.path};
}

// Every name that a formula uses, known or not in a given row, is one of a row's.
void check_formula(const scenario::FormulaText& formula, Diagnostics& diagnostics) {
  try {
    RowNumbers any;
    for (const char* name : kNumbers) any[name] = {};
    static_cast<void>(formula::Formula::parse(formula.text).evaluate(RowScope(any)));
  } catch (const formula::UnknownValue&) {
    return;  // which rows have it shows when the formula is used
  } catch (const formula::FormulaError& error) {
    diagnostics.add(formula.where, formula.path, "'" + formula.text + "': " + error.what());
  }
}

void check_formulas(const input::Node& value, Diagnostics& diagnostics) {
  if (is_formula(value)) check_formula(formula_of(value), diagnostics);
  for (const input::Node& item : value.items) check_formulas(item, diagnostics);
  for (const input::Node::Entry& entry : value.entries) check_formulas(entry.value, diagnostics);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  for (std::size_t bar = 0; bar != std::string_view::npos;) {
    bar = pattern.find('|');
    if (matches_one(pattern.substr(0, bar), text)) return true;
    if (bar != std::string_view::npos) pattern.remove_prefix(bar + 1);
  }
  return false;
}

void ScenarioSettings::set(const std::string& path, input::Node value) {
  std::erase_if(values, [&](const auto& known) { return known.first == path; });
  values.emplace_back(path, std::move(value));
}

const input::Node* ScenarioSettings::find(const std::string& path) const {
  for (const auto& [known, value] : values) {
    if (known == path) return &value;
  }
  return nullptr;
}

void describe(input::Fields& f, RowPattern& x) {
  for (const std::string& column : columns_of(MeasuredKind::published)) {
    std::optional<std::string> pattern;
    if (const auto given = x.columns.find(column); given != x.columns.end())
      pattern = given->second;
    f.optional(column, pattern, "text of this column; '*': any text, 'a|b': one of the two");
    if (f.is_reading() && pattern) x.columns[column] = *pattern;
  }
}

void describe(input::Fields& f, ConditionRule& x) {
  f.required("when", x.when, "which rows; {}: all");
  f.optional("metric", x.metric, "what tokenyard calls the row's metric");
  f.optional("units", x.units, "accepted units of the row, and what a number in each is times");
  f.optional("value", x.value, "formula: the row's number in that metric's unit");
  f.optional("devices", x.devices, "formula: devices of the run, as the catalog counts them");
  f.optional("benchmark", x.benchmark, "how tables call this kind of run");
  f.optional("regime", x.regime, "what bounds the run: capacity, offered load or single stream");
  f.optional("set", x.set, "paths in the scenario, and what stands there; '=...': a formula");
  f.optional("assumption", x.assumption, "what the source does not say and is assumed");
  f.optional("problem", x.problem, "why these rows cannot be compared; \"\": they can");
  if (!f.is_reading()) return;
  if (x.metric && metrics::find_metric(*x.metric) == nullptr) {
    f.problem("metric", "there is no metric " + quote_word(*x.metric) +
                            metrics::metric_suggestion(*x.metric));
  }
  for (const auto& [unit, times] : x.units) {
    if (times > 0.0) continue;
    f.problem("units",
              quote_word(unit) + " is " + json_number(times) + "; expected a number above 0");
  }
}

void describe(input::Fields& f, PublishedConditions& x) {
  f.required("name", x.name, "published-conditions");
  f.optional("description", x.description, "one line");
  f.optional("source", x.source, "where the conditions are from");
  f.required("rules", x.rules, "what rows mean; later rules override earlier ones");
}

PublishedConditions load_conditions(const std::string& path) {
  Diagnostics diagnostics;
  const input::Node root = input::load_yaml(path, diagnostics);
  diagnostics.throw_if_any();
  PublishedConditions conditions;
  input::ReadContext context{.diagnostics = &diagnostics,
                             .default_source = {},
                             .default_confidence = {},
                             .unknowns = input::BandEnd::middle};
  input::read_value(context, root, conditions);
  for (const ConditionRule& rule : conditions.rules) {
    if (rule.value) check_formula(*rule.value, diagnostics);
    if (rule.devices) check_formula(*rule.devices, diagnostics);
    for (const auto& [at, value] : rule.set.values) check_formulas(value, diagnostics);
  }
  diagnostics.throw_if_any();
  return conditions;
}

RowConditions conditions_of(const PublishedConditions& conditions, const MeasuredRow& row) {
  RowConditions found;
  const auto take = [](std::string& out, const std::optional<std::string>& said) {
    if (said) out = *said;
  };
  for (const ConditionRule& rule : conditions.rules) {
    const auto& columns = rule.when.columns;
    const bool applies = std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
      return matches(column.second, row.text(column.first));
    });
    if (!applies) continue;
    take(found.metric, rule.metric);
    take(found.benchmark, rule.benchmark);
    take(found.regime, rule.regime);
    take(found.problem, rule.problem);
    if (!rule.units.empty()) found.units = rule.units;
    if (rule.value) found.value = *rule.value;
    if (rule.devices) found.devices = rule.devices;
    for (const auto& [path, value] : rule.set.values) found.set.set(path, value);
    if (rule.assumption) found.assumptions.push_back(*rule.assumption);
  }
  return found;
}

RowNumbers numbers_of(const MeasuredRow& row, double value, std::optional<double> throughput) {
  const auto number = [&](const std::string& column, std::size_t index) -> RowNumber {
    const std::vector<RowNumber> numbers = numbers_in(row.text(column));
    if (index >= numbers.size())
      return {{}, column + " has no " + (index > 0 ? "second " : "") + "number"};
    if (numbers[index].value) return numbers[index];
    return {{}, column + ": " + numbers[index].why};
  };
  RowNumbers numbers;
  numbers["value"] = {value, ""};
  numbers["isl"] = number("isl", 0);
  numbers["depth"] = number("isl", 1);
  numbers["osl"] = number("osl", 0);
  numbers["load"] = number("batch_or_concurrency_or_rate", 0);
  numbers["num_devices"] = number("num_devices", 0);
  numbers["devices"] = numbers["num_devices"];
  numbers["throughput"] = {throughput, throughput ? "" : "its run has no output_throughput"};
  return numbers;
}

formula::Value evaluate(const scenario::FormulaText& formula, const RowNumbers& numbers) {
  Diagnostics diagnostics;
  try {
    return formula::Formula::parse(formula.text).evaluate(RowScope(numbers));
  } catch (const formula::FormulaError& error) {
    diagnostics.add(formula.where, "", "'" + formula.text + "': " + error.what());
  } catch (const formula::UnknownValue& error) {
    diagnostics.add(formula.where, "", "'" + formula.text + "': " + error.what());
  }
  throw InputError(diagnostics.list());
}

input::Node worked_out(input::Node value, const RowNumbers& numbers) {
  if (is_formula(value)) {
    const formula::Value result = evaluate(formula_of(value), numbers);
    const bool is_plain = result.dim == kNone;
    value.scalar =
        is_plain ? plain_number(result.number) : exact_quantity(result.number, result.dim);
    value.quoted = false;  // the formula may have been, its result is a number
  }
  for (input::Node& item : value.items) item = worked_out(std::move(item), numbers);
  for (input::Node::Entry& entry : value.entries)
    entry.value = worked_out(std::move(entry.value), numbers);
  return value;
}

std::string plain_number(double number) {
  constexpr double kEveryWhole = 9'007'199'254'740'992.0;  // 2^53: a double holds all below it
  const bool is_whole = number == std::floor(number) && std::abs(number) <= kEveryWhole;
  return is_whole ? std::to_string(static_cast<std::int64_t>(number)) : json_number(number);
}

}  // namespace tokenyard::study

namespace tokenyard::input {
namespace {

void write_node(JsonWriter& json, const Node& node) {
  if (node.kind == Node::Kind::null) json.null();
  if (node.kind == Node::Kind::scalar) json.value(node.scalar);
  if (node.kind == Node::Kind::sequence) {
    json.begin_array();
    for (const Node& item : node.items) write_node(json, item);
    json.end_array();
  }
  if (node.kind == Node::Kind::map) {
    json.begin_object();
    for (const Node::Entry& entry : node.entries) {
      json.key(entry.key);
      write_node(json, entry.value);
    }
    json.end_object();
  }
}

}  // namespace

bool Codec<study::ScenarioSettings>::read(ReadContext& context, const Node& node,
                                          study::ScenarioSettings& out) {
  if (!fields_detail::expect(context, node, Node::Kind::map, "a map of paths in the scenario"))
    return false;
  for (const Node::Entry& entry : node.entries) out.set(entry.key, entry.value);
  return true;
}

void Codec<study::ScenarioSettings>::write(JsonWriter& json,
                                           const study::ScenarioSettings& settings) {
  json.begin_object();
  for (const auto& [path, value] : settings.values) {
    json.key(path);
    write_node(json, value);
  }
  json.end_object();
}

std::string Codec<study::ScenarioSettings>::schema() {
  return R"({"type":"object"})";
}

}  // namespace tokenyard::input
