#include <doctest/doctest.h>

#include <string>

#include "input/node.hpp"

using namespace tokenyard;
using input::Node;

namespace {

Node parsed(const std::string& text) {
  Diagnostics diagnostics;
  Node root = input::parse_yaml(text, "s.yaml", diagnostics);
  CHECK_NOTHROW(diagnostics.throw_if_any());
  return root;
}

std::string spot(const Node& node) {
  return node.place.file + ':' + std::to_string(node.place.line) + ':' +
         std::to_string(node.place.column);
}

}  // namespace

TEST_CASE("every value knows its path, its file, line and column, and the text of its line") {
  const Node root = parsed("fleet:\n  pools:\n    - name: main\n      count: 2\n");
  const Node& count = *root.find("fleet")->find("pools")->items[0].find("count");
  CHECK(count.scalar == "2");
  CHECK(count.path == "fleet.pools[0].count");
  CHECK(spot(count) == "s.yaml:4:14");
  CHECK(count.place.source_line == "      count: 2");
  CHECK(spot(root.find("fleet")->find("pools")->items[0]) == "s.yaml:3:7");
  CHECK(root.entries[0].place.line == 1);
}

TEST_CASE("keys keep the order in which they are written") {
  const Node root = parsed("z: 1\na: 2\nm: 3\n");
  CHECK(root.entries[0].key == "z");
  CHECK(root.entries[1].key == "a");
  CHECK(root.entries[2].key == "m");
}

TEST_CASE("block and flow style give the same tree") {
  const Node block = parsed("a:\n  - 1\n  - b: 2\n");
  const Node flow = parsed("{a: [1, {b: 2}]}");
  for (const Node* root : {&block, &flow}) {
    CHECK(root->find("a")->items[0].scalar == "1");
    CHECK(root->find("a")->items[1].find("b")->scalar == "2");
  }
}

TEST_CASE("JSON is YAML: escapes, nested values and no spaces after colons") {
  const Node root = parsed(R"({"a":1,"b":{"c":[true,"x\u00e9\n"]}})");
  CHECK(root.find("a")->scalar == "1");
  CHECK_FALSE(root.find("a")->quoted);
  CHECK(root.find("b")->find("c")->items[1].scalar == "xé\n");
  CHECK(root.find("b")->find("c")->items[1].quoted);
}

TEST_CASE("nothing, ~ and null are null; a quoted null is text") {
  const Node root = parsed("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n");
  CHECK(root.find("a")->kind == Node::Kind::null);
  CHECK(root.find("b")->kind == Node::Kind::null);
  CHECK(root.find("c")->kind == Node::Kind::null);
  CHECK(root.find("d")->kind == Node::Kind::scalar);
  CHECK(root.find("d")->scalar == "null");
  CHECK(root.find("e")->scalar.empty());
}

TEST_CASE("a missing value is placed at its key, not at whatever comes next") {
  const Node root = parsed("a: 1\nb:\n\n# remark\nc: 2\n");
  CHECK(spot(*root.find("b")) == "s.yaml:2:1");
}

TEST_CASE("numbers and yes stay the text they were written as") {
  const Node root = parsed("a: 010\nb: 0x10\nc: yes\nd: 1_000\ne: 12:30\n");
  CHECK(root.find("a")->scalar == "010");
  CHECK(root.find("b")->scalar == "0x10");
  CHECK(root.find("c")->scalar == "yes");
  CHECK(root.find("d")->scalar == "1_000");
  CHECK(root.find("e")->scalar == "12:30");
}

TEST_CASE("a byte order mark is ignored and shifts no column") {
  const Node root = parsed(
      "\xef\xbb\xbf"
      "a: 1\n");
  CHECK(root.find("a")->scalar == "1");
  CHECK(spot(*root.find("a")) == "s.yaml:1:4");
}

TEST_CASE("Windows line ends are line ends, and stay out of values and listings") {
  const Node root = parsed("a: one\r\nb:\r\n  c: two\r\n");
  CHECK(root.find("a")->scalar == "one");
  CHECK(root.find("b")->find("c")->scalar == "two");
  CHECK(spot(*root.find("b")->find("c")) == "s.yaml:3:6");
  CHECK(root.find("a")->place.source_line == "a: one");
}

TEST_CASE("columns count characters: two-byte letters before a value move it by one each") {
  const Node root = parsed("größe: 1\n");
  CHECK(spot(*root.find("größe")) == "s.yaml:1:8");
}

TEST_CASE("a column far along one long line is right, and no listing is kept for it") {
  std::string text = "a: [";
  for (int i = 0; i < 10'000; ++i) text += "ä, ";  // element i begins at column 5 + 3 i
  const Node root = parsed(text + "end]");
  const Node& last = root.find("a")->items.back();
  CHECK(last.scalar == "end");
  CHECK(spot(last) == "s.yaml:1:30005");
  CHECK(last.place.source_line.empty());
  CHECK(root.find("a")->items[0].place.source_line.size() <= 160);
}

TEST_CASE("an alias repeats the value under its own path, at the place where it is written out") {
  const Node root = parsed("a: &x {b: [1, 2]}\nc: *x\n");
  const Node& repeated = root.find("c")->find("b")->items[1];
  CHECK(repeated.scalar == "2");
  CHECK(repeated.path == "c.b[1]");
  CHECK(spot(repeated) == "s.yaml:1:15");
}

TEST_CASE("an anchor given twice stands for what it stood for last") {
  const Node root = parsed("a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
  CHECK(root.find("b")->scalar == "1");
  CHECK(root.find("d")->scalar == "2");
}

TEST_CASE("block texts keep or fold their lines") {
  const Node root = parsed("a: |\n  one\n  two\nb: >\n  one\n  two\n");
  CHECK(root.find("a")->scalar == "one\ntwo\n");
  CHECK(root.find("b")->scalar == "one two\n");
}

TEST_CASE("a document may begin with --- and end with ...") {
  CHECK(parsed("---\na: 1\n...\n").find("a")->scalar == "1");
  CHECK(parsed("%YAML 1.2\n---\na: 1\n").find("a")->scalar == "1");
  CHECK(parsed("a: 1\n...\n").find("a")->scalar == "1");
}

TEST_CASE("a file without a last newline is whole") {
  CHECK(parsed("a: 1\nb: two words").find("b")->scalar == "two words");
  CHECK(parsed("a: |\n  text").find("a")->scalar == "text\n");
}

TEST_CASE("32 levels are read") {
  std::string text;
  for (int i = 0; i < 32; ++i) text += '[';
  text += "x";
  for (int i = 0; i < 32; ++i) text += ']';
  const Node root = parsed(text);
  const Node* at = &root;
  for (int i = 0; i < 32; ++i) at = &at->items[0];
  CHECK(at->scalar == "x");
}

TEST_CASE("brackets, braces and dashes inside texts and remarks are only text") {
  std::string text = "# - - - - - [[[ {{{\n";
  for (int i = 0; i < 1000; ++i) text += "# remark [" + std::to_string(i) + ", infinity)\n";
  text += "a: see [1] and - - - [2\nb: \"}{[\"\n";
  const Node root = parsed(text);
  CHECK(root.find("a")->scalar == "see [1] and - - - [2");
  CHECK(root.find("b")->scalar == "}{[");
}

TEST_CASE("text for the command line may be any single value, null included") {
  CHECK(parsed("2").scalar == "2");
  CHECK(parsed("null").kind == Node::Kind::null);
  CHECK(parsed("[1, 2]").items.size() == 2);
}
