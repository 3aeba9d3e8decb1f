#pragma once
// How each type of value that a file can hold is read, written and described: text, numbers,
// quantities, names from a list, lists, maps, and numbers with their source.  Types of one's own
// have a describe() and get theirs in input/fields.hpp.
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "base/quantity_text.hpp"
#include "base/units.hpp"
#include "input/node.hpp"
#include "input/sourced.hpp"

namespace tokenyard::input {

struct ReadContext {
  Diagnostics* diagnostics = nullptr;
  std::string default_source;  // of numbers written short
  std::optional<Confidence> default_confidence;
  BandEnd unknowns = BandEnd::middle;  // what unknown numbers stand for
};

// What a key's value is and how it is read, written and described; specialised for each kind of
// type.
template <class T>
struct Codec;

namespace fields_detail {
void report(ReadContext& context, const Node& node, std::string message);
void report_range(ReadContext& context, const Node& node, std::string_view words, double bound,
                  Dim dim);
bool expect(ReadContext& context, const Node& node, Node::Kind kind, std::string_view what);
bool read_number(ReadContext& context, const Node& node, Dim dim, double& out);
bool read_integer(ReadContext& context, const Node& node, std::int64_t& out);
bool read_bool(ReadContext& context, const Node& node, bool& out);
bool read_text(ReadContext& context, const Node& node, std::string& out);
int read_enum(ReadContext& context, const Node& node, const std::vector<std::string>& names);
std::string quantity_schema(Dim dim);
std::string sourced_schema(const std::string& value_schema);
std::string enum_schema(const std::vector<std::string>& names);
bool read_confidence(ReadContext& context, const Node& node, Confidence& out);
void check_long_form_keys(ReadContext& context, const Node& node);
}  // namespace fields_detail

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T t) {
  enum_names(t);
};

template <NamedEnum E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const auto n : enum_names(E{})) names.emplace_back(n);
  return names;
}
template <NamedEnum E>
std::string_view name_of(E e) {
  return enum_names(e)[static_cast<std::size_t>(e)];
}

