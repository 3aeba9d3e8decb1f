// One declaration, three uses: a struct with every kind of value is read, dumped and described.
#include "input/fields.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace tokenyard;
using input::Confidence;
using input::Fields;
using input::Sourced;

namespace {

enum class Cooling { air, liquid };
constexpr auto enum_names(Cooling) {
  return std::array<std::string_view, 2>{"air", "liquid"};
}

struct Fan {
  std::string name;
  std::int64_t blades = 3;
};
void describe(Fields& f, Fan& x) {
  f.required("name", x.name, "how it is called");
  f.optional("blades", x.blades, "how many").at_least(1);
}

struct Rack {
  std::string name;
  std::string source;
  Confidence confidence = Confidence::assumed;
  Cooling cooling = Cooling::air;
  bool locked = false;
  std::int64_t units = 42;
  double pue = 1.2;
  Seconds lifetime = years(5);
  Sourced<Watts> limit;
  std::optional<Sourced<Usd>> price;
  std::vector<Fan> fans;
  std::map<std::string, Sourced<FlopsPerSecond>> peak;
  Fan spare{.name = "spare", .blades = 5};
};
void describe(Fields& f, Rack& x) {
  f.required("name", x.name, "how scenarios refer to it");
  f.provenance(x.source, x.confidence);
  f.optional("cooling", x.cooling, "what carries the heat away");
  f.optional("locked", x.locked, "whether it has a lock");
  f.optional("units", x.units, "rack units").at_least(1).at_most(60);
  f.optional("pue", x.pue, "facility energy over IT energy").at_least(1);
  f.optional("lifetime", x.lifetime, "until it is replaced").more_than(0);
  f.required("limit", x.limit, "power it can carry").more_than(0);
  f.optional("price", x.price, "bought new").at_least(0);
  f.optional("fans", x.fans, "in order");
  f.optional("peak", x.peak, "by number format");
  f.optional("spare", x.spare, "kept in the drawer");
}

Rack read(const std::string& text) {
  Diagnostics diagnostics;
  const input::Node root = input::parse_yaml(text, "r.yaml", diagnostics);
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = std::nullopt};
  Rack rack;
  const bool ok = input::read_value(context, root, rack);
  CHECK_NOTHROW(diagnostics.throw_if_any());
  CHECK(ok);
  return rack;
}

const std::string kShort =
    "name: r1\n"
    "source: data sheet\n"
    "confidence: vendor\n"
    "limit: 40 kW\n";

const std::string kLong =
    "name: r1\n"
    "source: data sheet\n"
    "confidence: vendor\n"
    "cooling: liquid\n"
    "locked: true\n"
    "units: 48\n"
    "pue: 1.07\n"
    "lifetime: 4 years\n"
    "limit: {value: 40 kW, low: 35 kW, high: 45 kW, source: test bench, confidence: measured, "
    "date: 2026-04}\n"
    "price: 3 kUSD\n"
    "fans: [{name: a}, {name: b, blades: 7}]\n"
    "peak: {bf16: 989 TFLOP/s, fp8: {value: 1979 TFLOP/s, high: 2 PFLOP/s}}\n"
    "spare: {name: s, blades: 2}\n";

}  // namespace

TEST_CASE("what is not written keeps its default") {
  const Rack rack = read(kShort);
  CHECK(rack.name == "r1");
  CHECK(rack.cooling == Cooling::air);
  CHECK(rack.units == 42);
  CHECK(rack.pue == 1.2);
  CHECK(rack.lifetime == years(5));
  CHECK_FALSE(rack.price.has_value());
  CHECK(rack.fans.empty());
  CHECK(rack.spare.name == "spare");
}

TEST_CASE("every kind of value is read") {
  const Rack rack = read(kLong);
  CHECK(rack.cooling == Cooling::liquid);
  CHECK(rack.locked);
  CHECK(rack.units == 48);
  CHECK(rack.pue == 1.07);
  CHECK(rack.lifetime == years(4));
  CHECK(rack.limit.value == watts(40e3));
  CHECK(rack.price->value == usd(3000));
  CHECK(rack.fans.size() == 2);
  CHECK(rack.fans[0].blades == 3);
  CHECK(rack.fans[1].blades == 7);
  CHECK(rack.peak.at("bf16").value == teraflops_per_second(989));
  CHECK(rack.spare.blades == 2);
}

