// Files that would fill the memory or the stack of a naive reader: refused at once, at little cost.
#include <doctest/doctest.h>

#include <ctime>
#include <fstream>
#include <string>

#include "input/node.hpp"

using namespace tokenyard;

namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Peak resident memory of this process in MiB since the last reset; 0 where /proc does not tell.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0.0;
}

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Refusal {
  std::string message;
  double cpu_s = 0.0;
  double extra_mib = 0.0;
};

Refusal refusal_of(const std::string& text) {
  std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
  const double memory_before = peak_mib();
  const double before = cpu_s();
  Diagnostics diagnostics;
  input::parse_yaml(text, "s.yaml", diagnostics);
  Refusal refusal{
      .message = {}, .cpu_s = cpu_s() - before, .extra_mib = peak_mib() - memory_before};
  REQUIRE_FALSE(diagnostics.empty());
  const Diagnostic& d = diagnostics.list().back();  // what stopped the reading
  refusal.message =
      std::to_string(d.place.line) + ':' + std::to_string(d.place.column) + ": " + d.message;
  return refusal;
}

void check_cheap(const Refusal& refusal) {
  CAPTURE(refusal.message);
  CHECK(refusal.cpu_s < 0.5);
  CHECK(refusal.extra_mib < 64.0);
}