template <>
struct Codec<std::string> {
  static bool read(ReadContext& c, const Node& n, std::string& out) {
    return fields_detail::read_text(c, n, out);
  }
  static void write(JsonWriter& json, const std::string& v) { json.value(v); }
  static std::string schema() { return R"({"type":"string"})"; }
};
template <>
struct Codec<bool> {
  static bool read(ReadContext& c, const Node& n, bool& out) {
    return fields_detail::read_bool(c, n, out);
  }
  static void write(JsonWriter& json, const bool& v) { json.value(v); }
  static std::string schema() { return R"({"type":"boolean"})"; }
};
template <>
struct Codec<std::int64_t> {
  static bool read(ReadContext& c, const Node& n, std::int64_t& out) {
    return fields_detail::read_integer(c, n, out);
  }
  static void write(JsonWriter& json, const std::int64_t& v) { json.value(v); }
  static std::string schema() { return R"({"type":"integer"})"; }
};
// A count written with a prefix ("671 G") or plain; a share ("8 %") or plain.
template <>
struct Codec<double> {
  static bool read(ReadContext& c, const Node& n, double& out) {
    return fields_detail::read_number(c, n, kNone, out);
  }
  static void write(JsonWriter& json, const double& v) { json.value(v); }
  static std::string schema() { return fields_detail::quantity_schema(kNone); }
};
template <Dim D>
struct Codec<Quantity<D>> {
  static bool read(ReadContext& c, const Node& n, Quantity<D>& out) {
    double value = 0.0;
    if (!fields_detail::read_number(c, n, D, value)) return false;
    out = Quantity<D>::from_base(value);
    return true;
  }
  static void write(JsonWriter& json, const Quantity<D>& v) {
    json.value(exact_quantity(v.base(), D));
  }
  static std::string schema() { return fields_detail::quantity_schema(D); }
};
template <NamedEnum E>
struct Codec<E> {
  static bool read(ReadContext& c, const Node& n, E& out) {
    const int index = fields_detail::read_enum(c, n, names_of<E>());
    if (index >= 0) out = static_cast<E>(index);
    return index >= 0;
  }
  static void write(JsonWriter& json, const E& v) { json.value(name_of(v)); }
  static std::string schema() { return fields_detail::enum_schema(names_of<E>()); }
};
template <class T>
struct Codec<std::optional<T>> {
  static bool read(ReadContext& c, const Node& n, std::optional<T>& out) {
    if (n.kind == Node::Kind::null) {
      out.reset();
      return true;
    }
    T value{};
    if (!Codec<T>::read(c, n, value)) return false;
    out = std::move(value);
    return true;
  }
  static void write(JsonWriter& json, const std::optional<T>& v) {
    if (v) {
      Codec<T>::write(json, *v);
    } else {
      json.null();
    }
  }
  static std::string schema() {
    return R"({"anyOf":[{"type":"null"},)" + Codec<T>::schema() + "]}";
  }
};
template <class T>
struct Codec<std::vector<T>> {
  static bool read(ReadContext& c, const Node& n, std::vector<T>& out) {
    if (!fields_detail::expect(c, n, Node::Kind::sequence, "a list")) return false;
    out.clear();
    bool ok = true;
    for (const Node& item : n.items) {
      T value{};
      ok = Codec<T>::read(c, item, value) && ok;
      out.push_back(std::move(value));
    }
    return ok;
  }
  static void write(JsonWriter& json, const std::vector<T>& v) {
    json.begin_array();
    for (const T& item : v) Codec<T>::write(json, item);
    json.end_array();
  }
  static std::string schema() { return R"({"type":"array","items":)" + Codec<T>::schema() + "}"; }
};
template <class T>
struct Codec<std::map<std::string, T>> {
  static bool read(ReadContext& c, const Node& n, std::map<std::string, T>& out) {
    if (!fields_detail::expect(c, n, Node::Kind::map, "a map")) return false;
    out.clear();
    bool ok = true;
    for (const Node::Entry& entry : n.entries) {
      T value{};
      ok = Codec<T>::read(c, entry.value, value) && ok;
      out.emplace(entry.key, std::move(value));
    }
    return ok;
  }
  static void write(JsonWriter& json, const std::map<std::string, T>& v) {
    json.begin_object();
    for (const auto& [key, item] : v) {
      json.key(key);
      Codec<T>::write(json, item);
    }
    json.end_object();
  }
  static std::string schema() {
    return R"({"type":"object","additionalProperties":)" + Codec<T>::schema() + "}";
  }
};
inline std::optional<Confidence> confidence_named(std::string_view name) {
  const auto names = enum_names(Confidence{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Confidence>(i);
  }
  return std::nullopt;
}

// The number of a band that an unknown one stands for.
inline double in_band(double low, double high, BandEnd end) {
  if (end == BandEnd::low) return low;
  if (end == BandEnd::high) return high;
  return low > 0.0 && high > 0.0 ? std::sqrt(low * high) : 0.5 * (low + high);
}
template <Dim D>
Quantity<D> in_band(Quantity<D> low, Quantity<D> high, BandEnd end) {
  return Quantity<D>::from_base(in_band(low.base(), high.base(), end));
}

template <class T>
struct Codec<Sourced<T>> {
  static bool read(ReadContext& c, const Node& n, Sourced<T>& out) {
    out.source = c.default_source;
    if (c.default_confidence) out.confidence = *c.default_confidence;
    if (!n.source.empty()) out.source = n.source;
    if (const auto named = confidence_named(n.confidence)) out.confidence = *named;
    if (n.kind != Node::Kind::map) return Codec<T>::read(c, n, out.value);
    fields_detail::check_long_form_keys(c, n);
    const Node* value = n.find("value");
    if (value == nullptr) {
      fields_detail::report(c, n, "the long form of a number needs 'value'");
      return false;
    }
    out.unknown = value->kind == Node::Kind::scalar && value->scalar == "unknown";
    bool ok = out.unknown || Codec<T>::read(c, *value, out.value);
    if (const Node* low = n.find("low")) ok = Codec<T>::read(c, *low, out.low.emplace()) && ok;
    if (const Node* high = n.find("high")) {
      ok = Codec<T>::read(c, *high, out.high.emplace()) && ok;
    }
    if (const Node* source = n.find("source"))
      ok = fields_detail::read_text(c, *source, out.source) && ok;
    if (const Node* date = n.find("date")) ok = fields_detail::read_text(c, *date, out.date) && ok;
    if (const Node* confidence = n.find("confidence")) {
      ok = fields_detail::read_confidence(c, *confidence, out.confidence) && ok;
    }
    if (out.unknown && ok) {
      if (!out.low || !out.high) {
        fields_detail::report(c, n, "an unknown number needs its band, 'low' and 'high'");
        return false;
      }
      out.value = in_band(*out.low, *out.high, c.unknowns);
    }
    if (ok && ((out.low && out.value < *out.low) || (out.high && *out.high < out.value))) {
      fields_detail::report(c, n, "the value lies outside its own band, low to high");
      return false;
    }
    return ok;
  }
  static void write(JsonWriter& json, const Sourced<T>& v) {
    json.begin_object().key("value");
    Codec<T>::write(json, v.value);
    if (v.unknown) json.key("unknown").value(true);
    if (v.low) {
      json.key("low");
      Codec<T>::write(json, *v.low);
    }
    if (v.high) {
      json.key("high");
      Codec<T>::write(json, *v.high);
    }
    json.key("source").value(v.source).key("confidence").value(name_of(v.confidence));
    if (!v.date.empty()) json.key("date").value(v.date);
    json.end_object();
  }
  static std::string schema() { return fields_detail::sourced_schema(Codec<T>::schema()); }
};

}  // namespace tokenyard::input
