// Entries written as another entry with changes.
#include <doctest/doctest.h>

#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

const std::string kParent =
    "name: parent\nsource: data sheet\nconfidence: vendor\nkind: gpu\n"
    "engines:\n  - {name: main, peak: {bf16: 100 TFLOP/s}}\n"
    "memory:\n  - {tier: sram, capacity: 1 MB, bandwidth: 10 TB/s}\n"
    "  - {tier: hbm, capacity: 80 GB, bandwidth: 3 TB/s, stacks: 5, holds: [weights, kv]}\n"
    "power: {idle: 70 W, tdp: 700 W}\nprice: 30 kUSD\n";

std::string overlay(const std::string& changes, const std::string& parent = "parent") {
  return "name: child\noverlay_of: " + parent +
         "\nsource: what if\nconfidence: assumed\nchanges:\n" + changes;
}

struct Yard {
  TemporaryCatalog files;
  Diagnostics diagnostics;

  const Device* child(const std::string& text) {
    files.write("hardware_catalog/devices/parent.yaml", kParent);
    files.write("hardware_catalog/devices/child.yaml", text);
    catalog = std::make_unique<Catalog>(files.root());
    return catalog->device("child", diagnostics);
  }
  std::unique_ptr<Catalog> catalog;
};

TEST_CASE("an overlay is its parent but for what it changes, by path, in lists by name") {
  Yard yard;
  const Device* child =
      yard.child(overlay("  memory[hbm].bandwidth: 6 TB/s\n  memory[hbm].stacks: 6\n  price: "
                         "null\n  status: projected\n"));
  REQUIRE_MESSAGE(child != nullptr, shown(yard.diagnostics));
  CHECK(child->name == "child");
  CHECK(child->memory[1].bandwidth.value.base() == 6e12);
  CHECK(child->memory[1].stacks == 6);
  CHECK(child->memory[1].capacity.value.base() == 80e9);
  CHECK_FALSE(child->price.has_value());
  CHECK(child->status == DeviceStatus::projected);
}

TEST_CASE("changed quantities have the overlay's source and confidence, the others the parent's") {
  Yard yard;
  const Device* child = yard.child(
      overlay("  memory[hbm].bandwidth: 6 TB/s\n"
              "  engines[main].roofline_exponent: 100\n"
              "  memory[hbm].capacity: {value: 90 GB, source: own, confidence: estimate}\n"));
  REQUIRE(child != nullptr);
  CHECK(child->memory[1].stacks == 5);
  CHECK(child->memory[1].bandwidth.source == "what if");
  CHECK(child->memory[1].bandwidth.confidence == input::Confidence::assumed);
  CHECK(child->memory[1].capacity.source == "own");
  CHECK(child->engines[0].roofline_exponent.source == "what if");
  CHECK(child->memory[0].bandwidth.source == "data sheet");
}

TEST_CASE("an overlay may stand on an overlay, but not in a circle") {
  Yard yard;
  yard.files.write("hardware_catalog/devices/middle.yaml",
                   "name: middle\noverlay_of: parent\nsource: s\nconfidence: assumed\n"
                   "changes: {price: 10 kUSD}\n");
  const Device* child = yard.child(overlay("  power.tdp: 900 W\n", "middle"));
  REQUIRE_MESSAGE(child != nullptr, shown(yard.diagnostics));
  CHECK(child->price->value.base() == 10e3);
  CHECK(child->power.tdp.value.base() == 900.0);

  Yard circle;
  CHECK(circle.child(overlay("  power.tdp: 900 W\n", "child")) == nullptr);
  CHECK(shown(circle.diagnostics).find("overlays stand on each other in a circle") !=
        std::string::npos);
}

TEST_CASE("an overlay's mistakes are said with their places") {
  const auto complaint = [](const std::string& text) {
    Yard yard;
    CHECK(yard.child(text) == nullptr);
    return shown(yard.diagnostics);
  };
  const auto says = [](const std::string& text, const std::string& part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  says(complaint(overlay("  price: 1 kUSD\n", "nobody")), "there is no entry 'nobody'");
  says(complaint(overlay("  price: 1 kUSD\n", "../parent")), "there is no entry '../parent'");
  says(complaint(overlay("  memory[hmb].bandwidth: 6 TB/s\n")), "hmb");
  says(complaint(overlay("  memory[hbm].bandwidth: 6 TB\n")), "child.yaml:6");
  says(complaint(overlay("  price: 1 kUSD\n") + "price: 2 kUSD\n"),
       "unknown key 'price' of an overlay");
  says(
      complaint("name: child\noverlay_of: parent\nconfidence: assumed\nchanges: {price: 1 kUSD}\n"),
      "an overlay needs its own 'source'");
  says(complaint("name: child\noverlay_of: parent\nsource: s\nconfidence: dreamt\n"
                 "changes: {price: 1 kUSD}\n"),
       "'dreamt' is not known here");
  says(complaint("name: child\noverlay_of: parent\nsource: s\nconfidence: assumed\n"),
       "an overlay needs 'changes'");
}

}  // namespace
}  // namespace tokenyard::catalog
