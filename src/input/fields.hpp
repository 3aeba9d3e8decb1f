#pragma once
// One declaration of a file's keys serves four ends: reading a file, writing its JSON Schema,
// dumping the values read (the plan), and listing its numbers with their sources.
//
// A struct that can be written in a file has a function found by argument-dependent lookup:
//
//   void describe(Fields& f, Site& s) {
//     f.required("name", s.name, "how scenarios refer to this site");
//     f.optional("pue", s.pue, "facility energy over IT energy").at_least(1.0);
//   }
//
// Reading collects every problem in the context's Diagnostics: unknown keys (with the nearest known
// one), missing keys, wrong kinds, missing units, wrong dimensions, values out of range.  What
// could not be read keeps its default, so one pass finds all mistakes.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "input/codec.hpp"

namespace tokenyard::input {

// Range checks chained to a declaration; they act on reading only.
template <class T>
class Field {
 public:
  Field() = default;  // nothing was read: nothing to check
  Field(ReadContext* context, const Node* node, const T* value)
      : context_(context), node_(node), value_(value) {}

  Field& at_least(double bound) {
    return bounded(bound, "at least", [](double v, double b) { return v >= b; });
  }
  Field& at_most(double bound) {
    return bounded(bound, "at most", [](double v, double b) { return v <= b; });
  }
  Field& more_than(double bound) {
    return bounded(bound, "more than", [](double v, double b) { return v > b; });
  }
  Field& less_than(double bound) {
    return bounded(bound, "less than", [](double v, double b) { return v < b; });
  }

 private:
  Field& bounded(double bound, std::string_view words, bool (*holds)(double, double));

  ReadContext* context_ = nullptr;
  const Node* node_ = nullptr;
  const T* value_ = nullptr;
};

// A number of an entry, where it stands and what it rests on.
struct SourcedNumber {
  std::string path;     // "engines[0].launch_overhead"
  std::string value;    // "2 us"
  double number = 0.0;  // base units
  Dim dim;
  Confidence confidence = Confidence::assumed;
  std::string source;
  std::string band;  // "1 us to 4 us"; empty: none stated
  bool unknown = false;
};

class Fields {
 public:
  // Reads the map `node`; finish() then reports the keys nobody asked for.
  static Fields reading(ReadContext& context, const Node& node) {
    return Fields(&context, &node, nullptr, nullptr, nullptr);
  }
  static Fields describing(std::vector<std::string>& properties,
                           std::vector<std::string>& required) {
    return Fields(nullptr, nullptr, nullptr, &properties, &required);
  }
  static Fields dumping(JsonWriter& json) {
    return Fields(nullptr, nullptr, &json, nullptr, nullptr);
  }

  static Fields listing(std::string path, std::vector<SourcedNumber>& numbers) {
    Fields fields(nullptr, nullptr, nullptr, nullptr, nullptr);
    fields.path_ = std::move(path);
    fields.numbers_ = &numbers;
    return fields;
  }

  template <class T>
  Field<T> required(std::string_view key, T& out, std::string_view doc) {
    return field(key, out, doc, true);
  }
  template <class T>
  Field<T> optional(std::string_view key, T& out, std::string_view doc) {
    return field(key, out, doc, false);
  }

  [[nodiscard]] bool is_reading() const { return node_ != nullptr; }
  // While reading: the map being read, and whether a key stands in it.
  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] bool has(std::string_view key) const {
    return node_ != nullptr && node_->find(key) != nullptr;
  }
  // Reports a problem at a key (or at the map when the key is absent).  Reading only.
  void problem(std::string_view key, std::string message);
  // The file's own `source` and `confidence`, for numbers written short.  Both required.
  void provenance(std::string& source, Confidence& confidence);
  void finish();

 private:
  Fields(ReadContext* context, const Node* node, JsonWriter* json,
         std::vector<std::string>* properties, std::vector<std::string>* required)
      : context_(context), node_(node), json_(json), properties_(properties), required_(required) {}

  template <class T>
  Field<T> field(std::string_view key, T& out, std::string_view doc, bool is_required);
  const Node* take(std::string_view key, bool is_required);
  void add_property(std::string_view key, std::string schema, std::string_view doc,
                    bool is_required);

  ReadContext* context_;
  const Node* node_;
  JsonWriter* json_;
  std::vector<std::string>* properties_;
  std::vector<std::string>* required_;
  std::vector<std::string> known_;
  std::vector<SourcedNumber>* numbers_ = nullptr;
  std::string path_;  // while listing: of the map
};

template <class T>
bool read_value(ReadContext& context, const Node& node, T& out) {
  return Codec<T>::read(context, node, out);
}
template <class T>
std::string schema_of() {
  return Codec<T>::schema();
}
template <class T>
std::string dump_json(const T& value) {
  JsonWriter json;
  Codec<T>::write(json, value);
  return json.text();
}

template <class T>
concept Described = requires(Fields& f, T& t) {
  describe(f, t);
};

std::string object_schema(const std::vector<std::string>& properties,
                          const std::vector<std::string>& required);

