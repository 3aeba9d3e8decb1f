#include "base/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tokenyard;

namespace {

Place at(std::string file, int line, int column, std::string source_line = {}) {
  return {.file = std::move(file),
          .line = line,
          .column = column,
          .source_line = std::move(source_line)};
}

std::string shown(Place place, std::string path, std::string message, std::string note = {}) {
  return format_diagnostic(
      {std::move(place), std::move(path), std::move(message), std::move(note)});
}

}  // namespace

TEST_CASE("a message has file, line, column, path, the source line and a caret") {
  CHECK(shown(at("scenarios/chat.yaml", 2, 3, "  puee: 1.2"), "site",
              "unknown key 'puee'; did you mean 'pue'?") ==
        "scenarios/chat.yaml:2:3: error: site: unknown key 'puee'; did you mean 'pue'?\n"
        "    2 |   puee: 1.2\n"
        "      |   ^");
}

TEST_CASE("a message leaves out what it does not know") {
  CHECK(shown({}, "", "no scenario is given") == "error: no scenario is given");
  CHECK(shown(at("a.yaml", 0, 0), "", "there is no such file") ==
        "a.yaml: error: there is no such file");
  CHECK(shown(at("a.yaml", 3, 1), "x", "bad") == "a.yaml:3:1: error: x: bad");
}

TEST_CASE("a note stands on a line of its own, after the listing") {
  CHECK(shown(at("a.yaml", 1, 1, "a: 1"), "", "bad", "see b.yaml:1:1") ==
        "a.yaml:1:1: error: bad\n    1 | a: 1\n      | ^\nnote: see b.yaml:1:1");
}

TEST_CASE("line numbers beyond 99999 widen the margin of both lines") {
  CHECK(shown(at("a.yaml", 123456, 1, "x"), "", "bad") ==
        "a.yaml:123456:1: error: bad\n123456 | x\n       | ^");
}

TEST_CASE("control characters of the file never reach the terminal, and the caret stays in place") {
  CHECK(shown(at("a.yaml", 1, 3, "\t\x1b[31m"), "", "bad") ==
        "a.yaml:1:3: error: bad\n    1 |   [31m\n      |   ^");
  CHECK(quote_word("a\nb\x1b[0m") == "'a?b?[0m'");
}

TEST_CASE("the caret counts characters: two-byte letters before it move it by one each") {
  CHECK(shown(at("a.yaml", 1, 4, "äö: x"), "", "bad") ==
        "a.yaml:1:4: error: bad\n    1 | äö: x\n      |    ^");
}

TEST_CASE("a long line is cut after 160 characters and shown without a caret beyond them") {
  const std::string line(200, 'x');
  CHECK(shown(at("a.yaml", 1, 180, line), "", "bad") ==
        "a.yaml:1:180: error: bad\n    1 | " + std::string(160, 'x'));
}

TEST_CASE("a user's word is cut after 60 characters, never inside one") {
  std::string word;
  for (int i = 0; i < 100; ++i) word += "ä";
  std::string first_60;
  for (int i = 0; i < 60; ++i) first_60 += "ä";
  CHECK(quote_word(word) == "'" + first_60 + "...'");
  CHECK(quote_word(first_60) == "'" + first_60 + "'");
}

TEST_CASE("all problems are thrown together, file by file, by line and column") {
  Diagnostics d;
  d.add(at("b.yaml", 9, 1), "", "fourth");
  d.add(at("a.yaml", 1, 1), "", "last");
  d.add(at("b.yaml", 2, 8), "", "second");
  d.add(at("b.yaml", 2, 8), "", "third, found later at the same place");
  d.add(at("b.yaml", 2, 3), "", "first");
  try {
    d.throw_if_any();
    FAIL("nothing was thrown");
  } catch (const InputError& e) {
    CHECK(e.diagnostics().size() == 5);
    CHECK(std::string(e.what()) ==
          "b.yaml:2:3: error: first\n"
          "b.yaml:2:8: error: second\n"
          "b.yaml:2:8: error: third, found later at the same place\n"
          "b.yaml:9:1: error: fourth\n"
          "a.yaml:1:1: error: last");
  }
}

TEST_CASE("without problems nothing is thrown") {
  Diagnostics d;
  CHECK(d.empty());
  CHECK_NOTHROW(d.throw_if_any());
}

TEST_CASE("a broken invariant is an InternalError that says which") {
  CHECK_NOTHROW(check(true, "never"));
  CHECK_THROWS_WITH_AS(check(false, "a block was freed twice"), "a block was freed twice",
                       InternalError);
}

TEST_CASE("the nearest name is found through the usual slips") {
  const std::vector<std::string> keys = {"pue", "tdp", "replicas", "round-robin",
                                         "tensor_parallel"};
  CHECK(nearest_name("puee", keys) == "pue");                 // a letter too many
  CHECK(nearest_name("replcas", keys) == "replicas");         // one missing
  CHECK(nearest_name("tpd", keys) == "tdp");                  // two swapped
  CHECK(nearest_name("PUE", keys) == "pue");                  // case
  CHECK(nearest_name("round_robin", keys) == "round-robin");  // separator
  CHECK(nearest_name("TENSOR-PARALLEL", keys) == "tensor_parallel");
  CHECK(nearest_name("tensor_paralell", keys) == "tensor_parallel");
}

TEST_CASE("a word that is nowhere near suggests nothing") {
  const std::vector<std::string> keys = {"pue", "tdp", "h"};
  CHECK(nearest_name("x", keys).empty());
  CHECK(nearest_name("ab", keys).empty());
  CHECK(nearest_name("abc", keys).empty());
  CHECK(nearest_name("electricity", keys).empty());
  CHECK(nearest_name("", keys).empty());
  CHECK(nearest_name("pue", {}).empty());
}

TEST_CASE("part of a name finds the shortest name with a part that begins so") {
  const std::vector<std::string> devices = {"nvidia-h100-sxm5-80gb-v2", "nvidia-h100-pcie-80gb",
                                            "nvidia-b200"};
  CHECK(nearest_name("h100", devices) == "nvidia-h100-pcie-80gb");
  CHECK(nearest_name("h1", devices).empty());
  // Inside a word it would be chance.
  CHECK(nearest_name("sure", {"measured", "vendor"}).empty());
}

TEST_CASE("of two equally near names the first wins") {
  CHECK(nearest_name("cat", {"bat", "rat"}) == "bat");
}

TEST_CASE("a suggestion is the nearest name, else the list of names, cut after 24") {
  CHECK(suggestion("puee", {"pue", "wacc"}) == "; did you mean 'pue'?");
  CHECK(suggestion("zzzz", {"pue", "wacc"}) == "; accepted: pue, wacc");
  CHECK(suggestion("zzzz", {}) == "");
  std::vector<std::string> many;
  std::string listed;
  for (int i = 0; i < 30; ++i) {
    many.push_back("name" + std::to_string(i));
    if (i < 24) listed += (i > 0 ? ", " : "") + many.back();
  }
  CHECK(suggestion("zzzz", many) == "; accepted: " + listed + ", ...");
}

TEST_CASE("a word of a million letters is compared without comparing its letters") {
  const std::vector<std::string> keys(100, std::string(40, 'k'));
  CHECK(nearest_name(std::string(1'000'000, 'x'), keys).empty());
}
