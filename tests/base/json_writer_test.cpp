#include "base/json_writer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "base/random.hpp"

using namespace tokenyard;

TEST_CASE("objects, arrays and values come out in the order written") {
  JsonWriter json;
  json.begin_object().key("a").value(1).key("b").begin_array();
  json.value("x").value(true).null().value(2.5).begin_object().end_object().end_array();
  json.key("c").raw("[1]").key("d").begin_array().end_array().end_object();
  CHECK(json.text() == R"({"a":1,"b":["x",true,null,2.5,{}],"c":[1],"d":[]})");
}

TEST_CASE("a text is a text, not a flag, and 64-bit integers keep every digit") {
  JsonWriter json;
  json.begin_array()
      .value("true")
      .value(std::string("a"))
      .value(std::numeric_limits<std::int64_t>::min());
  json.value(std::numeric_limits<std::int64_t>::max()).end_array();
  CHECK(json.text() == R"(["true","a",-9223372036854775808,9223372036854775807])");
}

TEST_CASE("every character of a text survives a JSON reader") {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "ä€😀";
  CHECK(nlohmann::json::parse(json_quote(all)).get<std::string>() == all);
  CHECK(json_quote("a\"b\\c\n\t\r") == R"("a\"b\\c\n\t\u000d")");
}

TEST_CASE("numbers read back as the same double") {
  RandomStream random(3, "json");
  for (int i = 0; i < 5000; ++i) {
    const double x =
        std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.integer(-1000, 1000)));
    CHECK(nlohmann::json::parse(json_number(x)).get<double>() == x);
  }
  CHECK(json_number(0.1) == "0.1");
  CHECK(json_number(std::numeric_limits<double>::denorm_min()) == "5e-324");
}

TEST_CASE("what JSON cannot say becomes null") {
  CHECK(json_number(std::nan("")) == "null");
  CHECK(json_number(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("closing what is not open, or a key without its value, is our mistake and is caught") {
  JsonWriter empty;
  CHECK_THROWS_AS(empty.end_object(), InternalError);
  JsonWriter half;
  half.begin_object().key("a");
  CHECK_THROWS_AS(half.end_object(), InternalError);
}
