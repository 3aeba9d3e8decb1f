#include "study/published_conditions.hpp"

#include <algorithm>

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

// The numbers in a text, in order: "pp2048 @ d32768" has 2048 and 32768.
std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", i), text.size());
    const bool digits = text[i] >= '0' && text[i] <= '9';
    if (digits) numbers.push_back(std::stod(std::string(text.substr(i, end - i))));
    i = digits ? end : i + 1;
  }
  return numbers;
}

class RowScope : public formula::Scope {
 public:
  explicit RowScope(const RowNumbers& numbers) : numbers_(numbers) {}

  [[nodiscard]] formula::Lookup variable(const std::string& name) const override {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return {};
    if (!found->second) return {formula::Lookup::Kind::unknown, {}, "the row does not have it"};
    return {formula::Lookup::Kind::value, {*found->second, kNone}, ""};
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
    for (const char* name : kNumbers) any[name] = std::nullopt;
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
  f.optional("value", x.value, "formula: the row's number in that metric's unit");
  f.optional("devices", x.devices, "formula: devices of the run, as the catalog counts them");
  f.optional("benchmark", x.benchmark, "how tables call this kind of run");
  f.optional("regime", x.regime, "what bounds the run: capacity, offered load or single stream");
  f.optional("set", x.set, "paths in the scenario, and what stands there; '=...': a formula");
  f.optional("assumption", x.assumption, "what the source does not say and is assumed");
  f.optional("problem", x.problem, "why these rows cannot be compared; \"\": they can");
  if (f.is_reading() && x.metric && metrics::find_metric(*x.metric) == nullptr) {
    f.problem("metric", "there is no metric " + quote_word(*x.metric) +
                            metrics::metric_suggestion(*x.metric));
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
    if (rule.value) found.value = *rule.value;
    if (rule.devices) found.devices = rule.devices;
    for (const auto& [path, value] : rule.set.values) found.set.set(path, value);
    if (rule.assumption) found.assumptions.push_back(*rule.assumption);
  }
  return found;
}

RowNumbers numbers_of(const MeasuredRow& row, double value, std::optional<double> throughput) {
  const auto number = [&](std::string_view column, std::size_t index) -> std::optional<double> {
    const std::vector<double> numbers = numbers_in(row.text(column));
    if (index >= numbers.size()) return std::nullopt;
    return numbers[index];
  };
  RowNumbers numbers;
  numbers["value"] = value;
  numbers["isl"] = number("isl", 0);
  numbers["depth"] = number("isl", 1);
  numbers["osl"] = number("osl", 0);
  numbers["load"] = number("batch_or_concurrency_or_rate", 0);
  numbers["num_devices"] = number("num_devices", 0);
  numbers["devices"] = numbers["num_devices"];
  numbers["throughput"] = throughput;
  return numbers;
}

formula::Value evaluate(const scenario::FormulaText& formula, const RowNumbers& numbers) {
  Diagnostics diagnostics;
  try {
    return formula::Formula::parse(formula.text).evaluate(RowScope(numbers));
  } catch (const formula::FormulaError& error) {
    diagnostics.add(formula.where, formula.path, "'" + formula.text + "': " + error.what());
  } catch (const formula::UnknownValue& error) {
    diagnostics.add(formula.where, formula.path, "'" + formula.text + "': " + error.what());
  }
  throw InputError(diagnostics.list());
}

input::Node worked_out(input::Node value, const RowNumbers& numbers) {
  if (is_formula(value)) {
    const formula::Value result = evaluate(formula_of(value), numbers);
    value.scalar = exact_quantity(result.number, result.dim);
  }
  for (input::Node& item : value.items) item = worked_out(std::move(item), numbers);
  for (input::Node::Entry& entry : value.entries)
    entry.value = worked_out(std::move(entry.value), numbers);
  return value;
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
