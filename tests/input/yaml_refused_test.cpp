// A corpus of files that are no good, each with the whole of what is said about it.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "input/node.hpp"

using namespace tokenyard;

namespace {

const std::string kStray =
    "this does not belong to what stands above; check indentation, brackets and quotes";
const std::string kColon =
    "a ':' cannot stand here; indent the line like its neighbours, or quote the text";

struct BadFile {
  std::string text;
  std::vector<std::string> problems;  // "line:column: message"
  std::string note = {};
};

std::string message_of(const std::string& text) {
  Diagnostics diagnostics;
  input::parse_yaml(text, "s.yaml", diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

std::string line_of(const std::string& text, int number) {
  std::size_t begin = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  for (int i = 1; i < number; ++i) begin = text.find('\n', begin) + 1;
  std::string line = text.substr(begin, text.find('\n', begin) - begin);
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

// "s.yaml:3:1: error: message", then line 3 of the text and a caret below its column 1.
std::string whole_message(const BadFile& bad) {
  std::string whole;
  for (const std::string& problem : bad.problems) {
    const std::size_t colon = problem.find(':');
    const std::size_t end = problem.find(':', colon + 1);
    const int line = std::stoi(problem);
    const int column = std::stoi(problem.substr(colon + 1));
    whole += (whole.empty() ? "" : "\n") + std::string("s.yaml:") + problem.substr(0, end) +
             ": error:" + problem.substr(end + 1);
    const std::string shown = line_of(bad.text, line);
    const bool printable = problem.find("UTF-8") == std::string::npos &&
                           problem.find("control character") == std::string::npos;
    if (shown.empty() || !printable) continue;
    whole += "\n    " + std::to_string(line) + " | " + shown + "\n      | " +
             std::string(static_cast<std::size_t>(column - 1), ' ') + '^';
  }
  return whole + (bad.note.empty() ? "" : "\nnote: " + bad.note);
}

void check_all(const std::vector<BadFile>& corpus) {
  for (const BadFile& bad : corpus) {
    CAPTURE(bad.text);
    CHECK(message_of(bad.text) == whole_message(bad));
  }
}

}  // namespace

TEST_CASE("a key given twice is an error, not a silent first-wins") {
  check_all({
      {"site:\n  pue: 1.2\n  pue: 1.3\n", {"3:3: site: key 'pue' is given twice"}},
      {"a: 1\nb: 2\na: 3\n", {"3:1: key 'a' is given twice"}},
      {"{a: 1, a: 2}\n", {"1:8: key 'a' is given twice"}},
      {"a: 1\n'a': 2\n", {"2:1: key 'a' is given twice"}},
      {"a:\n  b: {c: 1, c: 2}\n", {"2:13: a.b: key 'c' is given twice"}},
      {"l:\n  - x: 1\n    x: 2\n", {"3:5: l[0]: key 'x' is given twice"}},
      {"a: 1\na: 2\na: 3\n", {"2:1: key 'a' is given twice", "3:1: key 'a' is given twice"}},
  });
}

TEST_CASE("a key must be plain text") {
  check_all({
      {"[a]: 1\n", {"1:1: a key must be plain text"}},
      {"? [a, b]\n: 1\n", {"1:3: a key must be plain text"}},
      {"? {a: 1}\n: 1\n", {"1:3: a key must be plain text"}},
      {"~: 1\n", {"1:1: a key must be plain text"}},
      {": 1\n", {"1:1: a key must be plain text"}},
      {"{a: 1,, b: 2}\n", {"1:7: a key must be plain text"}},
      {"x: {[a]: 1, b: 2}\n", {"1:5: x: a key must be plain text"}},
  });
}

TEST_CASE("tags are refused by name") {
  check_all({
      {"a: !!str 5\n", {"1:4: a: tag '!!str' is not accepted; write the value without a tag"}},
      {"a: !custom {b: 1}\n",
       {"1:4: a: tag '!custom' is not accepted; write the value without a tag"}},
      {"a: !!python/object:os.system [x]\n",
       {"1:4: a: tag '!!python/object:os.system' is not accepted; write the value without a tag"}},
      {"!!str a: 1\n", {"1:1: tag '!!str' is not accepted; write the value without a tag"}},
      {"a: !<tag:x> 1\n", {"1:4: a: tag 'tag:x' is not accepted; write the value without a tag"}},
      {"a: !foo\nb: 1\n", {"1:4: a: tag '!foo' is not accepted; write the value without a tag"}},
      {"- !!int 3\n", {"1:3: [0]: tag '!!int' is not accepted; write the value without a tag"}},
  });
}

TEST_CASE(
    "what is not UTF-8, and control characters, are named with their place and never printed") {
  check_all({
      {"a: \xff\n", {"1:4: invalid UTF-8 (byte 0xff); save the file as UTF-8"}},
      {"# \xc3\xbc\na: b\xc3\n", {"2:5: invalid UTF-8 (byte 0xc3); save the file as UTF-8"}},
      {"a: \xc0\xaf\n", {"1:4: invalid UTF-8 (byte 0xc0); save the file as UTF-8"}},
      {"a: \xed\xa0\x80\n", {"1:4: invalid UTF-8 (byte 0xed); save the file as UTF-8"}},
      {"a: \xf4\x90\x80\x80\n", {"1:4: invalid UTF-8 (byte 0xf4); save the file as UTF-8"}},
      {"a: \xe2\x82\n", {"1:4: invalid UTF-8 (byte 0xe2); save the file as UTF-8"}},
      {"a: \x80\n", {"1:4: invalid UTF-8 (byte 0x80); save the file as UTF-8"}},
      {std::string("\xff\xfe"
                   "a\x00:\x00 \x00"
                   "1\x00",
                   10),
       {"1:1: invalid UTF-8 (byte 0xff); save the file as UTF-8"}},
      {std::string("a: x\x00y\n", 7), {"1:5: control character 0x00; expected plain text"}},
      {"a: \x1b[31m\n", {"1:4: control character 0x1b; expected plain text"}},
      {"a: b\x7f\n", {"1:5: control character 0x7f; expected plain text"}},
      {"a: b\x07\n", {"1:5: control character 0x07; expected plain text"}},
  });
}

TEST_CASE("a file that says nothing is an error") {
  check_all({
      {"", {"1:1: nothing is written here"}},
      {"\n\n", {"1:1: nothing is written here"}},
      {"# only a remark\n", {"1:1: nothing is written here"}},
      {"\xef\xbb\xbf", {"1:1: nothing is written here"}},
  });
}

TEST_CASE("one file holds one document, and nothing that belongs to none") {
  check_all({
      {"a: 1\n---\nb: 2\n", {"2:1: a second document; one file holds one"}},
      {"a: 1\n---\n", {"2:1: a second document; one file holds one"}},
      {"---\na: 1\n--- {b: 2}\n", {"3:1: a second document; one file holds one"}},
      {"a: 1\n...\nb: 2\n", {"3:1: a second document; one file holds one"}},
      {"- a\nb: 1\n", {"2:1: " + kStray}},
      {"'a': 1\n'b'\n", {"2:1: not valid YAML: " + kStray}},
      {"{a: 1}\n{b: 2}\n", {"2:1: " + kStray}},
      {"[1] x\n", {"1:5: " + kStray}},
  });
}

TEST_CASE("aliases must name an anchor above and never the value they stand in") {
  check_all({
      {"a: *x\n",
       {"1:4: not valid YAML: no anchor of that name stands above; a text that begins with '*' "
        "needs quotes"}},
      {"a: &x {b: *x}\n", {"1:11: an alias inside the value that it stands for"}},
      {"&x [*x]\n", {"1:5: an alias inside the value that it stands for"}},
      {"a: &x [1, [2, *x]]\n", {"1:15: an alias inside the value that it stands for"}},
      {"a: &x [1]\n*x : 2\n", {"2:1: a key must be plain text"}},
      {"a: &\n", {"1:5: not valid YAML: a text that begins with '&' needs quotes"}},
      {"a: *\n", {"1:5: not valid YAML: a text that begins with '*' needs quotes"}},
      {"a: &x &y 1\n", {"1:7: not valid YAML: cannot assign multiple anchors to the same node"}},
      {"<<: *base\n",
       {"1:5: not valid YAML: no anchor of that name stands above; a text that begins with '*' "
        "needs quotes"}},
  });
}

TEST_CASE("broken structure is told in the words of somebody who writes YAML") {
  check_all({
      {"a: b: c\n", {"1:5: not valid YAML: " + kColon}},
      {"a: 1\n  b: 2\n", {"2:4: not valid YAML: " + kColon}},
      {"a:\n    b: 1\n  c: 2\n", {"3:3: not valid YAML: " + kStray}},
      {"a: 1\n- b\n", {"2:1: not valid YAML: " + kStray}},
      {"a: x\nb\nc: 1\n", {"3:2: not valid YAML: " + kColon}},
      {"a: 'x' y\n", {"1:8: not valid YAML: " + kStray}},
      {"a: \"x\" y: 1\n", {"1:8: not valid YAML: " + kStray}},
      {"a: time: 5 s\n", {"1:8: not valid YAML: " + kColon}},
      {"a:\n\tb: 1\n", {"2:3: not valid YAML: a tab indents this line; YAML takes spaces only"}},
      {"a:\n  b: 1\n\tc: 2\n",
       {"3:1: not valid YAML: a tab indents this line; YAML takes spaces only"}},
      {"\ta: 1\n", {"1:3: not valid YAML: a tab indents this line; YAML takes spaces only"}},
      {"a: @x\n",
       {"1:4: not valid YAML: no text can begin with this character unless it is quoted"}},
      {"a: `x`\n",
       {"1:4: not valid YAML: no text can begin with this character unless it is quoted"}},
      {"a: %x\n",
       {"1:4: not valid YAML: no text can begin with this character unless it is quoted"}},
      {"a: ]\n", {"1:4: not valid YAML: a ']' or '}' that closes nothing open here"}},
      {"a: [1, 2\n", {"1:9: not valid YAML: expected ',' or ']'"}, "it began at line 1, column 4"},
      {"a: [1, 2\nb: 3\n",
       {"2:2: not valid YAML: expected ',' or ']'"},
       "it began at line 1, column 4"},
      {"a: {b: 1\n", {"1:9: not valid YAML: expected ',' or '}'"}, "it began at line 1, column 4"},
      {"a: {b: 1\nc: 2\n",
       {"2:2: not valid YAML: expected ',' or '}'"},
       "it began at line 1, column 4"},
      {"a: {b: 1 c: 2}\n",
       {"1:11: not valid YAML: expected ',' or '}'"},
       "it began at line 1, column 4"},
      {"a: [1, 2}\n", {"1:9: not valid YAML: a ']' or '}' that closes nothing open here"}},
      {"a: {b: 1]\n", {"1:9: not valid YAML: a ']' or '}' that closes nothing open here"}},
      {"{a: 1\n", {"1:6: not valid YAML: expected ',' or '}'"}, "it began at line 1, column 1"},
  });
}

TEST_CASE("a quote that is never closed, and escapes that are none") {
  check_all({
      {"a: \"x\n", {"1:1: not valid YAML: a quote that opens after this is never closed"}},
      {"a: 'x\nb: 1\n", {"1:1: not valid YAML: a quote that opens after this is never closed"}},
      {"b: 1\na: \"x\nc: 2",
       {"2:1: not valid YAML: a quote that opens after this is never closed"}},
      {"a: \"\\q\"\n", {"1:7: not valid YAML: unknown escape character: q"}},
      {"a: \"\\xzz\"\n", {"1:9: not valid YAML: bad character found while scanning hex number"}},
      {"a: \"\\ud800\"\n", {"1:11: not valid YAML: invalid unicode: 55296"}},
      {"a: \"\\UFFFFFFFF\"\n", {"1:15: not valid YAML: invalid unicode: 4294967295"}},
      {"a: \"x\n---\ny\"\n",
       {"1:1: not valid YAML: a quote that opens after this is never closed"}},
  });
}

TEST_CASE("block texts and directives") {
  check_all({
      {"a: |9x\n", {"1:6: not valid YAML: unexpected character in block scalar"}},
      {"a: |0\n  x\n", {"1:6: not valid YAML: cannot set zero indentation for a block scalar"}},
      {"%YAML 9.0\n---\na: 1\n", {"1:1: not valid YAML: YAML major version too large"}},
      {"%YAML 1.2\n%YAML 1.2\n---\na: 1\n", {"2:1: not valid YAML: repeated YAML directive"}},
      {"%TAG ! x\n%TAG ! y\n---\na: 1\n", {"2:1: not valid YAML: repeated TAG directive"}},
      {"a: !<\n", {"1:6: not valid YAML: end of verbatim tag not found"}},
      {"a: |\n  x\n y\n", {"3:2: not valid YAML: " + kStray}},
  });
}

TEST_CASE("all that is wrong with a file is told at once") {
  check_all({
      {"a: 1\na: 2\nb: !!str 1\nc:\n  ? [x]\n  : 1\n",
       {"2:1: key 'a' is given twice",
        "3:4: b: tag '!!str' is not accepted; write the value without a tag",
        "5:5: c: a key must be plain text"}},
  });
}