TEST_CASE("a number written short has the file's source and confidence; written long, its own") {
  const Rack rack = read(kLong);
  CHECK(rack.price->source == "data sheet");
  CHECK(rack.price->confidence == Confidence::vendor);
  CHECK_FALSE(rack.price->low.has_value());
  CHECK(rack.limit.source == "test bench");
  CHECK(rack.limit.confidence == Confidence::measured);
  CHECK(rack.limit.date == "2026-04");
  CHECK(rack.limit.low == watts(35e3));
  CHECK(rack.limit.high == watts(45e3));
}

TEST_CASE("the long form inherits what it leaves out, inside maps too") {
  const Rack rack = read(kLong);
  const Sourced<FlopsPerSecond>& fp8 = rack.peak.at("fp8");
  CHECK(fp8.source == "data sheet");
  CHECK(fp8.confidence == Confidence::vendor);
  CHECK_FALSE(fp8.low.has_value());
  CHECK(fp8.high == teraflops_per_second(2000));
}

TEST_CASE("a default that no file has written is assumed and names no source") {
  const Sourced<double> written_in_code{1.5};
  CHECK(written_in_code.confidence == Confidence::assumed);
  CHECK(written_in_code.source.empty());
  CHECK(written_in_code + 1.0 == 2.5);
}

TEST_CASE("an optional value may be null, and an empty list or map is one") {
  const Rack rack = read(kShort + "price: null\nfans: []\npeak: {}\n");
  CHECK_FALSE(rack.price.has_value());
  CHECK(rack.fans.empty());
  CHECK(rack.peak.empty());
}

TEST_CASE("a dump reads back as the same values, defaults and sources included") {
  for (const std::string& text : {kShort, kLong}) {
    const Rack rack = read(text);
    const std::string dumped = input::dump_json(rack);
    CHECK(input::dump_json(read(dumped)) == dumped);
  }
  const Rack again = read(input::dump_json(read(kLong)));
  CHECK(again.limit.low == watts(35e3));
  CHECK(again.limit.date == "2026-04");
  CHECK(again.peak.at("fp8").value == teraflops_per_second(1979));
  CHECK(again.fans[1].blades == 7);
}

TEST_CASE("a dump is JSON that spells out every default") {
  const nlohmann::json json = nlohmann::json::parse(input::dump_json(read(kShort)));
  CHECK(json["units"] == 42);
  CHECK(json["cooling"] == "air");
  CHECK(json["lifetime"] == "157680000 s");
  CHECK(json["price"].is_null());
  CHECK(json["limit"] ==
        nlohmann::json({{"value", "40000 W"}, {"source", "data sheet"}, {"confidence", "vendor"}}));
}

TEST_CASE(
    "the schema is JSON, lists every key with its explanation, and knows which must be there") {
  const nlohmann::json schema = nlohmann::json::parse(input::schema_of<Rack>());
  CHECK(schema["type"] == "object");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == nlohmann::json({"name", "source", "confidence", "limit"}));
  const nlohmann::json& properties = schema["properties"];
  for (const char* key : {"name", "source", "confidence", "cooling", "locked", "units", "pue",
                          "lifetime", "limit", "price", "fans", "peak", "spare"}) {
    CAPTURE(key);
    CHECK(properties.contains(key));
    CHECK_FALSE(properties[key]["title"].get<std::string>().empty());
  }
  CHECK(properties.size() == 13);
  CHECK(properties["cooling"]["enum"] == nlohmann::json({"air", "liquid"}));
  CHECK(properties["locked"]["type"] == "boolean");
  CHECK(properties["units"]["type"] == "integer");
  CHECK(properties["pue"]["type"] == nlohmann::json({"number", "string"}));
  CHECK(properties["lifetime"]["description"] == "a time, such as '1.5 ms'");
  CHECK(properties["fans"]["items"]["required"] == nlohmann::json({"name"}));
  CHECK(properties["spare"]["properties"]["blades"]["type"] == "integer");
}

TEST_CASE(
    "the schema takes a number with its source short or long, and an optional one also as null") {
  const nlohmann::json schema = nlohmann::json::parse(input::schema_of<Rack>());
  const nlohmann::json& limit = schema["properties"]["limit"]["anyOf"];
  CHECK(limit[0]["type"] == "string");
  CHECK(limit[1]["required"] == nlohmann::json({"value"}));
  CHECK(limit[1]["properties"].size() == 6);
  const nlohmann::json& price = schema["properties"]["price"]["anyOf"];
  CHECK(price[0]["type"] == "null");
  CHECK(price[1]["anyOf"].size() == 2);
  CHECK(schema["properties"]["peak"]["additionalProperties"]["anyOf"].size() == 2);
}
