// Feeds arbitrary bytes to the reader of YAML and of quantities, for libFuzzer:
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/yaml_fuzz.cpp
//     src/base/{error,json_writer,quantity_parse,quantity_text}.cpp src/input/*.cpp -lyaml-cpp -o
//     yaml_fuzz
//   ./yaml_fuzz -max_total_time=120 -max_len=4096 scenarios hardware_catalog/devices
//
// Besides not crashing: every problem has a place in the text, every value that was read has one
// too, and what the reader of quantities accepts reads back from its own exact text.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input/fields.hpp"

using namespace tokenyard;

namespace {

enum class Kind { one, two };
constexpr auto enum_names(Kind) {
  return std::array<std::string_view, 2>{"one", "two"};
}

struct Item {
  std::string name;
  std::int64_t count = 0;
  double share = 0.0;
  Kind kind = Kind::one;
  std::optional<input::Sourced<BytesPerSecond>> bandwidth;
  std::vector<Item> items;
};
void describe(input::Fields& f, Item& x) {
  f.required("name", x.name, "name");
  f.optional("count", x.count, "count").at_least(1);
  f.optional("share", x.share, "share").at_most(1);
  f.optional("kind", x.kind, "kind");
  f.optional("bandwidth", x.bandwidth, "bandwidth").more_than(0);
  f.optional("items", x.items, "items");
}

void require(bool condition) {
  if (!condition) std::abort();
}

void check_places(const input::Node& node, int lines) {
  require(node.place.line >= 1 && node.place.line <= lines && node.place.column >= 1);
  for (const input::Node& item : node.items) check_places(item, lines);
  for (const auto& entry : node.entries) check_places(entry.value, lines);
}

void check_quantity(std::string_view text) {
  for (const Dim dim : {kNone, kTime, kData / kTime, kMoney / kEnergy, kNone / kTime}) {
    const ParsedQuantity parsed = parse_quantity(text, dim);
    require(parsed.ok == parsed.problem.empty());
    if (!parsed.ok) continue;
    const ParsedQuantity again = parse_quantity(exact_quantity(parsed.value, dim), dim);
    require(again.ok && again.value == parsed.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_quantity(text);
  int lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  Diagnostics diagnostics;
  input::Node root = input::parse_yaml(text, "fuzz.yaml", diagnostics);
  if (root.place.line > 0) check_places(root, lines);
  require(root.place.line > 0 || !diagnostics.empty());
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = std::nullopt};
  Item item;
  const bool ok = input::read_value(context, root, item);
  require(!ok || input::dump_json(item).size() > 2);
  for (const Diagnostic& d : diagnostics.list()) {
    require(d.place.line >= 1 && d.place.line <= lines && d.place.column >= 1);
    require(!format_diagnostic(d).empty());
  }
  input::set_path(root, text, input::Node{});
  return 0;
}
