#include "catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "catalog/entry.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

const std::string kFormats =
    "source: pencil\n"
    "confidence: assumed\n"
    "formats: [{name: bf16, bits: 16, math: [bf16]}, {name: fp8, bits: 8, math: [fp8]}]\n";

Device toy() {
  return read_or_die<Device>(kToyDevice);
}

NodeSpec toy_node() {
  NodeSpec node;
  node.name = "box";
  node.devices = {{.device = "toy", .count = 8}};
  node.topology = NodeTopology::ring;
  node.link = "wire";
  node.host.dram = Dram{};
  node.price = usd(9e3);
  return node;
}

std::vector<std::string> messages(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) texts.push_back(finding.message);
  return texts;
}

}  // namespace

TEST_CASE("names are listed in order, and only those of files that can be entries") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/b.yaml", "");
  files.write("hardware_catalog/devices/a.yaml", "");
  files.write("hardware_catalog/devices/notes.txt", "");
  files.write("hardware_catalog/devices/.hidden.yaml", "");
  files.write("hardware_catalog/devices/with space.yaml", "");
  const Catalog catalog(files.root());
  CHECK(catalog.names(EntryKind::device) == std::vector<std::string>{"a", "b"});
  CHECK(catalog.names(EntryKind::site).empty());
}

TEST_CASE("a name never leads out of its folder") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  files.write("hardware_catalog/nodes/deep/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("toy", diagnostics) != nullptr);
  for (const std::string name :
       {"../devices/toy", "./toy", "..", "", "deep/toy", "/etc/passwd", "toy\n", ".toy"}) {
    CAPTURE(name);
    CHECK_FALSE(is_plain_name(name));
    CHECK_FALSE(catalog.exists(EntryKind::device, name));
    CHECK(catalog.device(name, diagnostics) == nullptr);
    CHECK_THROWS_AS((void)catalog.path_of(EntryKind::device, name), InternalError);
  }
  CHECK(diagnostics.empty());
}

TEST_CASE("an entry is read once: the same object every time") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  const Device* first = catalog.device("toy", diagnostics);
  REQUIRE(first != nullptr);
  files.write("hardware_catalog/devices/toy.yaml", "broken: [");
  CHECK(catalog.device("toy", diagnostics) == first);
  CHECK(diagnostics.empty());
}

TEST_CASE(
    "an unknown name is nothing, without a complaint: the caller knows where it was written") {
  const TemporaryCatalog files;
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.model("llama", diagnostics) == nullptr);
  CHECK(diagnostics.empty());
}

TEST_CASE("a file whose name is not its own is refused at the name, and complained about once") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/tox.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("tox", diagnostics) == nullptr);
  CHECK(catalog.device("tox", diagnostics) == nullptr);
  CHECK(shown(diagnostics) ==
        files.root() +
            "/hardware_catalog/devices/tox.yaml:1:7: error: name: 'toy' stands in a file called "
            "'tox.yaml'; the two must agree\n"
            "    1 | name: toy\n"
            "      |       ^\n");
}

TEST_CASE("an empty file is one complaint") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/sites/hall.yaml", "");
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.site("hall", diagnostics) == nullptr);
  CHECK(shown(diagnostics) ==
        files.root() +
            "/hardware_catalog/sites/hall.yaml:1:1: error: nothing is written here\n");
}

TEST_CASE("a peak in a number format that does not exist is refused where it is written") {
  const TemporaryCatalog files;
  files.write("workloads/formats.yaml", kFormats);
  files.write("hardware_catalog/devices/toy.yaml", replaced(kToyDevice, "bf16", "bf61"));
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("toy", diagnostics) == nullptr);
  CHECK(shown(diagnostics) == files.root() +
                                  "/hardware_catalog/devices/toy.yaml:6:25: error: "
                                  "engines[0].peak: no number format 'bf61' in "
                                  "workloads/formats.yaml; did you mean 'bf16'?\n"
                                  "    6 |   - {name: main, peak: {bf61: 100 TFLOP/s}}\n"
                                  "      |                         ^\n");
}

