#include "scenario/claim.hpp"

#include "formula/formula.hpp"

namespace tokenyard::scenario {

void describe(input::Fields& f, Given& x) {
  bool unknown = false;
  if (f.has("value")) {
    const input::Node* value = f.node().find("value");
    unknown = value->kind == input::Node::Kind::scalar && value->scalar == "unknown";
  }
  std::string word;
  if (unknown) {
    f.optional("value", word, "a number with its unit, or unknown");
  } else {
    f.optional("value", x.value, "a number with its unit, or unknown");
  }
  f.optional("compute", x.compute, "a formula, instead of a value");
  f.optional("source", x.source, "where it was said");
  if (!f.is_reading()) return;
  x.where = f.node().place;
  if (f.has("value") == f.has("compute"))
    f.problem("value", "a given has either a 'value' or a 'compute'");
}

void describe(input::Fields& f, Assumed& x) {
  f.required("value", x.value, "what the given would have to be");
  f.required("why", x.why, "what it stands for, and why it is not given");
  if (f.is_reading()) x.where = f.node().place;
}

void describe(input::Fields& f, Against& x) {
  f.required("compute", x.compute, "what the other statement comes to");
  f.required("what", x.what, "which statement: it follows the word 'with'");
  f.optional("tolerance", x.tolerance, "accepted relative deviation; default: the claim's")
      .at_least(0.0);
}

void describe(input::Fields& f, Bound& x) {
  f.optional("at_most", x.at_most, "the largest value that is possible");
  f.optional("at_least", x.at_least, "the smallest value that is possible");
  f.required("which", x.which, "the bound, in words");
  if (f.is_reading() && !x.at_most && !x.at_least && !f.has("at_most") && !f.has("at_least"))
    f.problem("which", "a bound needs 'at_most' or 'at_least'");
}

void describe(input::Fields& f, ExpectSpec& x) {
  f.optional("id", x.id, "of a claim, unique in all files that are checked together");
  f.optional("claim", x.claim, "what is claimed, in words");
  f.optional("source", x.source, "where it was said; default: the scenario's source");
  f.optional("metric", x.metric, "of the simulated run, as listed by `tokenyard metrics`");
  f.optional("measured", x.measured,
             "the metric was measured: where the run deviates, the model is off");
  f.required("value", x.value, "the number claimed, or [low, high]");
  f.optional("compute", x.compute, "formula for what it should be, or [low, high]");
  f.optional("tolerance", x.tolerance, "accepted relative deviation").at_least(0.0);
  f.optional("assuming", x.assuming, "givens that would make the claim agree");
  f.optional("against", x.against, "other statements that the claim must agree with");
  f.optional("bound", x.bound, "what no machine can pass");
  f.optional("note", x.note, "a remark, shown with the verdict");
  if (!f.is_reading()) return;
  x.where = f.node().place;
  x.path = f.node().path;
  if (const input::Node* metric = f.node().find("metric")) {
    x.where = metric->place;
    if (f.has("compute")) f.problem("compute", "has no place beside a metric");
    if (x.value.ends.size() > 1) f.problem("value", "a metric is compared with one number");
    for (const char* key : {"against", "bound"}) {
      if (x.measured && f.has(key)) f.problem(key, "has no place beside 'measured'");
    }
    return;
  }
  if (x.measured) f.problem("measured", "is said of a 'metric'");
  if (!f.has("compute") && x.against.empty() && !x.bound && !f.has("bound") && !f.has("against")) {
    f.problem("value",
              "nothing to check it by; expected 'metric', 'compute', 'against' or 'bound'");
  }
}

}  // namespace tokenyard::scenario

namespace tokenyard::input {
namespace {

using scenario::AnyNumber;
using scenario::FormulaSpan;
using scenario::FormulaText;
using scenario::Span;

// One element, or a list of two.
template <class T>
bool read_ends(ReadContext& context, const Node& node, std::vector<T>& out) {
  out.clear();
  if (node.kind != Node::Kind::sequence) return Codec<T>::read(context, node, out.emplace_back());
  if (node.items.size() != 2) {
    fields_detail::report(context, node, "expected one value, or two: [low, high]");
    return false;
  }
  bool ok = true;
  for (const Node& item : node.items) ok = Codec<T>::read(context, item, out.emplace_back()) && ok;
  return ok;
}

std::string one_or_two(const std::string& one) {
  return R"({"anyOf":[)" + one + R"(,{"type":"array","minItems":2,"maxItems":2,"items":)" + one +
         "}]}";
}

}  // namespace

bool Codec<AnyNumber>::read(ReadContext& context, const Node& node, AnyNumber& out) {
  if (!fields_detail::expect(context, node, Node::Kind::scalar, "a number with its unit"))
    return false;
  const ParsedAnyQuantity parsed = parse_any_quantity(node.scalar);
  if (!parsed.ok) {
    fields_detail::report(context, node, parsed.problem);
    return false;
  }
  out = {parsed.value, parsed.dim, parsed.unit, parsed.scale};
  out.dim.token = 0;
  return true;
}
void Codec<AnyNumber>::write(JsonWriter& json, const AnyNumber& value) {
  if (value.dim == kNone) {
    json.value(value.number);
  } else {
    json.value(exact_quantity(value.number, value.dim));
  }
}
std::string Codec<AnyNumber>::schema() {
  return R"({"type":["number","string"],"pattern":"^[+-]?[0-9.]"})";
}

bool Codec<Span>::read(ReadContext& context, const Node& node, Span& out) {
  if (!read_ends(context, node, out.ends)) return false;
  if (out.ends.size() < 2) return true;
  if (out.ends[0].dim == out.ends[1].dim && out.ends[0].number <= out.ends[1].number) return true;
  fields_detail::report(context, node, "a range has its lower end first, and one unit");
  return false;
}
void Codec<Span>::write(JsonWriter& json, const Span& value) {
  Codec<std::vector<AnyNumber>>::write(json, value.ends);
}
std::string Codec<Span>::schema() {
  return one_or_two(Codec<AnyNumber>::schema());
}

bool Codec<FormulaText>::read(ReadContext& context, const Node& node, FormulaText& out) {
  if (!fields_detail::expect(context, node, Node::Kind::scalar, "a formula")) return false;
  out = {node.scalar, node.place, node.path};
  try {
    formula::Formula::parse(node.scalar);
    return true;
  } catch (const formula::FormulaError& error) {
    const std::string at =
        error.column > 0 ? " (character " + std::to_string(error.column) + ")" : "";
    fields_detail::report(context, node, "'" + node.scalar + "'" + at + ": " + error.what());
    return false;
  }
}
void Codec<FormulaText>::write(JsonWriter& json, const FormulaText& value) {
  json.value(value.text);
}
std::string Codec<FormulaText>::schema() {
  return R"({"type":["string","number"]})";
}

bool Codec<FormulaSpan>::read(ReadContext& context, const Node& node, FormulaSpan& out) {
  return read_ends(context, node, out.ends);
}
void Codec<FormulaSpan>::write(JsonWriter& json, const FormulaSpan& value) {
  Codec<std::vector<FormulaText>>::write(json, value.ends);
}
std::string Codec<FormulaSpan>::schema() {
  return one_or_two(Codec<FormulaText>::schema());
}

}  // namespace tokenyard::input
