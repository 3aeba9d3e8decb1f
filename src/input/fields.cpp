#include "input/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tokenyard::input {
namespace fields_detail {
namespace {

const std::vector<std::string>& long_form_keys() {
  static const std::vector<std::string> kKeys = {"value",  "low",        "high",
                                                 "source", "confidence", "date"};
  return kKeys;
}

}  // namespace

void report(ReadContext& context, const Node& node, std::string message) {
  context.diagnostics->add(node.place, node.path, std::move(message));
}

void report_range(ReadContext& context, const Node& node, std::string_view words, double bound,
                  Dim dim) {
  const bool whole = bound == std::floor(bound) && std::abs(bound) < 1e15;
  std::string text = format_quantity(bound, dim);
  if (dim == kNone)
    text = whole ? std::to_string(static_cast<std::int64_t>(bound)) : json_number(bound);
  report(context, node,
         node.describe() + " is out of range; expected " + std::string(words) + " " + text);
}

bool expect(ReadContext& context, const Node& node, Node::Kind kind, std::string_view what) {
  if (node.kind == kind) return true;
  // A file that could not be parsed: the loader has said so.
  const bool unread = node.kind == Node::Kind::null && node.place.file.empty();
  if (unread && !context.diagnostics->empty()) return false;
  report(context, node, node.describe() + " stands here; expected " + std::string(what));
  return false;
}

bool read_number(ReadContext& context, const Node& node, Dim dim, double& out) {
  if (!expect(context, node, Node::Kind::scalar, describe_dim(dim))) return false;
  const ParsedQuantity parsed = parse_quantity(node.scalar, dim);
  if (!parsed.ok) {
    report(context, node, parsed.problem);
    return false;
  }
  out = parsed.value;
  return true;
}

bool read_integer(ReadContext& context, const Node& node, std::int64_t& out) {
  if (!expect(context, node, Node::Kind::scalar, "a whole number")) return false;
  std::int64_t number = 0;
  const std::string& text = node.scalar;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = end == text.data() + text.size() && !text.empty();
  const std::string_view digits = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
  if (is_number && status == std::errc::result_out_of_range) {
    report(context, node, node.describe() + " does not fit 64 bits");
  } else if (!is_number || status != std::errc()) {
    report(context, node, node.describe() + " is not a whole number; expected one, such as '8'");
  } else if (digits.size() > 1 && digits.front() == '0') {
    // YAML 1.1 reads 010 as 8, YAML 1.2 as 10.
    report(context, node,
           node.describe() + " is octal to some readers; write '" + std::to_string(number) + "'");
  } else if (node.quoted) {
    report(context, node, node.describe() + " is text; write the number without quotes");
  } else {
    out = number;
    return true;
  }
  return false;
}

bool read_bool(ReadContext& context, const Node& node, bool& out) {
  if (!expect(context, node, Node::Kind::scalar, "true or false")) return false;
  if (node.quoted || (node.scalar != "true" && node.scalar != "false")) {
    report(context, node,
           node.describe() + (node.quoted ? " is text; expected true or false without quotes"
                                          : " is neither 'true' nor 'false'"));
    return false;
  }
  out = node.scalar == "true";
  return true;
}

bool read_text(ReadContext& context, const Node& node, std::string& out) {
  if (!expect(context, node, Node::Kind::scalar, "text")) return false;
  out = node.scalar;
  return true;
}

int read_enum(ReadContext& context, const Node& node, const std::vector<std::string>& names) {
  if (!expect(context, node, Node::Kind::scalar, "a name")) return -1;
  const auto found = std::find(names.begin(), names.end(), node.scalar);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  report(context, node, node.describe() + " is not known here" + suggestion(node.scalar, names));
  return -1;
}

bool read_confidence(ReadContext& context, const Node& node, Confidence& out) {
  const int index = read_enum(context, node, names_of<Confidence>());
  if (index >= 0) out = static_cast<Confidence>(index);
  return index >= 0;
}

void check_long_form_keys(ReadContext& context, const Node& node) {
  const std::vector<std::string>& keys = long_form_keys();
  for (const Node::Entry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
      context.diagnostics->add(
          entry.place, node.path,
          "unknown key " + quote_word(entry.key) + suggestion(entry.key, keys));
    }
  }
}

std::string quantity_schema(Dim dim) {
  const std::string doc = json_quote(describe_dim(dim));
  if (dim == kNone)
    return R"({"type":["number","string"],"pattern":"^[+-]?[0-9.]","description":)" + doc + "}";
  return R"({"type":"string","pattern":"^[+-]?[0-9.]","description":)" + doc + "}";
}

std::string sourced_schema(const std::string& value_schema) {
  // A year alone is a number to YAML.
  return R"({"anyOf":[)" + value_schema +
         R"(,{"type":"object","properties":{"value":{"anyOf":[{"const":"unknown"},)" +
         value_schema + R"(]},"low":)" + value_schema + R"(,"high":)" + value_schema +
         R"(,"source":{"type":"string"},"date":{"type":["string","integer"]},"confidence":)" +
         enum_schema(names_of<Confidence>()) +
         R"(},"required":["value"],"additionalProperties":false}]})";
}

std::string enum_schema(const std::vector<std::string>& names) {
  std::string text = R"({"enum":[)";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i > 0 ? "," : "") + json_quote(names[i]);
  return text + "]}";
}

}  // namespace fields_detail

void Fields::problem(std::string_view key, std::string message) {
  const Node* at = node_->find(key);
  const std::string path = at != nullptr ? at->path : node_->path;
  context_->diagnostics->add(at != nullptr ? at->place : node_->place, path, std::move(message));
}

void Fields::provenance(std::string& source, Confidence& confidence) {
  required("source", source, "where this file's numbers come from, unless one says otherwise");
  required("confidence", confidence,
           "how far to trust them: measured, vendor, analysis, estimate, assumed");
  if (is_reading()) {
    context_->default_source = source;
    context_->default_confidence = confidence;
  }
}

const Node* Fields::take(std::string_view key, bool is_required) {
  known_.emplace_back(key);
  const Node* found = node_->find(key);
  if (found == nullptr && is_required) {
    context_->diagnostics->add(node_->place, node_->path,
                               "key '" + std::string(key) + "' is missing");
  }
  return found;
}

void Fields::add_property(std::string_view key, std::string schema, std::string_view doc,
                          bool is_required) {
  // The doc goes first into the schema object, which always starts with '{'.
  schema.insert(1, "\"title\":" + json_quote(doc) + ",");
  properties_->push_back(json_quote(key) + ":" + schema);
  if (is_required) required_->emplace_back(key);
}

void Fields::finish() {
  if (node_ == nullptr) return;
  for (const Node::Entry& entry : node_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) == known_.end()) {
      context_->diagnostics->add(
          entry.place, node_->path,
          "unknown key " + quote_word(entry.key) + suggestion(entry.key, known_));
    }
  }
}

std::string object_schema(const std::vector<std::string>& properties,
                          const std::vector<std::string>& required) {
  std::string text = R"({"type":"object","properties":{)";
  for (std::size_t i = 0; i < properties.size(); ++i) text += (i > 0 ? "," : "") + properties[i];
  text += R"(},"required":[)";
  for (std::size_t i = 0; i < required.size(); ++i)
    text += (i > 0 ? "," : "") + json_quote(required[i]);
  return text + R"(],"additionalProperties":false})";
}

}  // namespace tokenyard::input
