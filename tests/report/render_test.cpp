#include "report/render.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

using namespace tokenyard;
using report::Format;
using report::render;

namespace {

Table sample() {
  return {{"name", "count", "ttft_p99_s"},
          {{"a100", std::int64_t{1234567}, 0.412345},
           {"b", std::int64_t{8}, std::monostate{}},
           {std::monostate{}, std::int64_t{-3}, 1234.5}}};
}

Table one_cell(const std::string& text) {
  return {{"x"}, {{text}}};
}

}  // namespace

TEST_CASE(
    "a terminal table aligns numbers to the right, shows three digits and no trailing blanks") {
  CHECK(render(sample(), Format::terminal) ==
        "name    count  ttft_p99_s\n"
        "a100  1234567       0.412\n"
        "b           8\n"
        "           -3        1230\n");
}

TEST_CASE("a table without rows is its header") {
  CHECK(render({{"a", "bb"}, {}}, Format::terminal) == "a  bb\n");
  CHECK(render({{"a", "bb"}, {}}, Format::csv) == "a,bb\n");
  CHECK(render({{"a", "bb"}, {}}, Format::markdown) == "| a | bb |\n| --- | --- |\n");
  CHECK(render({{"a", "bb"}, {}}, Format::json) == "[]\n");
}

TEST_CASE("only the header is bold, and only when asked") {
  CHECK(render({{"a"}, {{"x"}}}, Format::terminal, {.bold_header = true}) ==
        "\033[1ma\033[0m\nx\n");
  CHECK(render(sample(), Format::terminal).find('\033') == std::string::npos);
}

TEST_CASE("columns stay aligned beside letters of more than one byte") {
  CHECK(render({{"city", "n"}, {{"Zürich", std::int64_t{1}}, {"Oslo", std::int64_t{22}}}},
               Format::terminal) ==
        "city     n\n"
        "Zürich   1\n"
        "Oslo    22\n");
}

TEST_CASE("text cannot steer the terminal: escape, bell, newline and C1 controls become '?'") {
  CHECK(render(one_cell("a\033[2Jb\a\nc\xc2\x9b"
                        "d"),
               Format::terminal) == "x\na?[2Jb??c?d\n");
}

TEST_CASE("CSV keeps full precision and quotes what needs it") {
  CHECK(render(sample(), Format::csv) ==
        "name,count,ttft_p99_s\n"
        "a100,1234567,0.412345\n"
        "b,8,\n"
        ",-3,1234.5\n");
  CHECK(render(one_cell("a,b"), Format::csv) == "x\n\"a,b\"\n");
  CHECK(render(one_cell("say \"hi\""), Format::csv) == "x\n\"say \"\"hi\"\"\"\n");
  CHECK(render(one_cell("two\nlines"), Format::csv) == "x\n\"two\nlines\"\n");
}

TEST_CASE("CSV text that a spreadsheet would run gets a quote in front; negative numbers do not") {
  CHECK(render(one_cell("=1+1"), Format::csv) == "x\n'=1+1\n");
  CHECK(render(one_cell("+1"), Format::csv) == "x\n'+1\n");
  CHECK(render(one_cell("-1"), Format::csv) == "x\n'-1\n");
  CHECK(render(one_cell("@SUM(A1)"), Format::csv) == "x\n'@SUM(A1)\n");
  CHECK(render(one_cell("\tx"), Format::csv) == "x\n'\tx\n");
  CHECK(render(one_cell("\rx"), Format::csv) == "x\n\"'\rx\"\n");
  CHECK(render(one_cell("=HYPERLINK(\"http://x\",\"y\")"), Format::csv) ==
        "x\n\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\n");
  CHECK(render({{"=x"}, {{-1.5}}}, Format::csv) == "'=x\n-1.5\n");
}

TEST_CASE("Markdown aligns number columns to the right and escapes markup") {
  CHECK(render(sample(), Format::markdown) ==
        "| name | count | ttft_p99_s |\n"
        "| --- | ---: | ---: |\n"
        "| a100 | 1234567 | 0.412 |\n"
        "| b | 8 |  |\n"
        "|  | -3 | 1230 |\n");
  CHECK(render(one_cell("a|b <script> & [x](y)\nz"), Format::markdown) ==
        "| x |\n| --- |\n| a\\|b &lt;script> &amp; \\[x\\](y)<br>z |\n");
}

TEST_CASE("JSON is one object a line, in full precision, NULL as null") {
  CHECK(render(sample(), Format::json) ==
        "[\n"
        "{\"name\":\"a100\",\"count\":1234567,\"ttft_p99_s\":0.412345},\n"
        "{\"name\":\"b\",\"count\":8,\"ttft_p99_s\":null},\n"
        "{\"name\":null,\"count\":-3,\"ttft_p99_s\":1234.5}\n"
        "]\n");
}

TEST_CASE("JSON: not-a-number is null, equal names are numbered, broken UTF-8 is replaced") {
  CHECK(render({{"x", "x", "x_2"}, {{std::nan(""), std::int64_t{1}, "\xff\"<"}}}, Format::json) ==
        "[\n{\"x\":null,\"x_2\":1,\"x_2_2\":\"\xef\xbf\xbd\\\"<\"}\n]\n");
}

TEST_CASE("a row shorter than the header is our mistake") {
  CHECK_THROWS_AS((void)render({{"a", "b"}, {{"x"}}}, Format::csv), InternalError);
}

TEST_CASE("escapes are wanted on a terminal, unless it is dumb or NO_COLOR is set and not empty") {
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  CHECK(report::escapes_wanted(true));
  CHECK_FALSE(report::escapes_wanted(false));
  ::setenv("NO_COLOR", "", 1);
  CHECK(report::escapes_wanted(true));
  ::setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(report::escapes_wanted(true));
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  CHECK_FALSE(report::escapes_wanted(true));
}