// a: nine texts; b: nine times a; c: nine times b ...: 9^levels values in a few hundred bytes.
std::string alias_bomb(int levels, int width) {
  std::string text = "l0: &l0 [" + repeated("x,", width) + "]\n";
  for (int i = 1; i < levels; ++i) {
    const std::string above = "*l" + std::to_string(i - 1) + ",";
    text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + repeated(above, width) +
            "]\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a bomb of aliases, nine to a level, is refused before it expands") {
  // Anchored and repeated values so far: 10, then 10 + 9 * 10 repeated + 91 anchored, ... the fifth
  // level's seventh alias passes 50,000.
  const Refusal refusal = refusal_of(alias_bomb(9, 9));
  CHECK(refusal.message.ends_with(": aliases repeat more than 50000 values"));
  CHECK(refusal.message.starts_with("5:"));
  check_cheap(refusal);
}

TEST_CASE("a bomb of aliases, two to a level, is refused before it expands") {
  const Refusal refusal = refusal_of(alias_bomb(30, 2));
  CHECK(refusal.message.ends_with(": aliases repeat more than 50000 values"));
  check_cheap(refusal);
}

TEST_CASE("a bomb of aliases in maps is refused before it expands") {
  std::string text = "l0: &l0 {a: x, b: x, c: x}\n";
  for (int i = 1; i < 20; ++i) {
    const std::string above = "*l" + std::to_string(i - 1);
    const std::string name = "l" + std::to_string(i);
    text += name + ": &" + name + " {a: " + above + ", b: " + above + ", c: " + above + "}\n";
  }
  const Refusal refusal = refusal_of(text);
  CHECK(refusal.message.ends_with(": aliases repeat more than 50000 values"));
  check_cheap(refusal);
}

TEST_CASE("one alias may repeat a thousand values forty times, not sixty times") {
  const std::string base = "base: &b [" + repeated("x,", 999) + "]\n";
  Diagnostics diagnostics;
  input::parse_yaml(base + "l: [" + repeated("*b,", 40) + "]\n", "s.yaml", diagnostics);
  CHECK(diagnostics.empty());
  CHECK(refusal_of(base + "l: [" + repeated("*b,", 60) + "]\n")
            .message.ends_with(": aliases repeat more than 50000 values"));
}

TEST_CASE("33 levels are refused, in whatever style they are written") {
  const std::string deeper = ": nested deeper than 32 levels";
  CHECK(refusal_of(repeated("[", 33) + repeated("]", 33)).message == "1:33" + deeper);
  CHECK(refusal_of(repeated("{a: ", 33) + "1" + repeated("}", 33)).message == "1:129" + deeper);
  CHECK(refusal_of(repeated("- ", 33) + "x\n").message == "1:65" + deeper);
  std::string indented;
  for (std::size_t i = 0; i < 40; ++i) indented += std::string(i, ' ') + "a:\n";
  CHECK(refusal_of(indented).message == "33:33" + deeper);
  std::string dashes;
  for (std::size_t i = 0; i < 40; ++i) dashes += std::string(i, ' ') + "-\n";
  CHECK(refusal_of(dashes).message == "33:33" + deeper);
}

TEST_CASE("an alias adds its own levels: 20 inside 20 are refused, 12 inside 20 are not") {
  const auto nested = [](const std::string& inside, int levels) {
    return repeated("[", levels) + inside + repeated("]", levels);
  };
  // b's map and 20 lists, then 20 more from the alias.
  CHECK(refusal_of("a: &x " + nested("1", 20) + "\nb: " + nested("*x", 20) + "\n").message ==
        "2:24: nested deeper than 32 levels");
  Diagnostics diagnostics;
  input::parse_yaml("a: &x " + nested("1", 11) + "\nb: " + nested("*x", 20) + "\n", "s.yaml",
                    diagnostics);
  CHECK(diagnostics.empty());
}

TEST_CASE("a hundred thousand brackets are refused at little cost") {
  const std::string message =
      "1:10001: more than 10000 brackets are open here; nested deeper than 32 levels";
  for (const char* bracket : {"[", "{", "[{"}) {
    const Refusal refusal = refusal_of(repeated(bracket, 100'000));
    CHECK(refusal.message == message);
    check_cheap(refusal);
  }
  check_cheap(refusal_of(repeated("[\n", 100'000)));
  // Few enough to reach the parser, which takes what is never closed for a key.
  const Refusal fewer = refusal_of(repeated("[", 9'999));
  CHECK(fewer.message.ends_with(": nested deeper than 32 levels"));
  check_cheap(fewer);
}

TEST_CASE(
    "a hundred thousand dashes, question marks, anchors and tags are refused at little cost") {
  check_cheap(refusal_of(repeated("- ", 100'000)));
  check_cheap(refusal_of(repeated("&a ", 100'000) + "x"));
  check_cheap(refusal_of("a: " + repeated("!a ", 100'000) + "x"));
  check_cheap(refusal_of(repeated("a: ", 100'000)));
  check_cheap(refusal_of(repeated("---\n", 100'000)));
  check_cheap(refusal_of("a: \"" + repeated("x\n", 100'000)));
}

TEST_CASE("200,000 values are read; one more is refused") {
  // The list itself and its 199,999 elements.
  Diagnostics diagnostics;
  input::parse_yaml(repeated("- 1\n", 199'999), "s.yaml", diagnostics);
  CHECK(diagnostics.empty());
  CHECK(refusal_of(repeated("- 1\n", 200'000)).message ==
        "200000:3: more than 200000 values in one file");
}

// Both would take minutes if every value or key were compared with all before it; 3 s leaves room
// for sanitizers.
TEST_CASE("the elements of one line of a million characters are placed in one pass") {
  Diagnostics diagnostics;
  const double before = cpu_s();
  const input::Node root =
      input::parse_yaml("a: [" + repeated("1234567, ", 111'111) + "]\n", "s.yaml", diagnostics);
  CHECK(cpu_s() - before < 3.0);
  CHECK(diagnostics.empty());
  CHECK(root.find("a")->items.size() == 111'111);
}

TEST_CASE("a hundred thousand keys of one map are checked for doubles in one pass") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  Diagnostics diagnostics;
  const double before = cpu_s();
  CHECK(input::parse_yaml(text, "s.yaml", diagnostics).entries.size() == 100'000);
  CHECK(cpu_s() - before < 3.0);
  CHECK(diagnostics.empty());
}