TEST_CASE("the catalog directory is the one given, else the variable's, else the nearest") {
  const TemporaryCatalog files;
  CHECK(find_catalog_root(files.root()) == files.root());
  ::setenv("TOKENYARD_CATALOG", files.root().c_str(), 1);
  CHECK(find_catalog_root("") == files.root());
  ::setenv("TOKENYARD_CATALOG", "/nowhere", 1);
  CHECK_THROWS_WITH_AS(
      (void)find_catalog_root(""),
      "error: the directory in TOKENYARD_CATALOG, '/nowhere' holds no folder 'hardware_catalog'",
      InputError);
  ::unsetenv("TOKENYARD_CATALOG");
  CHECK_THROWS_WITH_AS((void)find_catalog_root("/nowhere"),
                       "error: the catalog directory '/nowhere' holds no folder 'hardware_catalog'",
                       InputError);
  const std::filesystem::path before = std::filesystem::current_path();
  files.write("scenarios/deep/x.yaml", "");
  std::filesystem::current_path(files.root() + "/scenarios/deep");
  const std::string found = find_catalog_root("");
  std::filesystem::current_path(files.root());
  CHECK(find_catalog_root("") == ".");
  std::filesystem::current_path(before);
  CHECK(std::filesystem::equivalent(found, files.root()));
}

TEST_CASE("the toy device is within the bounds: 16 GB of HBM moves at most 1.3 TB/s") {
  Device d = toy();
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(1.3);
  CHECK(check_device(d).empty());
  d.memory[0].bandwidth = terabytes_per_second(1.31);
  CHECK(messages(check_device(d)) ==
        std::vector<std::string>{
            "memory hbm: 1.31 TB/s out of 16.0 GB; the fastest hbm of that size moves 1.30 TB/s"});
}

TEST_CASE("300 W do at most 8 x 300 = 2400 TFLOP/s in 8 bits, 1200 in 16, 4800 in 4") {
  Device d = toy();
  d.engines[0].peak = {{"fp8", teraflops_per_second(2400)},
                       {"bf16", teraflops_per_second(1200)},
                       {"mxfp4", teraflops_per_second(4800)}};
  CHECK(check_device(d).empty());
  d.engines[0].peak["bf16"] = teraflops_per_second(1210);
  const std::vector<Finding> findings = check_device(d);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message ==
        "engine main: 1.21 PFLOP/s in bf16 at 300 W; at most 1.20 PFLOP/s (8 TFLOP/s per watt at 8 "
        "bits)");
  CHECK_FALSE(findings[0].error);
}

TEST_CASE("16 GB of SRAM are 10,667 mm2, thirteen dies of the largest size") {
  Device d = toy();
  d.memory[0].tier = "sram";
  CHECK(messages(check_device(d)) ==
        std::vector<std::string>{
            "memory sram: 16.0 GB takes at least 10700 mm2 at 1.5 MB/mm2: 13.0 dies of the "
            "largest size, 858 mm2"});
  d.memory[0].capacity = gigabytes(1.287);  // 858 mm2 x 1.5 MB
  CHECK(check_device(d).empty());
}

TEST_CASE("memory cannot cost less energy than its kind, nor draw more than the whole device") {
  Device d = toy();
  d.memory[0].energy = picojoules_per_byte(15);
  CHECK(check_device(d).empty());
  d.memory[0].energy = picojoules_per_byte(14);
  CHECK(messages(check_device(d)) ==
        std::vector<std::string>{"memory hbm: 14.0 pJ/B is less than any hbm needs, 15.0 pJ/B"});
  d.memory[0].energy = picojoules_per_byte(310);  // x 1 TB/s = 310 W
  CHECK(messages(check_device(d)) ==
        std::vector<std::string>{
            "memory hbm: at full bandwidth it alone draws 310 W, more than the tdp of 300 W"});
}

TEST_CASE("a node's device and its link must exist") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(check_node(toy_node(), catalog, diagnostics).empty());
  NodeSpec node = toy_node();
  node.devices[0].device = "toyy";
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        std::vector<std::string>{"no device 'toyy' in the catalog; did you mean 'toy'?"});
  node = toy_node();
  node.link = "wired";
  const std::vector<Finding> findings = check_node(node, catalog, diagnostics);
  CHECK(messages(findings) ==
        std::vector<std::string>{"link: toy has no link 'wired'; did you mean 'wire'?"});
  CHECK((findings.size() == 1 && findings[0].error));
  CHECK(diagnostics.empty());
}

TEST_CASE("a node without host memory, without a price, or cheaper than its devices is marked") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  NodeSpec node = toy_node();
  node.host.dram.reset();
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        std::vector<std::string>{"host: no dram; a KV cache cannot be offloaded here"});
  node = toy_node();
  node.price = usd(7.9e3);  // 8 devices at 1000 USD
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        std::vector<std::string>{
            "price: 7.90 kUSD is less than its devices at their lowest, 8.00 kUSD"});
  node.price.reset();
  CHECK(messages(check_node(node, catalog, diagnostics)) ==
        std::vector<std::string>{
            "no price, and devices and host do not all have one; this node costs an unknown sum"});
  node.host.price = usd(500);
  CHECK(check_node(node, catalog, diagnostics).empty());
}

}  // namespace tokenyard::catalog
