#pragma once
// The part of JSON Schema that `tokenyard schema` writes, and YAML files as JSON to hold against it.
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "input/node.hpp"

namespace tokenyard::test {

using nlohmann::json;

// A scalar as YAML 1.2 reads it: what an editor's validator sees.
inline json scalar_as_json(const input::Node& node) {
  static const std::regex kWhole("[-+]?[0-9]+");
  static const std::regex kNumber(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  const std::string& text = node.scalar;
  if (node.quoted) return text;
  if (text == "true" || text == "false") return text == "true";
  if (std::regex_match(text, kWhole)) return static_cast<std::int64_t>(std::stoll(text));
  if (std::regex_match(text, kNumber)) return std::stod(text);
  return text;
}

inline json as_json(const input::Node& node) {
  switch (node.kind) {
    case input::Node::Kind::null:
      return nullptr;
    case input::Node::Kind::scalar:
      return scalar_as_json(node);
    case input::Node::Kind::sequence: {
      json list = json::array();
      for (const input::Node& item : node.items) list.push_back(as_json(item));
      return list;
    }
    case input::Node::Kind::map: {
      json map = json::object();
      for (const input::Node::Entry& entry : node.entries) map[entry.key] = as_json(entry.value);
      return map;
    }
  }
  return nullptr;
}

// Where and why a value is not what a schema says; "" when it is.  Throws for a keyword that it does
// not know, rather than ignoring it.
class SchemaCheck {
 public:
  static std::string objection(const json& schema, const json& value, const std::string& at = "$") {
    const std::string type = type_objection(schema, value, at);
    if (!type.empty()) return type;
    for (const auto& [keyword, rule] : schema.items()) {
      const std::string found = keyword_objection(keyword, rule, schema, value, at);
      if (!found.empty()) return found;
    }
    return "";
  }

 private:
  static bool is_type(const std::string& type, const json& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    check(type == "null", "a type that JSON Schema does not know");
    return value.is_null();
  }

  static std::string type_objection(const json& schema, const json& value, const std::string& at) {
    if (!schema.contains("type")) return "";
    const json& type = schema["type"];
    const json types = type.is_array() ? type : json::array({type});
    for (const json& one : types) {
      if (is_type(one, value)) return "";
    }
    return at + ": " + value.dump() + " is no " + type.dump();
  }

  static std::string keyword_objection(const std::string& keyword, const json& rule,
                                       const json& schema, const json& value,
                                       const std::string& at) {
    static const std::set<std::string> kRemarks{"$schema", "title", "description", "type"};
    if (kRemarks.contains(keyword)) return "";
    if (keyword == "properties") return members_objection(schema, value, at);
    if (keyword == "additionalProperties") return others_objection(schema, value, at);
    if (keyword == "required") return missing_objection(rule, value, at);
    if (keyword == "items") return items_objection(rule, value, at);
    if (keyword == "anyOf") return none_objection(rule, value, at);
    bool holds = true;
    if (keyword == "minItems") {
      holds = !value.is_array() || value.size() >= rule.get<std::size_t>();
    } else if (keyword == "enum") {
      holds = std::find(rule.begin(), rule.end(), value) != rule.end();
    } else if (keyword == "const") {
      holds = value == rule;
    } else if (keyword == "pattern") {
      holds = !value.is_string() ||
              std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()));
    } else {
      throw InternalError("a keyword that this check does not know: " + keyword);
    }
    return holds ? "" : at + ": " + value.dump() + " against " + keyword + ' ' + rule.dump();
  }

  static std::string members_objection(const json& schema, const json& value,
                                       const std::string& at) {
    if (!value.is_object()) return "";
    for (const auto& [key, rule] : schema["properties"].items()) {
      if (!value.contains(key)) continue;
      const std::string found = objection(rule, value[key], at + '.' + key);
      if (!found.empty()) return found;
    }
    return "";
  }

  static std::string others_objection(const json& schema, const json& value,
                                      const std::string& at) {
    if (!value.is_object()) return "";
    const json known = schema.value("properties", json::object());
    const json& rule = schema["additionalProperties"];
    for (const auto& [key, member] : value.items()) {
      if (known.contains(key)) continue;
      if (rule.is_boolean()) {
        if (!rule.get<bool>()) return at + ": unknown key " + key;
        continue;
      }
      const std::string found = objection(rule, member, at + '.' + key);
      if (!found.empty()) return found;
    }
    return "";
  }

  static std::string missing_objection(const json& rule, const json& value, const std::string& at) {
    if (!value.is_object()) return "";
    for (const json& key : rule) {
      if (!value.contains(key.get<std::string>())) return at + ": no key " + key.dump();
    }
    return "";
  }

  static std::string items_objection(const json& rule, const json& value, const std::string& at) {
    if (!value.is_array()) return "";
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string found = objection(rule, value[i], at + '[' + std::to_string(i) + ']');
      if (!found.empty()) return found;
    }
    return "";
  }

  static std::string none_objection(const json& rule, const json& value, const std::string& at) {
    std::string all;
    for (const json& one : rule) {
      const std::string found = objection(one, value, at);
      if (found.empty()) return "";
      all += (all.empty() ? "" : "; ") + found;
    }
    return all;
  }
};

}  // namespace tokenyard::test