template <Described T>
struct Codec<T> {
  static bool read(ReadContext& c, const Node& n, T& out) {
    if (!fields_detail::expect(c, n, Node::Kind::map, "a map")) return false;
    const std::size_t before = c.diagnostics->list().size();
    Fields fields = Fields::reading(c, n);
    describe(fields, out);
    fields.finish();
    return c.diagnostics->list().size() == before;
  }
  static void write(JsonWriter& json, const T& v) {
    json.begin_object();
    Fields fields = Fields::dumping(json);
    // Dumping only reads; describe() takes a reference it may write because reading shares it.
    describe(fields, const_cast<T&>(v));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    json.end_object();
  }
  // Defined here: clang 14 does not match a definition outside to the constrained class.
  static std::string schema() {
    std::vector<std::string> properties;
    std::vector<std::string> required;
    Fields fields = Fields::describing(properties, required);
    T value{};
    describe(fields, value);
    fields.finish();
    return object_schema(properties, required);
  }
};

namespace fields_detail {

// Calls visit(key, number in base units) for a value's number and the ends of its band; key is
// where it stands in the long form.
template <class Visit>
void visit_numbers(double v, Visit visit) {
  visit("value", v);
}
template <class Visit>
void visit_numbers(std::int64_t v, Visit visit) {
  visit("value", static_cast<double>(v));
}
template <Dim D, class Visit>
void visit_numbers(Quantity<D> v, Visit visit) {
  visit("value", v.base());
}
template <class T, class Visit>
void visit_numbers(const Sourced<T>& v, Visit visit) {
  visit_numbers(v.value, visit);
  if (v.low) visit_numbers(*v.low, [&](std::string_view, double low) { visit("low", low); });
  if (v.high) visit_numbers(*v.high, [&](std::string_view, double high) { visit("high", high); });
}
template <class T, class Visit>
void visit_numbers(const std::optional<T>& v, Visit visit) {
  if (v) visit_numbers(*v, visit);
}

template <class T>
struct DimOf {
  static constexpr Dim kDim = kNone;
};
template <Dim D>
struct DimOf<Quantity<D>> {
  static constexpr Dim kDim = D;
};
template <class T>
struct DimOf<Sourced<T>> : DimOf<T> {};
template <class T>
struct DimOf<std::optional<T>> : DimOf<T> {};

}  // namespace fields_detail

// Adds the sourced numbers in a value to the list; most values hold none.
template <class T>
struct Lister {
  static void list(const std::string& path, const T& value, std::vector<SourcedNumber>& numbers) {
    if constexpr (Described<T>) {
      Fields fields = Fields::listing(path, numbers);
      describe(fields, const_cast<T&>(value));  // NOLINT: as in Codec::write
    }
  }
};
template <class T>
struct Lister<Sourced<T>> {
  static void list(const std::string& path, const Sourced<T>& number,
                   std::vector<SourcedNumber>& numbers) {
    constexpr Dim kDim = fields_detail::DimOf<T>::kDim;
    SourcedNumber found;
    found.path = path;
    found.dim = kDim;
    found.confidence = number.confidence;
    found.source = number.source;
    found.unknown = number.unknown;
    std::string low;
    std::string high;
    fields_detail::visit_numbers(number, [&](std::string_view key, double value) {
      const std::string text = format_quantity(value, kDim);
      if (key == "low") low = text;
      if (key == "high") high = text;
      if (key != "value") return;
      found.value = text;
      found.number = value;
    });
    if (!low.empty() && !high.empty()) found.band = low + " to " + high;
    numbers.push_back(std::move(found));
  }
};
template <class T>
struct Lister<std::optional<T>> {
  static void list(const std::string& path, const std::optional<T>& value,
                   std::vector<SourcedNumber>& numbers) {
    if (value) Lister<T>::list(path, *value, numbers);
  }
};
template <class T>
struct Lister<std::vector<T>> {
  static void list(const std::string& path, const std::vector<T>& values,
                   std::vector<SourcedNumber>& numbers) {
    for (std::size_t i = 0; i < values.size(); ++i)
      Lister<T>::list(element_path(path, i), values[i], numbers);
  }
};
template <class T>
struct Lister<std::map<std::string, T>> {
  static void list(const std::string& path, const std::map<std::string, T>& values,
                   std::vector<SourcedNumber>& numbers) {
    for (const auto& [key, value] : values) Lister<T>::list(key_path(path, key), value, numbers);
  }
};

// Every sourced number of an entry, in the order declared.
template <class T>
std::vector<SourcedNumber> sourced_numbers(const T& entry) {
  std::vector<SourcedNumber> numbers;
  Lister<T>::list("", entry, numbers);
  return numbers;
}

template <class T>
Field<T>& Field<T>::bounded(double bound, std::string_view words, bool (*holds)(double, double)) {
  if (value_ == nullptr) return *this;
  fields_detail::visit_numbers(*value_, [&](std::string_view key, double number) {
    if (node_ == nullptr || holds(number, bound)) return;
    const Node* shown = node_->kind == Node::Kind::map ? node_->find(key) : node_;
    fields_detail::report_range(*context_, *shown, words, bound, fields_detail::DimOf<T>::kDim);
    node_ = nullptr;  // one complaint a value
  });
  return *this;
}

template <class T>
Field<T> Fields::field(std::string_view key, T& out, std::string_view doc, bool is_required) {
  if (json_ != nullptr) {
    json_->key(key);
    Codec<T>::write(*json_, out);
    return {};
  }
  if (numbers_ != nullptr) {
    Lister<T>::list(key_path(path_, std::string(key)), out, *numbers_);
    return {};
  }
  if (properties_ != nullptr) {
    add_property(key, Codec<T>::schema(), doc, is_required);
    return {};
  }
  const Node* node = take(key, is_required);
  if (node == nullptr || !Codec<T>::read(*context_, *node, out)) return {};
  return Field<T>(context_, node, &out);
}

}  // namespace tokenyard::input
