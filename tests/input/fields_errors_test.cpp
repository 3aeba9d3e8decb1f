// What a user is told about values that are no good: the whole message, place and caret included.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input/fields.hpp"

using namespace tokenyard;
using input::Confidence;
using input::Fields;
using input::Sourced;

namespace {

enum class Policy { keep, drop };
constexpr auto enum_names(Policy) {
  return std::array<std::string_view, 2>{"keep", "drop"};
}

struct Pool {
  std::string name;
  std::int64_t count = 1;
};
void describe(Fields& f, Pool& x) {
  f.required("name", x.name, "how it is called");
  f.optional("count", x.count, "nodes").at_least(1).at_most(100000);
}

struct Site {
  std::string name;
  double pue = 1.2;
  bool open = true;
  Policy policy = Policy::keep;
  BytesPerSecond bandwidth;
  Seconds window = seconds(1);
  Sourced<Watts> limit{watts(1)};
  std::optional<Sourced<Usd>> price;
  std::vector<Pool> pools;
  std::map<std::string, double> shares;
};
void describe(Fields& f, Site& x) {
  f.required("name", x.name, "how it is called");
  f.optional("pue", x.pue, "facility energy over IT energy").at_least(1).at_most(3);
  f.optional("open", x.open, "whether it takes load");
  f.optional("policy", x.policy, "what happens between turns");
  f.optional("bandwidth", x.bandwidth, "of its uplink");
  f.optional("window", x.window, "between samples").more_than(0).at_most(3600);
  f.optional("limit", x.limit, "power it can carry").more_than(0);
  f.optional("price", x.price, "bought new").at_least(0);
  f.optional("pools", x.pools, "of nodes");
  f.optional("shares", x.shares, "by class");
  if (f.is_reading() && x.name == "nowhere") f.problem("name", "there is no such place");
  if (f.is_reading() && x.name == "alone" && !f.has("pools")) f.problem("pools", "needs a pool");
}

std::string message_of(const std::string& text) {
  Diagnostics diagnostics;
  const input::Node root = input::parse_yaml(text, "s.yaml", diagnostics);
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = std::nullopt};
  Site site;
  const bool ok = input::read_value(context, root, site);
  CHECK(ok == diagnostics.empty());
  try {
    diagnostics.throw_if_any();
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

// The message for "name: x" followed by one bad line, which is line 2 of the text.
std::string about(const std::string& line) {
  return message_of("name: x\n" + line + "\n");
}

std::string at(int column, const std::string& message, const std::string& line) {
  return "s.yaml:2:" + std::to_string(column) + ": error: " + message + "\n    2 | " + line +
         "\n      | " + std::string(static_cast<std::size_t>(column - 1), ' ') + '^';
}

}  // namespace

TEST_CASE("an unknown key is shown with the nearest known one, or with all of them") {
  CHECK(about("puee: 1.2") == at(1, "unknown key 'puee'; did you mean 'pue'?", "puee: 1.2"));
  CHECK(about("colour: red") == at(1,
                                   "unknown key 'colour'; accepted: name, pue, open, policy, "
                                   "bandwidth, window, limit, price, "
                                   "pools, shares",
                                   "colour: red"));
  CHECK(about("pools: [{name: a, cuont: 1}]") ==
        at(19, "pools[0]: unknown key 'cuont'; did you mean 'count'?",
           "pools: [{name: a, cuont: 1}]"));
}

TEST_CASE("a key that is missing is reported at the map that lacks it") {
  CHECK(message_of("pue: 1.2\n") ==
        "s.yaml:1:1: error: key 'name' is missing\n    1 | pue: 1.2\n      | ^");
  CHECK(about("pools: [{count: 1}]") ==
        at(9, "pools[0]: key 'name' is missing", "pools: [{count: 1}]"));
}

TEST_CASE("where a whole number is expected nothing else will do") {
  const auto count = [](const std::string& value) {
    return about("pools: [{name: a, count: " + value + "}]");
  };
  const auto refused = [](const std::string& value, const std::string& message) {
    return at(26, "pools[0].count: " + message, "pools: [{name: a, count: " + value + "}]");
  };
  for (const std::string value : {"0x10", "yes", "1e3", "1_000", "8.0", "two", "+5", "1 000"}) {
    CHECK(count(value) ==
          refused(value, "'" + value + "' is not a whole number; expected one, such as '8'"));
  }
  CHECK(count("010") == refused("010", "'010' is octal to some readers; write '10'"));
  CHECK(count("-007") == refused("-007", "'-007' is octal to some readers; write '-7'"));
  CHECK(count("'8'") == refused("'8'", "'8' is text; write the number without quotes"));
  CHECK(count("''") == refused("''", "'' is not a whole number; expected one, such as '8'"));
  CHECK(count("9223372036854775808") ==
        refused("9223372036854775808", "'9223372036854775808' does not fit 64 bits"));
  CHECK(count("[8]") == refused("[8]", "a list stands here; expected a whole number"));
  CHECK(count("{a: 8}") == refused("{a: 8}", "a map stands here; expected a whole number"));
  CHECK(count("~") == refused("~", "nothing stands here; expected a whole number"));
  CHECK(count("8") == "accepted");
}

TEST_CASE("where true or false is expected nothing else will do") {
  for (const std::string value : {"yes", "no", "on", "True", "1", "y"}) {
    CHECK(about("open: " + value) ==
          at(7, "open: '" + value + "' is neither 'true' nor 'false'", "open: " + value));
  }
  CHECK(about("open: 'true'") ==
        at(7, "open: 'true' is text; expected true or false without quotes", "open: 'true'"));
  CHECK(about("open: false") == "accepted");
}

TEST_CASE("a plain number may be a share or carry a prefix, but not a unit") {
  CHECK(about("pue: 120 %") == "accepted");
  CHECK(about("shares: {a: 671 G, b: 8 %, c: 1e3, d: 0.5}") == "accepted");
  CHECK(about("pue: 1.2 W") ==
        at(6, "pue: '1.2 W' is a power; expected a plain number, such as '0.08', '8 %' or '671 G'",
           "pue: 1.2 W"));
  CHECK(about("pue: 5 %G") ==
        at(6, "pue: '5 %G': unknown unit '%G'; did you mean '%'?", "pue: 5 %G"));
  CHECK(
      about("pue: 1_2") ==
      at(6,
         "pue: '1_2': unknown unit '_2'; expected a plain number, such as '0.08', '8 %' or '671 G'",
         "pue: 1_2"));
  CHECK(
      about("pue: .inf") ==
      at(6,
         "pue: '.inf' is not a quantity; expected a plain number, such as '0.08', '8 %' or '671 G'",
         "pue: .inf"));
  CHECK(about("shares: {a: x}") == at(13,
                                      "shares.a: 'x' is not a quantity; expected a plain number, "
                                      "such as '0.08', '8 %' or '671 G'",
                                      "shares: {a: x}"));
}

TEST_CASE("a quantity needs its unit, and the right kind of one") {
  CHECK(about("bandwidth: 16 GB") ==
        at(12,
           "bandwidth: '16 GB' is an amount of data; expected data per time, such as '3.35 TB/s'",
           "bandwidth: 16 GB"));
  CHECK(about("window: 5") ==
        at(9, "window: '5' has no unit; expected a time, such as '1.5 ms'", "window: 5"));
  CHECK(about("window: 5 sec") ==
        at(9, "window: '5 sec': unknown unit 'sec'; did you mean 'second'?", "window: 5 sec"));
  CHECK(about("limit: [1 W]") ==
        at(8, "limit: a list stands here; expected a power, such as '700 W'", "limit: [1 W]"));
}

TEST_CASE("nothing written where a value is needed is reported at its key") {
  CHECK(about("window:") ==
        at(1, "window: nothing stands here; expected a time, such as '1.5 ms'", "window:"));
  CHECK(about("pools:") == at(1, "pools: nothing stands here; expected a list", "pools:"));
  CHECK(about("shares: ~") == at(9, "shares: nothing stands here; expected a map", "shares: ~"));
  CHECK(about("policy:") == at(1, "policy: nothing stands here; expected a name", "policy:"));
  CHECK(message_of("name:\n") ==
        "s.yaml:1:1: error: name: nothing stands here; expected text\n    1 | name:\n      | ^");
}

TEST_CASE("a name from a list is shown with the nearest, or with the list") {
  CHECK(about("policy: kep") ==
        at(9, "policy: 'kep' is not known here; did you mean 'keep'?", "policy: kep"));
  CHECK(about("policy: 7") ==
        at(9, "policy: '7' is not known here; accepted: keep, drop", "policy: 7"));
}

TEST_CASE("a value out of range says what the bound is, in the value's own kind of unit") {
  CHECK(about("pue: 0.9") == at(6, "pue: '0.9' is out of range; expected at least 1", "pue: 0.9"));
  CHECK(about("pue: 4") == at(6, "pue: '4' is out of range; expected at most 3", "pue: 4"));
  CHECK(about("pue: 1") == "accepted");
  CHECK(about("pue: 3") == "accepted");
  CHECK(about("window: 0 s") ==
        at(9, "window: '0 s' is out of range; expected more than 0 s", "window: 0 s"));
  CHECK(about("window: 2 h") ==
        at(9, "window: '2 h' is out of range; expected at most 60.0 min", "window: 2 h"));
  CHECK(about("pools: [{name: a, count: 0}]") ==
        at(26, "pools[0].count: '0' is out of range; expected at least 1",
           "pools: [{name: a, count: 0}]"));
  CHECK(about("pools: [{name: a, count: 100001}]") ==
        at(26, "pools[0].count: '100001' is out of range; expected at most 100000",
           "pools: [{name: a, count: 100001}]"));
}

TEST_CASE("the ends of a band are held to the same range as the value") {
  CHECK(
      about("limit: {value: 0 W}") ==
      at(16, "limit.value: '0 W' is out of range; expected more than 0 W", "limit: {value: 0 W}"));
  CHECK(about("price: {value: 1 USD, low: -1 USD}") ==
        at(28, "price.low: '-1 USD' is out of range; expected at least 0 USD",
           "price: {value: 1 USD, low: -1 USD}"));
}

TEST_CASE("the long form of a number is checked like any map, and its band must hold the value") {
  CHECK(about("limit: {low: 1 W}") ==
        at(8, "limit: the long form of a number needs 'value'", "limit: {low: 1 W}"));
  CHECK(about("limit: {value: 1 W, sorce: x}") ==
        at(21, "limit: unknown key 'sorce'; did you mean 'source'?",
           "limit: {value: 1 W, sorce: x}"));
  CHECK(about("limit: {value: 1 W, confidence: sure}") ==
        at(33,
           "limit.confidence: 'sure' is not known here; accepted: measured, vendor, analysis, "
           "estimate, "
           "assumed",
           "limit: {value: 1 W, confidence: sure}"));
  CHECK(about("limit: {value: 9 W, low: 10 W}") ==
        at(8, "limit: the value lies outside its own band, low to high",
           "limit: {value: 9 W, low: 10 W}"));
  CHECK(about("limit: {value: 9 W, low: }") ==
        at(26, "limit.low: nothing stands here; expected a power, such as '700 W'",
           "limit: {value: 9 W, low: }"));
  CHECK(about("limit: {value: 9 W, low: 9 W, high: 9 W}") == "accepted");
}

TEST_CASE("a struct's own check is reported at its key, or at the map when the key is absent") {
  CHECK(message_of("name: nowhere\n") ==
        "s.yaml:1:7: error: name: there is no such place\n    1 | name: nowhere\n      |       ^");
  CHECK(message_of("name: alone\n") ==
        "s.yaml:1:1: error: needs a pool\n    1 | name: alone\n      | ^");
}

TEST_CASE("a file that is not a map, or no YAML, is told once") {
  CHECK(message_of("just text\n") ==
        "s.yaml:1:1: error: 'just text' stands here; expected a map\n    1 | just text\n      | ^");
  CHECK(message_of("- a\n") ==
        "s.yaml:1:1: error: a list stands here; expected a map\n    1 | - a\n      | ^");
  CHECK(message_of("a: [1\n") ==
        "s.yaml:1:6: error: not valid YAML: expected ',' or ']'\n    1 | a: [1\n      |      ^\n"
        "note: it began at line 1, column 4");
  CHECK(message_of("") == "s.yaml:1:1: error: nothing is written here");
}

TEST_CASE("every mistake of a file is found in one reading and told in the order of the file") {
  CHECK(
      message_of("pue: 0.5\n"
                 "puee: 1\n"
                 "pools:\n"
                 "  - {nmae: a}\n"
                 "  - {name: b, count: x}\n"
                 "window: 3 GB\n"
                 "pue: 2\n") ==
      "s.yaml:1:1: error: key 'name' is missing\n"
      "    1 | pue: 0.5\n"
      "      | ^\n"
      "s.yaml:1:6: error: pue: '0.5' is out of range; expected at least 1\n"
      "    1 | pue: 0.5\n"
      "      |      ^\n"
      "s.yaml:2:1: error: unknown key 'puee'; did you mean 'pue'?\n"
      "    2 | puee: 1\n"
      "      | ^\n"
      "s.yaml:4:5: error: pools[0]: key 'name' is missing\n"
      "    4 |   - {nmae: a}\n"
      "      |     ^\n"
      "s.yaml:4:6: error: pools[0]: unknown key 'nmae'; did you mean 'name'?\n"
      "    4 |   - {nmae: a}\n"
      "      |      ^\n"
      "s.yaml:5:22: error: pools[1].count: 'x' is not a whole number; expected one, such as '8'\n"
      "    5 |   - {name: b, count: x}\n"
      "      |                      ^\n"
      "s.yaml:6:9: error: window: '3 GB' is an amount of data; expected a time, such as '1.5 ms'\n"
      "    6 | window: 3 GB\n"
      "      |         ^\n"
      "s.yaml:7:1: error: key 'pue' is given twice\n"
      "    7 | pue: 2\n"
      "      | ^");
}
