#include "study/measured_csv.hpp"

#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;
using study::MeasuredCsv;
using study::MeasuredKind;

std::string header_of(MeasuredKind kind) {
  std::string header;
  for (const std::string& column : study::columns_of(kind))
    header += (header.empty() ? "" : ",") + column;
  return header;
}

// A published row whose source is the given field.
std::string published(const std::string& source, const std::string& value = "3") {
  return "V1," + source + ",url,hardware,8,model,fp8,scenario,1024,1024,64,output_throughput," +
         value + ",Tokens/s,notes,high\n";
}

std::string message_of(const std::string& text) {
  try {
    const MeasuredCsv csv("m.csv", text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a file's kind is that whose columns its header has, whatever their order") {
  for (const MeasuredKind kind :
       {MeasuredKind::steady, MeasuredKind::published, MeasuredKind::sessions}) {
    CHECK(MeasuredCsv("m.csv", header_of(kind) + "\n").kind() == kind);
    CHECK(MeasuredCsv("m.csv", "more," + header_of(kind) + "\n").kind() == kind);
  }
}

TEST_CASE("a header of no kind is told the three kinds and the first columns that each misses") {
  CHECK(message_of("id,device,value\n1,2,3\n") ==
        "m.csv:1:1: error: the header is of none of the three kinds of measurements: steady misses "
        "num_devices, model, weights and 13 more; published misses source, url_or_repo_path, "
        "hardware and 11 more; sessions misses session_id, agent, round_idx and 9 more\n"
        "    1 | id,device,value\n"
        "      | ^");
  // One column short.
  std::string header = header_of(MeasuredKind::steady);
  header.erase(header.rfind(','));
  CHECK(message_of(header + "\n").find("steady misses engines; published") != std::string::npos);
}

TEST_CASE("a quoted field holds commas and, doubled, quotes; blanks around fields do not count") {
  const MeasuredCsv csv("m.csv", header_of(MeasuredKind::published) + "\r\n" +
                                     published(" \"MLPerf, the \"\"closed\"\" one\" ", "  3.5 "));
  REQUIRE(csv.size() == 1);
  CHECK(csv.row(0).text("source") == "MLPerf, the \"closed\" one");
  Diagnostics diagnostics;
  CHECK(csv.row(0).number("value", diagnostics) == 3.5);
  CHECK(diagnostics.empty());
  CHECK(csv.row(0).place("source").column == 5);
}

TEST_CASE("empty lines are no rows, and a byte order mark is no part of the first name") {
  const MeasuredCsv csv("m.csv", "\xef\xbb\xbf" + header_of(MeasuredKind::published) + "\n\n" +
                                     published("a") + "   \n" + published("b"));
  REQUIRE(csv.size() == 2);
  CHECK(csv.row(1).text("source") == "b");
  CHECK(csv.row(1).place().line == 5);
}

TEST_CASE("every line that is no row is reported, with its place") {
  const std::string bad = header_of(MeasuredKind::published) + "\nV1,short\n" +
                          published("\"open") + published("\"a\" b");
  const std::string message = message_of(bad);
  CHECK(message.find("m.csv:2:1: error: 2 fields; the header has 16\n") != std::string::npos);
  CHECK(message.find("m.csv:3:4: error: the quote is not closed on this line\n") !=
        std::string::npos);
  CHECK(message.find("m.csv:4:4: error: text after the closing quote; a quote inside quotes is "
                     "\"\"\n") != std::string::npos);
  CHECK(message_of("value," + header_of(MeasuredKind::published) + "\n")
            .find("error: value: column is given twice") != std::string::npos);
  CHECK(message_of("a\x01"
                   "b\n")
            .find("m.csv:1:2: error: control character 0x01") == 0);
}

TEST_CASE("fields are read as numbers and counts, and what is neither is said with its column") {
  const MeasuredCsv csv("m.csv", header_of(MeasuredKind::published) + "\n" + published("a", "1e3") +
                                     published("b", "12x") + published("c", "") +
                                     published("d", "nan") + published("e", "-1") +
                                     published("f", "2.5"));
  Diagnostics d;
  CHECK(csv.row(0).positive("value", d) == 1000.0);
  CHECK(csv.row(0).count("value", d) == 1000);
  CHECK(csv.row(0).count("isl", d) == 1024);
  CHECK_FALSE(csv.row(2).number("value", d).has_value());
  CHECK(d.empty());
  CHECK_FALSE(csv.row(1).number("value", d).has_value());
  CHECK(csv.row(2).word("value", d).empty());
  CHECK_FALSE(csv.row(3).number("value", d).has_value());
  static_cast<void>(csv.row(4).positive("value", d));
  static_cast<void>(csv.row(5).count("value", d));
  REQUIRE(d.list().size() == 5);
  CHECK(d.list()[0].message == "'12x' is not a number");
  CHECK(d.list()[0].path == "value");
  CHECK(d.list()[0].place.line == 3);
  CHECK(d.list()[1].message == "nothing is given");
  CHECK(d.list()[2].message == "'nan' is not a number");
  CHECK(d.list()[3].message == "'-1' is not more than 0");
  CHECK(d.list()[4].message == "'2.5' is not a whole number of at least 1");
}

TEST_CASE("a count beyond 10^12 is told what is accepted, and 10^12 is; what is infinite is none") {
  const MeasuredCsv csv("m.csv", header_of(MeasuredKind::published) + "\n" +
                                     published("a", "1e12") + published("b", "2e12") +
                                     published("c", "inf"));
  Diagnostics d;
  CHECK(csv.row(0).count("value", d) == 1'000'000'000'000);
  CHECK(d.empty());
  CHECK(csv.row(1).count("value", d, 0) == 0);
  CHECK(csv.row(2).count("value", d) == 1);
  REQUIRE(d.list().size() == 2);
  CHECK(d.list()[0].message == "'2e12' is too large; expected 0 to 1000000000000");
  CHECK(d.list()[1].message == "'inf' is not a whole number of at least 1");
}

TEST_CASE("the kind of a file is known by its header; folders and what is not there are refused") {
  const test::ToyYard yard;
  yard.write("m.csv", header_of(MeasuredKind::sessions) + "\nnot,a,row\n");
  CHECK(study::measured_kind(yard.file("m.csv")) == MeasuredKind::sessions);
  CHECK(yard.message_of([&] { study::measured_kind(yard.file("gone.csv")); }) ==
        "gone.csv: error: there is no such file");
  CHECK(yard.message_of([&] { study::measured_kind(yard.file("workloads")); }) ==
        "workloads: error: is not a regular file");
}
