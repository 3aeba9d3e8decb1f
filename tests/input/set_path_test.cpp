#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "input/node.hpp"

using namespace tokenyard;
using input::Node;

namespace {

Node parsed(const std::string& text, const std::string& name = "s.yaml") {
  Diagnostics diagnostics;
  Node root = input::parse_yaml(text, name, diagnostics);
  CHECK_NOTHROW(diagnostics.throw_if_any());
  return root;
}

Node scenario() {
  return parsed(
      "fleet:\n"
      "  pools:\n"
      "    - {name: main, count: 1, deploy: {model: a}}\n"
      "    - {name: spare, count: 2}\n"
      "serving: null\n"
      "grid: [[1, 2], [3, 4]]\n");
}

std::string set(Node& root, std::string_view path, const std::string& value) {
  return input::set_path(root, path, parsed(value, "--set"));
}

std::string refusal(std::string_view path) {
  Node root = scenario();
  return set(root, path, "9");
}

}  // namespace

TEST_CASE("a value is replaced by key, by a list element's name and by its number") {
  Node root = scenario();
  CHECK(set(root, "fleet.pools[spare].count", "7") == "");
  CHECK(set(root, "fleet.pools[0].count", "5") == "");
  CHECK(set(root, "grid[1][0]", "9") == "");
  const Node& pools = *root.find("fleet")->find("pools");
  CHECK(pools.items[1].find("count")->scalar == "7");
  CHECK(pools.items[0].find("count")->scalar == "5");
  CHECK(root.find("grid")->items[1].items[0].scalar == "9");
  CHECK(root.find("grid")->items[1].items[1].scalar == "4");
}

TEST_CASE(
    "a whole list element can be replaced, and what is inside knows its new path and origin") {
  Node root = scenario();
  CHECK(set(root, "fleet.pools[1]", "{name: other, sizes: [1, 2]}") == "");
  const Node& size = root.find("fleet")->find("pools")->items[1].find("sizes")->items[1];
  CHECK(size.path == "fleet.pools[1].sizes[1]");
  CHECK(size.place.file == "--set");
}

TEST_CASE("missing maps on the way are made, also where null stands") {
  Node root = scenario();
  CHECK(set(root, "economics.staff.cost", "1 USD") == "");
  CHECK(set(root, "serving.router", "random") == "");
  CHECK(root.find("economics")->find("staff")->find("cost")->scalar == "1 USD");
  CHECK(root.find("serving")->find("router")->scalar == "random");
  Node empty;
  CHECK(set(empty, "a.b", "1") == "");
  CHECK(empty.find("a")->find("b")->scalar == "1");
}

TEST_CASE("a value can be set to null") {
  Node root = scenario();
  CHECK(set(root, "fleet.pools[main].deploy", "null") == "");
  CHECK(root.find("fleet")->find("pools")->items[0].find("deploy")->kind == Node::Kind::null);
}

TEST_CASE("one deployment written without a list is its own element 0") {
  Node root = scenario();
  CHECK(set(root, "fleet.pools[main].deploy[0].model", "b") == "");
  CHECK(root.find("fleet")->find("pools")->items[0].find("deploy")->find("model")->scalar == "b");
}

TEST_CASE("an element that is not there is named, with the nearest that is") {
  CHECK(refusal("fleet.pools[mian].count") ==
        "'fleet.pools' has no element 'mian'; did you mean 'main'?");
  CHECK(refusal("fleet.pools[2].count") ==
        "'fleet.pools' has no element '2'; accepted: main, spare");
  CHECK(refusal("grid[7]") == "'grid' has no element '7'; accepted: 0, 1");
  CHECK(refusal("fleet.pools[-1].count") ==
        "'fleet.pools' has no element '-1'; accepted: main, spare");
}

TEST_CASE("a path through what is neither map nor list says what stands there") {
  CHECK(refusal("fleet.pools[main].count.x") == "'fleet.pools[main].count' is '1', not a map");
  CHECK(refusal("fleet.pools.count") == "'fleet.pools' is a list, not a map");
  CHECK(refusal("fleet[0].x[1]") == "'fleet[0].x' is nothing, not a list");
  CHECK(refusal("fleet[main]") == "'fleet' is a map, not a list");
}

TEST_CASE("what is no path is refused before anything changes") {
  for (const std::string path : {"", ".", "a.", ".a", "a..b", "[0]", "a[", "a[0", "a[]", "a]",
                                 "a[0]b", "a[0].", "a[0]..b", "a.[0]"}) {
    CAPTURE(path);
    Node root = scenario();
    CHECK(set(root, path, "9") == "'" + path + "' is not a path such as fleet.pools[main].count");
    CHECK(root.entries.size() == 3);
  }
}

TEST_CASE("a path that fails half-way leaves the tree as it was") {
  Node root = scenario();
  CHECK(set(root, "new.list[0]", "1") == "'new.list' is nothing, not a list");
  CHECK(root.find("new") == nullptr);
}
