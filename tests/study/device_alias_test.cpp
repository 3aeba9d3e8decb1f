#include "study/device_alias.hpp"

#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;

std::string device_named(const std::string& name) {
  std::string text = test::toy_catalog_files().at("hardware_catalog/devices/toy.yaml");
  return text.replace(text.find("name: toy"), 9, "name: " + name);
}

std::string node_of(const std::string& name, const std::string& devices) {
  std::string text = test::toy_catalog_files().at("hardware_catalog/nodes/toy-node.yaml");
  text.replace(text.find("name: toy-node"), 14, "name: " + name);
  const std::string slots = "[{device: toy, count: 2}]";
  return text.replace(text.find(slots), slots.size(), devices);
}

struct Yard {
  test::ToyYard yard;
  Diagnostics diagnostics;
  Yard() {
    for (const char* name : {"acme-x1-sxm5-80gb", "acme-x1-pcie", "acme-x10", "acme-y-64gb"})
      yard.write("hardware_catalog/devices/" + std::string(name) + ".yaml", device_named(name));
    yard.write("hardware_catalog/devices/acme-y-fast.yaml",
               "name: acme-y-fast\noverlay_of: acme-y-64gb\nsource: pencil\nconfidence: assumed\n"
               "changes: {price: 2000 USD}\n");
    for (const char* count : {"4", "8"})
      yard.write("hardware_catalog/nodes/big-" + std::string(count) + ".yaml",
                 node_of("big-" + std::string(count),
                         "[{device: toy, count: " + std::string(count) + "}]"));
    yard.write("hardware_catalog/nodes/mixed.yaml",
               node_of("mixed", "[{device: acme-x10, count: 1}, {device: toy, count: 1}]"));
  }
  [[nodiscard]] study::CatalogName device(const std::string& alias) const {
    return study::device_called(alias, catalog::Catalog(yard.file("")));
  }
  [[nodiscard]] study::CatalogName node(const std::string& device, std::int64_t devices) {
    catalog::Catalog catalog(yard.file(""));
    return study::node_with(device, devices, catalog, diagnostics);
  }
};

}  // namespace

TEST_CASE("a device is called by its name or by how its name begins, up to a '-' or a digit") {
  const Yard yard;
  CHECK(yard.device("toy").name == "toy");
  CHECK(yard.device("acme-x1-sxm").name == "acme-x1-sxm5-80gb");
  CHECK(yard.device("acme-x1-pci").problem ==
        "no device 'acme-x1-pci' in the catalog; did you mean 'acme-x1-pcie'?");
  CHECK(yard.device("acme-x10").name == "acme-x10");
  CHECK_FALSE(yard.device("").problem.empty());
}

TEST_CASE("a name that several devices begin with means none of them") {
  const Yard yard;
  CHECK(yard.device("acme-x1").name.empty());
  CHECK(yard.device("acme-x1").problem ==
        "'acme-x1' may be any of acme-x1-pcie, acme-x1-sxm5-80gb, acme-x10");
}

TEST_CASE("a what-if of a device is not meant while there is a real one") {
  const Yard yard;
  CHECK(yard.device("acme-y").name == "acme-y-64gb");
  CHECK(yard.device("acme-y-f").name.empty());
  CHECK(yard.device("acme-y-fast").name == "acme-y-fast");
}

TEST_CASE("a device stands in the smallest node that is full of it and has enough") {
  Yard yard;
  CHECK(yard.node("toy", 1).name == "toy-node");
  CHECK(yard.node("toy", 2).name == "toy-node");
  CHECK(yard.node("toy", 3).name == "big-4");
  CHECK(yard.node("toy", 8).name == "big-8");
  CHECK(yard.node("toy", 9).problem ==
        "no node of the catalog has 9 of 'toy'; the largest, big-8, has 8");
  CHECK(yard.node("acme-x10", 1).problem == "no node of the catalog holds 'acme-x10' alone");
  CHECK(yard.diagnostics.empty());
}
